"""Notebook 03's pictures: ridges of hidden values, drift, kicks, a moving target."""

from dataclasses import replace

import numpy as np

from helpers.experiments.hidden_layer_stability import RIDGE_GRID, RIDGE_UNITS
from helpers.figures.parts import Bars, Ghost
from helpers.figures.picture import (
    NEUTRAL,
    STORED_STATISTICS,
    WITH_BATCH_NORM,
    WITHOUT_BATCH_NORM,
    Picture,
)
from helpers.intervals import (
    format_number,
    interval_ends,
    mean_interval,
    mean_intervals,
    paired_interval,
)

ARMS = (WITHOUT_BATCH_NORM, WITH_BATCH_NORM)
ARM_NAMES = ("without batch norm", "with batch norm")
STATION_NAMES = {
    "z2": "value at z2 (before the second ReLU)",
    "h2": "value at h2 (what layer 3 receives)",
}


class RidgePicture(Picture):
    """Distributions of six units, without and with batch norm, and one image's place in them."""

    def __init__(self):
        super().__init__(
            width=10, height=5.6,
            title="With batch norm the hills stay put; the marked picture still moves",
        )
        panels = self.figure.subplots(1, 2, sharey=True)
        self.ridges = [
            self.moves(_Ridges(axes, style)) for axes, style in zip(panels, ARMS, strict=True)
        ]
        for axes, name, style in zip(panels, ARM_NAMES, ARMS, strict=True):
            axes.set(xlim=(-8, 8), ylim=(0.4, RIDGE_UNITS + 2.1), xticks=range(-8, 9, 4))
            axes.set_title(name, color=style.text_colour)
        panels[0].set_yticks(
            range(1, RIDGE_UNITS + 1), [f"unit {unit}" for unit in range(RIDGE_UNITS, 0, -1)]
        )
        self.stations = [
            self.moves(
                axes.text(0.5, -0.13, "", transform=axes.transAxes, ha="center", fontsize=14)
            )
            for axes in panels
        ]
        key = "● one picture\n○ at step 0\ngrey: step 0"  # short: beside the peaks at zero
        panels[0].text(-7.8, RIDGE_UNITS + 2.1, key, va="top", linespacing=1.3)
        for axes in panels:
            axes.set_xlabel(" ")  # keeps room for the station's name, which moves

    def show(self, ridges):
        for part, arm in zip(self.ridges, ridges.arms, strict=True):
            part.set(arm)
        for text in self.stations:
            text.set_text(STATION_NAMES[ridges.station])
        self.sentence = _ridge_sentence(ridges)
        return self


def _ridge_sentence(ridges):
    where = (
        f"Step {ridges.step}, {ridges.station}, learning rate {ridges.learning_rate:g}, "
        f"batch size {ridges.batch_size}."
    )
    if ridges.step == 0:
        return f"{where} Nothing has been learned yet."
    means, rankings = (
        [format_number(arm.drift[name], 3) for arm in ridges.arms] for name in ("mean", "ranking")
    )
    return (
        f"{where} In the last 10 steps the mean moved by {means[0]} sd without and {means[1]} sd "
        f"with batch norm, the ranking of the pictures by {rankings[0]} and {rankings[1]}."
    )


