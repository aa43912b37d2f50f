"""Notebook 03's pictures: ridges of hidden values, drift, kicks, a moving target."""

from dataclasses import replace

import numpy as np

from helpers.experiments.hidden_layer_stability import RIDGE_GRID, RIDGE_UNITS, kick_texts
from helpers.figures.general import looks_of
from helpers.figures.parts import Bars, Ghost
from helpers.figures.picture import NEUTRAL, STORED_STATISTICS, Picture
from helpers.intervals import format_number, interval_ends, mean_intervals, paired_interval

LOOKS = looks_of(["without", "with"])
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
        self.ridges, self.stations = {}, []
        for axes, (arm, (style, name)) in zip(panels, LOOKS.items()):
            self.ridges[arm] = self.moves(_Ridges(axes, style))
            axes.set(xlim=(-8, 8), ylim=(0.4, RIDGE_UNITS + 2.1), xticks=range(-8, 9, 4))
            axes.set_title(name, color=style.text_colour)
            axes.set_xlabel(" ")  # keeps room for the station's name, which moves
            text = axes.text(0.5, -0.13, "", transform=axes.transAxes, ha="center", fontsize=14)
            self.stations.append(self.moves(text))
        rows = range(1, RIDGE_UNITS + 1)
        panels[0].set_yticks(rows, [f"unit {unit}" for unit in reversed(rows)])
        key = "● one picture\n○ at step 0\ngrey: step 0"  # short: beside the peaks at zero
        panels[0].text(-7.8, RIDGE_UNITS + 2.1, key, va="top", linespacing=1.3)

    def show(self, ridges):
        """Show what `ridges_at` yields."""
        for arm, part in self.ridges.items():
            part.set(ridges[arm])
        for text in self.stations:
            text.set_text(STATION_NAMES[ridges["station"]])
        self.sentence = _ridge_sentence(**ridges)
        return self


