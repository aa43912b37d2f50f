"""An exercise: the learner's function meets random inputs and a list of typical mistakes.

A check answers "not attempted", "correct" or a hint, whatever it is handed; only the reader's own
Kernel > Interrupt gets through.
"""

import copy
import inspect
import signal
import textwrap
import threading
import traceback
import warnings
from contextvars import copy_context
from dataclasses import dataclass

import numpy as np
from numpy import allclose  # by name: an attempt may have replaced NumPy's own

SECONDS = 10  # for all calls of one check together
MARKS = {"not attempted": "✎", "correct": "✓", "hint": "✗"}
_REFERENCES = {}


@dataclass(frozen=True)
class Feedback:
    """What a check answers. status: "not attempted", "correct" or "hint"."""

    status: str
    message: str

    def __repr__(self):
        # JupyterLab would break a long line anywhere, inside words too.
        text = f"{MARKS[self.status]} {self.message}"
        return textwrap.fill(text, 88, subsequent_indent="  ", break_long_words=False)


class _HintError(Exception):
    """The message is the hint; without one there is still a `...` in the attempt."""


class _TooSlowError(KeyboardInterrupt):  # so that `except Exception` does not swallow it
    pass


class Exercise:
    """`check_x = Exercise(x, draw, mistakes)`; `check_x(attempt)` returns a Feedback.

    reference: the right answer, a function whose source `reveal` shows.
    draw: takes a Generator and returns the arguments of one case, a tuple.
    mistakes: {hint: mistake}; the first that agrees with the attempt in every case is named. A
        mistake is a function of the reference's arguments, or what differs in the reference's
        source, {text: text instead}.

    The attempt meets `n_cases` cases drawn from a fixed seed, so that no constant can pass, each
    with its own copies of the arguments. It has SECONDS for all of them. That limit needs the main
    thread and a system with SIGALRM; elsewhere (on Windows) an endless loop has to be interrupted
    by the reader, and so does one endless call into C, or a bare `except` around what is slow.
    """

    def __init__(self, reference, draw, mistakes, *, praise="", n_cases=4):
        _REFERENCES[reference.__name__] = self.reference = reference
        self.mistakes = {hint: _mistaken(reference, one) for hint, one in mistakes.items()}
        self.praise = praise
        self._draw, self._n_cases = draw, n_cases
        self._cases = self.drawn_from(20150211)._cases

    def drawn_from(self, seed):
        """Return the same exercise with other cases, those of `seed`: homework has its own."""
        other, generator = copy.copy(self), np.random.default_rng(seed)
        other._cases = [self._draw(generator) for _ in range(self._n_cases)]
        return other

    def __call__(self, *attempts):
        filters = warnings.filters
        try:
            with warnings.catch_warnings(action="ignore"):
                copy_context().run(_in_time, self._judge, *attempts)
        except _HintError as hint:
            if hint.args:
                return Feedback("hint", str(hint))
            message = "Not attempted yet: replace the ... and run this cell again."
            return Feedback("not attempted", message)
        except _TooSlowError:
            told = f"Your function ran for more than {SECONDS} seconds. Is there a loop that never"
            return Feedback("hint", f"{told} ends?")
        except (Exception, SystemExit) as error:  # an array that refuses to be one, ...
            return Feedback("hint", f"Your answer could not be compared: {_in_words(error)}.")
        finally:
            warnings.filters = filters  # when an interrupt keeps the `with` from its end
        return Feedback("correct", f"Correct. {self.praise}".strip())

    def _judge(self, *attempts):
        """Raise _HintError unless the one attempt is right."""
        np.seterr(all="ignore")
        name, attempt = self.reference.__name__, attempts[0] if len(attempts) == 1 else None
        if attempt is Ellipsis:
            raise _HintError
        if not callable(attempt):
            got = ", ".join(type(one).__name__ for one in attempts) or "nothing"
            told = f"Hand the function itself to the check, check_{name}({name}), without calling"
            raise _HintError(f"{told} it; this was of type {got}.")
        expected = self._answers_of(self.reference)
        answers = [_answer(attempt, *pair) for pair in zip(self._cases, expected)]
        differences = [pair for pair in zip(answers, expected) if not _same(*pair)]
        if not differences:
            return
        for hint, mistaken in self.mistakes.items():
            if all(map(_same, answers, self._answers_of(mistaken))):
                raise _HintError(hint)
        raise _HintError(_first_difference(*differences[0]))

    def _answers_of(self, function):
        return [function(*copy.deepcopy(case)) for case in self._cases]


@dataclass(frozen=True)
class Revealed:
    """A reference answer, folded up in Markdown until the reader opens it."""

    name: str
    source: str

    def __repr__(self):
        return f"A reference answer to {self.name} is folded up here."

    def _repr_markdown_(self):
        summary = f"A reference answer to <code>{self.name}</code>. Try first, then open."
        code = f"```python\n{self.source}```"
        return f"<details><summary>{summary}</summary>\n\n{code}\n\n</details>"


def reveal(name):
    """Return the reference answer called `name` as folded-up Markdown, from its own source.

    Raises ValueError for a name that no exercise of the loaded notebooks has.
    """
    if not isinstance(name, str) or name not in _REFERENCES:
        names = ", ".join(repr(one) for one in _REFERENCES)
        raise ValueError(f"name must be one of {names}, got {name!r}")
    return Revealed(name, inspect.getsource(_REFERENCES[name]))


