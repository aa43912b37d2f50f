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


def answer_tests(exercises, wrong, right):
    """Return two tests: each mistake in `wrong` is named, and each answer in `right` passes.

    wrong: rows (name of the exercise, attempt, words of the hint). right: rows (name, attempt).
    attempt: a function, or the lines of its body, a text or a list, as a learner types them.
    """

    def answered(name, attempt):
        check = getattr(exercises, f"check_{name}")
        if callable(attempt):
            return check(attempt)
        lines = attempt.strip().splitlines() if isinstance(attempt, str) else attempt
        function, namespace = check.reference, {"np": np}
        head = f"def {function.__name__}{inspect.signature(function)}:"
        exec("\n    ".join([head, *lines]), namespace)
        return check(namespace[function.__name__])

    @pytest.mark.parametrize(
        ("name", "attempt", "words"), wrong, ids=[f"{name}-{words}" for name, _, words in wrong]
    )
    def is_named(name, attempt, words):
        feedback = answered(name, attempt)
        assert feedback.status == "hint" and words in feedback.message, feedback

    @pytest.mark.parametrize(("name", "attempt"), right, ids=[name for name, _ in right])
    def passes(name, attempt):
        feedback = answered(name, attempt)
        assert feedback.status == "correct", feedback

    return is_named, passes
