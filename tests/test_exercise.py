"""Checks name the mistake, never raise, and cannot be passed by a constant; all exercises at once.

Each exercise's typical mistakes, as learners write them, are in the tests of its notebook.
"""

import importlib
import re
import signal
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from helpers.execute import ROOT
from helpers.page import exercise as module
from helpers.page.exercise import Exercise, Feedback, reveal

MODULES = [
    importlib.import_module(f"helpers.{path.parent.name}.exercises")
    for path in sorted(ROOT.glob("helpers/*/exercises.py"))
]
FOUND = [
    (name, value)
    for one in MODULES
    for name, value in vars(one).items()
    if isinstance(value, Exercise)
]
CHECKS = dict(FOUND)


# --- the framework, on an exercise made here ---------------------------------------------------


def spread(values):
    """Return the mean and the standard deviation of each column."""
    return values.mean(axis=0), values.std(axis=0)


def variance(values):
    """A mistake that changes what the next one is given, if that is no copy."""
    mean = values.mean(axis=0)
    values -= mean
    return mean, (values**2).mean(axis=0)


check_spread = Exercise(
    spread,
    lambda rng: (rng.normal(3, 2, (8, 3)),),
    {
        "That is the variance.": variance,
        "Swap the two.": lambda values: spread(values)[::-1],
    },
    praise="Well done.",
)


def raises(error):
    def attempt(values):
        raise error

    return attempt


class Hostile:
    def __array__(self, *args, **kwargs):
        raise SystemExit

    def __eq__(self, other):
        raise ValueError

    __len__ = __iter__ = __repr__ = __bool__ = __eq__


def in_place(values):
    values -= values.mean(axis=0)
    return spread(values)


def unfinished(values):
    mean = ...
    return mean, np.sqrt(((values - mean) ** 2).mean(axis=0))


BLANKS = [
    ...,
    lambda values: ...,
    lambda values: [..., ...],
    lambda values: (values.mean(axis=0), ...),
    unfinished,
]
HINTS = [
    (3, "Hand the function itself to the check, check_spread(spread)"),
    (Hostile(), "Hand the function itself"),
    (lambda: 1, "Your function raised TypeError"),
    (raises(ValueError("no such axis")), "Your function raised ValueError: no such axis"),
    (lambda values: None, "Is the `return` missing?"),
    (lambda values: 1.0, "Return 2 values, separated by commas; yours is of type float."),
    (lambda values: ("a", "b"), "The answer consists of numbers; yours is of type str."),
    (lambda values: (Hostile(), 1), "Your answer could not be compared: SystemExit"),
    (lambda values: spread(values.T), "The answer has shape (3,) here, yours has shape (8,)."),
    (lambda values: (values.mean(axis=0), values[0] / 0), "NaN or infinite"),
    (in_place, "changes its arguments in place"),
    (lambda values: (values.std(axis=0), values.mean(axis=0)), "Swap the two."),
    (lambda values: (values.mean(axis=0), values.var(axis=0)), "That is the variance."),
    (lambda values: (values.mean(axis=0), values.std(axis=0, ddof=1)), "Not yet (value 2 of 2)"),
]


@pytest.mark.parametrize("blank", BLANKS)
def test_a_blank_counts_as_not_attempted(blank):
    assert repr(check_spread(blank)).startswith("✎ Not attempted yet: replace the ... and run")


@pytest.mark.parametrize(("attempt", "hint"), HINTS, ids=range(len(HINTS)))
def test_a_wrong_answer_gets_a_hint_and_never_raises(attempt, hint):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        feedback = check_spread(attempt)
    assert feedback.status == "hint" and hint in feedback.message
    assert repr(feedback).startswith("✗ ")


def test_other_ways_to_write_the_right_answer_pass():
    def other(values):
        return [list(values.sum(0) / 8), np.sqrt(values.var(0))]

    assert check_spread(other) == Feedback("correct", "Correct. Well done.")


