"""Notebook 05's pictures: races with noise, the learning rates that train, smoothness."""

import numpy as np
from matplotlib.collections import LineCollection

from helpers.experiments.other_suspects import LEARNING_RATES, TRAINED_BELOW
from helpers.figures.batch_norm_mechanics import RacePicture
from helpers.figures.parts import Bars, Ghost, Intervals, ReferenceLine
from helpers.figures.picture import (
    NEUTRAL,
    WARNING,
    WITH_BATCH_NORM,
    WITHOUT_BATCH_NORM,
    Picture,
)
from helpers.intervals import format_number, interval_ends, mean_intervals

ARMS = (WITHOUT_BATCH_NORM, WITH_BATCH_NORM)


class NoisyRacePicture(RacePicture):
    """Two races of three arms: without batch norm, with it, and with noise behind it.

    `set_ghost` puts the reader's bet on the finish line of the first race.
    """

    TITLE = "More drift, and still faster: at one learning rate, not at the other"
    ARMS = (
        (WITHOUT_BATCH_NORM, "without batch norm", None, 0.14),
        (WITH_BATCH_NORM, "with batch norm", None, -0.14),
        (WARNING, "batch norm, then noise", None, -0.14),
    )

    def __init__(self):
        super().__init__(n_panels=2)
        self.ghost = self.moves(Ghost(self.figure.axes[0], offset=(0, -38), ha="center"))

    def _name_arms(self, axes):
        samples = [axes.plot([], [], marker=s.marker, **s.of_line())[0] for s, *_ in self.ARMS]
        names = [name for _, name, *_ in self.ARMS]
        axes.legend(samples, names, loc="upper right", bbox_to_anchor=(1.02, 0.9))

    def set_ghost(self, steps):
        """Mark the bet of `steps` steps on the finish line of the first race; None hides it."""
        if steps is None:
            self.ghost.hide()
        else:
            _, finish, _ = self.panels[0]
            self.ghost.set(steps, finish.line.get_ydata()[0])

    @staticmethod
    def sentence_of(race):
        without, with_batch_norm, noisy = (arm.median_text for arm in race.arms)
        return (
            f"{race.activation} at learning rate {race.learning_rate:g}: a median of {without} "
            f"steps to loss {race.threshold:g} without batch norm, {with_batch_norm} with it, "
            f"{noisy} with noise behind it."
        )


class SmoothnessPicture(Picture):
    """How the loss changes after one long step down the gradient, each activation to its scale."""

    def __init__(self):
        title = "Batch norm makes the loss smoother with relu, not with tanh"
        super().__init__(width=9, height=4.9, title=title)
        self.panels = []
        panels = zip(self.figure.subplots(1, 2), (("relu", 20), ("tanh", 0.8)))
        for axes, (activation, top) in panels:
            axes.set(xlim=(-0.6, 1.6), ylim=(-0.2 * top, top))
            axes.set_title(f"{activation} (axis to {top:g})")
            axes.set_xticks(range(2), ("without\nbatch norm", "with\nbatch norm"))
            axes.tick_params(axis="x", length=0)
            axes.axhline(0, color=NEUTRAL.colour, linewidth=1)
            self.panels.append(self.moves(Bars(axes, range(2), ARMS)))
        label = "change of the loss (nats)\nafter one step at learning rate 1"
        self.figure.axes[0].set_ylabel(label)

    def show(self, results):
        sentences = []
        for bars, result in zip(self.panels, results, strict=True):
            changes = np.array([arm.loss_change for arm in result.arms])
            intervals = mean_intervals(changes)
            bars.set(*interval_ends(intervals), [str(one) for one in intervals])
            without, with_batch_norm = intervals
            sentences.append(
                f"{result.activation}: the loss changes by {without} without batch norm, by "
                f"{with_batch_norm} with."
            )
        self.sentence = " ".join(sentences)
        return self


