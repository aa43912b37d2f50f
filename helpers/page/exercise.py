"""An exercise: the learner's function meets random inputs and a list of typical mistakes.

A check answers "not attempted", "correct" or a hint, and never raises, whatever it is handed. (The
one exception is the reader's own Kernel > Interrupt.)
"""

import contextlib
import copy
import inspect
import signal
import textwrap
import threading
import traceback
import warnings
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
    """The message is the hint."""


class _BlankError(Exception):
    """There is still a `...` in the attempt."""


class _TooSlowError(KeyboardInterrupt):  # so that `except Exception` does not swallow it
    pass


class Exercise:
    """`check_x = Exercise(x, draw, mistakes)`; `check_x(attempt)` returns a Feedback.

    reference: the right answer, a function whose source `reveal` shows.
    draw: takes a Generator and returns the arguments of one case, a tuple.
    mistakes: {hint: wrong function}; the first that agrees with the attempt in every case is
        named. A wrong function takes the reference's arguments.

    The attempt meets `n_cases` cases drawn from a fixed seed, so that no constant can pass, each
    with its own copies of the arguments. It has SECONDS for all of them. That limit needs the main
    thread and a system with SIGALRM; elsewhere (on Windows) an endless loop has to be interrupted
    by the reader, and so does one endless call into C, or a bare `except` around what is slow.
    """

    def __init__(self, reference, draw, mistakes, *, praise="", n_cases=4):
        _REFERENCES[reference.__name__] = self.reference = reference
        self.mistakes, self.praise = mistakes, praise
        generator = np.random.default_rng(20150211)
        self._cases = [draw(generator) for _ in range(n_cases)]

    def __call__(self, *attempts):
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"), _time_limit(SECONDS):
                warnings.simplefilter("ignore")
                self._judge(*attempts)
        except _BlankError:
            message = "Not attempted yet: replace the ... and run this cell again."
            return Feedback("not attempted", message)
        except _HintError as hint:
            return Feedback("hint", str(hint))
        except _TooSlowError:
            return Feedback(
                "hint", f"Your function ran for more than {SECONDS} seconds. Is there a loop that "
                "never ends?",
            )
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # exit(), an array that refuses to be one, ...
            return Feedback("hint", f"Your answer could not be compared: {_in_words(error)}.")
        return Feedback("correct", f"Correct. {self.praise}".strip())

    def _judge(self, *attempts):
        """Raise _HintError or _BlankError unless the one attempt is right."""
        name, attempt = self.reference.__name__, attempts[0] if len(attempts) == 1 else None
        if attempt is Ellipsis:
            raise _BlankError
        if not callable(attempt):
            got = ", ".join(type(one).__name__ for one in attempts) or "nothing"
            raise _HintError(
                f"Hand the function itself to the check, check_{name}({name}), without calling "
                f"it; this was of type {got}."
            )
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

    def _repr_mimebundle_(self, include=None, exclude=None):
        summary = f"A reference answer to <code>{self.name}</code>. Try first, then open."
        markdown = (
            f"<details><summary>{summary}</summary>\n\n```python\n{self.source}```\n\n</details>"
        )
        return {
            "text/markdown": markdown,
            "text/plain": f"A reference answer to {self.name} is folded up here.",
        }


def reveal(name):
    """Return the reference answer called `name` as folded-up Markdown, from its own source.

    Raises ValueError for a name that no exercise of the loaded notebooks has.
    """
    if not isinstance(name, str) or name not in _REFERENCES:
        names = ", ".join(repr(one) for one in _REFERENCES)
        raise ValueError(f"name must be one of {names}, got {name!r}")
    return Revealed(name, inspect.getsource(_REFERENCES[name]))


