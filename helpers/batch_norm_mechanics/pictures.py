"""Pictures of notebook 02: the race, one mini-batch on a line, whose mean, and new statistics."""

import numpy as np
from matplotlib.collections import LineCollection

from helpers.arms import first_below
from helpers.batch_norm_mechanics.experiments import median_arrivals
from helpers.intervals import format_number
from helpers.page.parts import BarsPicture, CurvesPicture, Ghost
from helpers.page.picture import (
    NEUTRAL,
    REFERENCE,
    STORED_STATISTICS,
    THEORY,
    WARNING,
    WITH_BATCH_NORM,
    WITHOUT_BATCH_NORM,
    Picture,
    in_course_style,
    looks_of,
)


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
        self.threshold, self.arrivals = threshold, []

    def _build(self, panels):
        super()._build(panels)
        for axes, curves in zip(self.figure.axes, panels.values(), strict=True):
            finish = axes.axhline(self.threshold, linewidth=1.5, **NEUTRAL.of_line())
            self.moves(finish)  # over the curves
            for style, _ in looks_of(curves).values():
                (marker,) = axes.plot([], [], **style.of_points())
                number = axes.text(0, 0, "", color=style.text_colour, ha="center", va="center")
                self.arrivals.append((self.moves(marker), self.moves(number)))

    def show(self, races):
        """Show {name of the race: {arm: Run}} whose looks have a "loss"."""
        self.show_curves({
            name: {arm: (run.steps, run["loss"]) for arm, run in race.items()}
            for name, race in races.items()
        })
        sentences, artists = [], iter(self.arrivals)
        for name, race in races.items():
            told, texts = [], median_arrivals(self.threshold, [race])
            for arm, (_, label) in looks_of(race).items():
                (text,), (marker, number) = texts[arm], next(artists)
                middle = np.median(first_below(self.threshold, race[arm]))
                above = -0.14 if told else 0.14
                marker.set_data([middle], [self.threshold])
                number.set(text=text, x=middle, y=self.threshold + above)
                unit = "" if told else f"steps to loss {self.threshold:g} "
                told.append(f"{text} {unit}{label}")
            sentences.append(f"{name}: a median of {', '.join(told)}.")
        self.sentence = " ".join(sentences)
        return self


class OneBatchPicture(Picture):
    """One unit's values for a mini-batch: dots on a line before and after batch norm.

    Rings are the ghosts of the dots as they were before one of them was pushed.
    """

    def __init__(self):
        super().__init__(width=10, height=5.2, title="After batch norm, no value stands alone")
        above, below = self.figure.subplots(2, 1)
        self.rows = [
            self._build_row(above, "before: what the unit computes"),
            self._build_row(below, "after: normalised, times γ, plus β"),
        ]
        above.text(10, -0.8, "rings: before the push", ha="right", color=NEUTRAL.text_colour)
        self.levels = []
        for name in ("β − γ", "β", "β + γ"):
            line = self.moves(below.axvline(0, ymax=0.8, zorder=1, **THEORY.of_line()))
            self.levels.append((line, self.moves(below.text(0, 0.65, name, ha="center"))))

    def _build_row(self, axes, title):
        axes.set(xlim=(-6, 10), ylim=(-1, 1), yticks=[])
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
        for factor, (line, name) in zip((-1, 0, 1), self.levels):
            place = result["beta"] + factor * result["gamma"]
            line.set_xdata([place, place])
            name.set(x=place, visible=result["gamma"] >= 0.75 or factor == 0)
        self.sentence = _batch_sentence(**result)
        return self


def _batch_sentence(before, after, **others):
    batch_size = len(before)
    if batch_size == 1:
        return "Batch of 1: its value is its own mean, so the output is β whatever the image."
    if batch_size == 2:
        return "Batch of 2: the lower value becomes β − γ, the higher β + γ, however far apart."
    mean, sd = (format_number(value, 2) for value in (before.mean(), before.std()))
    moved = np.abs(after - others["quiet after"]) > 1e-3
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
        self.ghost.set(0.7, value)

    def show(self, result):
        """Show the accuracies of `watch_averages`."""
        kinds = ("own batch", "running", "population")
        ((own_batch, running, population),) = self.show_bars([result[one] for one in kinds])
        # what of the running averages comes from data, not from their starting values
        warm = format_number(100 * (1 - result["memory"] ** result["n_steps"]), 0)
        at = f"batch size {result['batch_size']}, memory {result['memory']:g} ({warm}% warmed up)"
        self.setting.set_text(at)
        self.sentence = (
            f"At {at}: {own_batch}% with each test batch's own statistics, {running}% with "
            f"running averages, {population}% with those of all training images; "
            f"{running.n_seeds} seeds."
        )
        return self


@in_course_style
def draw_adaptation(scores):
    """Return a picture of the accuracy on coloured pictures, without and with fresh statistics.

    scores: {title: (no batch norm, statistics of black pictures, of coloured ones, no batch norm
    with those of coloured ones)}, each (n_networks,), in %.
    """
    bars = {
        "no\nbatch\nnorm": WITHOUT_BATCH_NORM,
        "batch\nnorm,\nstored": STORED_STATISTICS,
        "batch\nnorm,\nfresh": WITH_BATCH_NORM,
        "control: no\nbatch norm,\nfresh": WITHOUT_BATCH_NORM,
    }
    picture = BarsPicture(
        "Same weights, fresh statistics: both kinds of network gain", bars, scores,
        width=11, reference=(50, "guessing"), xlim=(-0.6, 4.4), ylim=(0, 105),
        ylabel="accuracy on coloured pictures (%)",
    )
    found = zip(scores, picture.show_bars(*scores.values()))
    picture.sentence = " ".join(
        f"{name}: {without}% without batch norm, {stored}% with black statistics, {fresh}% with "
        f"coloured ones, {helped}% without batch norm, with coloured ones."
        for name, (without, stored, fresh, helped) in found
    )
    return picture
