"""Distances between distributions, against theory and scipy."""

import numpy as np
import pytest
from gradient_check import normal
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from helpers.hidden_layer_stability.experiments import measure_drift
from helpers.shift import domain_auc, effective_sample_size, importance_weights


@pytest.mark.parametrize("distance", [0, 1, 2, 3])
def test_the_auc_of_two_normals_is_the_textbook_one(distance):
    auc = domain_auc(normal((1500, 2)), normal((1500, 2), 1) + [distance, 0])
    assert auc == pytest.approx(stats.norm.cdf(distance / np.sqrt(2)), abs=0.03)


def test_the_auc_is_that_of_unseen_inputs_and_repeats():
    sets = normal((40, 20)), normal((40, 20), 1)  # so few that a classifier learns them by heart
    assert domain_auc(*sets) == domain_auc(*sets) < 0.7


def test_weights_are_the_density_ratio_of_two_normals():
    source, target = normal((4000, 1)), 0.7 * normal((4000, 1), 1) + 1
    weights = importance_weights(source, target)
    exact = stats.norm.pdf(source[:, 0], 1, 0.7) / stats.norm.pdf(source[:, 0])
    assert weights.mean() == pytest.approx(1)
    assert np.corrcoef(weights, exact)[0, 1] > 0.99


def test_weights_ignore_units_and_squares_tell_spreads_apart():
    source, target = normal((200, 2)), 2 * normal((200, 2), 1)
    weights = importance_weights(source, target)
    np.testing.assert_allclose(importance_weights(1e39 * source, 1e39 * target), weights, rtol=1e-5)
    assert importance_weights(source, target, squares=False).std() < weights.std() / 2


def test_extreme_shift_gives_finite_weights():
    weights = importance_weights(normal((50, 2)), normal((50, 2), 1) + 1000)
    assert np.isfinite(weights).all() and weights.mean() == pytest.approx(1)


@given(st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=30), st.floats(1e-3, 1e3))
def test_effective_sample_size_lies_between_one_and_all_and_ignores_scale(weights, scale):
    weights = np.array(weights)
    size = effective_sample_size(weights)
    assert 1 - 1e-9 <= size <= len(weights) + 1e-9
    assert effective_sample_size(scale * weights) == pytest.approx(size)


def test_effective_sample_size_counts_equal_weights():
    assert effective_sample_size(np.ones(7)) == pytest.approx(7)
    assert effective_sample_size([0, 0, 5, 0]) == pytest.approx(1)
    assert effective_sample_size([1e-200, 1e-200, 0, 0]) == pytest.approx(2)


@given(st.floats(-3, 3), st.floats(0.2, 5), st.integers(0, 99))
def test_moving_and_stretching_is_drift_of_mean_and_scale_only(move, stretch, seed):
    before = 2 * normal((60, 4), seed)
    drift = measure_drift(before, move + stretch * before)
    sd, mean = before.std(axis=0), before.mean(axis=0)
    np.testing.assert_allclose(
        drift.mean, np.abs(move + (stretch - 1) * mean) / sd, rtol=1e-9, atol=1e-12
    )
    np.testing.assert_allclose(drift.scale, np.full(4, np.abs(np.log(stretch))), atol=1e-9)
    np.testing.assert_allclose(drift.shape, 0, atol=1e-9)
    np.testing.assert_allclose(drift.ranking, 0, atol=1e-9)


def test_permuting_the_probe_is_drift_of_ranking_only():
    before = normal((500, 3))
    drift = measure_drift(before, before[::-1])
    np.testing.assert_allclose(drift.wasserstein, 0, atol=1e-12)
    assert (drift.ranking > 0.7).all()


def test_ranking_survives_a_large_mean():
    before = 1e6 + 0.03 * normal((200, 2))
    np.testing.assert_allclose(measure_drift(before, before + 5).ranking, 0, atol=1e-6)


def test_wasserstein_is_scipys():
    before, after = normal((2, 40, 3)), normal((2, 40, 3), 1) ** 3
    drift = measure_drift(before, after)
    for k, unit in np.ndindex(2, 3):
        one, other = before[k, :, unit], after[k, :, unit]
        expected = stats.wasserstein_distance(one, other) / one.std()
        assert drift.wasserstein[k, unit] == pytest.approx(expected)


def test_silent_units_are_left_out():
    before = normal((30, 2))
    before[:, 1] = 0.5
    for after in (before + 1, normal((30, 2))):
        drift = measure_drift(before, after)
        assert np.isfinite(drift.mean[0]) and np.isnan(drift.mean[1])


@pytest.mark.parametrize("after", [np.ones((6, 1)), np.ones((0, 2)), np.ones(6), [["x"] * 2] * 6])
def test_drift_needs_two_recordings_of_one_shape(after):
    before = normal((6, 2)) if np.ndim(after) == 2 and len(after) else after
    with pytest.raises((ValueError, TypeError), match=r"after must .*got "):
        measure_drift(before, after)
