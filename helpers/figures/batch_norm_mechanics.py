"""Pictures of notebook 02: the race, one mini-batch on a line, whose mean, and new statistics."""

import numpy as np
from matplotlib.collections import LineCollection

from helpers.figures.parts import Band, Bars, Ghost, ReferenceLine
from helpers.figures.picture import (
    NEUTRAL,
    REFERENCE,
    STORED_STATISTICS,
    THEORY,
    WARNING,
    WITH_BATCH_NORM,
    WITHOUT_BATCH_NORM,
    Picture,
)
from helpers.intervals import format_number, mean_interval


class RacePicture(Picture):
    """Training loss of the arms of a race, one panel per setting, bands over seeds.

    A marker on the finish line, the races' threshold, shows each arm's median step of arrival; a
    curve ends when the last network of its arm has arrived.
    """

    TITLE = "With batch norm, training reaches the finish line in fewer steps"
    # Of each arm: its look, its name, the name's place in the first panel, and how far above the
    # finish line its number stands.
    ARMS = (
        (WITHOUT_BATCH_NORM, "without batch norm", (60, 1.45), 0.14),
        (WITH_BATCH_NORM, "with batch norm", (5, 0.2), -0.12),
    )

    def __init__(self, n_panels=3, n_steps=160):
        super().__init__(width=11, height=4.9, title=self.TITLE)
        self.panels = []
        for axes in self.figure.subplots(1, n_panels, sharey=True, squeeze=False)[0]:
            axes.set(xlabel="training step", xlim=(0, n_steps), ylim=(0, 2.5))
            finish = self.moves(ReferenceLine(axes, 0, ""))
            heading = self.moves(axes.text(0.06, 0.98, "", transform=axes.transAxes, va="top"))
            arms = [self._build_arm(axes, style) for style, *_ in self.ARMS]
            self.panels.append((heading, finish, arms))
        self.figure.axes[0].set_ylabel("training loss (nats)")
        self._name_arms(self.figure.axes[0])

    def _build_arm(self, axes, style):
        band = self.moves(Band(axes, style))
        (marker,) = axes.plot([], [], **style.of_points())
        number = axes.text(0, 0, "", color=style.text_colour, ha="center", va="center")
        return band, self.moves(marker), self.moves(number)

    def _name_arms(self, axes):
        for style, name, place, _ in self.ARMS:
            axes.text(*place, name, color=style.text_colour)

    def show(self, races):
        for race, (heading, finish, parts) in zip(races, self.panels, strict=True):
            heading.set_text(race.name)
            finish.set(race.threshold)
            for arm, (band, marker, number), (*_, above) in zip(race.arms, parts, self.ARMS):
                median = np.median(arm.first_steps)
                band.set(arm.steps, *arm.band)
                marker.set_data([median], [race.threshold])
                number.set(text=arm.median_text, x=median, y=race.threshold + above)
        self.sentence = " ".join(self.sentence_of(race) for race in races)
        return self

    @staticmethod
    def sentence_of(race):
        """Return one panel in words."""
        without, with_batch_norm = (arm.median_text for arm in race.arms)
        return (
            f"{race.activation} at learning rate {race.learning_rate:g}: a median of {without} "
            f"steps to loss {race.threshold:g} without batch norm, {with_batch_norm} with."
        )


class OneBatchPicture(Picture):
    """One unit's values for a mini-batch: dots on a line before and after batch norm.

    Rings are the ghosts of the dots as they were before one of them was pushed.
    """

    ROWS = (
        ("before: what the unit computes", (-4, 10)),
        ("after: normalised, times γ, plus β", (-6, 8)),
    )

    def __init__(self):
        super().__init__(width=10, height=5.2, title="After batch norm, no value stands alone")
        self.rows = [
            self._build_row(axes, title, limits)
            for axes, (title, limits) in zip(self.figure.subplots(2, 1), self.ROWS)
        ]
        above, below = self.figure.axes
        above.text(10, -0.8, "rings: before the push", ha="right", color=NEUTRAL.text_colour)
        levels = [below.axvline(0, ymax=0.8, zorder=1, **THEORY.of_line()) for _ in range(3)]
        names = [below.text(0, 0.65, name, ha="center") for name in ("β − γ", "β", "β + γ")]
        self.levels = [self.moves(line) for line in levels]
        self.level_names = [self.moves(name) for name in names]

    def _build_row(self, axes, title, limits):
        axes.set(xlim=limits, ylim=(-1, 1), yticks=[])
        axes.spines["left"].set_visible(False)
        axes.set_title(title)
        axes.axhline(0, color=NEUTRAL.colour, linewidth=0.8)
        moves = axes.add_collection(LineCollection([], colors=NEUTRAL.colour, linewidths=1))
        (ghosts,) = axes.plot([], [], "o", color=NEUTRAL.colour, mfc="none", markersize=11)
        (dots,) = axes.plot([], [], "o", color=WITH_BATCH_NORM.colour, markersize=11, alpha=0.8)
        (pushed,) = axes.plot([], [], **WARNING.of_points() | {"markersize": 13})
        return [self.moves(artist) for artist in (moves, ghosts, dots, pushed)]

    def show(self, result):
        pairs = ((result.quiet_before, result.before), (result.quiet_after, result.after))
        for (moves, ghosts, dots, pushed), (quiet, now) in zip(self.rows, pairs, strict=True):
            moves.set_segments([[(a, -0.45), (b, 0)] for a, b in zip(quiet, now)])
            ghosts.set_data(quiet, np.full(len(quiet), -0.45))
            dots.set_data(now[1:], np.zeros(len(now) - 1))
            pushed.set_data(now[:1], [0])
        places = result.beta + result.gamma * np.array([-1, 0, 1])
        for place, line, name in zip(places, self.levels, self.level_names):
            line.set_xdata([place, place])
            name.set_x(place)
            name.set_visible(result.gamma >= 0.75 or name is self.level_names[1])
        self.sentence = _batch_sentence(result)
        return self


