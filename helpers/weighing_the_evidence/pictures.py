"""Notebook 05's pictures: races with noise, the rates that train, smoothness, direction."""

import numpy as np
from matplotlib.collections import LineCollection

from helpers.batch_norm_mechanics.pictures import RacePicture
from helpers.intervals import format_number, interval_ends, mean_intervals
from helpers.page.parts import Bars, Ghost, Intervals, ReferenceLine, looks_of
from helpers.page.picture import (
    NEUTRAL,
    SECOND,
    WITH_BATCH_NORM,
    WITHOUT_BATCH_NORM,
    Picture,
    with_minus_signs,
)
from helpers.weighing_the_evidence import experiments
from helpers.weighing_the_evidence.direction import HIDDEN_RATES, load_hidden_rates


class NoisyRacePicture(RacePicture):
    """Races of arms with noise; the reader's bet stands on the finish line of the first."""

    TITLE = "More drift per step, still faster: at one learning rate, not at the other"

    def __init__(self, **size):
        super().__init__(**size)
        self.bet, self.ghost = None, None

    def _build(self, panels):
        super()._build(panels)
        for _, number in self.arrivals:  # faster arms' curves run through them
            number.set_bbox(dict(facecolor="white", edgecolor="none", pad=0.5))
        self.ghost = self.moves(Ghost(self.figure.axes[0], offset=(0, -38), ha="center"))

    def show(self, races):
        super().show(races)
        self.set_ghost(self.bet)
        return self

    def set_ghost(self, steps):
        """Mark the bet of `steps` steps; None hides it."""
        self.bet = steps
        if self.ghost is not None:
            self.ghost.set(steps, None if steps is None else self.threshold)
            is_late = steps is not None and steps > 0.8 * self.figure.axes[0].get_xlim()[1]
            self.ghost.text.set_ha("right" if is_late else "center")  # within the picture


