"""Notebook 05's bets and demos: a map of learning rates, the reader's verdicts, the ledger."""

import html
from functools import partial

import ipywidgets
import numpy as np
from ipywidgets import Layout

from helpers.page.accessibility import spoken_names
from helpers.page.alive import Alive
from helpers.page.panel import Panel, choice, follow, follow_bet, paragraph, steps_slider, typeset
from helpers.page.picture import one_at_a_time
from helpers.page.prediction import Answer, Scale, predict
from helpers.weighing_the_evidence.direction import HIDDEN_RATES
from helpers.weighing_the_evidence.experiments import MAP_AXES, load_learning_rate_map, pair_of
from helpers.weighing_the_evidence.ledger import count_verdicts, ledger_table
from helpers.weighing_the_evidence.papers import CLAIMS
from helpers.weighing_the_evidence.pictures import (
    HiddenRatesPicture,
    LearningRateMapPicture,
    NoisyRacePicture,
)

CHOICES = ("holds", "half", "fails")
SIGNS = {"holds": "●", "half": "◐", "fails": "○", "undecided": "?"}


def fast_bet():
    """Bet on noisy batch norm's median steps to a loss of 0.5 at learning rate 0.1 (a slider)."""
    return predict(
        "ReLU, learning rate 0.1. In the median, networks without batch norm need about 130 steps "
        "to a training loss of 0.5, networks with it about 50. Now noise behind each batch norm "
        "makes layer 3's inputs drift more in one step than without batch norm. How many steps?",
        Scale(
            tuple(range(0, 161, 10)), tolerance=20, unit=" steps", decimals=0,
            too_low="The noise is not free: it disturbs every gradient, too, and that costs steps.",
            close="Both at once: the noise costs steps, and about half of the gain survives it.",
            too_high="\"Less drift, therefore faster\" predicts 130 or more. The drift in a step "
            "came back, and about half of the gain stayed.",
        ),
    )


def slow_bet():
    """Bet on the same race at learning rate 0.02: steps saved against no batch norm."""
    return predict(
        "The same networks, the same noise, at learning rate 0.02, where plain batch norm saves "
        "far fewer steps. Compared with no batch norm, noisy batch norm is now ...",
        Answer(
            "slower", (-160, -10),
            "Noise costs no less here, and there was less gain to pay it with.",
        ),
        Answer(
            "about as fast", (-10, 10),
            "That would be so if the noise cost just what batch norm gains; it costs more.",
        ),
        Answer(
            "faster again", (10, 160),
            "One learning rate does not speak for all: what was saved at 0.1 was not saved here.",
        ),
    )


def length_bet():
    """Bet on what longer weights and a larger rate do: the final loss, against none of both."""
    return predict(
        "With batch norm (ε next to zero), at learning rate 0.1. Now all hidden weights start ten "
        "times as long, in the same directions, and they alone learn at a rate a hundred times as "
        "large. Compared with before, the training loss ...",
        Answer(
            "explodes, or ends higher", (0.01, np.inf),
            "So it would without batch norm. With it the length is divided out, in every batch.",
        ),
        Answer(
            "falls faster: the rate has grown more than the weights", (-np.inf, -0.01),
            "The gradient shrinks as well, to a tenth. Times a hundred, it turns weights ten times "
            "as long just as far as before.",
        ),
        Answer(
            "is the same in every single step", (-0.01, 0.01),
            "Ten times the weights have a tenth of the gradient; times a hundred, that turns them "
            "just as far as before.",
        ),
    )


def smooth_bet():
    """Bet on what batch norm does to one long step in a tanh network."""
    return predict(
        "In a ReLU network batch norm tames a long step along the gradient: the loss no longer "
        "explodes. And in a tanh network? With batch norm the loss after such a step ...",
        Answer(
            "hardly changes", (-0.1, 0.1),
            "Nothing explodes here to be tamed; dividing by small standard deviations may even "
            "make slopes steeper.",
        ),
        Answer(
            "is higher, so batch norm makes it less smooth", (0.1, 20),
            "So smoothness cannot be the whole story: the range of learning rates grows with tanh "
            "as well.",
        ),
        Answer(
            "is lower, so batch norm makes it smoother here, too", (-20, -0.1),
            "What ReLU shows need not hold for tanh: its hidden values are bounded anyway.",
        ),
    )


def show_races(races, bet=None):
    """Show races {name: {arm: Run}}, with the bet of `fast_bet` as a ghost in the first."""
    return follow_bet(NoisyRacePicture(), races, bet)


def learning_rate_demo():
    """Which learning rates train? Activation, depth and size of the first weights are yours."""
    scales = {f"× {scale:g}": scale for scale in MAP_AXES["init_scale"]}
    return Panel(
        controls={
            "activation": choice(MAP_AXES["activation"], "relu", "activation"),
            "depth": steps_slider(MAP_AXES["depth"], 3, "depth (layers of weights)"),
            "init_scale": choice(scales, 1.0, "initial weights"),
        },
        compute=partial(pair_of, load_learning_rate_map()),
        picture=LearningRateMapPicture(),
        about=(
            "Buttons and a slider choose activation, depth and size of the initial weights; two "
            "curves show the final loss at ten learning rates without and with batch norm, bars "
            "below them the rates that train. The table was computed beforehand."
        ),
    )


def hidden_rate_demo():
    """How far can the rate of the hidden weights go, and how much of it counts in the end?"""
    return Panel(
        controls={"rate": steps_slider(HIDDEN_RATES, 1000.0, "rate of the hidden weights")},
        compute=lambda rate: rate,
        picture=HiddenRatesPicture(),
    )