def _batch_sentence(result):
    batch_size, moved = len(result.before), np.abs(result.after - result.quiet_after) > 1e-3
    if batch_size == 1:
        return "Batch of 1: its value is its own mean, so the output is β whatever the image."
    if batch_size == 2:
        return "Batch of 2: the lower value becomes β − γ, the higher β + γ, however far apart."
    mean, sd = (format_number(value, 2) for value in (result.before.mean(), result.before.std()))
    return (
        f"Batch of {batch_size}: mean {mean}, standard deviation {sd} before batch norm. After it, "
        f"the push has moved {moved[1:].sum()} of the {batch_size - 1} other values."
    )


class AveragesPicture(Picture):
    """Test accuracy of the same weights with three choices of mean and variance."""

    NAMES = ("each test batch's own", "running average", "all training images")
    STYLES = (WITH_BATCH_NORM, STORED_STATISTICS, REFERENCE)

    def __init__(self):
        title = "Same weights, same images: the average you trust can decide"
        super().__init__(width=9, height=5.2, title=title)
        axes = self.figure.subplots()
        axes.set(ylabel="test accuracy (%)", ylim=(0, 100), xlim=(-0.6, 2.6))
        axes.set_xticks(range(3), [f"{name}\nmean and variance" for name in self.NAMES])
        axes.tick_params(axis="x", length=0)
        self.bars = self.moves(Bars(axes, range(3), self.STYLES, width=0.6))
        self.setting = self.moves(axes.text(0.02, 1, "", transform=axes.transAxes, va="top"))
        # On the left edge of its bar, where it covers no number; its name stands in the gap.
        self.ghost = self.moves(Ghost(axes, offset=(-11, 0), ha="right"))

    def set_ghost(self, value):
        """Show a bet on the accuracy with running averages, in %; None hides it."""
        self.ghost.hide() if value is None else self.ghost.set(0.7, value)

    def show(self, result):
        scores = [100 * score for score in (result.own_batch, result.running, result.population)]
        intervals = [mean_interval(score) for score in scores]
        _set_bars(self.bars, intervals)
        warm = format_number(100 * result.warmed_up, 0)
        setting = f"batch size {result.batch_size}, memory {result.memory:g} ({warm}% warmed up)"
        self.setting.set_text(setting)
        own_batch, running, population = intervals
        self.sentence = (
            f"At {setting}: {own_batch}% with each test batch's own statistics, {running}% with "
            f"running averages, {population}% with those of all training images; "
            f"{running.n_seeds} seeds."
        )
        return self


class AdaptationPicture(Picture):
    """Accuracy on coloured pictures: no batch norm, statistics of black ones, of coloured ones."""

    NAMES = ("no\nbatch norm", "stored\nstatistics", "fresh\nstatistics")
    STYLES = (WITHOUT_BATCH_NORM, STORED_STATISTICS, WITH_BATCH_NORM)

    def __init__(self, titles):
        title = "Same weights, fresh statistics: what batch norm cost is won back"
        super().__init__(width=10.5, height=5, title=title)
        self.panels = []
        for axes, name in zip(self.figure.subplots(1, len(titles), sharey=True), titles):
            axes.set(ylim=(0, 105), xlim=(-0.6, 3.4))
            axes.set_title(name)
            ReferenceLine(axes, 50, "guessing")
            axes.set_xticks(range(3), self.NAMES)
            axes.tick_params(axis="x", length=0)
            self.panels.append(self.moves(Bars(axes, range(3), self.STYLES)))
        self.figure.axes[0].set_ylabel("accuracy on coloured pictures (%)")
        self.titles = titles

    def show(self, results):
        sentences = []
        for bars, name, result in zip(self.panels, self.titles, results, strict=True):
            shares = (result.without, result.stored, result.fresh)
            intervals = [mean_interval(100 * share) for share in shares]
            _set_bars(bars, intervals)
            without, stored, fresh = intervals
            sentences.append(
                f"{name}: {without}% without batch norm, {stored}% with black statistics, "
                f"{fresh}% with coloured ones."
            )
        self.sentence = " ".join(sentences)
        return self


def _set_bars(bars, intervals):
    means, lows, highs = ([getattr(i, end) for i in intervals] for end in ("mean", "low", "high"))
    bars.set(means, lows, highs, [str(interval) for interval in intervals])
