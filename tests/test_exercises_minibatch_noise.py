"""Notebook 04's exercises, answered as learners do."""

import itertools

import numpy as np
import pytest
from exercise_answers import answer_tests, changed

from helpers.layers import BatchNorm, Dropout
from helpers.minibatch_noise import exercises
from helpers.minibatch_noise.experiments import dropout_sd

GHOST = """
m, n = inputs.shape
g = inputs.reshape(m // group_size, group_size, n)
mu = g.mean(1, keepdims=True)
v = ((g - mu) ** 2).mean(1, keepdims=True)
return ((g - mu) / np.sqrt(v + 1e-5)).reshape(m, n)
"""

GHOST_MISTAKES = {
    "plain batch norm": [("m // group_size, group_size", "1, m")],
    "have changed places": [("m // group_size, group_size", "group_size, m // group_size")],
    "every n_groups-th row":
        [("m // group_size, group_size", "group_size, -1"), ("n(1", "n(0")],
    "over the groups, axis 0": [("n(1", "n(0")],
    "the group size minus 1": [("((g - mu) ** 2).mean(1", "g.var(1, ddof=1")],
    "added to the standard deviation": [("np.sqrt(v + 1e-5)", "(np.sqrt(v) + 1e-5)")],
}


def group_by_group(inputs, group_size):
    parts = []
    for start in range(0, len(inputs), group_size):
        rows = inputs[start : start + group_size]
        parts.append((rows - rows.mean(0)) / (rows.std(0) ** 2 + 1e-5) ** 0.5)
    return np.concatenate(parts)


def test_the_ghost_is_the_course_s_batch_norm():
    for inputs, group_size in exercises.check_ghost_batch_norm._cases:
        norm = BatchNorm(inputs.shape[1], group_size=group_size, dtype=np.float64)
        found = exercises.ghost_batch_norm(inputs, group_size)
        np.testing.assert_allclose(found, norm.forward(inputs, training=True))


def by_shares(variance, batch_size):
    return batch_size * (variance * (1 / batch_size) ** 2)


def test_the_variance_is_that_of_all_batches_that_there_are():
    values = np.array([1.0, 4.0, 4.5, 7.0, 11.0, 12.0])
    means = [np.mean(batch) for batch in itertools.product(values, repeat=3)]
    assert np.var(means) == pytest.approx(exercises.variance_of_mean(values.var(), 3))


def by_parts(mean, variance, probability):
    mask_variance = probability / (1 - probability)  # of the mask that multiplies; its mean is 1
    return variance + mask_variance * (variance + mean**2), variance


@pytest.mark.parametrize(("mean", "p"), [(0.0, 0.2), (1.0, 0.5), (-2.0, 0.3)])
def test_the_variances_under_dropout_are_those_of_the_course_s_layer(mean, p):
    rng = np.random.default_rng(0)
    values = mean + 1.5 * rng.standard_normal((200_000, 1))
    dropped = Dropout(p, rng=rng).forward(values, training=True)
    measured = dropped.var(), values.var()
    np.testing.assert_allclose(exercises.dropout_variances(mean, 1.5**2, p), measured, rtol=0.02)
    assert exercises.dropout_variances(1.0, 0.0, p)[0] == pytest.approx(dropout_sd(p) ** 2)


WRONG = [
    *(("ghost_batch_norm", changed(GHOST, one), words) for words, one in GHOST_MISTAKES.items()),
    ("variance_of_mean", "return variance / batch_size ** 2", "the share of one value"),
    ("variance_of_mean", "return (variance / batch_size) ** 0.5",
     "That is the standard deviation of the mean"),
    ("variance_of_mean", "return variance / (batch_size - 1)", "m - 1 belongs to estimating"),
    ("dropout_variances", "return (mean ** 2 + variance) / probability - mean ** 2, variance",
     "that of being kept"),
    ("dropout_variances",
     "return (1 - probability) * (variance + probability * mean ** 2), variance",
     "not yet divided"),
    ("dropout_variances", "return variance / (1 - probability), variance", "for mean 0 only"),
    ("dropout_variances", [
        "keep = 1 - probability",
        "return (mean ** 2 * probability + variance) / keep, variance * keep ** 2",
    ], "At test nothing"),
]
RIGHT = [
    ("ghost_batch_norm", GHOST), ("ghost_batch_norm", group_by_group),
    ("variance_of_mean", by_shares), ("dropout_variances", by_parts),
]

test_a_mistake_is_named, test_a_right_answer_passes = answer_tests(exercises, WRONG, RIGHT)
