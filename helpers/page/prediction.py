"""A bet: the reader commits to an answer before the result, and is answered afterwards.

    bet = predict(question, Answer("half", (0.4, 0.6), "Yes, ..."), Answer(...))    # buttons
    bet = predict(question, Scale(range(10), 1, too_low="...", ...))                # a slider
    bet.compare(measured)                 # replies to the choice, before or after it is made

What the cells show between a bet and its reply is covered on the page until the reader has bet or
pressed "Show me": by a style sheet, so that what notebooks store is complete, and so is every page
where no bet lives. An error is never covered. Nothing is stored anywhere: a bet lives as long as
its kernel. What notebooks store is a fixed text with the question, the options and every reply.
"""

from dataclasses import dataclass
from itertools import pairwise

import ipywidgets
import numpy as np
from ipywidgets import Layout

from helpers.checks import check_finite, check_integer, check_number
from helpers.intervals import Interval, format_number
from helpers.page.accessibility import spoken_names
from helpers.page.alive import CHILD, Alive
from helpers.page.panel import SLIDER, follow, paragraph, switch

NO_BET = "no bet yet"
LETTERS = "ABCDEFGH"
WIDTH = "760px"

# All that is covered by one bet: the cells from the one that ASKS to the one that REPLIES. Errors,
# and the bar of what still runs, are no answers.
COVERED = (
    ".jp-Notebook:not(:has(.answers-open)) .jp-Cell:has(.ASKS) ~ "
    ".jp-CodeCell:not(.jp-mod-noOutputs, :has(.bet), .jp-Cell:has(.REPLIES) ~ .jp-CodeCell) "
)
COVER = (
    f"{COVERED} {CHILD}:not(:has([data-mime-type$=stderr], .waiting-bar)) {{ display: none }} "
    f"{COVERED} .jp-Cell-outputWrapper::before {{ "
    "content: 'Covered until you have bet, or pressed “Show me” there.'; "
    "display: block; padding: 4px 8px; font-style: italic; opacity: 0.75 }"
)


@dataclass(frozen=True)
class Answer:
    """One answer that can be bet, and the reply to whoever does.

    range: (low, high), the values of what is measured that make it right, low included; None for
    an answer that is measured by name.
    """

    text: str
    range: tuple | None
    reply: str


@dataclass(frozen=True)
class Scale:
    """The numbers that can be bet, in order, for a slider, and three replies.

    tolerance: how far from the measured value a bet still counts as close. unit: said after the
    number ("%", " nats"). Raises ValueError or TypeError for values that are no scale.
    """

    values: tuple
    tolerance: float
    unit: str = ""
    decimals: int = 2
    too_low: str = ""
    close: str = ""
    too_high: str = ""

    def __post_init__(self):
        values = check_finite("values", self.values, dtype=float)
        if values.ndim != 1 or len(values) < 2 or (np.diff(values) <= 0).any():
            raise ValueError(f"values must be 2 or more increasing numbers, got {self.values!r}")
        check_number("tolerance", self.tolerance, 0)
        check_integer("decimals", self.decimals, 0)

    def text(self, value):
        """Return `value` with its unit."""
        return format_number(value, self.decimals) + self.unit


def predict(question, *answers):
    """Return a Prediction that asks `question`.

    answers: two Answers or more, or one Scale, which makes a slider. Raises ValueError or TypeError
    for anything else and for ranges that overlap or leave gaps.
    """
    if not isinstance(question, str) or not question.strip():
        raise ValueError(f"question must be a text, got {question!r}")
    if len(answers) == 1 and isinstance(answers[0], Scale):
        (scale,) = answers
        replies = {"too low": scale.too_low, "close": scale.close, "too high": scale.too_high}
        return Prediction(question, scale, {}, replies)
    if not all(isinstance(one, Answer) for one in answers):
        raise TypeError(f"answers must be Answers, or one Scale, got {answers!r}")
    texts = [one.text for one in answers]
    if not 2 <= len(texts) <= len(LETTERS) or len(set(texts)) < len(texts):
        raise ValueError(f"answers must be 2 to {len(LETTERS)} different ones, got {texts!r}")
    ranges = {one.text: one.range for one in answers if one.range is not None}
    in_order = sorted(ranges.values())
    gaps = any(low != high for (_, high), (low, _) in pairwise(in_order))
    if gaps or not all(low < high for low, high in in_order):
        raise ValueError(f"ranges must be (low, high), without gaps or overlaps, got {in_order}")
    return Prediction(question, texts, ranges, {one.text: one.reply for one in answers})