class _Ridges:
    """Six distributions above each other; grey and hollow: before training."""

    height = 1.5  # rows per unit of density
    tallest = 1.6  # rows; ReLU's peak at zero would hide the neighbours

    def __init__(self, axes, style):
        rows = np.arange(RIDGE_UNITS, 0, -1)
        self.rows = rows
        axes.hlines(rows, -8, 8, color="#dddddd", linewidth=1, zorder=0)
        self.fills = [
            axes.fill_between(
                RIDGE_GRID, row, row, color=style.colour, alpha=0.25, linewidth=0, zorder=2
            )
            for row in rows
        ]
        (self.start,) = axes.plot([], [], color=NEUTRAL.colour, linewidth=1.4, zorder=3)
        (self.now,) = axes.plot([], [], zorder=4, **style.of_line())
        (self.start_mark,) = axes.plot(
            [], [], "o", mfc="white", mec=NEUTRAL.colour, mew=1.8, ms=8, zorder=5
        )
        (self.mark,) = axes.plot([], [], "o", color="black", ms=8, zorder=6)
        self.artists = [*self.fills, self.start, self.now, self.start_mark, self.mark]

    def set(self, arm):
        for fill, row, top in zip(self.fills, self.rows, self._tops(arm.density), strict=True):
            fill.set_data(RIDGE_GRID, np.full_like(top, row), top)
        for line, density in ((self.start, arm.start_density), (self.now, arm.density)):
            tops = self._tops(density)
            gaps = np.full((len(tops), 1), np.nan)  # lifts the pen between the rows
            grid = np.tile(np.append(RIDGE_GRID, np.nan), len(tops))
            line.set_data(grid, np.hstack([tops, gaps]).ravel())
        self.start_mark.set_data(arm.start_marked, self.rows)
        self.mark.set_data(arm.marked, self.rows)

    def _tops(self, density):
        return self.rows[:, None] + np.minimum(self.height * density, self.tallest)


class DriftPicture(Picture):
    """What batch norm pins by construction, and what it does not."""

    pinned = ("mean", "scale")
    free = ("ranking", "shape")
    by_construction = {("z2", "mean"), ("z2", "scale")}  # with batch norm
    positions = (0, 0.8, 2.1, 2.9)
    tops = (0.14, 0.066)
    ticks = ((0, 0.05, 0.10, 0.15), (0, 0.02, 0.04, 0.06))

    def __init__(self):
        super().__init__(
            width=10.5, height=5.6,
            title="Batch norm pins place and width;\nwhich images score high drifts on",
        )
        grid = self.figure.subplots(2, 2)
        titles = (
            ("z2: batch norm sets them", "z2: not set by batch norm"),
            ("h2: follows, through the ReLU", "h2: not set by batch norm"),
        )
        names = (("mean (sd)", "width (log sd)"), ("ranking (1 − corr.)", "shape (sd)"))
        self.bars = {}
        for row, station in enumerate(("z2", "h2")):
            for column, top in enumerate(self.tops):
                axes = grid[row, column]
                axes.set(xlim=(-0.6, 3.5), ylim=(0, 1.12 * top), title=titles[row][column])
                axes.set_xticks([0.4, 2.5], names[column])
                axes.set_yticks(self.ticks[column])
                axes.tick_params(axis="x", length=0)
                bars = Bars(axes, self.positions, ARMS * 2)
                self.bars[station, column] = self.moves(bars)
            grid[row, 0].set_ylabel("drift per 10 steps")
        _name_arms(self.figure, grid[0, 0])

    def show(self, pair):
        for station in ("z2", "h2"):
            for column, quantities in enumerate((self.pinned, self.free)):
                intervals = [
                    one
                    for quantity in quantities
                    for one in self._intervals(pair, station, quantity)
                ]
                texts = [format_number(one.mean, 3) for one in intervals]
                _set_below(self.tops[column], self.bars[station, column], intervals, texts)
        self.sentence = _drift_sentence(pair)
        return self

    def _intervals(self, pair, station, quantity):
        without, with_norm = (mean_interval(arm.mean_drift(station, quantity)) for arm in pair.arms)
        if (station, quantity) in self.by_construction:
            with_norm = replace(with_norm, half_width=0.0)
        return without, with_norm


def _drift_sentence(pair):
    means = [format_number(arm.mean_drift("z2", "mean").mean(), 3) for arm in pair.arms]
    rankings = [mean_interval(arm.mean_drift("z2", "ranking")) for arm in pair.arms]
    return (
        f"Per 10 steps at z2, without and with batch norm: the mean moves by {means[0]} and "
        f"{means[1]} sd, the ranking by {rankings[0]} and {rankings[1]}."
    )


