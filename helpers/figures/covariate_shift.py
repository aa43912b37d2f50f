"""Notebook 01's pictures: coats that change colour, a drop in two parts, a rule and its regions."""

from itertools import pairwise

import numpy as np

from helpers.datasets import region_boundary
from helpers.figures.parts import (
    Band,
    Bars,
    Ghost,
    Intervals,
    LineLabels,
    Mosaic,
    ReferenceLine,
)
from helpers.figures.picture import (
    NEUTRAL,
    REFERENCE,
    SECOND,
    STORED_STATISTICS,
    THEORY,
    WARNING,
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

COAT_LABEL = "coats of the test faces, from black (0) to full colour (1)"
N_COLUMNS = 10
UNDERLAY = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1.5}


class CoatSliderPicture(Picture):
    """Faces change their coats; what a detector gets wrong is crossed, its curves stand below."""

    def __init__(self):
        super().__init__(height=5.6, title="The more colour, the more cats the detector misses")
        top, self.axes = self.figure.subplots(2, 1, height_ratios=[1, 1.75])
        self.faces = self.moves(Mosaic(top, 2, N_COLUMNS))
        top.set_yticks([0.5, 1.5], ["cats", "others"])
        top.tick_params(length=0)
        crosses = {**WARNING.of_points(), "markeredgecolor": "white", "markersize": 14}
        self.crosses = self.moves(top.plot([], [], **crosses)[0])
        self.axes.set(
            xlabel=COAT_LABEL, ylabel="share recognised", xlim=(-0.02, 1.31), ylim=(-0.05, 1.05),
            xticks=np.linspace(0, 1, 6), yticks=np.linspace(0, 1, 6),
        )
        styles = (WITHOUT_BATCH_NORM, SECOND)
        self.bands = [self.moves(Band(self.axes, style)) for style in styles]
        self.now = self.moves(self.axes.plot([], [], color="#222222", linewidth=1.5)[0])
        points = {"color": "#222222", "marker": "o", "linestyle": "none"}
        self.dots = self.moves(self.axes.plot([], [], **points)[0])
        self.labels = self.moves(LineLabels(self.axes, styles, ["all faces", "cats"]))
        self.reference = self.moves(Intervals(self.axes, REFERENCE))
        self.reference_text = self.moves(
            self.axes.text(1.05, 0, "", color=REFERENCE.text_colour, va="center")
        )
        # Named at its left, for at its right stand the names of the curves.
        self.ghost = self.moves(Ghost(self.axes, offset=(-13, 0), ha="right", bbox=UNDERLAY))

    def set_ghost(self, value):
        """Show a bet on the accuracy in full colour; None hides it."""
        self.ghost.hide() if value is None else self.ghost.set(1, value)

    def show(self, view):
        self.faces.set(view.pictures)
        wrong = np.flatnonzero(view.says_cat != view.is_cat)
        self.crosses.set_data(wrong % N_COLUMNS + 0.84, wrong // N_COLUMNS + 0.82)
        curves = [
            mean_intervals(one) for one in (view.detector.accuracy, view.detector.cat_recall)
        ]
        for band, curve in zip(self.bands, curves, strict=True):
            band.set(view.coats, *interval_ends(curve))
        coat, now = view.coats[view.place], [curve[view.place] for curve in curves]
        self.now.set_data([coat, coat], [0, 1])
        self.dots.set_data([coat, coat], [interval.mean for interval in now])
        self.labels.set(1.025, [curve[-1].mean for curve in curves])
        self._show_reference(view.reference)
        self.sentence = (
            f"Coats at {format_number(coat, 1)}: the share recognised is {now[0]} of all faces, "
            f"{now[1]} of the cats ({now[0].n_seeds} networks). Of the {len(view.is_cat)} faces "
            f"shown, the first network gets {len(wrong)} wrong (crossed)."
        )
        return self

    def _show_reference(self, accuracies):
        if accuracies is None:
            self.reference.set([], [], [], [])
            self.reference_text.set_text("")
            return
        interval = mean_interval(accuracies)
        self.reference.set([1], [interval.mean], [interval.low], [interval.high])
        self.reference_text.set(y=interval.mean, text="reference net,\nall faces")


class DropPicture(Picture):
    """The drop from black to coloured test faces, cut in two by the reference net."""

    def __init__(self):
        super().__init__(height=4.8, title="About half of the drop is not shift")
        self.axes = self.figure.subplots()
        self.axes.set(ylabel="accuracy", xlim=(-0.5, 4.4), ylim=(0.5, 1.02))
        self.axes.set_xticks(
            range(3),
            ["learned black,\ntested black", "learned coloured,\ntested coloured\n(reference net)",
             "learned black,\ntested coloured"],
        )
        self.styles = (WITHOUT_BATCH_NORM, REFERENCE, WITHOUT_BATCH_NORM)
        self.levels = [
            self.moves(self.axes.plot([], [], color="#bbbbbb", linewidth=1.2)[0]) for _ in range(3)
        ]
        self.dots = [self.moves(Intervals(self.axes, style)) for style in self.styles]
        parts, thick = (NEUTRAL, WARNING), {"linewidth": 9, "solid_capstyle": "butt"}
        self.parts = [
            self.moves(self.axes.plot([], [], color=style.colour, **thick)[0])
            for style in parts
        ]
        self.texts = [
            self.moves(self.axes.text(2.75, 0, "", va="center", color=style.text_colour))
            for style in parts
        ]

    def show(self, story):
        arms = (story.plain.accuracy[0], story.reference.accuracy[-1], story.plain.accuracy[-1])
        heights = [mean_interval(one) for one in arms]
        for x, (level, dot, height) in enumerate(zip(self.levels, self.dots, heights)):
            level.set_data([x, 2.55], [height.mean, height.mean])
            dot.set([x], [height.mean], [height.low], [height.high])
        splits = [paired_interval(high, low) for high, low in pairwise(arms)]
        names = ("coloured faces\nare harder", "shift")
        for place, (part, text, split, name) in enumerate(
            zip(self.parts, self.texts, splits, names, strict=True)
        ):
            low, high = heights[place + 1].mean, heights[place].mean
            part.set_data([2.55, 2.55], [low, high])
            text.set(y=(low + high) / 2, text=f"{name}:\n{split}")
        self.sentence = (
            f"From black to coloured test faces accuracy falls from {heights[0]} to {heights[2]}. "
            f"Nets that learned from coloured faces reach {heights[1]}: a loss of {splits[0]} "
            f"because coloured faces are harder, and {splits[1]} because of the shift."
        )
        return self


class ShortcutPicture(Picture):
    """What the detector recognises that learned from black cats among coloured animals."""

    def __init__(self):
        super().__init__(
            height=4.6, title="It learned the colour: right on the old pairs, wrong on the new"
        )
        axes = self.figure.subplots()
        axes.set(ylabel="share recognised", ylim=(0, 1.2), yticks=np.linspace(0, 1, 6))
        axes.set_xticks(
            range(4),
            ["black cats\n(as in training)", "coloured others\n(as in training)",
             "coloured cats", "black others"],
        )
        styles = (NEUTRAL, NEUTRAL, WITHOUT_BATCH_NORM, WITHOUT_BATCH_NORM)
        self.bars = self.moves(Bars(axes, range(4), styles, width=0.6))

    def show(self, detector):
        shares = (
            detector.cat_recall[0], detector.other_recall[-1], detector.cat_recall[-1],
            detector.other_recall[0],
        )
        intervals = [mean_interval(share) for share in shares]
        means, lows, highs = interval_ends(intervals)
        self.bars.set(means, lows, highs, [str(one) for one in intervals])
        self.sentence = (
            f"Recognised: {intervals[0]} of the black cats and {intervals[1]} of the coloured "
            f"other animals, as in training, but {intervals[2]} of the coloured cats and "
            f"{intervals[3]} of the black other animals."
        )
        return self


class RegionPicture(Picture):
    """A rule that never changes, two regions of points, and the line learned in one of them."""

    def __init__(self):
        super().__init__(height=5.4, title="The rule stays; only the place where we look moves")
        self.axes = self.figure.subplots()
        self.axes.set(xlabel="x₁", ylabel="x₂", xlim=(-2.8, 2.8), ylim=(-2.9, 4.1))
        x1 = np.linspace(-2.8, 2.8, 201)
        self.axes.plot(x1, region_boundary(x1), **THEORY.of_line(), zorder=3)
        self.axes.text(-2.72, region_boundary(-2.72) + 0.15, "the rule", color=THEORY.text_colour)
        round_points = {"edgecolors": "white", "linewidths": 0.4}
        self.source = self.moves(
            self.axes.scatter([], [], c=NEUTRAL.colour, alpha=0.75, zorder=2, **round_points)
        )
        self.target = self.moves(
            self.axes.scatter([], [], c="white", edgecolors="#444444", marker="D", s=16, zorder=2.2)
        )
        self.mistakes = self.moves(
            self.axes.scatter([], [], c=WARNING.colour, marker="X", s=46, zorder=2.4,
                              edgecolors="white", linewidths=0.5)
        )
        (self.line,) = self.axes.plot([], [], **WITHOUT_BATCH_NORM.of_line(), zorder=4)
        self.moves(self.line)
        self._add_legend()

    def _add_legend(self):
        names = ["training points (larger: more weight)", "learned line", "test points",
                 "test points it gets wrong"]
        handles = [self.source, self.line, self.target, self.mistakes]
        legend = self.axes.legend(
            handles, names, loc="upper center", ncols=2, handlelength=3
        )
        for handle in legend.legend_handles:
            handle.set_animated(False)

    def show(self, view):
        self.source.set_offsets(view.source)
        self.source.set_sizes(30 * view.weights)
        self.target.set_offsets(view.target[~view.mistaken])
        self.mistakes.set_offsets(view.target[view.mistaken])
        a, b, c = view.line
        x1 = np.array([-2.8, 2.8])
        self.line.set_data(x1, -(a * x1 + c) / b)
        counted = (
            f"your {len(view.weights)} examples count as {view.effective:.0f}"
            if view.reweighted
            else f"all {len(view.weights)} examples count alike"
        )
        self.sentence = (
            f"Test points {view.distance:g} sd away: accuracy {format_number(view.accuracy, 2)}; "
            f"a domain classifier tells the regions apart with AUC {format_number(view.auc, 2)}; "
            f"{counted}."
        )
        return self


class ReweightingPicture(Picture):
    """Accuracy of a linear classifier against how far its test region lies away."""

    def __init__(self):
        super().__init__(
            height=4.8, title="Same rule, another region: reweighting brings most of it back"
        )
        axes = self.figure.subplots()
        axes.set(
            xlabel="distance of the test region (standard deviations of x₁)", ylabel="accuracy",
            xlim=(-0.15, 5.5), ylim=(0.3, 1.02), xticks=range(5),
        )
        ReferenceLine(axes, 0.5, "a coin")
        styles = (WITHOUT_BATCH_NORM, SECOND, REFERENCE)
        self.bands = [self.moves(Band(axes, style)) for style in styles]
        self.points = [self.moves(Intervals(axes, style)) for style in styles]
        names = ["as it is", "reweighted", "learned there"]
        self.labels = self.moves(LineLabels(axes, styles, names))

    def show(self, result):
        curves = [
            mean_intervals(one) for one in (result.plain, result.reweighted, result.reference)
        ]
        for band, points, curve in zip(self.bands, self.points, curves, strict=True):
            band.set(result.distances, *interval_ends(curve))
            points.set(result.distances, *interval_ends(curve))
        self.labels.set(result.distances[-1], [curve[-1].mean for curve in curves])
        plain, reweighted, reference = (format_number(curve[-1].mean, 2) for curve in curves)
        self.sentence = (
            f"At {result.distances[-1]} standard deviations a line learned in the old region "
            f"reaches accuracy {plain}, reweighted {reweighted}, learned in the new region "
            f"{reference}."
        )
        return self


class BatchNormBarsPicture(Picture):
    """The black-cat detector on coloured faces, without and with batch norm."""

    def __init__(self):
        title = "Batch norm does not repair it: accuracy falls further"
        super().__init__(height=4.8, title=title)
        axes = self.figure.subplots()
        axes.set(ylabel="accuracy on coloured faces", xlim=(-0.6, 3.3), ylim=(0, 1.05))
        axes.set_xticks(
            range(3),
            ["without\nbatch norm", "with batch norm,\nsame learning rate",
             "with batch norm,\nhigher learning rate"],
        )
        styles = (WITHOUT_BATCH_NORM, STORED_STATISTICS, STORED_STATISTICS)
        self.bars = self.moves(Bars(axes, range(3), styles, width=0.6))
        self.reference = self.moves(ReferenceLine(axes, 0, "reference net", REFERENCE))
        ReferenceLine(axes, 0.5, "guessing")

    def show(self, story):
        arms = (story.plain, story.batch_norm, story.batch_norm_faster)
        intervals = [mean_interval(arm.accuracy[-1]) for arm in arms]
        means, lows, highs = interval_ends(intervals)
        self.bars.set(means, lows, highs, [str(one) for one in intervals])
        self.reference.set(story.reference.accuracy[-1].mean())
        difference = paired_interval(story.batch_norm.accuracy[-1], story.plain.accuracy[-1])
        self.sentence = (
            f"On coloured faces: {intervals[0]} without batch norm, {intervals[1]} with it; the "
            f"paired difference is {difference}."
        )
        return self


class TintedPicture(Picture):
    """Photographs of clothes, learned in dark grey and tested in colour."""

    def __init__(self):
        super().__init__(height=4.8, title="Real pictures, dyed: the same story, less steep")
        axes = self.figure.subplots()
        axes.set(
            xlabel="dye of the test pictures, from dark grey (0) to full colour (1)",
            ylabel="accuracy", xlim=(-0.03, 1.4), ylim=(0.7, 1.01), xticks=np.linspace(0, 1, 5),
        )
        styles = (WITHOUT_BATCH_NORM, STORED_STATISTICS)
        self.bands = [self.moves(Band(axes, style)) for style in styles]
        self.reference = self.moves(Intervals(axes, REFERENCE))
        names = ["without batch norm", "with batch norm", "reference net"]
        self.labels = self.moves(LineLabels(axes, (*styles, REFERENCE), names))

    def show(self, pair):
        curves = [mean_intervals(one) for one in (pair.plain, pair.batch_norm)]
        for band, curve in zip(self.bands, curves, strict=True):
            band.set(pair.colourfulness, *interval_ends(curve))
        reference = mean_interval(pair.reference)
        self.reference.set([1], [reference.mean], [reference.low], [reference.high])
        ends = [curve[-1] for curve in curves]
        self.labels.set(1.01, [*(end.mean for end in ends), reference.mean])
        self.sentence = (
            f"{' against '.join(pair.class_names)} in full colour: {ends[0]} without batch norm, "
            f"{ends[1]} with it, reference net {reference}."
        )
        return self


class CoatPicture(Picture):
    """The course in one picture: cats from black to coloured above the accuracy on such faces."""

    def __init__(self, n_cats=6):
        super().__init__(height=5.6, title="Does batch norm fix this? Bet, then drag.")
        top, bottom = self.figure.subplots(2, 1, height_ratios=[1, 2.9])
        right = n_cats + 1.9  # one tile for each cat, and its coat right below on the axis
        self.strip = self.moves(Mosaic(top, 1, n_cats))
        top.set(xlim=(0, right), aspect="auto")
        self.tile_coats = np.linspace(0, 1, n_cats)
        bottom.set(xlabel=COAT_LABEL, ylabel="accuracy", xlim=(0, right), ylim=(0.45, 1.02))
        bottom.set_xticks(self._places(self.tile_coats), [f"{x:g}" for x in self.tile_coats])
        ReferenceLine(bottom, 0.5, "guessing", where=0.01)
        styles = (WITHOUT_BATCH_NORM, STORED_STATISTICS)
        self.bands = [self.moves(Band(bottom, style)) for style in styles]
        self.reference = self.moves(Intervals(bottom, REFERENCE))
        names = ["without batch norm", "with batch norm", "learned from colour"]
        self.labels = self.moves(LineLabels(bottom, (*styles, REFERENCE), names))

    def _places(self, coats):
        return 0.5 + (len(self.tile_coats) - 1) * np.asarray(coats)

    def show(self, story):
        shown, end = story.shown, self._places(1)
        cats = np.resize(np.flatnonzero(shown.is_cat), len(self.tile_coats))
        tiles = [shown.in_coats(coat)[cat] for coat, cat in zip(self.tile_coats, cats)]
        self.strip.set(np.stack(tiles))
        curves = [mean_intervals(one.accuracy) for one in (story.plain, story.batch_norm)]
        for band, curve in zip(self.bands, curves, strict=True):
            band.set(self._places(story.coats), *interval_ends(curve))
        reference = mean_interval(story.reference.accuracy[-1])
        self.reference.set([end], [reference.mean], [reference.low], [reference.high])
        last = [curve[-1] for curve in curves]
        heights = [last[0].mean, last[1].mean + 0.012, reference.mean]  # clear of the guessing line
        self.labels.set(end + 0.05, heights)
        self.sentence = (
            f"Learned from black coats, tested in full colour: {last[0]} without batch norm, "
            f"{last[1]} with it. Learned from coloured coats: {reference}."
        )
        return self