@contextlib.contextmanager
def _time_limit(seconds):
    """Raise _TooSlowError in the block after `seconds`, where the system can do that."""
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or not hasattr(signal, "setitimer"):
        yield
        return

    def stop(_signal, _frame):
        raise _TooSlowError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _answer(attempt, case, expected):
    """Return what `attempt` answers to a case, in the form of `expected`."""
    arguments = copy.deepcopy(case)
    # np.empty must not find the right answer in memory that was freed.
    for part in expected if isinstance(expected, tuple) else [expected]:
        _ = [np.full(np.shape(part), np.nan) for _ in range(16)]
    try:
        answer = attempt(*arguments)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        if isinstance(error, (TypeError, AttributeError)) and "ellipsis" in str(error):
            raise _BlankError from None
        told = f"Your function raised {_in_words(error)}{_line_of(error)}."
        raise _HintError(told) from None
    if answer is None:
        raise _HintError("Your function returned nothing. Is the `return` missing?")
    if not all(map(np.array_equal, arguments, case)):
        raise _HintError(
            "Your function changes its arguments in place. Compute new arrays: write "
            "`z = z - mean`, not `z -= mean`."
        )
    return _read(answer, expected)


def _read(answer, expected):
    """Return a copy of `answer` as a plain text, tuple or array like `expected`."""
    if answer is Ellipsis:
        raise _BlankError
    if isinstance(expected, str):
        answer = answer.item() if isinstance(answer, np.ndarray) and not answer.ndim else answer
        if isinstance(answer, str):
            return str.__str__(answer)
        raise _HintError(f"The answer is a word, such as {expected!r}; yours is {_kind(answer)}.")
    if isinstance(expected, tuple):
        parts = tuple(answer) if isinstance(answer, (tuple, list, np.ndarray)) else ()
        if len(parts) == len(expected):
            return tuple(map(_read, parts, expected))
        raise _HintError(
            f"Return {len(expected)} values, separated by commas; yours is {_kind(answer)}."
        )
    try:
        values = np.array(answer)
    except KeyboardInterrupt:
        raise
    except BaseException:
        values = np.array(None)
    wanted = np.shape(expected)
    if values.dtype.kind not in "iuf":
        raise _HintError(f"The answer consists of numbers; yours is {_kind(answer)}.")
    if values.shape != wanted:
        raise _HintError(f"The answer has {_shape(wanted)} here, yours has {_shape(values.shape)}.")
    if not np.isfinite(values).all():
        raise _HintError(
            "Your answer holds NaN or infinite values. Is something divided by zero, or an array "
            "never filled in?"
        )
    return values


def _same(answer, expected):
    if isinstance(expected, str):
        return answer == expected
    if isinstance(expected, tuple):
        return all(map(_same, answer, expected))
    return allclose(answer, expected, rtol=1e-6, atol=1e-9)


def _first_difference(answer, expected):
    if isinstance(expected, str):
        found = textwrap.shorten(answer, 40)
        return f"Not yet: in one of the cases the answer is {expected!r}, yours is {found!r}."
    number = ""
    if isinstance(expected, tuple):
        which = next(i for i, pair in enumerate(zip(answer, expected)) if not _same(*pair))
        number = f" (value {which + 1} of {len(expected)})"
        answer, expected = answer[which], expected[which]
    expected = np.asarray(expected)
    distance = np.abs(answer - expected)
    place = np.unravel_index(distance.argmax(), expected.shape)
    where = f" at [{', '.join(map(str, map(int, place)))}]" if place else ""
    is_near = distance[place] < 1e-3 * np.abs(expected[place])
    digits = 9 if is_near else 4
    near = " So near: float32, rounding, or another small number than eps?" if is_near else ""
    return (
        f"Not yet{number}: in one of the random cases the answer{where} is "
        f"{expected[place]:.{digits}g}, yours is {answer[place]:.{digits}g}.{near}"
    )


def _kind(answer):
    if isinstance(answer, (tuple, list)):
        return f"a {type(answer).__name__} of {len(answer)}"
    if isinstance(answer, np.ndarray):
        return f"an array of {_shape(answer.shape)} and type {answer.dtype}"
    return f"of type {type(answer).__name__}"


def _shape(shape):
    return f"shape {shape}" if shape else "no shape (one number)"


def _in_words(error):
    try:
        text = str(error)
    except Exception:
        text = ""
    text = textwrap.shorten(text.encode("utf-8", "replace").decode(), 200)
    return type(error).__name__ + (f" ({text})" if text else "")


def _line_of(error):
    """Name the learner's own line: the first one above the call in this module."""
    frames = traceback.extract_tb(error.__traceback__)[1:]
    if not frames or not frames[0].line:
        return ""
    return f", at `{textwrap.shorten(frames[0].line, 80)}`"
