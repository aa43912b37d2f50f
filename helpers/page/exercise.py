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
        other = _REFERENCES.get(reference.__name__, reference)
        if (other.__module__, other.__qualname__) != (reference.__module__, reference.__qualname__):
            raise ValueError(f"there is another exercise called {reference.__name__!r}")
        _REFERENCES[reference.__name__] = reference  # the newer one, after a reload
        self.reference, self.praise = reference, praise
        self.mistakes = mistakes
        generator = np.random.default_rng(20150211)
        self._cases = [draw(generator) for _ in range(n_cases)]

    def __call__(self, *attempts):
        try:
            with _quiet(), _time_limit(SECONDS):
                return self._judge(*attempts)
        except KeyboardInterrupt:
            raise
        except _TooSlowError:
            return _hint(
                f"Your function ran for more than {SECONDS} seconds. Is there a loop that never "
                "ends?"
            )
        except BaseException as error:  # exit(), an array that refuses to be one, ...
            return _hint(f"Your answer could not be compared: {_in_words(error)}.")

    def _judge(self, *attempts):
        name = self.reference.__name__
        attempt = attempts[0] if len(attempts) == 1 else None
        if attempt is Ellipsis:
            return _NOT_ATTEMPTED
        if not callable(attempt):
            got = ", ".join(type(one).__name__ for one in attempts) or "nothing"
            return _hint(
                f"Hand the function itself to the check, check_{name}({name}), without calling "
                f"it; this was of type {got}."
            )
        answers = []
        for case in self._cases:
            answer = _call(attempt, case, self.reference(*copy.deepcopy(case)))
            if isinstance(answer, Feedback):
                return answer
            answers.append(answer)
        return self._compare(answers)

    def _compare(self, answers):
        if self._agrees(answers, self.reference):
            return Feedback("correct", " ".join(["Correct.", self.praise]).strip())
        for hint, mistaken in self.mistakes.items():
            if self._agrees(answers, mistaken):
                return _hint(hint)
        for case, answer in zip(self._cases, answers):
            expected = self.reference(*copy.deepcopy(case))
            if not _same(answer, expected):
                return _hint(_first_difference(answer, expected))
        raise AssertionError("the answers differ in no case")

    def _agrees(self, answers, function):
        return all(
            _same(answer, function(*copy.deepcopy(case)))
            for case, answer in zip(self._cases, answers)
        )


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


_NOT_ATTEMPTED = Feedback(
    "not attempted", "Not attempted yet: replace the ... and run this cell again."
)


class _TooSlowError(BaseException):  # so that `except Exception` does not swallow it
    pass


@contextlib.contextmanager
def _quiet():
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def _time_limit(seconds):
    """Raise _TooSlowError in the block after `seconds`, where the system can do that."""
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or not hasattr(signal, "setitimer"):
        yield
        return

    def stop(_signal, frame):
        if _is_inside(frame, Exercise._judge):  # not while this limit is being taken off
            raise _TooSlowError

    before = signal.signal(signal.SIGALRM, stop)
    # Again and again: a bare `except` in the attempt may swallow the first ones.
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.01)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _is_inside(frame, function):
    while frame is not None and frame.f_code is not function.__code__:
        frame = frame.f_back
    return frame is not None


def _call(attempt, case, expected):
    """Return what `attempt` answers to a case, in the form of `expected`; or a Feedback."""
    arguments = copy.deepcopy(case)
    _spoil_freed_memory(expected)
    try:
        answer = attempt(*arguments)
    except (KeyboardInterrupt, _TooSlowError):
        raise
    except BaseException as error:
        if isinstance(error, (TypeError, AttributeError)) and "ellipsis" in str(error):
            return _NOT_ATTEMPTED
        return _hint(f"Your function raised {_in_words(error)}{_line_of(error)}.")
    if answer is None:
        return _hint("Your function returned nothing. Is the `return` missing?")
    if not all(map(_unchanged, arguments, case)):
        return _hint(
            "Your function changes its arguments in place. Compute new arrays: write "
            "`z = z - mean`, not `z -= mean`."
        )
    return _read(answer, expected)


def _spoil_freed_memory(expected):
    """Fill memory of the size of the answer: `np.empty` must not find the right one there."""
    for part in expected if isinstance(expected, tuple) else (expected,):
        if not isinstance(part, str):
            _ = [np.full(np.shape(part), np.nan) for _ in range(16)]


def _unchanged(argument, original):
    return np.array_equal(np.asarray(argument), np.asarray(original))


def _read(answer, expected):
    """Return a copy of `answer` as a plain text, tuple or array like `expected`; or a Feedback."""
    if answer is Ellipsis:
        return _NOT_ATTEMPTED
    if isinstance(expected, str):
        return _read_word(answer, expected)
    if isinstance(expected, tuple):
        return _read_parts(answer, expected)
    try:
        values = np.array(answer)
    except (KeyboardInterrupt, _TooSlowError):
        raise
    except BaseException:
        values = None
    if values is None or values.dtype.kind not in "iuf":
        return _hint(f"The answer consists of numbers; yours is {_described(answer)}.")
    if values.shape != np.shape(expected):
        return _hint(
            f"The answer has {_shape(np.shape(expected))} here, yours has {_shape(values.shape)}."
        )
    if not np.isfinite(values).all():
        return _hint(
            "Your answer holds NaN or infinite values. Is something divided by zero, or an array "
            "never filled in?"
        )
    return values


def _read_word(answer, expected):
    if isinstance(answer, np.ndarray) and answer.ndim == 0:
        answer = answer.item()
    if not isinstance(answer, str):
        return _hint(f"The answer is a word, such as {expected!r}; yours is {_described(answer)}.")
    return str.__str__(answer)


def _read_parts(answer, expected):
    parts = tuple(answer) if isinstance(answer, (tuple, list, np.ndarray)) else ()
    if len(parts) != len(expected):
        return _hint(
            f"Return {len(expected)} values, separated by commas; yours is {_described(answer)}."
        )
    read = tuple(map(_read, parts, expected))
    return next((part for part in read if isinstance(part, Feedback)), read)


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


def _hint(message):
    return Feedback("hint", message)


def _described(answer):
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