class Prediction(Alive):
    """A question with buttons or a slider; made by `predict`.

    `value` is the answer (a text) or the number that was bet, None before. options: the answers,
    or a Scale. ranges: {answer: range}. because: {answer, or "too low", "close", "too high": the
    reply}.
    """

    def __init__(self, question, options, ranges, because):
        self.question, self.options, self.ranges = question, options, ranges
        self.mark = {"asks": question}
        self.because, self.is_number = because, isinstance(options, Scale)
        if not all(because.values()):
            raise ValueError(f"replies must be sentences, one for each of {list(because)}")
        self.control = self._slider() if self.is_number else self._buttons()
        title = ipywidgets.HTML(paragraph(question, "Bet."), layout=Layout(max_width=WIDTH))
        self.show_me = ipywidgets.Button(description="Show me")
        self.cover = ipywidgets.HTML(layout=Layout(display="none"))
        row = ipywidgets.HBox(
            [self.control, self.show_me],
            layout=Layout(flex_flow="row wrap", align_items="flex-end", grid_gap="4px 28px"),
        )
        self.view = ipywidgets.VBox([title, row, self.cover, spoken_names()])
        self.view.add_class("bet").add_class(self._name("asks"))
        style = COVER.replace("ASKS", self._name("asks")).replace("REPLIES", self._name("replies"))
        self.cover.value = f"<style>{style}</style>"
        self.show_me.on_click(self._uncover)
        self.control.observe(self._uncover, "value")

    def _name(self, role):
        """Return the class that finds this bet on the page, "asks", or its reply, "replies"."""
        return f"bet-{role}-{self.control.model_id}"

    def _uncover(self, _event):
        self.cover.value = ""
        self.show_me.layout.display = "none"

    def _slider(self):
        numbers = [round(float(value), 10) for value in self.options.values]  # 0.7, not 0.7...01
        choices = [(NO_BET, NO_BET)] + [(self.options.text(number), number) for number in numbers]
        return ipywidgets.SelectionSlider(options=choices, description="your bet", **SLIDER)

    def _buttons(self):
        return ipywidgets.RadioButtons(
            options=[(f"{letter}  {one}", one) for letter, one in zip(LETTERS, self.options)],
            value=None, layout=Layout(width="max-content", max_width=WIDTH),
        )

    @property
    def value(self):
        # A slider cannot be empty; its first position stands for that.
        return None if self.control.value == NO_BET else self.control.value

    def observe(self, handler):
        """Call `handler()` whenever the bet changes, one call at a time."""
        follow(self.control, handler)

    def answer_of(self, measured):
        """Return the answer that `measured` makes right, or for a slider `measured` as a float.

        measured: an Interval, a number, or one of the answers. Raises ValueError when it fits none.
        """
        value = measured.mean if isinstance(measured, Interval) else measured
        if not self.is_number and (isinstance(value, str) or not self.ranges):
            if value not in self.options:
                raise ValueError(f"measured must be one of {self.options}, got {value!r}")
            return value
        value = check_number("measured", value)
        if self.is_number:
            return value
        for answer, (low, high) in self.ranges.items():
            if low <= value < high:
                return answer
        raise ValueError(f"measured must lie in one of {list(self.ranges.values())}, got {value}")

    def compare(self, measured):
        """Return a Comparison that answers the bet, once there is one; `measured`: as above."""
        return Comparison(self, measured)

    def side_of(self, value, measured):
        """Return "too low", "close" or "too high" for a bet on a number."""
        distance = value - self.answer_of(measured)
        if abs(distance) <= self.options.tolerance + 1e-9:  # 0.8 - 0.7 is a hair above 0.1
            return "close"
        return "too high" if distance > 0 else "too low"

    def is_right(self, measured):
        """Whether there is a bet, and it is right; a number is when it is close."""
        if self.is_number and self.value is not None:
            return self.side_of(self.value, measured) == "close"
        return self.value == self.answer_of(measured)

    def lettered(self, answer):
        """Return the answer behind its letter, "B, one half"."""
        return f"{LETTERS[self.options.index(answer)]}, {answer}"

    def _repr_mimebundle_(self, include=None, exclude=None):
        if self.is_number:
            low, *_, high = map(self.options.text, self.options.values)
            plain = marked = [f"A slider from {low} to {high}."]
        else:
            choices = list(zip(LETTERS, self.options))
            plain = [f"{letter}: {answer}." for letter, answer in choices]
            marked = [f"- **{letter}** {answer}" for letter, answer in choices]
        return {
            "text/markdown": "\n".join([f"**Bet.** {self.question}\n", *marked]),
            "text/plain": " ".join([f"Bet. {self.question}", *plain]),
        }


