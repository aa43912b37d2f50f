"""Notebook 01's exercises meet the course's helpers, and answers as learners write them."""

import numpy as np
import pytest
from exercise_answers import answer_tests

from helpers import shift
from helpers.covariate_shift import exercises


def test_weights_are_those_of_the_helper():
    # Two normal regions one apart: the exact odds of the region at 1 are exp(x - 1/2).
    rng = np.random.default_rng(0)
    source, target = rng.normal(0, 1, (4000, 1)), rng.normal(1, 1, (4000, 1))
    odds = np.exp(source[:, 0] - 0.5)
    weights = exercises.importance_weights(odds / (1 + odds))
    helper = shift.importance_weights(source, target)
    assert np.corrcoef(np.log(weights), np.log(helper))[0, 1] > 0.99
    assert weights.mean() == pytest.approx(helper.mean()) == pytest.approx(1)


def test_effective_sample_size_is_that_of_the_helper_whatever_the_weights_add_up_to():
    weights = np.random.default_rng(0).exponential(size=50)
    expected = pytest.approx(shift.effective_sample_size(weights), rel=1e-12)
    assert exercises.effective_sample_size(weights) == expected
    assert exercises.effective_sample_size(1000 * weights) == expected


WRONG = [
    ("split_drop", ["shift = reference - coloured", "return shift, black - coloured - shift"],
     "changed places"),
    ("split_drop", ["drop = black - coloured",
                    "return (black - reference) / drop, 1 - (black - reference) / drop"],
     "shares of the drop"),
    ("split_drop", ["return black - reference, coloured - reference"],
     "shift is turned round"),
    ("importance_weights", ["return p_target / 1 - p_target"], "in brackets"),
    ("importance_weights", ["w = 1 / p_target - 1", "return w / np.mean(w)"],
     "upside down: examples that look like the new region"),
    ("importance_weights", ["return np.log(p_target) - np.log1p(-p_target)"], "logarithm"),
    ("effective_sample_size", ["return 1 / (weights @ weights)"], "add up to 1"),
    ("effective_sample_size", ["return sum(weights)**2 / sum(weights)**2"], "before you add"),
    ("effective_sample_size", ["w = weights / weights.mean()", "return 1 / np.mean(w * w)"],
     "share of the examples"),
]

RIGHT = [
    ("split_drop", ["harder = black - reference", "return [harder, black - coloured - harder]"]),
    ("importance_weights",
     ["w = [p / (1 - p) for p in p_target]", "return [one / np.mean(w) for one in w]"]),
    ("effective_sample_size",
     ["w = weights / weights.mean()", "return len(w) / (1 + np.var(w))"]),
]

test_a_mistake_is_named, test_a_right_answer_passes = answer_tests(exercises, WRONG, RIGHT)
