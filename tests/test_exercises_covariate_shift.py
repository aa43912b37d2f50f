"""Notebook 01's exercises meet the course's helpers, and answers as learners write them."""

import numpy as np
import pytest
from exercise_answers import answer_tests

from helpers import shift
from helpers.covariate_shift import exercises as exercises


def test_weights_are_those_of_the_helper():
    rng = np.random.default_rng(0)
    source, target = rng.normal(0, 1, (40, 2)), rng.normal(1, 1, (40, 2))
    inputs, is_target = shift._pool(source, target, squares=True)
    guesses = shift._domain_classifier(1.0).fit(inputs, is_target).predict_proba(inputs)[:40, 1]
    np.testing.assert_allclose(
        exercises.importance_weights(guesses), shift.importance_weights(source, target), rtol=1e-9
    )


@pytest.mark.parametrize("scale", [1, 0.01, 1000])
def test_effective_sample_size_is_that_of_the_helper(scale):
    weights = scale * np.random.default_rng(0).exponential(size=50)
    assert exercises.effective_sample_size(weights) == pytest.approx(
        shift.effective_sample_size(weights), rel=1e-12
    )


def test_the_parts_of_a_drop_add_up_to_it():
    harder, shifted = exercises.split_drop(0.97, 0.83, 0.67)
    assert harder + shifted == pytest.approx(0.97 - 0.67)
    assert shifted == pytest.approx(0.83 - 0.67)


WRONG = [
    ("split_drop", ["return reference - coloured, black - reference"], "changed places"),
    ("split_drop", ["shift = reference - coloured", "return shift, black - coloured - shift"],
     "changed places"),
    ("split_drop", ["drop = black - coloured", "return drop - (reference - coloured), drop"],
     "The second part is the whole drop"),
    ("split_drop", ["return black - coloured, reference - coloured"],
     "The first part is the whole drop"),
    ("split_drop", ["return -(black - reference), -(reference - coloured)"], "signs"),
    ("split_drop", ["return [reference - black, coloured - reference]"], "signs"),
    ("split_drop", ["return reference, coloured"], "not differences"),
    ("split_drop", ["drop = black - coloured",
                    "return (black - reference) / drop, 1 - (black - reference) / drop"],
     "shares of the drop"),
    ("split_drop", ["return reference - coloured"], "Return 2 values"),
    ("importance_weights", ["return p_target / (1 - p_target)"], "their mean is not 1"),
    ("importance_weights", ["return np.exp(np.log(p_target) - np.log(1 - p_target))"],
     "their mean is not 1"),
    ("importance_weights", ["return len(p_target) * p_target / p_target.sum()"],
     "probabilities, scaled"),
    ("importance_weights", ["return p_target"], "guesses as they came"),
    ("importance_weights", ["w = 1 / p_target - 1", "return w / np.mean(w)"],
     "upside down: examples that look like the new region"),
    ("importance_weights", ["return (1 - p_target) / p_target"], "upside down, so that"),
    ("importance_weights", ["w = p_target / (1 - p_target)", "return w / w.sum()"],
     "add up to 1"),
    ("importance_weights", ["w = p_target / (1 - p_target)", "return w / w.max()"],
     "largest weight is 1"),
    ("importance_weights", ["return np.log(p_target) - np.log1p(-p_target)"], "logarithm"),
    ("importance_weights", ["return (p_target / (1 - p_target)).mean()"],
     "yours has no shape (one number)"),
    ("effective_sample_size", ["return 1 / np.sum(weights**2)"], "add up to 1"),
    ("effective_sample_size", ["return 1 / (weights @ weights)"], "add up to 1"),
    ("effective_sample_size", ["return np.sum(weights) / np.sum(weights**2)"], "not squared"),
    ("effective_sample_size", ["w = weights / weights.sum()", "return np.sum(w**2)"],
     "variance of the weighted mean"),
    ("effective_sample_size", ["return np.mean(weights)**2 / np.mean(weights**2)"],
     "share of the examples"),
    ("effective_sample_size", ["w = weights / weights.mean()", "return 1 / np.mean(w * w)"],
     "share of the examples"),
    ("effective_sample_size", ["return np.sum(weights)"], "doubles when all weights double"),
    ("effective_sample_size", ["return weights.size"], "equal weights"),
    ("effective_sample_size", ["return (weights / weights.mean() > 0).sum()"], "equal weights"),
    ("effective_sample_size", ["w = weights / weights.sum()", "return 1 / np.linalg.norm(w)"],
     "square root"),
    ("effective_sample_size", ["return (weights > weights.mean()).sum()"], "Not yet"),
]

RIGHT = [
    ("split_drop", ["harder = black - reference", "return harder, black - coloured - harder"]),
    ("split_drop", ["return np.array([black - reference, reference - coloured]).tolist()"]),
    ("importance_weights",
     ["w = [p / (1 - p) for p in p_target]", "return [one / np.mean(w) for one in w]"]),
    ("importance_weights",
     ["w = np.exp(np.log(p_target) - np.log(1 - p_target))", "return len(w) * w / w.sum()"]),
    ("importance_weights", ["w = 1 / (1 / p_target - 1)", "return w / w.mean()"]),
    ("effective_sample_size", ["return weights.sum()**2 / (weights**2).sum()"]),
    ("effective_sample_size", ["return np.sum(weights)**2 / (weights @ weights)"]),
    ("effective_sample_size",
     ["w = weights / weights.mean()", "return len(w) / (1 + np.var(w))"]),
]

test_a_mistake_is_named, test_a_right_answer_passes = answer_tests(exercises, WRONG, RIGHT)
