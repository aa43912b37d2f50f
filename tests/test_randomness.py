"""One seed, many independent streams."""

import numpy as np

from helpers.randomness import one_per_network, spawn_streams


def test_a_stream_is_the_grandchild_of_its_seed_in_a_fixed_order():
    """So sixteen networks contain the same first four, and one alone is the first of them."""
    single, streams = spawn_streams(5), spawn_streams(5, 3)
    for k, child in enumerate(np.random.SeedSequence(5).spawn(3)):
        for purpose, sequence in zip(("data", "weights", "order", "dropout"), child.spawn(4)):
            expected = np.random.default_rng(sequence).random()
            assert getattr(streams, purpose)[k].random() == expected
            assert k or getattr(single, purpose).random() == expected


def test_one_generator_is_spawned_and_keeps_its_own_stream():
    rng = np.random.default_rng(0)
    children = one_per_network(rng, 3)
    assert len({child.random() for child in children}) == 3
    assert rng.random() == np.random.default_rng(0).random()
    assert one_per_network(rng, None) == [rng]
