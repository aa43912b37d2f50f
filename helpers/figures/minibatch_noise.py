"""Notebook 04's pictures: the microscope, two kinds of noise, the trap, and what noise is worth."""

import numpy as np

from helpers.figures.parts import Band, Bars, Ghost, Intervals, LineLabels
from helpers.figures.picture import (
    DROPOUT,
    NEUTRAL,
    THEORY,
    WITH_BATCH_NORM,
    WITHOUT_BATCH_NORM,
    Picture,
)
from helpers.intervals import format_number, interval_ends, mean_intervals

LOSS_LABEL = "loss (nats)"


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
        self.histogram.set_data(result.heights, result.edges)
        x = np.linspace(result.edges[0], result.edges[-1], 201)
        distance = (x - result.value) / result.theory_sd
        self.theory.set_data(x, np.exp(-(distance**2) / 2))
        sds = [result.x_hat.std(), *result.dropout_sds.values()]
        measured, *dropout = [format_number(sd, 3) for sd in sds]
        predicted = format_number(result.theory_sd, 3)
        self.bars.set(sds, texts=[measured, *[format_number(sd, 2) for sd in sds[1:]]])
        self.texts[0].set_text(f"{len(result.x_hat)} mini-batches of {result.batch_size}")
        self.texts[1].set_text("theory: normal curve")
        self.sentence = (
            f"Batch size {result.batch_size}: the same hidden value spreads with a standard "
            f"deviation of {measured} over {len(result.x_hat)} mini-batches (theory {predicted}); "
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
        self.dropout = [
            self.moves(axes.plot([], [], color=DROPOUT.colour, linestyle=DROPOUT.line,
                                 marker=DROPOUT.marker)[0])
            for _ in range(3)
        ]
        styles = [DROPOUT] * 3 + [WITH_BATCH_NORM, THEORY]
        self.labels = self.moves(LineLabels(axes, styles, [""] * 5))

    def show(self, result):
        sizes = np.array(result.batch_sizes)
        noise = mean_intervals(result.total)
        theory = result.theory.mean(axis=1)
        self.theory.set_data(sizes, theory)
        self.measured.set(sizes, *interval_ends(noise))
        for line, sds in zip(self.dropout, result.dropout.values(), strict=True):
            line.set_data(sizes, sds)
        flat = [(p, sds[-1]) for p, sds in result.dropout.items()]
        self.labels.set(
            sizes[-1], [*(sd for _, sd in flat), noise[-1].mean * 1.08, theory[-1] * 0.92],
            [*[f"dropout {p}" for p in result.dropout], "batch norm", "theory"],
        )
        self.sentence = (
            f"From batch size {sizes[0]} to {sizes[-1]} the noise of batch norm falls from "
            f"{noise[0]} to {noise[-1]}, as theory says; that of dropout stays: "
            f"{', '.join(f'{format_number(sd, 2)} at p = {p}' for p, sd in flat)}."
        )
        return self


class NaiveSweepPicture(Picture):
    """The gap against the batch size: of one sweep, or of two with their numbers of updates."""

    def __init__(self, title, batch_sizes=(16, 64, 512)):
        super().__init__(title=title)
        axes = self.figure.subplots()
        axes.set(
            xlabel="batch size m (equal numbers of epochs)",
            ylabel="test loss − training loss (nats)",
            xlim=(-0.95, len(batch_sizes) - 0.6), ylim=(-0.55, 0.7),
        )
        axes.set_xticks(range(len(batch_sizes)), [str(size) for size in batch_sizes])
        axes.axhline(0, color=NEUTRAL.colour, linewidth=1)
        styles = (WITH_BATCH_NORM, WITHOUT_BATCH_NORM)
        self.lines = [self.moves(axes.plot([], [], **style.of_line())[0]) for style in styles]
        self.intervals = [self.moves(Intervals(axes, style)) for style in styles]
        self.names = self.moves(LineLabels(axes, styles, ["", ""]))
        self.updates = [
            self.moves(axes.text(place, -0.5, "", ha="center", color=NEUTRAL.text_colour))
            for place in range(len(batch_sizes))
        ]

    def show(self, sweeps):
        names = ("with batch norm", "without batch norm")
        sentences = []
        for line, intervals, name, sweep in zip(self.lines, self.intervals, names, sweeps):
            gaps = mean_intervals(sweep.gaps)
            places, (means, lows, highs) = range(len(gaps)), interval_ends(gaps)
            line.set_data(places, means)
            intervals.set(places, means, lows, highs)
            # Not the smallest batch size: its many updates without batch norm are chaotic, and
            # another machine's rounding shows in the second decimal.
            texts = [f"{gap} at {m}" for m, gap in zip(sweep.batch_sizes[1:], gaps[1:])]
            sentences.append(f"{name} the gap is {' and '.join(texts)}")
        starts = [sweep.gaps[0].mean() for sweep in sweeps]
        self.names.set(-0.93, starts + starts[: 2 - len(sweeps)], names[: len(sweeps)])
        if len(sweeps) > 1:
            for text, n_steps in zip(self.updates, sweeps[0].n_steps, strict=True):
                text.set_text(f"{n_steps} updates")
        text = "; ".join(sentences)
        self.sentence = f"{text[0].upper()}{text[1:]}."
        return self


class DifferencesPicture(Picture):
    """Paired differences from the arm with group 512: best test loss first, then the gap.

    The groups stand on a logarithmic axis, and a bet on one of them beside its name.
    """

    largest = 512
    groups = (64, 8, 4)
    dropouts = {0.2: 8.3, 0.5: 9.3}  # probability -> place, below the groups

    def __init__(self):
        super().__init__(title="Batch norm's noise does regularise: a little at 64, most at 8")
        left, right = self.figure.subplots(1, 2, width_ratios=[3, 2], sharey=True)
        left.set_title("best test loss, minus group 512's")
        right.set_title("gap at the end, minus 512's")
        left.set(xlabel="nats (left of 0: better)", xlim=(-0.1, 0.12), ylim=(9.9, -0.6))
        left.set_xticks((-0.1, -0.05, 0, 0.05, 0.1))
        right.set(xlabel="nats", xlim=(-1.3, 0.25), xticks=(-1, -0.5, 0))
        styles = [WITH_BATCH_NORM] * len(self.groups) + [DROPOUT] * len(self.dropouts)
        names = [f"group {size}" for size in self.groups]
        self.names = names + [f"dropout {p}" for p in self.dropouts]
        self.places = [*map(self._place, self.groups), *self.dropouts.values()]
        left.set_yticks([0, *self.places], [f"group {self.largest}", *self.names])
        self.panels = []
        for axes in (left, right):
            axes.axvline(0, color=NEUTRAL.colour, linewidth=1)
            axes.plot(0, 0, markersize=16, markeredgewidth=4, **NEUTRAL.of_points())
            rows = [self.moves(Intervals(axes, style, horizontal=True)) for style in styles]
            self.panels.append(rows)
        self.ghost = self.moves(Ghost(left))

    def _place(self, group_size):
        return float(np.log2(self.largest / group_size))

    def show(self, differences):
        for which, rows in enumerate(self.panels):
            for place, name, row in zip(self.places, self.names, rows, strict=True):
                interval = differences[name][which]
                row.set([place], [interval.mean], [interval.low], [interval.high])
        best = [f"{name} {differences[name][0]}" for name in self.names]
        self.sentence = f"Best test loss minus that of group 512: {', '.join(best)}."
        return self

    def set_ghost(self, value):
        """Show the bet on the group `value`, or none (None)."""
        if value is None:
            self.ghost.hide()
        else:
            self.ghost.set(0.03, self._place(value), f"your bet: {value:g}")


class GroupCurvesPicture(Picture):
    """Losses of one arm along training, beside the arm whose group is the whole batch."""

    def __init__(self):
        super().__init__(title="Only the noise changes: every step uses all 512 images")
        left, right = self.figure.subplots(1, 2)
        left.set(title="512 training images", ylabel=LOSS_LABEL)
        right.set(title="1,000 test images")
        self.reference, self.arm, self.labels = [], [], []
        for axes, low in ((left, 0.3), (right, 0.7)):
            axes.set(xlabel="training step", xlim=(0, 165), ylim=(low, low + 1.3))
            axes.set_xticks(range(0, 101, 25))
            self.reference.append(self.moves(Band(axes, NEUTRAL)))
            self.arm.append(self.moves(Band(axes, WITH_BATCH_NORM)))
            styles, texts = (NEUTRAL, WITH_BATCH_NORM), ("group 512", "")
            self.labels.append(self.moves(LineLabels(axes, styles, texts)))

    def show(self, result):
        curves = ((result.reference_train, result.train), (result.reference_test, result.test))
        name = f"group {result.group_size}"
        if result.dropout:
            name = f"{result.group_size}, drop {result.dropout:g}"
        for panel, pair in enumerate(curves):
            for band, one in zip((self.reference[panel], self.arm[panel]), pair, strict=True):
                band.set(one.steps, one.mean, one.low, one.high)
            self.labels[panel].set(100, [one.mean[-1] for one in pair], ["group 512", name])
        self.sentence = f"Group {result.group_size}, dropout {result.dropout:g}: " + (
            f"best test loss {result.best_test_loss}, gap after {result.train.steps[-1]} steps "
            f"{result.end_gap}. "
            f"{_compare(result.difference)} 95% intervals over {result.best_test_loss.n_seeds} "
            "networks."
        )
        return self


def _compare(difference):
    if difference is None:
        return "This is the reference arm itself."
    return f"Best test loss minus that of group 512 without dropout, paired: {difference}."


class EndGapPicture(Picture):
    """The difference between the gaps of group 64 and of the whole batch, along two runs."""

    def __init__(self):
        super().__init__(title="Which group has the smaller gap depends on when you look")
        left, right = self.figure.subplots(1, 2)
        left.set(title="small net, 7 × 7 images", ylabel="gap of group 64 − gap of whole batch")
        right.set(title="larger net that fits everything")
        self.bands = []
        for axes, last in ((left, 100), (right, 80)):
            axes.set(xlabel="training step", xlim=(0, last), ylim=(-0.22, 0.14))
            axes.set_xticks(range(0, last + 1, 20))
            axes.axhline(0, color=NEUTRAL.colour, linewidth=1)
            self.bands.append(self.moves(Band(axes, WITH_BATCH_NORM)))
        left.annotate("64 has the smaller gap", (0.03, 0.05), xycoords="axes fraction")
        right.annotate("64 has the larger gap", (0.03, 0.92), xycoords="axes fraction")

    def show(self, curves):
        for band, one in zip(self.bands, curves, strict=True):
            band.set(one.steps, one.mean, one.low, one.high)
        small, large = map(_last_sign, curves)
        self.sentence = (
            f"At the end of training the gap of group 64 is {small} in the small net and "
            f"{large} in the larger net that fits every training image."
        )
        return self


def _last_sign(curve):
    if curve.high[-1] < 0:
        return "smaller"
    return "larger" if curve.low[-1] > 0 else "not different"