class SmoothnessPicture(Picture):
    """How the loss changes after one long step down the gradient, each panel to its own scale."""

    def __init__(self):
        title = "Batch norm makes the loss smoother with ReLU, not with tanh"
        super().__init__(width=9, height=4.9, title=title)

    def show(self, changes):
        """Show {name of the panel: {arm: changes (n_networks,)}}."""
        all_axes = self.draw_anew(1, len(changes), squeeze=False)[0]
        all_axes[0].set_ylabel("change of the loss (nats)\nafter one step at learning rate 1")
        sentences = []
        for axes, (name, arms) in zip(all_axes, changes.items(), strict=True):
            intervals = mean_intervals(list(arms.values()))
            styles, labels = zip(*looks_of(arms).values())
            top = _next_round(max(one.high for one in intervals))
            axes.set(xlim=(-0.6, len(arms) - 0.4), ylim=(-0.2 * top, top))
            axes.set_title(f"{name} (axis to {top:g})")
            axes.set_xticks(range(len(arms)), [one.replace(" ", "\n", 1) for one in labels])
            axes.tick_params(axis="x", length=0)
            axes.axhline(0, color=NEUTRAL.colour, linewidth=1)
            Bars(axes, range(len(arms)), styles).set(*interval_ends(intervals), map(str, intervals))
            said = ", by ".join(f"{one} {label}" for one, label in zip(intervals, labels))
            sentences.append(f"{name}: the loss changes by {said}.")
        self.sentence = " ".join(sentences)
        return self


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
        title = "Which learning rates train, without batch norm and with it?"
        super().__init__(width=9.4, height=5.6, title=title)
        above, below = self.figure.subplots(2, 1, sharex=True, height_ratios=[4, 1])
        levels = (0, 0.5, 1, 1.5, 2, 2.5, self.top)
        above.set(xscale="log", ylabel="final training loss (nats)", ylim=(0, self.top + 0.15))
        above.set_yticks(levels, [*map(str, levels[:-1]), f"{self.top:g} +"])
        ReferenceLine(above, experiments.TRAINED_BELOW, "trains below", where=0.01)
        self.setting = self.moves(above.text(0, 1.05, "", transform=above.transAxes))
        below.set(xlabel="learning rate", ylim=(1.6, -0.6), xlim=(5e-4, 60))
        rates = experiments.LEARNING_RATES
        below.set_xticks(rates, [f"{rate:g}" for rate in rates])
        below.set_yticks(range(2), ["without", "with"])
        for axes in (above, below):
            axes.minorticks_off()
        above.tick_params(axis="x", labelbottom=False)
        below.tick_params(axis="y", length=0)
        self.arms = {}  # {arm: its curve, its spread, the bars of the rates that train, their text}
        for row, (arm, (style, label)) in enumerate(looks_of(("without", "with")).items()):
            (line,) = above.plot([], [], marker=style.marker, label=label, **style.of_line())
            spread = LineCollection([], colors=style.colour, linewidths=1.2, alpha=0.6)
            bars = LineCollection([], colors=style.colour, linewidths=13, antialiaseds=False)
            above.add_collection(spread)
            below.add_collection(bars)
            name = below.text(0.01, row, "", va="center", transform=below.get_yaxis_transform())
            self.arms[arm] = tuple(map(self.moves, (line, spread, bars, name)))
        above.legend(loc="lower left")

    def show(self, pair):
        """Show one setting of the map, as `pair_of` returns it."""
        rates, words = np.array(experiments.LEARNING_RATES), []
        inner = np.sqrt(rates[:-1] * rates[1:])
        edges = np.concatenate([[rates[0] / 2], inner, [rates[-1] * 2]])
        for row, (arm, (line, spread, bars, name)) in enumerate(self.arms.items()):
            losses, typical = np.minimum(pair[arm], self.top), np.median(pair[arm], axis=1)
            line.set_data(rates, np.minimum(typical, self.top))
            spread.set_segments([[(x, ys.min()), (x, ys.max())] for x, ys in zip(rates, losses)])
            found = np.flatnonzero(experiments.trains(pair[arm]))
            bars.set_segments([[(edges[i], row), (edges[i + 1], row)] for i in found])
            name.set_text(experiments.range_text(pair[arm]))
            lowest = f" (lowest loss {format_number(typical.min(), 2)})" if found.size else ""
            words.append(name.get_text() + lowest)
        self.setting.set_text(pair["name"])
        self.sentence = (
            f"{pair['name']}. Learning rates that train: without batch norm {words[0]}, with it "
            f"{words[1]}. Medians of {pair['with'].shape[1]} networks; the table behind this "
            "picture was computed beforehand."
        )
        return self


class HiddenRatesPicture(Picture):
    """The loss against the rate of the hidden weights in four arms, and what of that rate counts.

    Losses above the top are drawn there.
    """

    top = 2.3  # guessing
    LOOKS = {
        "without": (WITHOUT_BATCH_NORM, "without batch norm"),
        "free": (WITH_BATCH_NORM, "with batch norm"),
        "pinned": (SECOND, "with length pinned"),
        "frozen": (NEUTRAL, "with layers frozen"),
    }

    def __init__(self):
        table = load_hidden_rates()
        title = "With batch norm no rate of the hidden weights explodes"
        super().__init__(width=9.8, height=5.2, title=title)
        left, right = self.figure.subplots(1, 2, width_ratios=[3, 2])
        levels = (0, 0.5, 1, 1.5)
        left.set(ylabel="final training loss (nats)", ylim=(0, self.top + 0.1))
        left.set_yticks([*levels, self.top], [*map(str, levels), f"{self.top:g} +"])
        right.set(yscale="log", ylabel="effective rate at the end", ylim=(2e-4, 2e3))
        for axes in (left, right):
            axes.set(xscale="log", xlim=(5e-4, 2e3), xlabel="learning rate of the hidden weights")
            axes.minorticks_off()
        decades = {rate: f"{rate:g}" for rate in HIDDEN_RATES[::2]}
        left.set_xticks(list(decades), decades.values())
        right.set_xticks(list(decades)[::2], list(decades.values())[::2])
        right.set_yticks(list(decades), decades.values())
        self.growths, self.found, self.rates = mean_intervals(table["free"]["growth"]), {}, {}
        for arm, (style, name) in self.LOOKS.items():
            self.found[arm] = mean_intervals(np.minimum(table[arm]["loss"], self.top))
            _draw_dots(left, style, self.found[arm], label=name)
            if arm in ("free", "pinned"):
                self.rates[arm] = mean_intervals(table[arm]["effective rate"])
                _draw_dots(right, style, self.rates[arm])
        self.figure.legend(
            *left.get_legend_handles_labels(), loc="outside lower center", ncols=4,
            handlelength=1.8, columnspacing=1.2,
        )
        lines = (axes.axvline(1, linewidth=1.5, color=NEUTRAL.colour) for axes in (left, right))
        self.marks = [self.moves(line) for line in lines]
        self.growth = self.moves(right.text(
            0.04, 0.97, "", va="top", transform=right.transAxes,
            bbox=dict(facecolor="white", edgecolor="none", pad=1),
        ))
        self.growth.set_in_layout(False)  # its length would move the axes, at the first frame only

    def show(self, rate):
        """Mark one of the HIDDEN_RATES and say what happens there."""
        for mark in self.marks:
            mark.set_xdata([rate] * 2)
        place = HIDDEN_RATES.index(rate)
        growth = self.growths[place]
        self.growth.set_text(f"length\n× {growth}")
        free, pinned = (self.rates[arm][place] for arm in ("free", "pinned"))
        losses = ", ".join(
            f"{'diverged' if found[place].mean >= self.top else found[place]} {self.LOOKS[arm][1]}"
            for arm, found in self.found.items()
        )
        self.sentence = (
            f"Hidden weights at rate {rate:g}: final training loss {losses}. With "
            f"batch norm they end {growth} times as long as they began, at an effective rate of "
            f"{free}; with their length pinned it stays at {pinned.mean:.3g}."
        )
        return self


