"""Notebook 04's pictures: the microscope, two kinds of noise, the trap, and what noise is worth."""

import numpy as np

from helpers.intervals import format_number, interval_ends, mean_interval, paired_interval, verdict
from helpers.page.parts import Bars, CurvesPicture, Ghost, Intervals, NamedCurves, with_room
from helpers.page.picture import (
    DROPOUT,
    NEUTRAL,
    REFERENCE,
    THEORY,
    WITH_BATCH_NORM,
    WITHOUT_BATCH_NORM,
    Picture,
    in_course_style,
    looks_of,
)


class MicroscopePicture(Picture):
    """One hidden value over thousands of mini-batches, and its noise beside dropout's."""

    def __init__(self):
        super().__init__(title="Same image, same weights: the batch decides the value")
        left, right = self.figure.subplots(1, 2, width_ratios=[2, 1])
        left.set(
            xlabel="x̂, the value after normalisation", ylabel="frequency (theory's peak = 1)",
            xlim=(-1.6, 3.6), ylim=(0, 1.75),
        )
        blue, place = WITH_BATCH_NORM, dict(transform=left.transAxes, ha="right")
        # The number of bins stays, their edges move with the batch size.
        bins = left.stairs(np.zeros(40), np.arange(41.0), fill=True, alpha=0.75, color=blue.colour)
        self.histogram = self.moves(bins)
        self.theory = self.moves(left.plot([], [], **THEORY.of_line())[0])
        self.text = self.moves(left.text(0.98, 0.93, "", color=blue.text_colour, **place))
        left.text(0.98, 0.86, "theory: normal curve", color=THEORY.text_colour, **place)
        right.set(ylabel="noise (standard deviation)", ylim=(0, 1.15))
        right.set_xticks(range(4), ["batch\nnorm", "drop\n0.1", "drop\n0.2", "drop\n0.5"])
        self.bars = self.moves(Bars(right, range(4), [blue] + 3 * [DROPOUT]))

    def show(self, result):
        x_hat, theory_sd, m = result["x_hat"], result["theory_sd"], result["batch_size"]
        edges, curve = (result["value"] + theory_sd * np.linspace(-5, 5, n) for n in (41, 201))
        shares = np.histogram(x_hat, edges)[0] / len(x_hat)  # in bins of a quarter of theory's sd
        self.histogram.set_data(4 * np.sqrt(2 * np.pi) * shares, edges)
        self.theory.set_data(curve, np.exp(-(np.linspace(-5, 5, 201) ** 2) / 2))
        sds = [x_hat.std(), *result["dropout"].values()]
        dropout = [format_number(sd, 2) for sd in sds[1:]]
        measured, predicted = format_number(sds[0], 3), format_number(theory_sd, 3)
        self.bars.set(sds, sds, sds, [measured, *dropout])
        self.text.set_text(f"{len(x_hat)} mini-batches of {m}")
        self.sentence = (
            f"Batch size {m}: the same hidden value spreads with a standard deviation of "
            f"{measured} over {len(x_hat)} mini-batches (theory {predicted}); dropout with p = 0.2 "
            f"gives a value of that size {dropout[1]}, at every batch size."
        )
        return self


@in_course_style
def draw_noise_sizes(noise):
    """Return a picture of noise against batch size: batch norm's falls, dropout's does not.

    noise: {"sizes", "total", "theory"} as in `measure_noise`, and {"dropout": {p: sds}}.
    """
    picture = Picture(title="Batch norm's noise falls with the batch size, dropout's does not")
    axes, ticks, levels = picture.figure.subplots(), 2 ** np.arange(2, 10), (0.03, 0.1, 0.3, 1.0)
    axes.set(
        xlabel="batch size m", ylabel="noise (standard deviation)", xscale="log",
        yscale="log", xlim=(3.4, 1100), ylim=(0.025, 1.5),
    )
    axes.set_xticks(ticks, map(str, ticks))
    axes.set_yticks(levels, map(str, levels))
    axes.minorticks_off()
    sizes, dropout = noise["sizes"], noise["dropout"]
    looks = {"total": (WITH_BATCH_NORM, "batch norm"), "theory": (THEORY, "theory")}
    looks |= {p: (DROPOUT, f"dropout {p}") for p in dropout}
    curves = {"total": (sizes, noise["total"])}
    for name, sds in {"theory": noise["theory"].mean(axis=1), **dropout}.items():
        curves[name] = sizes, np.stack([sds, sds], axis=1)  # exact: an interval of no width
    named = NamedCurves(picture, axes, looks, bands=False, points=True)
    named.parts[0][0].line.set_linestyle("none")  # theory's joins these points
    total = named.set(curves)["batch norm"]
    told = [f"{format_number(sds[-1], 2)} at p = {p}" for p, sds in dropout.items()]
    picture.sentence = (
        f"From batch size {sizes[0]} to {sizes[-1]} the noise of batch norm falls from "
        f"{total[0]} to {total[-1]}, close to theory; that of dropout stays: {', '.join(told)}."
    )
    return picture