def _mistaken(reference, mistake):
    """Return a mistake as a function; changes are made in the reference's source, our own text."""
    if callable(mistake):
        return mistake
    source, names = inspect.getsource(reference), dict(reference.__globals__)
    for text, instead in mistake.items():
        if text not in source:
            raise ValueError(f"mistakes must change what {reference.__name__} says, got {text!r}")
        source = source.replace(text, instead)
    exec(source, names)
    return names[reference.__name__]


def _in_time(function, *args):
    """Call `function`; raise _TooSlowError in it after SECONDS, where the system can do that."""
    is_main = threading.current_thread() is threading.main_thread()
    if not (is_main and hasattr(signal, "SIGALRM")):  # on Windows there is none
        return function(*args)
    before = signal.getsignal(signal.SIGALRM)

    def stop(_signal, _frame):
        raise _TooSlowError

    def leave():
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)

    try:
        signal.signal(signal.SIGALRM, stop)
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        return function(*args)
    finally:
        try:
            leave()
        except KeyboardInterrupt:  # half-way out; a `with` could not come back for the rest
            leave()
            raise


def _answer(attempt, case, expected):
    """Return what `attempt` answers to a case, in the form of `expected`."""
    arguments = copy.deepcopy(case)
    # np.empty must not find the right answer in memory that was freed.
    for part in expected if isinstance(expected, tuple) else [expected]:
        _ = [np.full(np.shape(part), np.nan) for _ in range(16)]
    try:
        answer = attempt(*arguments)
    except (Exception, SystemExit) as error:
        if isinstance(error, (TypeError, AttributeError)) and "ellipsis" in str(error):
            raise _HintError from None
        told = f"Your function raised {_in_words(error)}{_line_of(error)}."
        raise _HintError(told) from None
    if answer is None:
        raise _HintError("Your function returned nothing. Is the `return` missing?")
    if not all(map(np.array_equal, arguments, case)):
        told = "Your function changes its arguments in place. Compute new arrays"
        raise _HintError(f"{told}: write `z = z - mean`, not `z -= mean`.")
    return _read(answer, expected)


def _read(answer, expected):
    """Return a copy of `answer` as a plain text, tuple or array like `expected`."""
    if answer is Ellipsis:
        raise _HintError
    if isinstance(expected, tuple):
        parts = tuple(answer) if isinstance(answer, (tuple, list, np.ndarray)) else ()
        if len(parts) == len(expected):
            return tuple(map(_read, parts, expected))
        told = f"Return {len(expected)} values, separated by commas"
        raise _HintError(f"{told}; yours is {_kind(answer)}.")
    try:
        values = np.array(answer)
    except Exception:  # rows of different lengths
        values = np.array(None)
    is_word, wanted = isinstance(expected, str), np.shape(expected)
    if values.dtype.kind not in ("U" if is_word else "iuf"):
        told = f"is a word, such as {expected!r}" if is_word else "consists of numbers"
        raise _HintError(f"The answer {told}; yours is {_kind(answer)}.")
    if values.shape != wanted:
        raise _HintError(f"The answer has {_shape(wanted)} here, yours has {_shape(values.shape)}.")
    if not (is_word or np.isfinite(values).all()):
        told = "Your answer holds NaN or infinite values. Is something divided by zero"
        raise _HintError(f"{told}, or an array never filled in?")
    return values.item() if is_word else values


def _same(answer, expected):
    if isinstance(expected, str):
        return answer == expected
    if isinstance(expected, tuple):
        return all(map(_same, answer, expected))
    return allclose(answer, expected, rtol=1e-6, atol=1e-9)


def _first_difference(answer, expected):
    number = ""
    if isinstance(expected, tuple):
        which = next(i for i, pair in enumerate(zip(answer, expected)) if not _same(*pair))
        number = f" (value {which + 1} of {len(expected)})"
        answer, expected = answer[which], expected[which]
    if isinstance(expected, str):
        found = textwrap.shorten(answer, 40)
        return f"Not yet: in one of the cases the answer is {expected!r}, yours is {found!r}."
    distance = np.abs(answer - expected)
    place = np.unravel_index(distance.argmax(), distance.shape)
    wanted, found = np.asarray(expected)[place], answer[place]
    where = f" at [{', '.join(map(str, place))}]" if place else ""
    digits, near = 4, ""
    if distance.max() < 1e-3 * abs(wanted):
        digits, near = 9, " So near: float32, rounding, or another small number than eps?"
    return (
        f"Not yet{number}: in one of the random cases the answer{where} is {wanted:.{digits}g}, "
        f"yours is {found:.{digits}g}.{near}"
    )


def _kind(answer):
    if isinstance(answer, (tuple, list)):
        return f"a {type(answer).__name__} of {len(answer)}"
    return f"of type {getattr(answer, 'dtype', type(answer).__name__)}"


def _shape(shape):
    return f"shape {shape}" if shape else "no shape (one value)"


def _in_words(error):
    text = traceback.format_exception_only(error)[-1]
    return textwrap.shorten(text.encode("utf-8", "replace").decode(), 200)


def _line_of(error):
    """Name the learner's own line: the first one above the call in this module."""
    frames = traceback.extract_tb(error.__traceback__)[1:]
    line = getattr(error, "handed_in_line", frames and frames[0].line)  # see helpers.grade
    return f", at `{textwrap.shorten(line, 80)}`" if line else ""