def _draw_dots(axes, style, intervals, **named):
    """Draw a curve over the HIDDEN_RATES with an interval at each."""
    means, lows, highs = interval_ends(intervals)
    axes.vlines(HIDDEN_RATES, lows, highs, color=style.colour, linewidth=2.4)
    axes.plot(HIDDEN_RATES, means, marker=style.marker, **style.of_line(), **named)


class SurprisesPicture(Picture):
    """Three effects of the ledger against what the claim needs: the verdict rule, drawn.

    Each panel has an interval; beyond the line, on the shaded side, what was claimed would hold.
    """

    PANELS = (
        ("Only half of the cats' drop is shift", "here all is shift", (0, 125)),
        ("More drift in a step, still faster (at rate 0.1)", "here the gain is gone", (-45, 18)),
        ("Just training with 64 overfits more, not less", "here it overfits less", (-0.3, 0.3)),
    )

    def __init__(self):
        super().__init__(height=5.6)

    def show(self, effects):
        sentences = []
        for axes, panel, one in zip(self.draw_anew(3), self.PANELS, effects, strict=True):
            _draw_needed(axes, *panel, one)
            found = f"{one.quantity}: {one.amount}, {one.needed_text}: {one.verdict}."
            sentences.append(found[:1].upper() + found[1:])
        self.sentence = " ".join(sentences)
        return self


def _draw_needed(axes, title, claimed, limits, effect):
    """Draw an interval, and in grey where it would have to lie for what was claimed to hold."""
    interval, threshold = effect.interval, effect.threshold
    end = limits[1] if effect.side == "above" else limits[0]
    axes.set_title(title, weight="bold")
    axes.set(yticks=[], ylim=(-1, 1), xlim=limits, xlabel=" ")  # room for the quantity's name
    axes.spines["left"].set_visible(False)
    axes.axvline(0, color=NEUTRAL.colour, linewidth=1)
    axes.axvspan(threshold, end, color=NEUTRAL.colour, alpha=0.18, linewidth=0)
    axes.axvline(threshold, color=NEUTRAL.colour, linewidth=2)
    dot = Intervals(axes, SECOND, horizontal=True)
    dot.set([0], *interval_ends([interval]))
    axes.text(interval.mean, 0.3, with_minus_signs(effect.amount), ha="center")
    axes.text((threshold + end) / 2, -0.75, claimed, ha="center")
    quantity = f"{effect.quantity} ({effect.unit})"
    axes.text(0.5, -0.52, quantity, transform=axes.transAxes, ha="center", fontsize=14)
