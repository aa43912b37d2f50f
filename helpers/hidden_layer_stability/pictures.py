"""Notebook 03's pictures: ridges of hidden values, drift, kicks, a moving target."""

import numpy as np

from helpers.hidden_layer_stability.experiments import kick_texts
from helpers.intervals import format_number, mean_interval, paired_interval
from helpers.page.parts import Band, BarsPicture, Ghost, GroupsPicture, looks_of
from helpers.page.picture import NEUTRAL, STORED_STATISTICS, Picture

LOOKS = looks_of(["without", "with"])
STATION_NAMES = {
    "z2": "value at z2 (before the second ReLU)",
    "h2": "value at h2 (what layer 3 receives)",
}
N_UNITS, KERNEL_SD = 6, 0.2
GRID = np.append(np.linspace(-8, 8, 241), np.nan)  # nan lifts the pen between the rows
ROWS = np.arange(N_UNITS, 0, -1)


class RidgePicture(Picture):
    """Distributions of six units, without and with batch norm, and one image's place in them.

    Grey and hollow: before training.
    """

    def __init__(self):
        super().__init__(
            width=10, height=5.6,
            title="Six units while layers 1 and 2 learn: hills, and one image as a dot",
        )
        panels = self.figure.subplots(1, 2, sharey=True)
        hollow = dict(color="white", mec=NEUTRAL.colour, mew=1.8)
        self.parts, self.stations = {}, []
        for axes, (arm, (style, name)) in zip(panels, LOOKS.items()):
            axes.hlines(ROWS, -8, 8, color="#dddddd", linewidth=1, zorder=0)
            for when, look, mark in (("start", NEUTRAL, hollow), ("now", style, {"color": "k"})):
                (points,) = axes.plot([], [], "o", ms=8, zorder=5, **mark)
                self.parts[arm, when] = self.moves(Band(axes, look)), self.moves(points)
            self.parts[arm, "start"][0].line.set(linestyle="-", linewidth=1.4)
            axes.set(xlim=(-8, 8), ylim=(0.4, N_UNITS + 2.1), xticks=range(-8, 9, 4))
            axes.set_title(name, color=style.text_colour)
            axes.set_xlabel(" ")  # keeps room for the station's name, which moves
            text = axes.text(0.5, -0.13, "", transform=axes.transAxes, ha="center", fontsize=14)
            self.stations.append(self.moves(text))
        panels[0].set_yticks(ROWS, [f"unit {unit}" for unit in ROWS[::-1]])
        key = "● one image\n○ at step 0\ngrey: step 0"  # short: beside the peaks at zero
        panels[0].text(-7.8, N_UNITS + 2.1, key, va="top", linespacing=1.3)

    def show(self, ridges):
        """Show what `ridges_at` yields."""
        for (arm, when), (hills, points) in self.parts.items():
            units = ridges[arm][when][:, :N_UNITS]
            # 1.5 rows per unit of density; ReLU's peak at zero would hide the neighbours
            tops = (ROWS[:, None] + np.minimum(1.5 * density(units), 1.6)).ravel()
            feet = ROWS.repeat(len(GRID)) if when == "now" else tops
            hills.set(np.tile(GRID, N_UNITS), tops, feet, tops)
            points.set_data(units[0], ROWS)
        for text in self.stations:
            text.set_text(STATION_NAMES[ridges["station"]])
        means = [format_number(ridges[arm]["mean"], 3) for arm in LOOKS]
        self.sentence = (
            f"Step {ridges['step']}, {ridges['station']}, learning rate "
            f"{ridges['learning_rate']:g}, batch size {ridges['batch_size']}. "
        )
        self.sentence += "Nothing has been learned yet." if ridges["step"] == 0 else (
            f"In the last 10 steps the mean moved by {means[0]} sd without and {means[1]} sd with "
            "batch norm."
        )
        return self


def density(units):
    """Return how the values (n_images, n_units) spread over GRID, (n_units, len(GRID))."""
    kernels = np.exp(-0.5 * ((GRID - units.T[..., None]) / KERNEL_SD) ** 2)
    return kernels.mean(axis=-2) / (KERNEL_SD * np.sqrt(2 * np.pi))