class NaiveSweepPicture(Picture):
    """The gap against the batch size: of one sweep, or of several with their numbers of updates.

    later: arms that are not shown at first.
    """

    def __init__(self, title, later=()):
        super().__init__(title=title)
        self.axes, self.later, self.curves = self.figure.subplots(), later, None
        self.axes.set(
            xlabel="batch size m (equal numbers of epochs)",
            ylabel="test loss − training loss (nats)",
        )
        self.axes.axhline(0, color=NEUTRAL.colour, linewidth=1)

    def show(self, sweeps):
        """Show {arm: {batch size: Run}} whose looks have a "gap"; an arm left out is hidden."""
        first = next(iter(sweeps.values()))
        gaps = {arm: [run["gap"][-1] for run in runs.values()] for arm, runs in sweeps.items()}
        if self.curves is None:
            self._build(list(first), gaps)
        found = self.curves.set({arm: (range(len(first)), values) for arm, values in gaps.items()})
        for note, run in zip(self.notes, first.values()):
            note.set_text(f"{run.steps[-1]} updates" if len(sweeps) > 1 else "")
        # Not the smallest batch size: its many updates without batch norm are chaotic, and
        # another machine's rounding shows in the second decimal.
        told = []
        for name, intervals in found.items():
            ends = list(zip(intervals, first))[1:]
            told.append(f"{name} the gap is {' and '.join(f'{gap} at {m}' for gap, m in ends)}")
        self.sentence = f"{told[0][0].upper()}{'; '.join(told)[1:]}."
        return self

    def _build(self, sizes, gaps):
        self.axes.set_xticks(range(len(sizes)), map(str, sizes))
        means = np.mean(list(gaps.values()), axis=-1)
        self.axes.set(xlim=(-0.95, len(sizes) - 0.6), ylim=with_room((-0.55, 0.7), means))
        looks = looks_of([*gaps, *self.later])
        self.curves = NamedCurves(self, self.axes, looks, bands=False, points=True, names_at=-0.93)
        place = dict(y=0.04, ha="center", transform=self.axes.get_xaxis_transform())
        self.notes = [
            self.moves(self.axes.text(x, s="", color=NEUTRAL.text_colour, **place))
            for x in range(len(sizes))
        ]


