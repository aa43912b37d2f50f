"""Notebook 03's exercises, answered as learners do."""

import numpy as np
from exercise_answers import answer_tests, changed

from helpers.hidden_layer_stability import exercises as exercises
from helpers.hidden_layer_stability.exercises import (
    check_scale_invariance,
    check_split_drift,
    scale_invariance,
    split_drift,
)
from helpers.shift import measure_drift

# --- scale invariance --------------------------------------------------------------------------


def length(vector):
    return np.sqrt(np.sum(vector**2))


def cosine(a, b):
    return np.sum(a * b) / length(a) / length(b)


def filled_in(gradient, weights, factor):
    return 1 / factor, 0


def upside_down(gradient, weights, factor):
    return length(gradient(weights)) / length(gradient(weights * factor)), cosine(
        weights, gradient(weights)
    )


def multiplied_the_gradient(gradient, weights, factor):
    grad = gradient(weights)
    return length(factor * grad) / length(grad), cosine(weights, grad)


def forgot_the_root(gradient, weights, factor):
    grad, scaled = gradient(weights), gradient(weights * factor)
    return (scaled @ scaled) / (grad @ grad), cosine(weights, grad)


def dot_product(gradient, weights, factor):
    grad, scaled = gradient(weights), gradient(weights * factor)
    return length(scaled) / length(grad), np.dot(weights, grad)


def angle(gradient, weights, factor):
    grad, scaled = gradient(weights), gradient(weights * factor)
    return length(scaled) / length(grad), np.arccos(cosine(weights, grad))


def between_the_gradients(gradient, weights, factor):
    grad, scaled = gradient(weights), gradient(weights * factor)
    return length(scaled) / length(grad), cosine(grad, scaled)


def at_the_scaled_weights(gradient, weights, factor):
    grad, weights_scaled = gradient(weights), weights * factor
    scaled = gradient(weights_scaled)
    return length(scaled) / length(grad), cosine(weights_scaled, scaled)


def scaled_in_place(gradient, weights, factor):
    grad = gradient(weights)
    weights *= factor
    return length(gradient(weights)) / length(grad), cosine(weights, grad)


def unit_by_unit(gradient, weights, factor):
    return gradient(factor * weights) / gradient(weights), cosine(weights, gradient(weights))


def in_plain_python(gradient, weights, factor):
    g, s = gradient(weights), gradient([factor * w for w in weights])
    norm = sum(g**2) ** 0.5
    return [sum(s**2) ** 0.5 / norm, (weights / length(weights)).dot(g / norm)]


SCALE_MISTAKES = [
    (filled_in, "filled in by hand"),
    (upside_down, "upside down"),
    (multiplied_the_gradient, "multiplied, not the weights"),
    (forgot_the_root, "a root is missing"),
    (dot_product, "the dot product"),
    (angle, "the angle"),
    (between_the_gradients, "the two gradients with each other"),
    (at_the_scaled_weights, "measured at the scaled weights"),
    (scaled_in_place, "changes its arguments in place"),
    (unit_by_unit, "yours has shape (6,)"),
    (lambda gradient, weights, factor: gradient(weights), "Return 2 values"),
    (lambda gradient, weights, factor: gradient * weights, "raised TypeError"),
]


def test_half_of_the_units_have_batch_norm_and_their_numbers_are_what_the_praise_says():
    has_norm = []
    for gradient, weights, factor in check_scale_invariance._cases:
        ratio, cosine = scale_invariance(gradient, weights, factor)
        has_norm.append(np.isclose(ratio, 1 / factor, rtol=1e-4))
        assert (abs(cosine) < 1e-3) == has_norm[-1]
    assert has_norm == [True, False, True, False]


# --- drift in parts ----------------------------------------------------------------------------

PREPARED = """
m0, m1 = before.mean(0), after.mean(0)
s0, s1 = before.std(0), after.std(0)
x, y = (before - m0) / s0, (after - m1) / s1
mean, width = abs(m1 - m0) / s0, abs(np.log(s1 / s0))
x, y = np.sort(x, 0), np.sort(y, 0)
shape = abs(x - y).mean(0)
return mean, width, shape
"""

DRIFT_MISTAKES = [
    ([("abs(m1 - m0)", "(m1 - m0)"), ("abs(np.log(s1 / s0))", "np.log(s1 / s0)")], "their signs"),
    ([("abs(m1 - m0)", "(m1 - m0)")], "The mean carries its sign"),
    ([("abs(np.log(s1 / s0))", "np.log(s1 / s0)")], "The width carries its sign"),
    ([("abs(m1 - m0) / s0", "abs(m0 - m1) / s1")], "later standard deviations"),
    ([("abs(m1 - m0) / s0", "abs(m0 - m1)")], "in the unit's own numbers"),
    ([("abs(np.log(s1 / s0))", "s1 / s0")], "the ratio itself"),
    ([("abs(np.log(s1 / s0))", "abs(np.log(after.var(0) / before.var(0)))")], "twice too large"),
    ([("abs(np.log(s1 / s0))", "abs(s1 - s0) / s0")], "a difference in standard deviations"),
    ([("np.sort(x, 0), np.sort(y, 0)", "x, y")], "of the same image"),
    ([("np.sort(x, 0), np.sort(y, 0)", "np.sort(x), np.sort(y)")], "along the units"),
    ([("(before - m0) / s0, (after - m1) / s1", "before, after")], "was not standardised"),
    ([("(after - m1) / s1", "(after - m0) / s0")], "by the earlier"),
    ([(".std(0)", ".std(0, ddof=1)")], "divide by n - 1"),
    ([(".std(0)", ".var(0)")], "Not yet (value 1 of 3)"),
    ([("abs(x - y).mean(0)", "abs(x - y).mean()")], "yours has no shape"),
    ([("abs(x - y).mean(0)", "(x - y).mean(0)")], "cancel to 0"),
    ([("abs(x - y).mean(0)", "((x - y) ** 2).mean(0) ** 0.5")], "Not yet (value 3 of 3)"),
    ([("before.mean(0)", "before.mean(1)")], "Your function raised ValueError"),
    ([("mean, width, shape", "mean, width")], "Return 3 values"),
]


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
    for before, after in check_split_drift._cases:
        drift = measure_drift(before, after)
        np.testing.assert_allclose(
            split_drift(before, after), [drift.mean, drift.scale, drift.shape]
        )


# --- both, as learners write them --------------------------------------------------------------

WRONG = [
    *(("scale_invariance", attempt, words) for attempt, words in SCALE_MISTAKES),
    *(("split_drift", changed(PREPARED, changes), words) for changes, words in DRIFT_MISTAKES),
]

RIGHT = [
    ("scale_invariance", in_plain_python),
    ("split_drift", PREPARED),
    ("split_drift", one_unit_at_a_time),
    ("split_drift", lambda before, after: list(split_drift(before, after))),
]

test_a_mistake_is_named, test_a_right_answer_passes = answer_tests(exercises, WRONG, RIGHT)
