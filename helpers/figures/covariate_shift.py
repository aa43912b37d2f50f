"""Notebook 01's pictures: coats that change colour, a drop in two parts, a rule and its regions."""

from itertools import pairwise

import numpy as np

from helpers.datasets import region_boundary
from helpers.figures.general import BarsPicture, NamedCurves, NamedCurvesPicture
from helpers.figures.parts import Ghost, Intervals, Mosaic, ReferenceLine
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
from helpers.intervals import format_number, mean_intervals, paired_interval
from helpers.recoloured import draw_shown

COAT_LABEL = "coats of the test faces, from black (0) to full colour (1)"
N_COLUMNS = 10
UNDERLAY = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1.5}


class CoatSliderPicture(Picture):
    """Faces change their coats; what a detector gets wrong is crossed, its curves stand below."""

    LOOKS = {"accuracy": (WITHOUT_BATCH_NORM, "all faces"), "cat_recall": (SECOND, "cats")}

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
        self.now = self.moves(self.axes.plot([], [], color="#222222", linewidth=1.5)[0])
        self.dots = self.moves(self.axes.plot([], [], "o", color="#222222")[0])
        self.reference = self.moves(Intervals(self.axes, REFERENCE))
        of_text = {"color": REFERENCE.text_colour, "va": "center"}
        self.reference_name = self.moves(self.axes.text(1.05, 0, "", **of_text))
        # Named at its left, for at its right stand the names of the curves.
        self.ghost = self.moves(Ghost(self.axes, offset=(-13, 0), ha="right", bbox=UNDERLAY))

    def set_ghost(self, value):
        """Show a bet on the accuracy in full colour; None hides it."""
        self.ghost.hide() if value is None else self.ghost.set(1, value)

    def show(self, view):
        """Show what `view_coats` returns."""
        place, coats, is_cat = view["place"], view["coats"], view["is_cat"]
        self.faces.set(view["pictures"])
        wrong = np.flatnonzero(view["verdicts"][place] != is_cat)
        self.crosses.set_data(wrong % N_COLUMNS + 0.84, wrong // N_COLUMNS + 0.82)
        found = self.curves.set({name: (coats, view[name]) for name in self.LOOKS})
        faces, cats = (intervals[place] for intervals in found.values())
        self.now.set_data([coats[place]] * 2, [0, 1])
        self.dots.set_data([coats[place]] * 2, [faces.mean, cats.mean])
        reference = [] if view["reference"] is None else mean_intervals([view["reference"]])
        for one in reference:
            self.reference.set([1], [one.mean], [one.low], [one.high])
            self.reference_name.set(y=one.mean, text="reference net,\nall faces")
        for artist in (*self.reference.artists, self.reference_name):
            artist.set_visible(bool(reference))
        self.sentence = (
            f"Coats at {format_number(coats[place], 1)}: the share recognised is {faces} of all "
            f"faces, {cats} of the cats ({faces.n_seeds} networks). Of the {len(is_cat)} faces "
            f"shown, the first network gets {len(wrong)} wrong (crossed)."
        )
        return self


class DropPicture(Picture):
    """The drop from black to coloured test faces, cut in two by the reference net."""

    BARS = {
        "learned black,\ntested black": WITHOUT_BATCH_NORM,
        "learned coloured,\ntested coloured\n(reference net)": REFERENCE,
        "learned black,\ntested coloured": WITHOUT_BATCH_NORM,
    }
    PARTS = {"coloured faces\nare harder": NEUTRAL, "shift": WARNING}

    def __init__(self):
        super().__init__(height=4.8, title="About half of the drop is not shift")
        axes = self.figure.subplots()
        axes.set(ylabel="accuracy", xlim=(-0.5, 4.4), ylim=(0.5, 1.02))
        axes.set_xticks(range(3), self.BARS)
        levels = [axes.plot([], [], color="#bbbbbb", linewidth=1.2)[0] for _ in self.BARS]
        self.levels = [self.moves(one) for one in levels]
        self.dots = [self.moves(Intervals(axes, style)) for style in self.BARS.values()]
        self.parts = []
        for style in self.PARTS.values():
            (part,) = axes.plot([], [], color=style.colour, linewidth=9, solid_capstyle="butt")
            text = axes.text(2.75, 0, "", va="center", color=style.text_colour)
            self.parts.append((self.moves(part), self.moves(text)))

    def show(self, accuracies):
        """Show (black, reference, coloured), each (n_networks,)."""
        heights = mean_intervals(accuracies)
        for x, (level, dot, height) in enumerate(zip(self.levels, self.dots, heights)):
            level.set_data([x, 2.55], [height.mean, height.mean])
            dot.set([x], [height.mean], [height.low], [height.high])
        splits = [paired_interval(high, low) for high, low in pairwise(accuracies)]
        ends = pairwise(height.mean for height in heights)
        for (part, text), name, split, (high, low) in zip(self.parts, self.PARTS, splits, ends):
            part.set_data([2.55, 2.55], [low, high])
            text.set(y=(low + high) / 2, text=f"{name}:\n{split}")
        self.sentence = (
            f"From black to coloured test faces accuracy falls from {heights[0]} to {heights[2]}. "
            f"Nets that learned from coloured faces reach {heights[1]}: a loss of {splits[0]} "
            f"because coloured faces are harder, and {splits[1]} because of the shift."
        )
        return self


class ShortcutPicture(BarsPicture):
    """What the detector recognises that learned from black cats among coloured animals."""

    def __init__(self):
        super().__init__(
            "It learned the colour: right on the old pairs, wrong on the new",
            {
                "black cats\n(as in training)": NEUTRAL,
                "coloured others\n(as in training)": NEUTRAL,
                "coloured cats": WITHOUT_BATCH_NORM, "black others": WITHOUT_BATCH_NORM,
            },
            height=4.6, bar_width=0.6, ylabel="share recognised", ylim=(0, 1.2),
            yticks=np.linspace(0, 1, 6),
        )

    def show(self, detector):
        """Show what `judge` returns, in its first and its last coat."""
        cats, others = detector["cat_recall"], detector["other_recall"]
        (found,) = self.show_bars([cats[0], others[-1], cats[-1], others[0]])
        self.sentence = (
            f"Recognised: {found[0]} of the black cats and {found[1]} of the coloured other "
            f"animals, as in training, but {found[2]} of the coloured cats and {found[3]} of the "
            "black other animals."
        )
        return self


class BatchNormBarsPicture(BarsPicture):
    """Black-cat detectors on coloured faces, without batch norm and with it."""

    NAMES = {
        "plain": "without\nbatch norm",
        "with": "with batch norm,\nsame learning rate",
        "with, faster": "with batch norm,\nhigher learning rate",
    }

    def __init__(self, arms=tuple(NAMES)):
        names = [self.NAMES.get(arm, arm) for arm in arms]
        super().__init__(
            "Batch norm does not repair it: accuracy falls further",
            {names[0]: WITHOUT_BATCH_NORM, **dict.fromkeys(names[1:], STORED_STATISTICS)},
            width=max(9, 2.3 * len(arms) + 2), height=4.8, bar_width=0.6,
            reference=(0.5, "guessing"), ylabel="accuracy on coloured faces", ylim=(0, 1.05),
            xlim=(-0.6, len(arms) + 0.3),
        )
        self.arms, (axes,) = arms, self.figure.axes
        self.reference = self.moves(ReferenceLine(axes, 0, "reference net", REFERENCE))

    def show(self, judged):
        """Show {arm: what `judge` returns}, in the last coat; one of them is "reference"."""
        plain, *others = last = [judged[arm]["accuracy"][-1] for arm in self.arms]
        (found,) = self.show_bars(last)
        self.reference.set(judged["reference"]["accuracy"][-1].mean())
        self.sentence = (
            f"On coloured faces: {found[0]} without batch norm, {found[1]} with it; the "
            f"paired difference is {paired_interval(others[0], plain)}."
        )
        return self


class RegionPicture(Picture):
    """A rule that never changes, two regions of points, and the line learned in one of them."""

    def __init__(self):
        super().__init__(height=5.4, title="The rule stays; only the place where we look moves")
        self.axes = axes = self.figure.subplots()
        axes.set(xlabel="x₁", ylabel="x₂", xlim=(-2.8, 2.8), ylim=(-2.9, 4.1))
        x1 = np.linspace(-2.8, 2.8, 201)
        axes.plot(x1, region_boundary(x1), **THEORY.of_line(), zorder=3)
        axes.text(-2.72, region_boundary(-2.72) + 0.15, "the rule", color=THEORY.text_colour)
        of_points = {
            "training points (larger: more weight)": {
                "c": NEUTRAL.colour, "edgecolors": "white", "alpha": 0.75, "linewidths": 0.4
            },
            "test points": {"c": "white", "edgecolors": "#444444", "marker": "D", "s": 16},
            "test points it gets wrong": {
                "c": WARNING.colour, "edgecolors": "white", "marker": "X", "s": 46
            },
        }
        (line,) = axes.plot([], [], zorder=4, label="learned line", **WITHOUT_BATCH_NORM.of_line())
        points = [axes.scatter([], [], label=name, **look) for name, look in of_points.items()]
        axes.legend(loc="upper center", ncols=2, handlelength=3)
        self.line, self.points = self.moves(line), [self.moves(one) for one in points]

    def show(self, view):
        """Show what `view_regions` returns."""
        target, mistaken, weights = view["target"], view["mistaken"], view["weights"]
        places = view["source"], target[~mistaken], target[mistaken]
        for points, offsets in zip(self.points, places, strict=True):
            points.set_offsets(offsets)
        self.points[0].set_sizes(30 * weights)
        (a, b, c), x1 = view["line"], np.array([-2.8, 2.8])
        self.line.set_data(x1, -(a * x1 + c) / b)
        counted = (
            f"your {len(weights)} examples count as {view['effective']:.0f}"
            if view["reweighted"]
            else f"all {len(weights)} examples count alike"
        )
        accuracy, auc = (format_number(view[name], 2) for name in ("accuracy", "auc"))
        self.sentence = (
            f"Test points {view['distance']:g} sd away: accuracy {accuracy}; "
            f"a domain classifier tells the regions apart with AUC {auc}; "
            f"{counted}."
        )
        return self


class ReweightingPicture(NamedCurvesPicture):
    """Accuracy of a linear classifier against how far its test region lies away."""

    def __init__(self):
        super().__init__(
            "Same rule, another region: reweighting brings most of it back",
            {
                "plain": (WITHOUT_BATCH_NORM, "as it is"), "reweighted": (SECOND, "reweighted"),
                "reference": (REFERENCE, "learned there"),
            },
            xlabel="distance of the test region (standard deviations of x₁)", ylabel="accuracy",
        )
        ReferenceLine(self.axes, 0.5, "a coin")

    def show(self, accuracies):
        """Show {distance: {arm: (n_networks,)}}."""
        *_, last = distances = list(accuracies)
        ends = self.show_curves({
            arm: (distances, np.array([accuracies[one][arm] for one in distances]))
            for arm in accuracies[last]
        })
        means = ", ".join(f"{format_number(one.mean, 2)} {name}" for name, one in ends.items())
        self.sentence = f"Accuracy at {last} standard deviations: {means}."
        return self


DETECTORS = {
    "plain": (WITHOUT_BATCH_NORM, "without batch norm"),
    "with": (STORED_STATISTICS, "with batch norm"),
    "reference": (REFERENCE, "learned from colour"),
}


class TintedPicture(NamedCurvesPicture):
    """Photographs of clothes, learned in dark grey and tested in colour."""

    def __init__(self, class_names=("Trouser", "Bag")):
        super().__init__(
            "Real pictures, dyed: the same story, less steep",
            DETECTORS | {"reference": (REFERENCE, "reference net")}, ylabel="accuracy",
            xlabel="dye of the test pictures, from dark grey (0) to full colour (1)",
        )
        self.class_names = class_names

    def show(self, curves):
        """Show {arm: (tints (n_tints,), accuracies (n_tints, n_networks))}."""
        ends = ", ".join(f"{one} {name}" for name, one in self.show_curves(curves).items())
        self.sentence = f"{' against '.join(self.class_names)} in full colour: {ends}."
        return self


class CoatPicture(Picture):
    """The course in one picture: cats from black to coloured above the accuracy on such faces."""

    N_CATS = 6

    def __init__(self):
        super().__init__(height=5.6, title="Does batch norm fix this? Bet, then drag.")
        top, bottom = self.figure.subplots(2, 1, height_ratios=[1, 2.9])
        self.strip = self.moves(Mosaic(top, 1, self.N_CATS))
        right = self.N_CATS + 1.9  # one tile for each cat, and its coat right below on the axis
        top.set(xlim=(0, right), aspect="auto")
        bottom.set(xlabel=COAT_LABEL, ylabel="accuracy", xlim=(0, right), ylim=(0.45, 1.02))
        coats = np.linspace(0, 1, self.N_CATS)
        bottom.set_xticks(self._places(coats), [f"{coat:g}" for coat in coats])
        shown = draw_shown()  # cats first
        self.strip.set(np.stack([shown.in_coats(coat)[cat] for cat, coat in enumerate(coats)]))
        ReferenceLine(bottom, 0.5, "guessing", where=0.01)
        self.curves = NamedCurves(self, bottom, DETECTORS)

    def _places(self, coats):
        return 0.5 + (self.N_CATS - 1) * np.asarray(coats)

    def show(self, judged):
        """Show {"plain", "with", "reference": what `judge` returns}."""
        curves = {
            arm: (self._places(judged[arm]["coats"]), judged[arm]["accuracy"])
            for arm in ("plain", "with")
        }
        curves["reference"] = self._places([1]), judged["reference"]["accuracy"][-1:]
        plain, with_norm, reference = (one[-1] for one in self.curves.set(curves).values())
        heights = [plain.mean, with_norm.mean + 0.012, reference.mean]  # clear of the guessing line
        self.curves.labels.set(self._places(1), heights)
        self.sentence = (
            f"Learned from black coats, tested in full colour: {plain} without batch norm, "
            f"{with_norm} with it. Learned from coloured coats: {reference}."
        )
        return self