class KickPicture(Picture):
    """The loss after a kick: three bars, cut off at the top of the axis.

    A bet on the bar in the middle is shown while the picture shows the kick `bet_on`.
    """

    top = 10.0
    bet_on = ("scale", 2.0)

    def __init__(self):
        super().__init__(title="Do fresh statistics soften the kick? Do stored ones?")
        axes = self.figure.subplots()
        names = ("without\nbatch norm", "batch norm,\nfresh statistics")
        axes.set_xticks(range(3), [*names, "batch norm,\nstored statistics"])
        axes.set(xlim=(-0.6, 2.6), ylim=(-1.4, 1.12 * self.top), yticks=range(0, 11, 2))
        axes.set_ylabel("increase of the test loss (nats),\ncut off at 10")
        axes.tick_params(axis="x", length=0)
        axes.spines.bottom.set_visible(False)
        axes.axhline(0, color=NEUTRAL.colour, linewidth=1)
        self.bars = self.moves(Bars(axes, range(3), (*ARMS, STORED_STATISTICS), width=0.5))
        self.ghost = self.moves(Ghost(axes, offset=(9, 2), va="bottom"))  # above the line at 0
        self.kick, self.bet = None, None

    def show(self, kick):
        intervals = mean_intervals(kick.damage)
        _set_below(self.top, self.bars, intervals, kick.texts)
        none, fresh, stored = kick.texts
        self.sentence = (
            f"{_kick_in_words(kick)} the test loss rises by {none} without batch norm, {fresh} "
            f"with fresh and {stored} with stored statistics ({intervals[0].n_seeds} networks)."
        )
        self.kick = (kick.kind, kick.size)
        self._place_ghost()
        return self

    def set_ghost(self, value):
        """Show the bet `value`, in nats, or none (None)."""
        self.bet = value
        self._place_ghost()

    def _place_ghost(self):
        if self.bet is None or self.kick != self.bet_on:
            self.ghost.hide()
        else:
            self.ghost.set(1.25, self.bet)  # beside the number above the bar


def _kick_in_words(kick):
    size = format_number(kick.size, 1)
    if kick.kind == "scale":
        return f"All weights of layers 1 and 2 times {format_number(1 + kick.size, 1)}:"
    change = {"common direction": "a push along the mean input", "random": "random noise"}
    return f"On layers 1 and 2 {change[kick.kind]}, {size} times as long as the weights:"


class MovingTargetPicture(Picture):
    """What two drives of layers 1 and 2 cost the later layers."""

    top = 0.9

    def __init__(self):
        super().__init__(title="Batch norm cancels growth,\nbut hardly helps against rotation")
        axes = self.figure.subplots()
        axes.set(xlim=(-0.6, 3.9), ylim=(0, 1.12 * self.top), ylabel="extra training loss (nats)")
        axes.set_xticks([0.4, 2.9], ["layers 1 and 2 rotate", "layers 1 and 2 grow by 2% a step"])
        axes.tick_params(axis="x", length=0)
        self.bars = self.moves(Bars(axes, (0, 0.8, 2.5, 3.3), ARMS * 2))
        _name_arms(axes, axes, "upper left")

    def show(self, target):
        drives = ("rotation", "growth")
        damages = {drive: target.damage(drive) for drive in drives}
        intervals = [one for drive in drives for one in mean_intervals(damages[drive])]
        texts = [format_number(one.mean, 2) for one in intervals]
        texts[-1] += "\nby construction"  # batch norm divides every factor out again
        _set_below(self.top, self.bars, intervals, texts)
        turn, grow = (paired_interval(*damages[drive][::-1]) for drive in drives)
        self.sentence = (
            f"Batch norm changes the damage by {turn} nats when layers 1 and 2 rotate and by "
            f"{grow} nats when they grow."
        )
        return self


def _set_below(top, bars, intervals, texts):
    """Set bars and interval ends, cut off at `top`; an arrow marks each bar that goes on."""
    heights, lows, highs = np.clip(interval_ends(intervals), 0, top)
    cut = [" ↑" if one.mean > top else "" for one in intervals]
    bars.set(heights, lows, highs, texts=[text + mark for text, mark in zip(texts, cut)])


def _name_arms(page, axes, where="upper right"):
    """Write the names of both arms in a corner of `page`, beside samples of the bars in `axes`."""
    samples = [axes.bar(0, 0, **style.of_bar()) for style in ARMS]
    page.legend(samples, ARM_NAMES, loc=where, borderaxespad=0)