class CoverAnswers(Alive):
    """A box, ticked; without its tick nothing on the page is covered, whatever was bet."""

    waking = "Run this cell (Shift+Enter) for a box that uncovers the answers to all bets."

    def __init__(self):
        self.control = switch("cover answers until I have bet", value=True)
        self.view = ipywidgets.VBox([self.control])
        self.control.observe(self._on_change, "value")

    def _on_change(self, change):
        (self.view.remove_class if change["new"] else self.view.add_class)("answers-open")

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/plain": "What a bet asks about is covered until you have bet."}


class Comparison(Alive):
    """What was bet beside what was measured; follows the bet when it changes."""

    waking = ""

    def __init__(self, bet, measured):
        self.bet, self.measured, self.because = bet, measured, bet.because
        self.mark = {"replies to": bet.question}
        self.right = bet.answer_of(measured)
        self.text = ipywidgets.HTML(layout=Layout(max_width=WIDTH, min_height="5em"))
        self.view = ipywidgets.VBox([self.text])
        self.view.add_class(bet._name("replies"))
        self._follow()
        bet.observe(self._follow)

    def _follow(self):
        self.text.value = paragraph(self._reply(self.bet.value))

    def _reply(self, value):
        if value is None:
            reply = self.because["close" if self.bet.is_number else self.right]
            return f"{self._measured()} {reply}"
        if self.bet.is_number:
            verdict = reply = self.bet.side_of(value, self.measured)
            said, end = self.bet.options.text(value), "."
        else:
            wrong = "not so." if isinstance(self.measured, str) else "not what we measured."
            verdict = "right." if value == self.right else wrong
            said, reply, end = self.bet.lettered(value), value, ""
        return f"You bet {said}: {verdict}{end} {self._measured()} {self.because[reply]}"

    def _measured(self):
        is_interval = isinstance(self.measured, Interval)
        if not self.bet.is_number:
            number = f"{self.measured}: " if is_interval else ""
            lead = "Right" if isinstance(self.measured, str) else "Measured"
            return f"{lead}: {number}{self.bet.lettered(self.right)}."
        scale = self.bet.options
        text = f"{self.measured}{scale.unit}" if is_interval else scale.text(self.right)
        return f"Measured: {text}."

    def _repr_mimebundle_(self, include=None, exclude=None):
        name = str if self.bet.is_number else self.bet.lettered
        replies = [f"Whoever bet {name(key)}: {reply}" for key, reply in self.because.items()]
        measured = self._measured()
        return {
            "text/markdown": "\n".join([f"*{measured}*\n", *(f"- {one}" for one in replies)]),
            "text/plain": " ".join([measured, *replies]),
        }