def _ridge_sentence(step, station, learning_rate, batch_size, **arms):
    where = f"Step {step}, {station}, learning rate {learning_rate:g}, batch size {batch_size}."
    if step == 0:
        return f"{where} Nothing has been learned yet."
    means, rankings = (
        [format_number(arms[arm][name], 3) for arm in LOOKS] for name in ("mean", "ranking")
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
        self.rows = np.arange(RIDGE_UNITS, 0, -1)
        axes.hlines(self.rows, -8, 8, color="#dddddd", linewidth=1, zorder=0)
        hill = dict(color=style.colour, alpha=0.25, linewidth=0, zorder=2)
        self.fills = [axes.fill_between(RIDGE_GRID, row, row, **hill) for row in self.rows]
        (self.start,) = axes.plot([], [], color=NEUTRAL.colour, linewidth=1.4, zorder=3)
        (self.now,) = axes.plot([], [], zorder=4, **style.of_line())
        (self.start_mark,) = axes.plot(
            [], [], "o", mfc="white", mec=NEUTRAL.colour, mew=1.8, ms=8, zorder=5
        )
        (self.mark,) = axes.plot([], [], "o", color="black", ms=8, zorder=6)
        self.artists = [*self.fills, self.start, self.now, self.start_mark, self.mark]

    def set(self, arm):
        for fill, row, top in zip(self.fills, self.rows, self._tops(arm["density"]), strict=True):
            fill.set_data(RIDGE_GRID, np.full_like(top, row), top)
        for line, name in ((self.start, "start density"), (self.now, "density")):
            tops = self._tops(arm[name])
            gaps = np.full((len(tops), 1), np.nan)  # lifts the pen between the rows
            grid = np.tile(np.append(RIDGE_GRID, np.nan), len(tops))
            line.set_data(grid, np.hstack([tops, gaps]).ravel())
        self.start_mark.set_data(arm["start marked"], self.rows)
        self.mark.set_data(arm["marked"], self.rows)

    def _tops(self, density):
        return self.rows[:, None] + np.minimum(self.height * density, self.tallest)


class _CutBars(Bars):
    """Bars cut off at `top`; an arrow marks each that goes on."""

    def __init__(self, axes, positions, styles, *, top, **settings):
        super().__init__(axes, positions, styles, **settings)
        axes.tick_params(axis="x", length=0)
        self.top = top

    def show(self, intervals, texts):
        heights, lows, highs = np.clip(interval_ends(intervals), 0, self.top)
        cut = [" ↑" if one.mean > self.top else "" for one in intervals]
        self.set(heights, lows, highs, [text + mark for text, mark in zip(texts, cut)])


def _bars_by_arm(axes, names, arms, *, top, gap):
    """Return _CutBars in groups of these names, one bar for each arm."""
    starts = (0.8 * len(arms) + gap) * np.arange(len(names))
    positions = starts[:, None] + 0.8 * np.arange(len(arms))
    axes.set(xlim=(-0.6, positions.max() + 0.6), ylim=(0, 1.12 * top))
    axes.set_xticks(positions.mean(axis=1), names)
    styles = [style for style, _ in looks_of(arms).values()]
    return _CutBars(axes, positions.ravel(), styles * len(names), top=top)


def _name_arms(page, axes, arms, where="upper right"):
    """Write the names of the arms in a corner of `page`, beside samples of the bars in `axes`."""
    looks = looks_of(arms).values()
    samples = [axes.bar(0, 0, **style.of_bar()) for style, _ in looks]
    page.legend(samples, [name for _, name in looks], loc=where, borderaxespad=0)


class DriftPicture(Picture):
    """What batch norm pins by construction, and what it does not."""

    titles = {
        "z2": ("z2: batch norm sets them", "z2: not set by batch norm"),
        "h2": ("h2: follows, through the ReLU", "h2: not set by batch norm"),
    }
    # Of either column: quantities and their names, the top of the axes and its ticks.
    columns = (
        ({"mean": "mean (sd)", "scale": "width (log sd)"}, 0.14, (0, 0.05, 0.10, 0.15)),
        ({"ranking": "ranking (1 − corr.)", "shape": "shape (sd)"}, 0.066, (0, 0.02, 0.04, 0.06)),
    )

    def __init__(self):
        super().__init__(
            width=10.5, height=5.6,
            title="Batch norm pins place and width;\nwhich images score high drifts on",
        )
        self.bars = {}

    def show(self, runs):
        """Show {arm: Run} of networks under a `DriftMeter`."""
        if not self.bars:
            self._build(runs)
        for (station, quantities), bars in self.bars.items():
            names = [f"{quantity} at {station}" for quantity in quantities]
            intervals = [one for name in names for one in _drifts(runs, name)]
            bars.show(intervals, [format_number(one.mean, 3) for one in intervals])
        self.sentence = _drift_sentence(runs)
        return self

    def _build(self, runs):
        grid = self.figure.subplots(2, 2)
        for row, (station, titles) in zip(grid, self.titles.items()):
            row[0].set_ylabel(f"drift per {_steps_between(runs)} steps")
            for axes, title, (names, top, ticks) in zip(row, titles, self.columns):
                axes.set_title(title)
                axes.set_yticks(ticks)
                bars = _bars_by_arm(axes, list(names.values()), runs, top=top, gap=0.5)
                self.bars[station, tuple(names)] = self.moves(bars)
        _name_arms(self.figure, grid[0, 0], runs)


def _drifts(runs, name):
    """Return the Intervals of all arms; without a width where batch norm sets the value."""
    intervals = mean_intervals([run[name].mean(axis=0) for run in runs.values()])
    is_set = name in ("mean at z2", "scale at z2")
    return [
        replace(one, half_width=0.0) if is_set and arm == "with" else one
        for arm, one in zip(runs, intervals)
    ]


def _steps_between(runs):
    first, second = next(iter(runs.values())).steps[:2]
    return second - first


def _drift_sentence(runs):
    names = " and ".join(label for _, label in looks_of(runs).values())
    names = names.replace("without batch norm and with", "without and with")
    means = " and ".join(format_number(one.mean, 3) for one in _drifts(runs, "mean at z2"))
    rankings = " and ".join(str(one) for one in _drifts(runs, "ranking at z2"))
    return (
        f"Per {_steps_between(runs)} steps at z2, {names}: the mean moves by {means} sd, the "
        f"ranking by {rankings}."
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
        axes.spines.bottom.set_visible(False)
        axes.axhline(0, color=NEUTRAL.colour, linewidth=1)
        styles = [*(style for style, _ in LOOKS.values()), STORED_STATISTICS]
        self.bars = self.moves(_CutBars(axes, range(3), styles, top=self.top, width=0.5))
        self.ghost = self.moves(Ghost(axes, offset=(9, 2), va="bottom"))  # above the line at 0
        self.kick, self.bet = None, None

    def show(self, kick):
        """Show a result of `run_kick`."""
        texts = kick_texts(kick)
        intervals = mean_intervals([kick[name] for name in texts])
        self.bars.show(intervals, texts.values())
        self.sentence = (
            f"{_kick_in_words(kick['kind'], kick['size'])} the test loss rises by "
            f"{texts['without']} without batch norm, {texts['fresh']} with fresh and "
            f"{texts['stored']} with stored statistics ({intervals[0].n_seeds} networks)."
        )
        self.kick = (kick["kind"], kick["size"])
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


def _kick_in_words(kind, size):
    if kind == "scale":
        return f"All weights of layers 1 and 2 times {format_number(1 + size, 1)}:"
    change = {"common direction": "a push along the mean input", "random": "random noise"}[kind]
    length = f"{format_number(size, 1)} times as long as the weights"
    return f"On layers 1 and 2 {change}, {length}:"


class MovingTargetPicture(Picture):
    """What driving layers 1 and 2 costs the later layers."""

    names = {"rotation": "layers 1 and 2 rotate", "growth": "layers 1 and 2 grow"}
    words = {"rotation": "when layers 1 and 2 rotate", "growth": "when they grow"}
    top = 0.9

    def __init__(self):
        super().__init__(title="Batch norm cancels growth,\nbut hardly helps against rotation")
        self.bars = None

    def show(self, damages):
        """Show {drive: {arm: (n_networks,)}}, extra training losses in nats."""
        if self.bars is None:
            self._build(damages)
        cells = [(drive, *cell) for drive, by_arm in damages.items() for cell in by_arm.items()]
        intervals = mean_intervals([values for _, _, values in cells])
        texts = [format_number(one.mean, 2) for one in intervals]
        for place, (drive, arm, _) in enumerate(cells):
            if (drive, arm) == ("growth", "with"):  # batch norm divides every factor out again
                texts[place] += "\nby construction"
        self.bars.show(intervals, texts)
        self.sentence = self._tell(damages)
        return self

    def _tell(self, damages):
        first, *others = next(iter(damages.values()))
        told = []
        for arm in others:
            changes = [
                f"by {paired_interval(one[arm], one[first])} nats {self.words.get(drive, drive)}"
                for drive, one in damages.items()
            ]
            is_usual = (first, arm) == ("without", "with")
            what = "Batch norm" if is_usual else f"Going from {first!r} to {arm!r}"
            told.append(f"{what} changes the damage {' and '.join(changes)}.")
        return " ".join(told) or "Only one kind of network: nothing to compare."

    def _build(self, damages):
        axes, arms = self.figure.subplots(), next(iter(damages.values()))
        axes.set_ylabel("extra training loss (nats)")
        names = [self.names.get(drive, drive) for drive in damages]
        self.bars = self.moves(_bars_by_arm(axes, names, arms, top=self.top, gap=0.9))
        _name_arms(axes, axes, arms, "upper left")
