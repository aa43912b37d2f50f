"""Pictures of notebook 02: the race, one mini-batch on a line, whose mean, and new statistics."""

import numpy as np
from matplotlib.collections import LineCollection

from helpers.arms import first_below, never_below
from helpers.figures.general import BarsPicture, CurvesPicture, looks_of
from helpers.figures.parts import Ghost, ReferenceLine
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
from helpers.intervals import format_number, median_text


class RacePicture(CurvesPicture):
    """Training loss of the arms of some races, one panel for each race, bands over seeds.

    A marker on the finish line, at `threshold` nats, shows each arm's median step of arrival.
    """

    TITLE = "With batch norm, training reaches the finish line in fewer steps"

    def __init__(self, threshold=0.5, *, width=11, height=4.9):
        super().__init__(
            self.TITLE, width=width, height=height, xlabel="training step",
            ylabel="training loss (nats)", ylim=(0, 2.5),
        )
        self.threshold, self.finishes = threshold, []

    def _build(self, panels):
        super()._build(panels)
        for axes, curves in zip(self.figure.axes, panels.values(), strict=True):
            self.moves(ReferenceLine(axes, self.threshold, ""))
            axes.set_xlim(0, max(steps[-1] for steps, _ in curves.values()))
            styles = [style for style, _ in looks_of(curves).values()]
            self.finishes.append([self._build_arrival(axes, style) for style in styles])

    def _build_arrival(self, axes, style):
        (marker,) = axes.plot([], [], **style.of_points())
        number = axes.text(0, 0, "", color=style.text_colour, ha="center", va="center")
        return self.moves(marker), self.moves(number)

    def show(self, races):
        """Show {name of the race: {arm: Run}} whose looks have a "loss"."""
        self.show_curves({
            name: {arm: (run.steps, run["loss"]) for arm, run in race.items()}
            for name, race in races.items()
        })
        sentences = []
        for (name, race), finish in zip(races.items(), self.finishes, strict=True):
            arrivals = []
            for run, (_, label), artists in zip(race.values(), looks_of(race).values(), finish):
                text = self._show_arrival(run, *artists, above=-0.14 if arrivals else 0.14)
                unit = "" if arrivals else f"steps to loss {self.threshold:g} "
                arrivals.append(f"{text} {unit}{label}")
            sentences.append(f"{name}: a median of {', '.join(arrivals)}.")
        self.sentence = " ".join(sentences)
        return self

    def _show_arrival(self, run, marker, number, above):
        first = first_below(self.threshold, run)
        text = median_text(first, never_below(self.threshold, run).sum())
        marker.set_data([np.median(first)], [self.threshold])
        number.set(text=text, x=np.median(first), y=self.threshold + above)
        return text


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
        pairs = [(result[f"quiet {when}"], result[when]) for when in ("before", "after")]
        for (moves, ghosts, dots, pushed), (quiet, now) in zip(self.rows, pairs, strict=True):
            moves.set_segments([[(a, -0.45), (b, 0)] for a, b in zip(quiet, now)])
            ghosts.set_data(quiet, np.full(len(quiet), -0.45))
            dots.set_data(now[1:], np.zeros(len(now) - 1))
            pushed.set_data(now[:1], [0])
        places = result["beta"] + result["gamma"] * np.array([-1, 0, 1])
        for place, line, name in zip(places, self.levels, self.level_names):
            line.set_xdata([place, place])
            name.set_x(place)
            name.set_visible(result["gamma"] >= 0.75 or name is self.level_names[1])
        self.sentence = _batch_sentence(result)
        return self


def _batch_sentence(result):
    before, batch_size = result["before"], len(result["before"])
    moved = np.abs(result["after"] - result["quiet after"]) > 1e-3
    if batch_size == 1:
        return "Batch of 1: its value is its own mean, so the output is β whatever the image."
    if batch_size == 2:
        return "Batch of 2: the lower value becomes β − γ, the higher β + γ, however far apart."
    mean, sd = (format_number(value, 2) for value in (before.mean(), before.std()))
    return (
        f"Batch of {batch_size}: mean {mean}, standard deviation {sd} before batch norm. After it, "
        f"the push has moved {moved[1:].sum()} of the {batch_size - 1} other values."
    )


class AveragesPicture(BarsPicture):
    """Test accuracy of the same weights with three choices of mean and variance."""

    BARS = {
        "each test batch's own\nmean and variance": WITH_BATCH_NORM,
        "running average\nmean and variance": STORED_STATISTICS,
        "all training images\nmean and variance": REFERENCE,
    }

    def __init__(self):
        super().__init__(
            "Same weights, same images: the average you trust can decide", self.BARS, height=5.2,
            bar_width=0.6, ylabel="test accuracy (%)", ylim=(0, 100),
        )
        (axes,) = self.figure.axes
        self.setting = self.moves(axes.text(0.02, 1, "", transform=axes.transAxes, va="top"))
        # On the left edge of its bar, where it covers no number; its name stands in the gap.
        self.ghost = self.moves(Ghost(axes, offset=(-11, 0), ha="right"))

    def set_ghost(self, value):
        """Show a bet on the accuracy with running averages, in %; None hides it."""
        self.ghost.hide() if value is None else self.ghost.set(0.7, value)

    def show(self, result):
        """Show the accuracies of `watch_averages`."""
        kinds = ("own batch", "running", "population")
        ((own_batch, running, population),) = self.show_bars([result[one] for one in kinds])
        # what of the running averages comes from data, not from their starting values
        warm = format_number(100 * (1 - result["memory"] ** result["n_steps"]), 0)
        setting = (
            f"batch size {result['batch_size']}, memory {result['memory']:g} ({warm}% warmed up)"
        )
        self.setting.set_text(setting)
        self.sentence = (
            f"At {setting}: {own_batch}% with each test batch's own statistics, {running}% with "
            f"running averages, {population}% with those of all training images; "
            f"{running.n_seeds} seeds."
        )
        return self


class AdaptationPicture(BarsPicture):
    """Accuracy on coloured pictures: no batch norm, statistics of black ones, of coloured ones."""

    BARS = {
        "no\nbatch norm": WITHOUT_BATCH_NORM,
        "stored\nstatistics": STORED_STATISTICS,
        "fresh\nstatistics": WITH_BATCH_NORM,
    }

    def __init__(self, titles):
        super().__init__(
            "Same weights, fresh statistics: what batch norm cost is won back", self.BARS, titles,
            width=10.5, reference=(50, "guessing"), xlim=(-0.6, 3.4), ylim=(0, 105),
            ylabel="accuracy on coloured pictures (%)",
        )
        self.titles = titles

    def show(self, scores):
        """Show (without batch norm, stored, fresh) for each title, each (n_networks,), in %."""
        self.sentence = " ".join(
            f"{name}: {without}% without batch norm, {stored}% with black statistics, {fresh}% "
            "with coloured ones."
            for name, (without, stored, fresh) in zip(self.titles, self.show_bars(*scores))
        )
        return self