class DriftPicture(GroupsPicture):
    """What batch norm pins by construction, and what it does not: a row for each station."""

    GROUPS = (
        {"mean": "mean (sd)", "scale": "width (log sd)"},
        {"ranking": "ranking (1 − corr.)", "shape": "shape (sd)"},
    )
    decimals = 3

    def __init__(self):
        titles = (
            ("z2: set by batch norm", "z2: not set by batch norm"),
            ("h2: follows, through the ReLU", "h2: not set by batch norm"),
        )
        super().__init__(
            "Batch norm pins mean and width;\nwhich images score high drifts on",
            [[dict(title=one, ylim=(0, top)) for one, top in zip(row, (0.157, 0.074))]
             for row in titles],
            width=10.5, height=5.6,
        )

    def show(self, runs):
        """Show {arm: Run} of networks under a `DriftMeter`."""
        panels = [
            {
                name: {
                    arm: mean_interval(run[f"{what} at {station}"].mean(axis=0))
                    for arm, run in runs.items()
                }
                for what, name in groups.items()
            }
            for station in STATION_NAMES for groups in self.GROUPS
        ]
        self.show_groups(panels)
        n_steps = np.diff(next(iter(runs.values())).steps, prepend=0)[0]
        for axes in self.figure.axes[::2]:
            axes.set_ylabel(f"drift per {n_steps} steps")
        names = " and ".join(label for _, label in looks_of(runs).values())
        names = names.replace("without batch norm and with", "without and with")
        means, rankings = panels[0]["mean (sd)"], panels[1]["ranking (1 − corr.)"]
        self.sentence = (
            f"Per {n_steps} steps at z2, {names}: the mean moves by "
            f"{' and '.join(format_number(one.mean, 3) for one in means.values())} sd, the "
            f"ranking by {' and '.join(map(str, rankings.values()))}."
        )
        return self


class KickPicture(BarsPicture):
    """The loss after a kick: three bars, cut off at the top of the axis.

    A bet on the bar in the middle is shown while the picture shows the kick `bet_on`.
    """

    BARS = {
        "without\nbatch norm": LOOKS["without"][0],
        "batch norm,\nfresh statistics": LOOKS["with"][0],
        "batch norm,\nstored statistics": STORED_STATISTICS,
    }
    KICKS = {
        "scale": "All weights of layers 1 and 2 times {factor:.1f}",
        "common direction": "On layers 1 and 2 a push along the mean input, {size:.1f} times as "
        "long as the weights",
        "random": "On layers 1 and 2 random noise, {size:.1f} times as long as the weights",
    }
    bet_on = ("scale", 2.0)

    def __init__(self):
        super().__init__(
            "Do fresh statistics soften the kick? Do stored ones?", self.BARS, bar_width=0.5,
            top=10.0, ylim=(-1.4, 11.2), yticks=range(0, 11, 2),
            ylabel="increase of the test loss (nats),\ncut off at 10",
        )
        (axes,) = self.figure.axes
        axes.spines.bottom.set_visible(False)
        axes.axhline(0, color=NEUTRAL.colour, linewidth=1)
        self.ghost = self.moves(Ghost(axes, offset=(9, 2), va="bottom"))  # above the line at 0
        self.kick, self.bet = None, None

    def show(self, kick):
        """Show a result of `run_kick`."""
        texts = kick_texts(kick)
        self.show_bars([kick[name] for name in texts], texts=[texts.values()])
        words = self.KICKS[kick["kind"]].format(size=kick["size"], factor=1 + kick["size"])
        self.sentence = (
            f"{words}: the test loss rises by {texts['without']} without batch norm, "
            f"{texts['fresh']} with fresh and {texts['stored']} with stored statistics "
            f"({len(kick['stored'])} networks)."
        )
        self.kick = (kick["kind"], kick["size"])
        if self.bet is not None:
            self.set_ghost(self.bet)
        return self

    def set_ghost(self, value):
        """Show the bet `value`, in nats, or none (None)."""
        self.bet = value
        # beside the number above the bar
        self.ghost.set(1.25, value if self.kick == self.bet_on else None)


class MovingTargetPicture(GroupsPicture):
    """What driving layers 1 and 2 costs the later layers."""

    DRIVES = {
        "rotation": ("layers 1 and 2 rotate", "when layers 1 and 2 rotate"),
        "growth": ("layers 1 and 2 grow", "when they grow"),
    }

    def __init__(self):
        super().__init__(
            "Batch norm cancels growth,\nbut hardly helps against rotation",
            [[dict(ylabel="extra training loss (nats)", ylim=(0, 1.008))]], gap=0.9,
            names="upper left",
        )

    def text_of(self, group, arm, interval):
        # Batch norm divides every factor out again.
        is_zero = (group, arm) == (self.DRIVES["growth"][0], "with")
        return super().text_of(group, arm, interval) + is_zero * "\nby construction"

    def show(self, damages):
        """Show {drive: {arm: (n_networks,)}}, extra training losses in nats."""
        words = {drive: self.DRIVES.get(drive, (drive, f"with {drive}")) for drive in damages}
        self.show_groups([{
            words[drive][0]: {arm: mean_interval(loss) for arm, loss in arms.items()}
            for drive, arms in damages.items()
        }])
        (first, _), *others = looks_of(next(iter(damages.values()))).items()
        told = []
        for arm, (_, label) in others:
            changes = " and ".join(
                f"by {paired_interval(one[arm], one[first])} nats {words[drive][1]}"
                for drive, one in damages.items()
            )
            what = label.removeprefix("with ")
            told.append(f"{what[0].upper()}{what[1:]} changes the damage {changes}.")
        self.sentence = " ".join(told) or "Only one kind of network: nothing to compare."
        return self