class DifferencesPicture(Picture):
    """Best test loss and gap of some arms, minus those of the first; a bet beside its group."""

    STYLES = {"group": WITH_BATCH_NORM, "dropout": DROPOUT, "no": WITHOUT_BATCH_NORM}

    def __init__(self):
        super().__init__(title="Batch norm's noise does regularise: a little at 64, more at 8")

    def show(self, measures):
        """Show {"best test loss", "gap at the end": {arm: values (n_networks,)}}."""
        reference, *arms = self.arms = list(measures["best test loss"])
        left, right = self.draw_anew(1, 2, sharey=True, width_ratios=[3, 2])
        left.set_yticks(range(len(self.arms)), self.arms)
        left.set_ylim(len(arms) + 0.6, -0.6)
        left.set(title=f"best test loss, minus {reference}'s", xlabel="nats (left of 0: better)")
        gap_of = reference.removeprefix("group ")
        right.set(title=f"gap at the end, minus {gap_of}'s", xlabel="nats")
        limits, told = ((-0.1, 0.12), (-1.3, 0.25)), []
        for axes, usual, values in zip((left, right), limits, measures.values()):
            found = [paired_interval(values[arm], values[reference]) for arm in arms]
            told.append(", ".join(f"{arm} {one}" for arm, one in zip(arms, found)))
            axes.set_xlim(with_room(usual, interval_ends(found)))
            axes.locator_params(axis="x", nbins=5)
            axes.axvline(0, color=NEUTRAL.colour, linewidth=1)
            axes.plot(0, 0, markersize=16, markeredgewidth=4, **NEUTRAL.of_points())
            for place, (arm, one) in enumerate(zip(arms, found), 1):
                style = self.STYLES.get(arm.split()[0], REFERENCE)
                Intervals(axes, style, horizontal=True).set([place], *interval_ends([one]))
        self.ghost = self.moves(Ghost(left))
        self.sentence = f"Best test loss minus that of {reference}: {told[0]}."
        return self

    def set_ghost(self, value):
        """Show the bet on the group `value`, or none (None)."""
        size = f"{value or 0:g}"
        group = f"group {size}"
        self.ghost.set(
            0.03, self.arms.index(group) if group in self.arms else None, f"your bet: {size}"
        )


class GroupCurvesPicture(Picture):
    """Losses of one arm along training, beside the arm whose group is the whole batch."""

    def __init__(self):
        super().__init__(title="Only the noise changes: every step uses all 512 images")
        left, right = self.figure.subplots(1, 2)
        left.set(title="512 training images", ylabel="loss (nats)")
        right.set(title="1000 test images")
        looks = {"grey": (NEUTRAL, "group 512"), "arm": (WITH_BATCH_NORM, "")}
        self.panels = {}
        for axes, name in ((left, "training loss"), (right, "test loss")):
            axes.set(xlim=(0, 165), ylim=(0.3, 2.0), xticks=range(0, 101, 25))
            axes.set_xlabel("training step")
            self.panels[name] = NamedCurves(self, axes, looks)

    def show(self, arm):
        """Show what `watch_group` yields, whose "grey" arm is a whole training."""
        grey, group, dropout = arm["grey"], arm["group_size"], arm["dropout"]
        called = f"{group}, p {dropout:g}" if dropout else f"group {group}"
        for name, curves in self.panels.items():
            pair = {"grey": (grey["steps"], grey[name]), "arm": (arm["steps"], arm[name])}
            curves.set(pair, arm=called)
        # so far: against what the grey arm had reached by then
        best = [one["test loss"][: len(arm["steps"])].min(axis=0) for one in (arm, grey)]
        compared = "This is the reference arm itself"
        if (group, dropout) != (grey["group_size"], grey["dropout"]):
            compared = "Best test loss minus that of group 512 without dropout, paired: "
            compared += str(paired_interval(*best))
        self.sentence = (
            f"Group {group}, dropout {dropout:g}: best test loss {mean_interval(best[0])}, gap "
            f"after {arm['steps'][-1]} steps {mean_interval(arm['gap'][-1])}. {compared}. "
            f"95% intervals over {len(best[0])} networks."
        )
        return self


@in_course_style
def draw_end_gaps(differences):
    """Return a picture of how much the gap of group 64 exceeds that of the whole batch, by run.

    differences: {name of the run: (steps (n_looks,), differences (n_looks, n_networks))}.
    """
    picture = CurvesPicture(
        "Which group has the smaller gap depends on when you look", xlabel="training step",
        ylabel="gap of group 64 − gap of whole batch\n(below 0: 64 has the smaller gap)",
    )
    picture.show_curves({name: {"with": one} for name, one in differences.items()})
    ends = [mean_interval(values[-1]) for _, values in differences.values()]
    for axes in picture.figure.axes:
        axes.set_ylim(with_room((-0.22, 0.14), interval_ends(ends)))
        axes.locator_params(axis="x", nbins=5)
        axes.axhline(0, color=NEUTRAL.colour, linewidth=1)
    words = {"holds": "larger", "fails": "smaller", "undecided": "not clearly different"}
    signs = [f"{words[verdict(end, 0)]} in the {name}" for end, name in zip(ends, differences)]
    picture.sentence = f"At the end of training the gap of group 64 is {' and '.join(signs)}."
    return picture
