"""What the board shows: the demos of the notebooks, some of them in steps, and two of words."""

import html
from functools import partial

import ipywidgets

from helpers.batch_norm_mechanics import demos as batch_norm_mechanics
from helpers.batch_norm_mechanics.pictures import draw_adaptation
from helpers.covariate_shift import demos as covariate_shift
from helpers.lecture import pictures
from helpers.minibatch_noise import demos as minibatch_noise
from helpers.minibatch_noise.pictures import NaiveSweepPicture
from helpers.page.drawing import draw_network
from helpers.page.panel import Panel, choice, steps_slider, switch, typeset
from helpers.weighing_the_evidence import demos as weighing_the_evidence

# Batch norm as in notebook 02, section 2.
LINES = """\
mean = z.mean(axis=0)
var = z.var(axis=0)
std = np.sqrt(var + eps)
x_hat = (z - mean) / std
outputs = gamma * x_hat + beta"""


def show_race(lecture, bets):
    """Both arms and, on demand, noise behind batch norm, at either learning rate."""
    races = lecture.races
    return Panel(
        controls={
            "rate": choice(list(races), 0.1, "learning rate"),
            "with_norm": switch("with batch norm"),
            "with_noise": switch("with noise behind batch norm"),
        },
        compute=lambda rate, with_norm, with_noise: (
            f"ReLU, learning rate {rate:g}", races[rate],
            ["without"] + ["with"] * with_norm + ["noisy"] * with_noise,
        ),
        picture=pictures.RaceInStepsPicture(),
        bet=bets["drift"],
    )


def show_kick(lecture, bets):
    """Accuracy after a kick of layers 1 and 2, with stored statistics on demand."""
    kinds, sizes = lecture.kicks, list(next(iter(lecture.kicks.values())))
    return Panel(
        controls={
            "kind": choice(list(kinds), "scale", "kick"),
            "size": steps_slider(sizes, 2.0, "size, relative to the weights"),
            "with_stored": switch("stored statistics, too"),
        },
        compute=lambda kind, size, with_stored: (kind, size, kinds[kind][size], with_stored),
        picture=pictures.KickAccuracyPicture(),
    )


def show_sweeps(lecture, bets):
    """Three batch sizes at equal epochs, with batch norm and on demand without it."""
    sweeps = lecture.sweeps
    return Panel(
        controls={"with_control": switch("the same without batch norm")},
        compute=lambda with_control: sweeps if with_control else {"with": sweeps["with"]},
        picture=draw_sweeps(sweeps),
    )


def draw_sweeps(sweeps):
    """Return the picture of the sweep with batch norm that has room for large names at its left."""
    picture = NaiveSweepPicture("", later=["without"]).show({"with": sweeps["with"]})
    picture.axes.set_xlim(-1.7, 2.5)
    picture.curves.names_at = -1.7
    return picture


class Words:
    """A demo of words: the HTML that `tell` makes of the values of the controls.

    For a page it is a Panel whose `image` has no caption. wide: whether it needs all the width.
    """

    error = None

    def __init__(self, controls, tell, *, wide=False):
        self.controls, self.tell, self.wide = controls, tell, wide
        self.image = ipywidgets.HTML().add_class("demo-words")
        self.view = ipywidgets.VBox([self.image])
        for control in controls.values():
            control.observe(self._show, "value")
        self._show()

    @property
    def values(self):
        return {name: control.value for name, control in self.controls.items()}

    def set_values(self, **values):
        """Set several controls."""
        for name, value in values.items():
            self.controls[name].value = value

    def wait(self, timeout=None):
        """Return: it is there at once."""

    def _show(self, _change=None):
        self.image.value = self.tell(**self.values)

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/html": self.image.value, "text/plain": "words alone."}


def tell_claims(ledger, open, verdicts):
    """Return HTML of the Rows of a ledger, with or without verdicts, or of the one to `open`.

    A verdict says how many of the row's statements, its main one and its checks, are kept.
    """
    if open == "all":
        return f"<table>{''.join(_claim(row, verdicts) for row in ledger)}</table>"
    (row,) = (row for row in ledger if row.claim.name == open)
    effects = "".join(
        f"<tr><td>{mark}:</td><td>{typeset(words)}{' (not part of the claim)' * beyond}</td></tr>"
        for beyond, effects in enumerate((row.effects, row.beyond))
        for mark, words in map(weighing_the_evidence.marked, effects)
    )
    return f"<table>{_claim(row, True)}</table><table>{effects}</table>"


def _claim(row, verdicts):
    n_kept, n_effects = len(row.effects) - len(row.lost), len(row.effects)
    sign = weighing_the_evidence.SIGNS[row.verdict]
    kept = f"{sign} {row.verdict}: {n_kept} of {n_effects}"
    cells = row.claim.name, row.claim.words, kept if verdicts else ""
    return f"<tr>{''.join(f'<td>{html.escape(one)}</td>' for one in cells)}</tr>"


def show_claims(lecture, bets):
    """All claims, on demand with their verdicts, or one of them with its evidence."""
    names = [row.claim.name for row in lecture.ledger]
    return Words(
        {"open": choice(["all", *names], "all", "open"), "verdicts": switch("verdicts")},
        partial(tell_claims, lecture.ledger), wide=True,
    )


# {name of a tab: a function of the Lecture and of {name of a beat: its Prediction}}.
TABS = {
    "Race": show_race,
    "Coats": lambda lecture, bets: covariate_shift.coat_demo(lecture.story, bets["coats"]),
    "Lines": lambda lecture, bets: Words({}, lambda: f"<pre>{LINES}</pre>"),
    "One batch": lambda lecture, bets: batch_norm_mechanics.one_batch_demo(),
    "Averages": lambda lecture, bets: batch_norm_mechanics.averages_demo(
        bets["memory"], {(64, memory): one for memory, one in lecture.averages.items()}
    ),
    "Repair": lambda lecture, bets: Panel(
        {}, lambda: "still", draw_adaptation({"": lecture.repair})
    ),
    "Kick": show_kick,
    "Target": lambda lecture, bets: Panel({}, lambda: lecture.damages, pictures.TargetPicture()),
    "64 or 512": show_sweeps,
    "Groups": lambda lecture, bets: minibatch_noise.groups_demo(),
    "Rates": lambda lecture, bets: weighing_the_evidence.learning_rate_demo(),
    "Direction": lambda lecture, bets: weighing_the_evidence.hidden_rate_demo(),
    "Claims": show_claims,
}

# {name of a sketch, in the place of a demo that is hidden: a function of the Lecture}.
SKETCHES = {
    "faces": lambda lecture: pictures.draw_coats(),
    "network": lambda lecture: draw_network(),
    "gaps": lambda lecture: pictures.emptied(draw_sweeps(lecture.sweeps)),
}
