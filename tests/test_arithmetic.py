"""What is fast and obscure gives the same as the obvious line."""

import numpy as np
import pytest

from helpers.arithmetic import draws_above


@pytest.mark.parametrize("probability", [0, 1e-9, 0.1, 0.2, 0.5, 1 / 3, 0.9, 1 - 1e-9])
def test_draws_above_are_those_of_float32(probability):
    obvious, fast = np.random.default_rng(7), np.random.default_rng(7)
    for shape in ((512, 32), (3, 4), (1, 2)):
        expected = obvious.random(shape, dtype=np.float32) >= probability
        np.testing.assert_array_equal(draws_above(probability, shape, fast), expected)


@pytest.mark.parametrize("bits", [np.random.MT19937, np.random.SFC64, np.random.Philox])
def test_draws_above_are_as_frequent_with_every_generator(bits):
    kept = draws_above(0.2, (401, 501), np.random.Generator(bits(1)))
    assert kept.shape == (401, 501) and abs(kept.mean() - 0.8) < 0.005
