"""Notebook 01's pictures: coats that change colour, a drop in two parts, a rule and its regions."""

from itertools import pairwise

import numpy as np

from helpers.datasets import region_boundary
from helpers.intervals import (
    format_number,
    interval_ends,
    mean_interval,
    mean_intervals,
    paired_interval,
)
from helpers.page.parts import BarsPicture, Ghost, Intervals, Mosaic, NamedCurves, ReferenceLine
from helpers.page.picture import (
    NEUTRAL,
    REFERENCE,
    SECOND,
    STORED_STATISTICS,
    THEORY,
    WARNING,
    WITHOUT_BATCH_NORM,
    Picture,
    in_course_style,
    looks_of,
    with_minus_signs,
)

COAT_LABEL = "coats of the test faces, from black (0) to full colour (1)"
N_COLUMNS = 10
LOOKS = {
    "plain": (WITHOUT_BATCH_NORM, "without batch norm"),
    "with": (STORED_STATISTICS, "with batch norm"),
    "reference": (REFERENCE, "reference net"),
}


class CoatSliderPicture(Picture):
    """Faces change their coats; what a detector gets wrong is crossed, its curves stand below."""

    LOOKS = {
        "accuracy": (WITHOUT_BATCH_NORM, "all faces"),
        "cat_recall": (SECOND, "cats"),
        "reference": (REFERENCE, "reference net,\nall faces"),
    }

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
        self.curves = NamedCurves(self, self.axes, self.LOOKS)
        now = self.axes.plot([], [], "o-", color="#222222", linewidth=1.5, markevery=[1, 2])
        self.now = self.moves(now[0])
        # Named at its left, for at its right stand the names of the curves.
        self.ghost = self.moves(Ghost(self.axes, offset=(-13, 0), ha="right"))

    def set_ghost(self, value):
        """Show a bet on the accuracy in full colour; None hides it."""
        self.ghost.set(1, value)

    def show(self, view):
        """Show what `view_coats` returns."""
        place, coats, is_cat = view["place"], view["coats"], view["is_cat"]
        self.faces.set(view["pictures"])
        wrong = np.flatnonzero(view["verdicts"][place] != is_cat)
        self.crosses.set_data(wrong % N_COLUMNS + 0.84, wrong // N_COLUMNS + 0.82)
        curves = {name: (coats, view[name]) for name in ("accuracy", "cat_recall")}
        if view["reference"] is not None:
            curves["reference"] = [1], [view["reference"]]
        faces, cats = (one[place] for one in list(self.curves.set(curves).values())[:2])
        self.now.set_data([coats[place]] * 4, [0, faces.mean, cats.mean, 1])
        self.sentence = (
            f"Coats at {format_number(coats[place], 1)}: the share recognised is {faces} of all "
            f"faces, {cats} of the cats ({faces.n_seeds} networks). Of the {len(is_cat)} faces "
            f"shown, the first network gets {len(wrong)} wrong (crossed)."
        )
        return self


@in_course_style
def draw_drop(black, reference, coloured):
    """Return a picture of the drop in accuracy from black to coloured, cut in two by the reference.

    All (n_networks,): learned and tested black; both coloured; learned black, tested coloured.
    """
    picture = Picture(height=4.8, title="Not all of the drop is shift")
    axes, accuracies = picture.figure.subplots(), [black, reference, coloured]
    axes.set(ylabel="accuracy", xlim=(-0.5, 4.4), ylim=(0.5, 1.02))
    axes.set_xticks(range(3), [
        "learned black,\ntested black", "learned coloured,\ntested coloured\n(reference net)",
        "learned black,\ntested coloured",
    ])
    heights, styles = mean_intervals(accuracies), (WITHOUT_BATCH_NORM, REFERENCE) * 2
    for x, (height, style) in enumerate(zip(heights, styles)):
        axes.plot([x, 2.55], [height.mean, height.mean], color="#bbbbbb", linewidth=1.2)
        Intervals(axes, style).set([x], *interval_ends([height]))
    splits = [paired_interval(*pair) for pair in pairwise(accuracies)]
    names = ("coloured faces\nare harder", NEUTRAL), ("shift", WARNING)
    for (name, style), split, (high, low) in zip(names, splits, pairwise(heights)):
        ends, look = [low.mean, high.mean], {"linewidth": 9, "solid_capstyle": "butt"}
        axes.plot([2.55, 2.55], ends, color=style.colour, **look)
        look = {"va": "center", "color": style.text_colour}
        axes.text(2.75, sum(ends) / 2, with_minus_signs(f"{name}:\n{split}"), **look)
    picture.sentence = (
        f"From black to coloured test faces accuracy falls from {heights[0]} to {heights[2]}. "
        f"Nets that learned from coloured faces reach {heights[1]}: a loss of {splits[0]} "
        f"because coloured faces are harder, and {splits[1]} because of the shift."
    )
    return picture


@in_course_style
def draw_kinds(detector):
    """Return a picture of what black cats among coloured animals have taught, from `judge`."""
    picture = BarsPicture(
        "It learned the colour: right on the old pairs, wrong on the new",
        {
            "black cats\n(as in training)": NEUTRAL, "coloured others\n(as in training)": NEUTRAL,
            "coloured cats": WITHOUT_BATCH_NORM, "black others": WITHOUT_BATCH_NORM,
        },
        height=4.6, bar_width=0.6, ylabel="share recognised", ylim=(0, 1.2),
        yticks=np.linspace(0, 1, 6),
    )
    cats, others = detector["cat_recall"], detector["other_recall"]
    (found,) = picture.show_bars([cats[0], others[-1], cats[-1], others[0]])
    picture.sentence = (
        f"Recognised: {found[0]} of the black cats and {found[1]} of the coloured other animals, "
        f"as in training, but {found[2]} of the coloured cats and {found[3]} of the black other "
        "animals."
    )
    return picture


@in_course_style
def draw_repair(arms, judged):
    """Return a picture of black-cat detectors on coloured faces, the first without batch norm.

    arms: the names of some; judged: {name: what `judge` returns}, "reference" among them.
    """
    known = {
        "plain": "without\nbatch norm",
        "with": "with batch norm,\nsame learning rate",
        "with, faster": "with batch norm,\nanother learning rate",
    }
    names = [known.get(arm, arm) for arm in arms]
    first, *others = names
    picture = BarsPicture(
        "Batch norm does not repair it: accuracy falls further",
        {first: WITHOUT_BATCH_NORM, **dict.fromkeys(others, STORED_STATISTICS)},
        width=max(9, 2.3 * len(arms) + 2), height=4.8, bar_width=0.6,
        reference=(0.5, "guessing"), ylabel="accuracy on coloured faces", ylim=(0, 1.05),
        xlim=(-0.6, len(arms) + 0.3),
    )
    last = [judged[arm]["accuracy"][-1] for arm in arms]
    (found,) = picture.show_bars(last)
    reference = mean_interval(judged["reference"]["accuracy"][-1])
    ReferenceLine(picture.figure.axes[0], reference.mean, "reference net", REFERENCE)
    told = "; ".join(f"{one} {' '.join(name.split())}" for one, name in zip(found, names))
    picture.sentence = (
        f"On coloured faces: {told}; reference net {reference}. Second minus first, "
        f"paired: {paired_interval(last[1], last[0])}."
    )
    return picture


class RegionPicture(Picture):
    """A rule that never changes, two regions of points, and the line learned in one of them."""

    def __init__(self):
        super().__init__(height=5.4, title="The rule stays; only the place where we look moves")
        axes, x1 = self.figure.subplots(), np.linspace(-2.8, 2.8, 201)
        axes.set(xlabel="x₁", ylabel="x₂", xlim=(-2.8, 2.8), ylim=(-2.9, 4.1))
        axes.plot(x1, region_boundary(x1), **THEORY.of_line(), zorder=3)
        axes.text(-2.72, region_boundary(-2.72) + 0.15, "the rule", color=THEORY.text_colour)
        (line,) = axes.plot([], [], zorder=4, label="learned line", **WITHOUT_BATCH_NORM.of_line())
        looks = {
            "training points (larger: more weight)":
                dict(c=NEUTRAL.colour, edgecolors="white", alpha=0.75, linewidths=0.4),
            "test points": dict(c="white", edgecolors="#444444", marker="D", s=16),
            "test points it gets wrong":
                dict(c=WARNING.colour, edgecolors="white", marker="X", s=46),
        }
        points = [axes.scatter([], [], label=name, **look) for name, look in looks.items()]
        axes.legend(loc="upper center", ncols=2, handlelength=3)
        self.line, self.points = self.moves(line), [self.moves(one) for one in points]

    def show(self, view):
        """Show what `view_regions` returns."""
        target, mistaken, n_examples = view["target"], view["mistaken"], len(view["weights"])
        places = view["source"], target[~mistaken], target[mistaken]
        for points, offsets in zip(self.points, places, strict=True):
            points.set_offsets(offsets)
        self.points[0].set_sizes(30 * view["weights"])
        (a, b, c), x1 = view["line"], np.array([-2.8, 2.8])
        self.line.set_data(x1, -(a * x1 + c) / b)
        counted = f"all {n_examples} examples count alike"
        if view["reweighted"]:
            counted = f"your {n_examples} examples count as {view['effective']:.0f}"
        accuracy, auc = (format_number(view[name], 2) for name in ("accuracy", "auc"))
        self.sentence = (
            f"Test points {view['distance']:g} sd away: accuracy {accuracy}; a classifier "
            f"tells the regions apart with AUC {auc}; {counted}."
        )
        return self


def draw_reweighting(accuracies):
    """Return a picture of {distance of the test region: {arm: accuracies (n_networks,)}}."""
    looks = {
        "plain": (WITHOUT_BATCH_NORM, "as it is"),
        "reweighted": (SECOND, "reweighted"),
        "reference": (REFERENCE, "learned there"),
        "commoner": (NEUTRAL, "commoner class"),
    }
    *_, last = distances = list(accuracies)
    curves = {
        arm: (distances, [accuracies[one][arm] for one in distances]) for arm in accuracies[last]
    }
    picture, ends = _draw_accuracies(
        "Same rule, another region: reweighting brings most of it back",
        "distance of the test region (standard deviations of x₁)", curves, looks,
    )
    means = ", ".join(f"{format_number(one.mean, 2)} {name}" for name, one in ends.items())
    picture.sentence = f"Accuracy at {last} standard deviations: {means}."
    return picture


def draw_tinted(class_names, curves):
    """Return a picture of clothes learned in dark grey and tested in colour.

    curves: {arm: (tints (n_tints,), accuracies (n_tints, n_networks))}.
    """
    picture, ends = _draw_accuracies(
        "Real pictures, dyed: a smaller drop, mostly shift",
        "dye of the test pictures, from dark grey (0) to full colour (1)", curves, LOOKS,
    )
    told = ", ".join(f"{one} {name}" for name, one in ends.items())
    picture.sentence = f"{' against '.join(class_names)} in full colour: {told}."
    return picture


@in_course_style
def _draw_accuracies(title, xlabel, curves, known):
    """Return a picture of curves, and {name: Interval at the right end}.

    curves: as `NamedCurves.set` takes them. known: {arm: (Style, name)}, of some arms.
    """
    picture = Picture(height=4.8, title=title)
    axes = picture.figure.subplots()
    named = NamedCurves(picture, axes, looks_of(curves, known), points=True)
    found = named.set(curves)
    places = max((x for x, _ in curves.values()), key=len)
    span = places[-1] - places[0]
    lowest = min(one.low for intervals in found.values() for one in intervals)
    axes.set(xticks=places, ylim=(0.1 * (10 * lowest // 1), 1.02), xlabel=xlabel)
    axes.set_ylabel("accuracy")
    axes.set_xlim(places[0] - 0.04 * span, places[-1] + 0.38 * span)
    named.labels.arrange()  # within these limits
    return picture, {name: intervals[-1] for name, intervals in found.items()}