class VerdictBoard(Alive):
    """A row of buttons for each claim: does it hold, half hold, fail? Nothing is stored.

    `controls`: {name of the claim: buttons}, whose value is one of CHOICES, None before a choice.
    """

    def __init__(self):
        self.controls, rows = {}, []
        row = Layout(flex_flow="row wrap", align_items="center", grid_gap="0 16px")
        for claim in CLAIMS:
            text = paragraph(claim.words, claim.name)
            words = ipywidgets.HTML(text, layout=Layout(flex="1 1 400px"))
            buttons = ipywidgets.ToggleButtons(
                options=CHOICES, value=None, style={"button_width": "64px"},
                tooltips=[f"{claim.name} {one}" for one in CHOICES], layout=Layout(width="240px"),
            )
            self.controls[claim.name] = buttons
            rows.append(ipywidgets.HBox([words, buttons], layout=row))
        self.view = ipywidgets.VBox([*rows, spoken_names()], layout=Layout(max_width="960px"))

    def _repr_mimebundle_(self, include=None, exclude=None):
        question = "Your verdict on each claim: holds, half or fails?"
        marked = [f"- **{claim.name}** {claim.words}" for claim in CLAIMS]
        plain = [f"{claim.name}: {claim.words}" for claim in CLAIMS]
        return {
            "text/markdown": "\n".join([f"**{question}**\n", *marked]),
            "text/plain": "\n".join([question, *plain]),
        }


class LedgerView(Alive):
    """The ledger beside the reader's verdicts, revealed row by row; the count comes last.

    rows: from `watch_ledger`. verdicts: a VerdictBoard. `n_shown`: how many rows are open.
    """

    def __init__(self, rows, verdicts):
        self.rows, self.verdicts, self.n_shown = rows, verdicts, 0
        self.next = ipywidgets.Button(
            description="Reveal the next row", button_style="primary", layout=Layout(width="200px")
        )
        self.all = ipywidgets.Button(description="Reveal all", layout=Layout(width="120px"))
        self.next.on_click(lambda _button: self.reveal(1))
        self.all.on_click(lambda _button: self.reveal(len(rows)))
        self.table = ipywidgets.HTML(layout=Layout(max_width="960px"))
        self.view = ipywidgets.VBox([ipywidgets.HBox([self.next, self.all]), self.table])
        for control in verdicts.controls.values():
            follow(control, self._draw)
        self._draw()

    @one_at_a_time
    def reveal(self, n_rows):
        """Open `n_rows` more rows."""
        self.n_shown = min(self.n_shown + n_rows, len(self.rows))
        self.next.disabled = self.all.disabled = self.n_shown == len(self.rows)
        self._draw()

    def _draw(self):
        said = {name: control.value for name, control in self.verdicts.controls.items()}
        shown = self.rows[: self.n_shown]
        judged = [row for row in shown if said[row.claim.name]]
        agreed = sum(said[row.claim.name] == row.verdict for row in judged)
        count = count_verdicts(shown) if len(shown) == len(self.rows) else ""
        count += f" You agree with the ledger in {agreed} of {len(judged)}." if judged else ""
        # All claims stand there from the start, in one order: opening a row moves none.
        lines = [_html_cells(row, said[row.claim.name], row in shown) for row in self.rows]
        self.table.value = _html_table(HEADS, lines) + paragraph(count)

    def _repr_mimebundle_(self, include=None, exclude=None):
        heads, lines = HEADS[:1] + HEADS[2:], [_html_cells(row) for row in self.rows]
        table = _html_table(heads, [line[:1] + line[2:] for line in lines])
        return {
            "text/markdown": table + paragraph(count_verdicts(self.rows)),
            "text/plain": ledger_table(self.rows),
        }


HEADS = ("claim", "you said", "we find", "in words")
WIDTHS = dict(zip(HEADS, ("38%", "11%", "11%", "40%")))  # opening a row must not move its columns
MARKS = {"holds": "Yes", "by construction": "Yes", "fails": "But", "undecided": "Open"}
CELL = (
    'style="text-align: left; vertical-align: top; padding: 6px 10px; font-size: 15px; '
    'line-height: 1.35; border-bottom: 1px solid #bbbbbb"'
)


def marked(effect):
    """Return "Yes", "But" or "Open", and what is true; "undecided: " would say "Open" twice."""
    return MARKS[effect.verdict], effect.sentence.removeprefix("undecided: ")


def _html_table(heads, lines):
    columns = "".join(f'<col style="width: {WIDTHS[head]}">' for head in heads)
    rows = [("th", heads), *(("td", line) for line in lines)]
    table = "".join(
        "<tr>" + "".join(f"<{kind} {CELL}>{cell}</{kind}>" for cell in cells) + "</tr>"
        for kind, cells in rows
    )
    style = "border-collapse: collapse; table-layout: fixed; width: 100%"
    return f'<table style="{style}">{columns}{table}</table>'


def _html_cells(row, said=None, is_open=True):
    claim, found = row.claim, row.verdict
    named = f"<b>{claim.name}</b> {html.escape(claim.words)} ({claim.source}; {claim.where})"
    yours = _signed(said) if said else "–"
    if not is_open:
        return named, yours, "", ""
    lines = [marked(one) for one in row.effects]
    lines += [("Beside it", one.sentence) for one in row.beyond]
    main, *others = (f"<i>{mark}:</i> {html.escape(words)}" for mark, words in lines)
    told = "<br>".join([f"<b>{main}</b>", *others])
    numbers = [
        f"{html.escape(one.words)}: {typeset('; '.join(one.texts))}"
        for one in (*row.effects, *row.beyond)
    ]
    folded = f"<details><summary>numbers</summary>{'<br>'.join(numbers)}</details>"
    return named, yours, f"<b>{_signed(found)}</b>", told + folded


def _signed(word):
    return f'<span style="white-space: nowrap">{SIGNS[word]} {word}</span>'
