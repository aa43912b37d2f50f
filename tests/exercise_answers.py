"""Answers as learners write them, handed to the checks of a notebook's exercises."""

import inspect

import numpy as np
import pytest


def changed(source, changes):
    """Return `source` with each (old, new) of `changes` replaced, one after the other."""
    for old, new in changes:
        assert old in source, old
        source = source.replace(old, new)
    return source


def answered(exercises, name, attempt):
    """Return what check_<name> of the module `exercises` says to `attempt`.

    attempt: a function, or the lines of its body, a text or a list, as a learner types them.
    """
    check = getattr(exercises, f"check_{name}")
    return check(attempt if callable(attempt) else _typed(check.reference, attempt))


def _typed(reference, lines):
    lines = lines.strip().splitlines() if isinstance(lines, str) else lines
    head = f"def {reference.__name__}{inspect.signature(reference)}:"
    namespace = {"np": np}
    exec("\n    ".join([head, *lines]), namespace)
    return namespace[reference.__name__]


def answer_tests(exercises, wrong, right):
    """Return two tests: each mistake in `wrong` is named, and each answer in `right` passes.

    wrong: rows (name of the exercise, attempt, words of the hint). right: rows (name, attempt).
    """

    @pytest.mark.parametrize(
        ("name", "attempt", "words"), wrong, ids=[f"{name}-{words}" for name, _, words in wrong]
    )
    def is_named(name, attempt, words):
        feedback = answered(exercises, name, attempt)
        assert feedback.status == "hint", feedback
        assert words in feedback.message, feedback

    @pytest.mark.parametrize(("name", "attempt"), right, ids=[name for name, _ in right])
    def passes(name, attempt):
        feedback = answered(exercises, name, attempt)
        assert feedback.status == "correct", feedback

    return is_named, passes