class LearningRateMapPicture(Picture):
    """Final loss against the learning rate, and below it the rates that train.

    A curve is the median over networks, a thin line its lowest to its highest; losses above the
    top are drawn there.
    """

    top = 3.0

    def __init__(self):
        title = "What batch norm buys: more learning rates that train"
        super().__init__(width=9.4, height=5.6, title=title)
        above, below = self.figure.subplots(2, 1, sharex=True, height_ratios=[4, 1])
        levels = (0, 0.5, 1, 1.5, 2, 2.5, self.top)
        above.set(xscale="log", ylabel="final training loss (nats)", ylim=(0, self.top + 0.15))
        above.set_yticks(levels, [*map(str, levels[:-1]), f"≥ {self.top:g}"])
        ReferenceLine(above, TRAINED_BELOW, "below this line it trains", where=0.01)
        self.setting = self.moves(above.text(0, 1.05, "", transform=above.transAxes))
        self.curves = [self._build_curve(above, style) for style in ARMS]
        lines = [line for line, _ in self.curves]
        above.legend(lines, ("without batch norm", "with batch norm"), loc="lower left")
        below.set(xlabel="learning rate", ylim=(1.6, -0.6), xlim=(5e-4, 60))
        below.set_xticks(LEARNING_RATES, [f"{rate:g}" for rate in LEARNING_RATES])
        below.set_yticks(range(2), ("without", "with"))
        for axes in (above, below):
            axes.minorticks_off()
        above.tick_params(axis="x", labelbottom=False)
        below.tick_params(axis="y", length=0)
        self.ranges = [self._build_range(below, row, style) for row, style in enumerate(ARMS)]

    def _build_curve(self, axes, style):
        spread = LineCollection([], colors=style.colour, linewidths=1.2, alpha=0.6)
        (line,) = axes.plot([], [], marker=style.marker, **style.of_line())
        return self.moves(line), self.moves(axes.add_collection(spread))

    def _build_range(self, axes, row, style):
        bars = LineCollection([], colors=style.colour, linewidths=13, antialiaseds=False)
        name = axes.text(0.01, row, "", va="center", transform=axes.get_yaxis_transform())
        return self.moves(axes.add_collection(bars)), self.moves(name)

    def show(self, pair):
        rates = pair.without.learning_rates
        inner = np.sqrt(rates[:-1] * rates[1:])
        edges = np.concatenate([[rates[0] / 2], inner, [rates[-1] * 2]])
        for row, (arm, curve, bars) in enumerate(zip(pair.arms, self.curves, self.ranges)):
            losses = np.minimum(arm.final_losses, self.top)
            curve[0].set_data(rates, np.minimum(arm.typical_losses, self.top))
            curve[1].set_segments(
                [[(x, ys.min()), (x, ys.max())] for x, ys in zip(rates, losses)]
            )
            bars[0].set_segments(
                [[(edges[i], row), (edges[i + 1], row)] for i in np.flatnonzero(arm.trains)]
            )
            bars[1].set_text(arm.range_text)
        self.setting.set_text(pair.name)
        without, with_batch_norm = (_range_in_words(arm) for arm in pair.arms)
        self.sentence = (
            f"{pair.name}. Learning rates that train: without batch norm {without}, with it "
            f"{with_batch_norm}. Medians of {pair.without.final_losses.shape[1]} networks; the "
            "table behind this picture was computed beforehand."
        )
        return self


def _range_in_words(sweep):
    if not sweep.trains.any():
        return "none"
    lowest = format_number(sweep.typical_losses.min(), 2)
    return f"{sweep.range_text} (lowest loss {lowest})"


class SurprisesPicture(Picture):
    """Three effects of the ledger against what the claim needs: the verdict rule, drawn.

    Each panel has an interval; beyond the line, on the shaded side, the claim would hold.
    """

    PANELS = (
        ("Only half of the cats' drop is shift", (0, 125)),
        ("More drift, and still faster (at rate 0.1)", (-45, 18)),
        ("Just training with 64 overfits more, not less", (-0.3, 0.3)),
    )

    def __init__(self):
        super().__init__(height=5.6)
        panels = zip(self.figure.subplots(len(self.PANELS), 1), self.PANELS)
        self.panels = [self.moves(_Needed(axes, *panel)) for axes, panel in panels]

    def show(self, effects):
        for panel, effect in zip(self.panels, effects, strict=True):
            panel.set(effect)
        self.sentence = " ".join(
            f"{one.quantity[:1].upper()}{one.quantity[1:]}: {one.interval} {one.unit}, "
            f"{one.needed_text.split(':')[0]}: {one.verdict}."
            for one in effects
        )
        return self


class _Needed:
    """An interval, and in grey where it would have to lie for the claim to hold."""

    def __init__(self, axes, title, limits):
        self.limits = limits
        axes.set_title(title, weight="bold")
        axes.set(yticks=[], ylim=(-1, 1), xlim=limits, xlabel=" ")  # room for the quantity's name
        axes.spines["left"].set_visible(False)
        axes.axvline(0, color=NEUTRAL.colour, linewidth=1)
        self.grey = axes.axvspan(0, 1, color=NEUTRAL.colour, alpha=0.18, linewidth=0)
        self.margin = axes.axvline(0, color=NEUTRAL.colour, linewidth=2)
        self.dot = Intervals(axes, WITH_BATCH_NORM, horizontal=True)
        self.number, self.where = (axes.text(0, y, "", ha="center") for y in (0.3, -0.75))
        self.quantity = axes.text(
            0.5, -0.52, "", transform=axes.transAxes, ha="center", fontsize=14
        )
        self.artists = [
            self.grey, self.margin, *self.dot.artists, self.number, self.where, self.quantity
        ]

    def set(self, effect):
        interval, margin = effect.interval, effect.sign * effect.margin
        low, high = sorted((margin, self.limits[1 if effect.sign > 0 else 0]))
        self.grey.set(x=low, width=high - low)
        self.margin.set_xdata([margin, margin])
        self.dot.set([0], [interval.mean], [interval.low], [interval.high])
        self.number.set(x=interval.mean, text=f"{interval} {effect.unit}")
        self.where.set(x=(low + high) / 2, text="here the claim holds")
        self.quantity.set_text(f"{effect.quantity} ({effect.unit})")