def test_the_attempt_meets_different_cases_and_may_print(capsys):
    seen = []

    def keeps(values):
        seen.append(values)
        print("printing is allowed")
        return spread(values)

    assert check_spread(keeps).status == "correct"
    assert len({one.tobytes() for one in seen}) == 4
    assert "printing is allowed" in capsys.readouterr().out


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no SIGALRM")
def test_an_endless_loop_is_stopped(monkeypatch):
    monkeypatch.setattr(module, "SECONDS", 0.2)

    def endless(values):
        stop = time.monotonic() + 30  # the test shall fail, not hang, without a limit
        while time.monotonic() < stop:
            values.sum()

    def patient(values):
        for _ in range(30):
            try:
                time.sleep(1)
            except Exception:
                pass

    before = signal.signal(signal.SIGALRM, signal.SIG_IGN)
    too_long = "ran for more than 0.2 seconds"
    for attempt, words in ((endless, too_long), (patient, too_long), (spread, "Correct")):
        assert words in check_spread(attempt).message
        assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
        assert signal.signal(signal.SIGALRM, signal.SIG_IGN) == signal.SIG_IGN
    signal.signal(signal.SIGALRM, before)


def test_a_check_works_in_another_thread():
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(check_spread, spread).result().status == "correct"


def test_memory_that_was_never_filled_is_no_answer():
    assert check_spread(spread).status == "correct"
    for _ in range(20):
        feedback = check_spread(lambda values: (np.empty(3), np.empty(3)))
        assert "never filled in" in feedback.message


def test_the_answer_is_copied():
    buffer = np.zeros((2, 3))

    def reuses(values):
        buffer[:] = spread(values)
        return buffer

    assert check_spread(reuses).status == "correct"


def test_near_misses_are_shown_with_enough_digits():
    feedback = check_spread(lambda values: (values.mean(axis=0), 1.00001 * values.std(axis=0)))
    told = re.search(r"is ([\d.]+), yours is ([\d.]+)\. So near", feedback.message)
    assert float(told[2]) / float(told[1]) == pytest.approx(1.00001, abs=1e-7)
    feedback = check_spread(lambda values: (values.mean(axis=0), values.std(axis=0) + 1))
    told = re.search(r"is ([\d.]+), yours is ([\d.]+)\.$", feedback.message)
    assert float(told[2]) - float(told[1]) == pytest.approx(1, abs=0.01)


def test_a_check_wants_one_function():
    for attempts in ((), (spread, spread)):
        assert "Hand the function itself" in check_spread(*attempts).message


def test_a_mistake_must_fit_what_it_changes():
    with pytest.raises(ValueError, match="mistakes must change what spread says, got 'median'"):
        Exercise(spread, lambda rng: (), {"That is the median.": {"median": "mean"}})


def test_the_readers_own_interrupt_gets_through():
    with pytest.raises(KeyboardInterrupt):
        check_spread(raises(KeyboardInterrupt()))


def test_reveal_shows_the_source_folded_up_and_knows_its_names():
    shown = reveal("spread")
    markdown = shown._repr_markdown_()
    assert "values.std(axis=0)" not in repr(shown)
    assert "<details>" in markdown and "values.std(axis=0)" in markdown
    for name in ("nothing", ["spread"]):
        with pytest.raises(ValueError, match=r"name must be one of .*'spread'"):
            reveal(name)


# --- all exercises of the course ---------------------------------------------------------------


@pytest.mark.parametrize("name", CHECKS)
def test_an_exercise_knows_its_reference_its_mistakes_and_nonsense(name):
    check = CHECKS[name]
    reference = check.reference
    assert name == f"check_{reference.__name__}" and reference.__doc__
    assert check(...).status == check(lambda *args: ...).status == "not attempted"
    revealed = dict(vars(importlib.import_module(reference.__module__)))
    exec(reveal(reference.__name__).source, revealed)
    assert check(reference).status == check(revealed[reference.__name__]).status == "correct"
    for case in check._cases:
        constant = reference(*case)
        assert check(lambda *args, constant=constant: constant).status == "hint"
    assert len(check.mistakes) >= 3
    for hint, mistaken in check.mistakes.items():
        assert check(mistaken) == Feedback("hint", hint)
    for homework in map(check.drawn_from, range(5)):
        assert homework(reference).status == "correct"
        assert all(homework(one).status == "hint" for one in check.mistakes.values())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for attempt in (*(attempt for attempt, _ in HINTS), *BLANKS):
            assert check(attempt).status in {"hint", "not attempted"}


def test_no_two_exercises_have_one_name():
    assert len(CHECKS) == len(FOUND)
