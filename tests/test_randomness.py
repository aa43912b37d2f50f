"""One seed, many independent streams."""

import numpy as np
import pytest

from helpers.randomness import one_per_network, spawn_streams

PURPOSES = ("data", "weights", "order", "dropout")


def test_sixteen_networks_contain_the_same_first_four():
    few, many = spawn_streams(5, 4), spawn_streams(5, 16)
    for purpose in PURPOSES:
        for left, right in zip(getattr(few, purpose), getattr(many, purpose)[:4], strict=True):
            assert left.random() == right.random()


def test_every_stream_is_different_and_a_seed_repeats():
    def first_draws(seed):
        streams = spawn_streams(seed, 8)
        return [rng.random() for purpose in PURPOSES for rng in getattr(streams, purpose)]

    assert len(set(first_draws(0))) == 32
    assert first_draws(0) == first_draws(0)
    assert not set(first_draws(0)) & set(first_draws(1))


def test_a_stream_is_the_grandchild_of_its_seed_in_a_fixed_order():
    children = np.random.SeedSequence(5).spawn(3)
    for purpose, place in zip(("data", "weights", "order", "dropout"), range(4), strict=True):
        expected = [np.random.default_rng(child.spawn(4)[place]).random() for child in children]
        assert [rng.random() for rng in getattr(spawn_streams(5, 3), purpose)] == expected
        children = np.random.SeedSequence(5).spawn(3)  # a child spawns others the second time


def test_one_generator_is_spawned_and_keeps_its_own_stream():
    rng = np.random.default_rng(0)
    children = one_per_network(rng, 3)
    assert len({child.random() for child in children}) == 3
    assert rng.random() == np.random.default_rng(0).random()
    assert one_per_network(rng, None) == [rng]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: spawn_streams(-1), ValueError, "seed must be at least 0, got -1"),
        (lambda: spawn_streams(0.5), TypeError, "seed must be an integer, got 0.5"),
        (lambda: spawn_streams(0, 0), ValueError, "n_networks must be at least 1, got 0"),
        (lambda: one_per_network(7, 2), TypeError, "rng must be a numpy.random.Generator"),
        (lambda: one_per_network([7, 8], 2), TypeError, "got list"),
        (lambda: one_per_network([np.random.default_rng(0)] * 2, 2), ValueError, "got one twice"),
        (lambda: one_per_network(spawn_streams(0, 3).data, 2), ValueError, "hold 2 .*got 3"),
    ],
)
def test_what_makes_no_sense_is_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()
