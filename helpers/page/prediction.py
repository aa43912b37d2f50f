"""A bet: the reader commits to an answer before the result, and is answered afterwards.

    bet = predict(question, Answer("half", (0.4, 0.6), "Yes, ..."), Answer(...))    # buttons
    bet = predict(question, Scale(range(10), 1, too_low="...", ...))                # a slider
    bet.compare(measured)                 # replies to the choice, before or after it is made

Nothing is stored anywhere: a bet lives as long as its kernel. What notebooks store is a fixed text
with the question, the options and every reply.
"""

from dataclasses import dataclass
from itertools import pairwise

import ipywidgets
import numpy as np
from ipywidgets import Layout

from helpers.checks import check_finite, check_integer, check_number
from helpers.intervals import Interval, format_number
from helpers.page.accessibility import spoken_names
from helpers.page.panel import follow, paragraph
from helpers.page.progress import widget_view

NO_BET = "no bet yet"
SIDES = ("too low", "close", "too high")
LETTERS = "ABCDEFGH"
WIDTH = "760px"


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
        replies = dict(zip(SIDES, (scale.too_low, scale.close, scale.too_high)))
        return Prediction(question, scale, None, replies)
    if not all(isinstance(one, Answer) for one in answers):
        raise TypeError(f"answers must be Answers, or one Scale, got {answers!r}")
    texts = [one.text for one in answers]
    if not 2 <= len(texts) <= len(LETTERS) or len(set(texts)) < len(texts):
        raise ValueError(f"answers must be 2 to {len(LETTERS)} different ones, got {texts!r}")
    ranges = {one.text: one.range for one in answers if one.range is not None}
    _check_ranges(ranges)
    return Prediction(question, texts, ranges, {one.text: one.reply for one in answers})


def _check_ranges(ranges):
    for answer, (low, high) in ranges.items():
        if not low < high:
            raise ValueError(f"the range of {answer!r} must be (low, high), got {(low, high)}")
    ordered = sorted(ranges.values())
    if any(low != high for (_, high), (low, _) in pairwise(ordered)):
        raise ValueError(f"ranges must neither overlap nor leave gaps, got {ordered}")


class Prediction:
    """A question with buttons or a slider; made by `predict`.

    `value` is the answer (a text) or the number that was bet, None before. because: {answer, or
    one of SIDES: the reply}.
    """

    def __init__(self, question, options, ranges, because):
        self.question, self.options, self.ranges = question, options, ranges
        self.because = because
        if not all(because.values()):
            raise ValueError(f"replies must be sentences, one for each of {list(because)}")
        self.control = self._slider() if self.is_number else self._buttons()
        title = ipywidgets.HTML(paragraph(question, "Bet."), layout=Layout(max_width=WIDTH))
        self.view = ipywidgets.VBox([title, self.control, spoken_names()])

    @property
    def is_number(self):
        return isinstance(self.options, Scale)

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
        if self.is_number:
            return check_number("measured", value)
        if not self.ranges or isinstance(value, str):
            if value not in self.options:
                raise ValueError(f"measured must be one of {self.options}, got {value!r}")
            return value
        value = check_number("measured", value)
        for answer, (low, high) in self.ranges.items():
            if low <= value < high:
                return answer
        raise ValueError(f"measured must lie in one of {list(self.ranges.values())}, got {value}")

    def compare(self, measured):
        """Return a Comparison that answers the bet, once there is one.

        measured: as in `answer_of`; an Interval prints itself.
        """
        return Comparison(self, measured)

    def side_of(self, value, measured):
        """Return "too low", "close" or "too high" for a bet on a number."""
        distance = value - self.answer_of(measured)
        if abs(distance) <= self.options.tolerance + 1e-9:  # 0.8 - 0.7 is a hair above 0.1
            return "close"
        return "too high" if distance > 0 else "too low"

    def lettered(self, answer):
        """Return the answer behind its letter, "B, one half"."""
        return f"{LETTERS[self.options.index(answer)]}, {answer}"

    def _slider(self):
        scale = self.options
        numbers = [round(float(value), 10) for value in scale.values]  # 0.7, not 0.7000000000000001
        choices = [(NO_BET, NO_BET)] + [(scale.text(number), number) for number in numbers]
        return ipywidgets.SelectionSlider(
            options=choices, description="your bet",
            style={"description_width": "initial"}, layout=Layout(width="440px"),
        )

    def _buttons(self):
        return ipywidgets.RadioButtons(
            options=[(f"{letter}  {answer}", answer) for letter, answer in self._numbered()],
            value=None, layout=Layout(width="max-content", max_width=WIDTH),
        )

    def _numbered(self):
        return zip(LETTERS, self.options)

    def _choices(self, template):
        if self.is_number:
            low, *_, high = map(self.options.text, self.options.values)
            return [f"A slider from {low} to {high}."]
        return [template.format(letter, answer) for letter, answer in self._numbered()]

    def _repr_mimebundle_(self, include=None, exclude=None):
        plain = " ".join([f"Bet. {self.question}", *self._choices("{}: {}.")])
        markdown = "\n".join([f"**Bet.** {self.question}\n", *self._choices("- **{}** {}")])
        return {**widget_view(self.view), "text/markdown": markdown, "text/plain": plain}


class Comparison:
    """What was bet beside what was measured; follows the bet when it changes."""

    def __init__(self, bet, measured):
        self.bet, self.measured, self.because = bet, measured, bet.because
        self.right = bet.answer_of(measured)
        self.text = ipywidgets.HTML(layout=Layout(max_width=WIDTH, min_height="5em"))
        self.view = ipywidgets.VBox([self.text])
        self._follow()
        bet.observe(self._follow)

    def _follow(self):
        self.text.value = paragraph(self._reply(self.bet.value))

    def _reply(self, value):
        if value is None:
            return f"{self._measured()} You have not bet yet: the question above still waits."
        if self.bet.is_number:
            side = self.bet.side_of(value, self.measured)
            said = f"You bet {self.bet.options.text(value)}: {side}."
            return f"{said} {self._measured()} {self.because[side]}"
        verdict = "right." if value == self.right else "not what we measured."
        said = f"You bet {self.bet.lettered(value)}: {verdict}"
        return f"{said} {self._measured()} {self.because[value]}"

    def _measured(self):
        if self.bet.is_number:
            number = isinstance(self.measured, Interval)
            text = f"{self.measured}" if number else self.bet.options.text(self.right)
            return f"Measured: {text}{self.bet.options.unit if number else ''}."
        number = f"{self.measured}: " if isinstance(self.measured, Interval) else ""
        return f"Measured: {number}{self.bet.lettered(self.right)}."

    def _repr_mimebundle_(self, include=None, exclude=None):
        replies = [f"{self._name(key)}: {sentence}" for key, sentence in self.because.items()]
        lines = [self._measured(), *(f"Whoever bet {reply}" for reply in replies)]
        markdown = "\n".join([f"*{lines[0]}*\n", *(f"- {line}" for line in lines[1:])])
        return {
            **widget_view(self.view), "text/markdown": markdown, "text/plain": " ".join(lines),
        }

    def _name(self, key):
        return key if self.bet.is_number else self.bet.lettered(key)

