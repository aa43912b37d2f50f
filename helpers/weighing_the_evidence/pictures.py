"""Notebook 05's pictures: races with noise, the learning rates that train, smoothness."""


import numpy as np
from matplotlib.collections import LineCollection

from helpers.batch_norm_mechanics.pictures import RacePicture
from helpers.intervals import format_number, interval_ends, mean_intervals
from helpers.page.charts import looks_of
from helpers.page.parts import Bars, Ghost, Intervals, ReferenceLine
from helpers.page.picture import NEUTRAL, WITH_BATCH_NORM, Picture
from helpers.weighing_the_evidence.experiments import (
    LEARNING_RATES,
    TRAINED_BELOW,
    range_text,
    trains,
)


class NoisyRacePicture(RacePicture):
    """Races of arms with noise; the reader's bet stands on the finish line of the first."""

    TITLE = "More drift, and still faster: at one learning rate, not at the other"

    def __init__(self, threshold=0.5, **size):
        super().__init__(threshold, **size)
        self.bet, self.ghost = None, None

    def _build(self, panels):
        super()._build(panels)
        for _, number in self.arrivals:  # faster arms' curves run through them
            number.set_bbox(dict(facecolor="white", edgecolor="none", pad=0.5))
        self.ghost = self.moves(Ghost(self.figure.axes[0], offset=(0, -38), ha="center"))
        self.set_ghost(self.bet)

    def set_ghost(self, steps):
        """Mark the bet of `steps` steps; None hides it."""
        self.bet = steps
        if self.ghost is not None:
            self.ghost.hide() if steps is None else self.ghost.set(steps, self.threshold)


class SmoothnessPicture(Picture):
    """How the loss changes after one long step down the gradient, each panel to its own scale."""

    def __init__(self):
        title = "Batch norm makes the loss smoother with relu, not with tanh"
        super().__init__(width=9, height=4.9, title=title)
        self.panels = []

    def show(self, changes):
        """Show {name of the panel: {arm: changes (n_networks,)}}."""
        if not self.panels:
            self._build(changes)
        sentences = []
        for (name, arms), bars in zip(changes.items(), self.panels, strict=True):
            intervals = mean_intervals(list(arms.values()))
            bars.set(*interval_ends(intervals), [str(one) for one in intervals])
            texts = zip(intervals, (label for _, label in looks_of(arms).values()))
            said = ", by ".join(f"{interval} {label}" for interval, label in texts)
            sentences.append(f"{name}: the loss changes by {said}.")
        self.sentence = " ".join(sentences)
        return self

    def _build(self, changes):
        all_axes = self.figure.subplots(1, len(changes), squeeze=False)[0]
        for axes, (name, arms) in zip(all_axes, changes.items()):
            looks = looks_of(arms).values()
            places = range(len(looks))
            top = _next_round(max(one.high for one in mean_intervals(list(arms.values()))))
            axes.set(xlim=(-0.6, len(looks) - 0.4), ylim=(-0.2 * top, top))
            axes.set_title(f"{name} (axis to {top:g})")
            axes.set_xticks(places, [label.replace(" ", "\n", 1) for _, label in looks])
            axes.tick_params(axis="x", length=0)
            axes.axhline(0, color=NEUTRAL.colour, linewidth=1)
            self.panels.append(self.moves(Bars(axes, places, [style for style, _ in looks])))
        all_axes[0].set_ylabel("change of the loss (nats)\nafter one step at learning rate 1")


def _next_round(value):
    """Return 1, 2, 4 or 8 times a power of ten, above `value` and with room for a number."""
    power = 10.0 ** np.floor(np.log10(max(value, 0.01)))
    return next(power * one for one in (1, 2, 4, 8, 10, 20) if power * one > 1.15 * value)


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
        self.arms = looks_of(("without", "with"))
        self.curves = [self._build_curve(above, style) for style, _ in self.arms.values()]
        above.legend(
            [line for line, _ in self.curves], [label for _, label in self.arms.values()],
            loc="lower left",
        )
        below.set(xlabel="learning rate", ylim=(1.6, -0.6), xlim=(5e-4, 60))
        below.set_xticks(LEARNING_RATES, [f"{rate:g}" for rate in LEARNING_RATES])
        below.set_yticks(range(2), self.arms)
        for axes in (above, below):
            axes.minorticks_off()
        above.tick_params(axis="x", labelbottom=False)
        below.tick_params(axis="y", length=0)
        self.ranges = [
            self._build_range(below, row, style)
            for row, (style, _) in enumerate(self.arms.values())
        ]

    def _build_curve(self, axes, style):
        spread = LineCollection([], colors=style.colour, linewidths=1.2, alpha=0.6)
        (line,) = axes.plot([], [], marker=style.marker, **style.of_line())
        return self.moves(line), self.moves(axes.add_collection(spread))

    def _build_range(self, axes, row, style):
        bars = LineCollection([], colors=style.colour, linewidths=13, antialiaseds=False)
        name = axes.text(0.01, row, "", va="center", transform=axes.get_yaxis_transform())
        return self.moves(axes.add_collection(bars)), self.moves(name)

    def show(self, pair):
        """Show one setting of the map, as `pair_of` returns it."""
        rates, words = np.array(LEARNING_RATES), []
        inner = np.sqrt(rates[:-1] * rates[1:])
        edges = np.concatenate([[rates[0] / 2], inner, [rates[-1] * 2]])
        for row, arm in enumerate(self.arms):
            (line, spread), (bars, name) = self.curves[row], self.ranges[row]
            losses, typical = np.minimum(pair[arm], self.top), np.median(pair[arm], axis=1)
            line.set_data(rates, np.minimum(typical, self.top))
            spread.set_segments([[(x, ys.min()), (x, ys.max())] for x, ys in zip(rates, losses)])
            found = np.flatnonzero(trains(pair[arm]))
            bars.set_segments([[(edges[i], row), (edges[i + 1], row)] for i in found])
            name.set_text(range_text(pair[arm]))
            lowest = f" (lowest loss {format_number(typical.min(), 2)})" if found.size else ""
            words.append(name.get_text() + lowest)
        self.setting.set_text(pair["name"])
        self.sentence = (
            f"{pair['name']}. Learning rates that train: without batch norm {words[0]}, with it "
            f"{words[1]}. Medians of {pair['with'].shape[1]} networks; the table behind this "
            "picture was computed beforehand."
        )
        return self


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
