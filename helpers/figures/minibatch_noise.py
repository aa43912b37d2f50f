"""Notebook 04's pictures: the microscope, two kinds of noise, the trap, and what noise is worth."""

import numpy as np

from helpers.figures.general import CurvesPicture, looks_of
from helpers.figures.parts import Band, Bars, Ghost, Intervals, LineLabels
from helpers.figures.picture import (
    DROPOUT,
    NEUTRAL,
    REFERENCE,
    THEORY,
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


class MicroscopePicture(Picture):
    """One hidden value over thousands of mini-batches, and its noise beside dropout's."""

    def __init__(self):
        super().__init__(height=5, title="Same image, same weights: the batch decides the value")
        left, right = self.figure.subplots(1, 2, width_ratios=[2, 1])
        left.set(
            xlabel="x̂, the value after normalisation", ylabel="frequency (theory's peak = 1)",
            xlim=(-1.6, 3.6), ylim=(0, 1.75),
        )
        # The number of bins stays, their edges move with the batch size.
        self.histogram = self.moves(
            left.stairs(np.zeros(40), np.arange(41.0), fill=True, alpha=0.75,
                        color=WITH_BATCH_NORM.colour)
        )
        (self.theory,) = left.plot([], [], **THEORY.of_line())
        self.moves(self.theory)
        self.texts = [
            self.moves(left.text(0.98, y, "", transform=left.transAxes, ha="right", color=colour))
            for y, colour in ((0.93, WITH_BATCH_NORM.text_colour), (0.86, THEORY.text_colour))
        ]
        right.set(ylabel="noise (standard deviation)", ylim=(0, 1.15))
        right.set_xticks(range(4), ["batch\nnorm", "drop\n0.1", "drop\n0.2", "drop\n0.5"])
        self.bars = self.moves(Bars(right, range(4), [WITH_BATCH_NORM] + 3 * [DROPOUT]))

    def show(self, result):
        x_hat, value, theory_sd = (result[name] for name in ("x_hat", "value", "theory_sd"))
        edges = value + theory_sd * np.linspace(-5, 5, 41)
        shares = np.histogram(x_hat, edges)[0] / len(x_hat)  # in bins of a quarter of theory's sd
        self.histogram.set_data(4 * np.sqrt(2 * np.pi) * shares, edges)
        distance = np.linspace(-5, 5, 201)
        self.theory.set_data(value + theory_sd * distance, np.exp(-(distance**2) / 2))
        sds = [x_hat.std(), *result["dropout"].values()]
        measured, predicted = (format_number(sd, 3) for sd in (sds[0], theory_sd))
        dropout = [format_number(sd, 2) for sd in sds[1:]]
        self.bars.set(sds, texts=[measured, *dropout])
        self.texts[0].set_text(f"{len(x_hat)} mini-batches of {result['batch_size']}")
        self.texts[1].set_text("theory: normal curve")
        self.sentence = (
            f"Batch size {result['batch_size']}: the same hidden value spreads with a standard "
            f"deviation of {measured} over {len(x_hat)} mini-batches (theory {predicted}); "
            f"dropout with p = 0.2 gives a value of that size {dropout[1]}, at every batch size."
        )
        return self


class NoiseSizePicture(Picture):
    """Noise against batch size: batch norm's falls, dropout's does not."""

    def __init__(self):
        super().__init__(title="Batch norm's noise falls with the batch size, dropout's does not")
        axes = self.figure.subplots()
        axes.set(
            xlabel="batch size m", ylabel="noise (standard deviation)", xscale="log",
            yscale="log", xlim=(3.4, 1100), ylim=(0.025, 1.5),
        )
        sizes, levels = (4, 8, 16, 32, 64, 128, 256, 512), (0.03, 0.1, 0.3, 1.0)
        axes.set_xticks(sizes, [str(size) for size in sizes])
        axes.set_yticks(levels, [str(level) for level in levels])
        axes.minorticks_off()
        (self.theory,) = axes.plot([], [], **THEORY.of_line())
        self.moves(self.theory)
        self.measured = self.moves(Intervals(axes, WITH_BATCH_NORM))
        style = {**DROPOUT.of_points(), "linestyle": DROPOUT.line}
        self.dropout = [self.moves(axes.plot([], [], **style)[0]) for _ in range(3)]
        styles = [DROPOUT] * 3 + [WITH_BATCH_NORM, THEORY]
        self.labels = self.moves(LineLabels(axes, styles, [""] * 5))

    def show(self, result):
        """Show {"sizes", "total", "theory"} as in `measure_noise`, and {"dropout": {p: sds}}."""
        sizes, theory = result["sizes"], result["theory"].mean(axis=1)
        noise = mean_intervals(result["total"])
        self.theory.set_data(sizes, theory)
        self.measured.set(sizes, *interval_ends(noise))
        for line, sds in zip(self.dropout, result["dropout"].values(), strict=True):
            line.set_data(sizes, sds)
        flat = {p: sds[-1] for p, sds in result["dropout"].items()}
        self.labels.set(
            sizes[-1], [*flat.values(), noise[-1].mean * 1.08, theory[-1] * 0.92],
            [*[f"dropout {p}" for p in flat], "batch norm", "theory"],
        )
        of_dropout = ", ".join(f"{format_number(sd, 2)} at p = {p}" for p, sd in flat.items())
        self.sentence = (
            f"From batch size {sizes[0]} to {sizes[-1]} the noise of batch norm falls from "
            f"{noise[0]} to {noise[-1]}, as theory says; that of dropout stays: {of_dropout}."
        )
        return self


class NaiveSweepPicture(Picture):
    """The gap against the batch size: of one sweep, or of several with their numbers of updates.

    later: arms that are not shown at first.
    """

    def __init__(self, title, later=()):
        super().__init__(title=title)
        self.axes, self.later, self.arms = self.figure.subplots(), later, {}
        self.axes.set(
            xlabel="batch size m (equal numbers of epochs)",
            ylabel="test loss − training loss (nats)",
        )
        self.axes.axhline(0, color=NEUTRAL.colour, linewidth=1)

    def _build(self, sweeps):
        sizes = list(next(iter(sweeps.values())))
        ends = [run["gap"][-1].mean() for runs in sweeps.values() for run in runs.values()]
        self.axes.set(
            xlim=(-0.95, len(sizes) - 0.6),
            ylim=(min(-0.55, min(ends) - 0.2), max(0.7, max(ends) + 0.2)),
        )
        self.axes.set_xticks(range(len(sizes)), [str(size) for size in sizes])
        looks = looks_of([*sweeps, *self.later])
        for arm, (style, name) in looks.items():
            line = self.moves(self.axes.plot([], [], **style.of_line())[0])
            self.arms[arm] = name, line, self.moves(Intervals(self.axes, style))
        styles = [style for style, _ in looks.values()]
        self.names = self.moves(LineLabels(self.axes, styles, [""] * len(styles)))
        at_the_bottom = dict(ha="center", transform=self.axes.get_xaxis_transform())
        self.updates = [
            self.moves(self.axes.text(x, 0.04, "", color=NEUTRAL.text_colour, **at_the_bottom))
            for x in range(len(sizes))
        ]

    def show(self, sweeps):
        """Show {arm: {batch size: Run}} whose looks have a "gap"; an arm left out is hidden."""
        if not self.arms:
            self._build(sweeps)
        starts, texts, sentences = [], [], []
        for arm, (name, line, intervals) in self.arms.items():
            runs = sweeps.get(arm, {})
            gaps = [mean_interval(run["gap"][-1]) for run in runs.values()]
            ends = interval_ends(gaps) if gaps else ([], [], [])
            line.set_data(range(len(gaps)), ends[0])
            intervals.set(range(len(gaps)), *ends)
            starts.append(gaps[0].mean if gaps else np.nan)
            texts.append(name if gaps else "")
            # Not the smallest batch size: its many updates without batch norm are chaotic, and
            # another machine's rounding shows in the second decimal.
            told = [f"{gap} at {m}" for m, gap in list(zip(runs, gaps))[1:]]
            sentences += [f"{name} the gap is {' and '.join(told)}"] if told else []
        self.names.set(-0.93, starts, texts)
        for text, run in zip(self.updates, next(iter(sweeps.values())).values(), strict=True):
            text.set_text(f"{run.steps[-1]} updates" if len(sweeps) > 1 else "")
        text = "; ".join(sentences)
        self.sentence = f"{text[0].upper()}{text[1:]}."
        return self


class DifferencesPicture(Picture):
    """Two measures of some arms: paired differences from the first arm, one row for each other.

    Groups stand on a logarithmic axis, what is not called "group 64" or so below them, and a bet
    on one of the groups beside its name.
    """

    def __init__(self):
        super().__init__(title="Batch norm's noise does regularise: a little at 64, most at 8")
        left, right = self.all_axes = self.figure.subplots(1, 2, width_ratios=[3, 2], sharey=True)
        left.set(xlabel="nats (left of 0: better)", xlim=(-0.1, 0.12))
        right.set(xlabel="nats", xlim=(-1.3, 0.25), xticks=(-1, -0.5, 0))
        self.ghost = self.moves(Ghost(left))
        self.places, self.panels, self.largest = {}, [], 512

    def _build(self, names, reference, differences):
        self.largest = group_size(reference) or self.largest
        sizes = {arm: group_size(arm) for arm in differences}
        self.places = {arm: self._place(size) for arm, size in sizes.items() if size}
        first_below = max(self.places.values(), default=0) + 1.3
        others = [arm for arm, size in sizes.items() if not size]
        self.places |= {arm: first_below + i for i, arm in enumerate(others)}
        self.all_axes[0].set_yticks([0, *self.places.values()], [reference, *self.places])
        self.all_axes[0].set_ylim(max(self.places.values()) + 0.6, -0.6)
        for axes, name, of_arm in zip(self.all_axes, names, zip(*differences.values())):
            low, high = axes.get_xlim()
            lows, highs = interval_ends(of_arm)[1:]
            axes.set(xlim=(min(low, 1.1 * lows.min()), max(high, 1.1 * highs.max())))
            axes.set_title(f"{name}, minus {reference}'s")
            axes.axvline(0, color=NEUTRAL.colour, linewidth=1)
            axes.plot(0, 0, markersize=16, markeredgewidth=4, **NEUTRAL.of_points())
            styles = map(style_of, self.places)
            rows = [self.moves(Intervals(axes, style, horizontal=True)) for style in styles]
            self.panels.append(dict(zip(self.places, rows)))

    def _place(self, size):
        return float(np.log2(self.largest / size))

    def show(self, measures):
        """Show {name: {arm: values (n_networks,)}}, two measures of the same arms."""
        values = list(measures.values())
        reference, *arms = values[0]
        differences = {
            arm: [paired_interval(one[arm], one[reference]) for one in values] for arm in arms
        }
        if not self.panels:
            self._build(measures, reference, differences)
        for which, rows in enumerate(self.panels):
            for arm, row in rows.items():
                one = differences[arm][which]
                row.set([self.places[arm]], [one.mean], [one.low], [one.high])
        first, told = next(iter(measures)), [f"{arm} {differences[arm][0]}" for arm in self.places]
        self.sentence = (
            f"{first[0].upper()}{first[1:]} minus that of {reference}: {', '.join(told)}."
        )
        return self

    def set_ghost(self, value):
        """Show the bet on the group `value`, or none (None)."""
        if value is None:
            self.ghost.hide()
        else:
            self.ghost.set(0.03, self._place(value), f"your bet: {value:g}")


def style_of(arm):
    """Return the Style of an arm by the first word of its name."""
    kinds = {"group": WITH_BATCH_NORM, "dropout": DROPOUT, "no": WITHOUT_BATCH_NORM}
    return kinds.get(arm.split()[0], REFERENCE)


def group_size(arm):
    """Return 64 for "group 64", None for an arm that is not called so."""
    first, _, size = arm.partition(" ")
    return int(size) if first == "group" and size.isdigit() else None


class GroupCurvesPicture(Picture):
    """Losses of one arm along training, beside the arm whose group is the whole batch."""

    PANELS = (
        ("training loss", "512 training images", 0.3), ("test loss", "1,000 test images", 0.7),
    )

    def __init__(self):
        super().__init__(title="Only the noise changes: every step uses all 512 images")
        self.bands, self.labels = {}, {}
        for axes, (name, title, low) in zip(self.figure.subplots(1, 2), self.PANELS):
            axes.set(title=title, xlabel="training step", xlim=(0, 165), ylim=(low, low + 1.3))
            axes.set_xticks(range(0, 101, 25))
            styles = NEUTRAL, WITH_BATCH_NORM
            self.bands[name] = [self.moves(Band(axes, style)) for style in styles]
            self.labels[name] = self.moves(LineLabels(axes, styles, ("", "")))
        self.figure.axes[0].set_ylabel("loss (nats)")

    def show(self, result):
        """Show {"arm", "reference"}: what `watch_group` yields, {"group_size", "dropout"}.

        The reference is the whole training, the arm may be on its way.
        """
        arm, reference = result["arm"], result["reference"]
        group, dropout = result["group_size"], result["dropout"]
        name = f"{group}, drop {dropout:g}" if dropout else f"group {group}"
        for what, bands in self.bands.items():
            curves = [mean_intervals(one[what]) for one in (reference, arm)]
            for one, band, curve in zip((reference, arm), bands, curves):
                band.set(one["steps"], *interval_ends(curve))
            self.labels[what].set(100, [one[-1].mean for one in curves], ["group 512", name])
        n_looks = len(arm["steps"])  # so far: against what the reference had reached by then
        best, best_of_reference = (
            one["test loss"][:n_looks].min(axis=0) for one in (arm, reference)
        )
        compared = "This is the reference arm itself."
        if arm is not reference:
            compared = (
                "Best test loss minus that of group 512 without dropout, paired: "
                f"{paired_interval(best, best_of_reference)}."
            )
        self.sentence = (
            f"Group {group}, dropout {dropout:g}: best test loss {mean_interval(best)}, gap after "
            f"{arm['steps'][-1]} steps {mean_interval(arm['gap'][-1])}. {compared} "
            f"95% intervals over {len(best)} networks."
        )
        return self


class EndGapPicture(CurvesPicture):
    """How much the gap of group 64 exceeds that of the whole batch along some runs."""

    def __init__(self):
        super().__init__(
            "Which group has the smaller gap depends on when you look", xlabel="training step",
            ylabel="gap of group 64 − gap of whole batch", ylim=(-0.22, 0.14),
        )

    def _build(self, panels):
        super()._build(panels)
        for axes, curves in zip(self.figure.axes, panels.values()):
            axes.set_xlim(0, max(steps[-1] for steps, _ in curves.values()))
            axes.axhline(0, color=NEUTRAL.colour, linewidth=1)
            for y, which in ((0.05, "smaller"), (0.84, "larger")):
                axes.annotate(f"64 has the {which} gap", (0.06, y), xycoords="axes fraction")

    def show(self, differences):
        """Show {name of the run: (steps (n_looks,), differences (n_looks, n_networks))}."""
        self.show_curves({name: {"with": one} for name, one in differences.items()})
        signs = [f"{_sign(values[-1])} in the {name}" for name, (_, values) in differences.items()]
        self.sentence = (
            f"At the end of training the gap of group 64 is {' and '.join(signs)}."
        )
        return self


def _sign(values):
    interval = mean_interval(values)
    if interval.high < 0:
        return "smaller"
    return "larger" if interval.low > 0 else "not different"
