"""Notebook 03's exercises, answered as learners do."""

import numpy as np
from exercise_answers import answer_tests, changed

from helpers.hidden_layer_stability import exercises
from helpers.hidden_layer_stability.experiments import measure_drift

SCALE = """
def length(vector): return np.sqrt(np.sum(vector ** 2))
g, s = gradient(weights), gradient(weights * factor)
ratio = length(s) / length(g)
cosine = np.sum(weights * g) / length(weights) / length(g)
return ratio, cosine
"""

SCALE_MISTAKES = {
    "filled in by hand": [("return ratio, cosine", "return 1 / factor, 0")],
    "multiplied, not the weights": [("length(s) / length(g)", "length(factor * g) / length(g)")],
    "the two gradients with each": [("weights * g) / length(weights)", "s * g) / length(s)")],
    "measured at the scaled weights":
        [("weights * g) ", "weights * s) "), ("(weights) / length(g)", "(weights) / length(s)")],
    "value 2 of 2": [("return ratio, cosine", "return ratio, abs(cosine)")],
    "changes its arguments in place":
        [("gradient(weights * factor)", "gradient(np.multiply(weights, factor, out=weights))")],
}


def in_plain_python(gradient, weights, factor):
    g, s = gradient(weights), gradient([factor * w for w in weights])
    norm = sum(g**2) ** 0.5
    return [sum(s**2) ** 0.5 / norm, weights.dot(g / norm) / sum(weights**2) ** 0.5]


def test_half_of_the_units_have_batch_norm_and_their_numbers_are_what_the_praise_says():
    has_norm = []
    for gradient, weights, factor in exercises.check_scale_invariance._cases:
        ratio, cosine = exercises.scale_invariance(gradient, weights, factor)
        has_norm.append(np.isclose(ratio, 1 / factor, rtol=1e-4))
        assert (abs(cosine) < 1e-3) == has_norm[-1]
    assert has_norm == [True, False, True, False]


PREPARED = """
m0, m1 = before.mean(0), after.mean(0)
s0, s1 = before.std(0), after.std(0)
x, y = (before - m0) / s0, (after - m1) / s1
mean, width = abs(m1 - m0) / s0, abs(np.log(s1 / s0))
x, y = np.sort(x, 0), np.sort(y, 0)
shape = abs(x - y).mean(0)
return mean, width, shape
"""

DRIFT_MISTAKES = {
    "their signs":
        [("abs(m1 - m0)", "(m1 - m0)"), ("abs(np.log(s1 / s0))", "np.log(s1 / s0)")],
    "The mean carries its sign": [("abs(m1 - m0)", "(m1 - m0)")],
    "later standard deviations": [("abs(m1 - m0) / s0", "abs(m0 - m1) / s1")],
    "a difference in standard deviations": [("abs(np.log(s1 / s0))", "abs(s1 - s0) / s0")],
    "of the same image": [("np.sort(x, 0), np.sort(y, 0)", "x, y")],
    "by the earlier": [("(after - m1) / s1", "(after - m0) / s0")],
    "divide by n - 1": [(".std(0)", ".std(0, ddof=1)")],
}


def one_unit_at_a_time(before, after):
    parts = []
    for x, y in zip(before.T, after.T):
        standard = [sorted((each - np.mean(each)) / np.std(each)) for each in (x, y)]
        parts.append([
            abs(np.mean(x) - np.mean(y)) / np.std(x),
            abs(np.log(np.std(x)) - np.log(np.std(y))),
            np.mean(np.abs(np.subtract(*standard))),
        ])
    return tuple(np.transpose(parts))


def test_the_split_is_that_of_the_course():
    for before, after in exercises.check_split_drift._cases:
        drift = measure_drift(before, after)
        found = exercises.split_drift(before, after)
        np.testing.assert_allclose(found, [drift.mean, drift.scale, drift.shape])


WRONG = [
    *(("scale_invariance", changed(SCALE, one), words) for words, one in SCALE_MISTAKES.items()),
    *(("split_drift", changed(PREPARED, one), words) for words, one in DRIFT_MISTAKES.items()),
]
RIGHT = [
    ("scale_invariance", SCALE), ("scale_invariance", in_plain_python),
    ("split_drift", PREPARED), ("split_drift", one_unit_at_a_time),
]

test_a_mistake_is_named, test_a_right_answer_passes = answer_tests(exercises, WRONG, RIGHT)
