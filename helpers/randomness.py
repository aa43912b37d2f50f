"""One integer seed grows into independent random streams, four for each network.

Network k draws from the k-th child of the seed only, so 16 networks contain the same first 4,
and a network trained alone meets the numbers it would meet in lock-step with others. Each
purpose has a stream of its own, so switching dropout on leaves weights and batches as they were.
"""

from dataclasses import dataclass

import numpy as np

from helpers.checks import check_integer


@dataclass(frozen=True)
class Streams:
    """Generators by purpose: one Generator each, or a list with one for each network."""

    data: object
    weights: object
    order: object
    dropout: object


def spawn_streams(seed, n_networks=None):
    """Return the Streams of `seed`: lists of `n_networks` generators, or single ones for None.

    The single streams are those of network 0. Two calls with one seed return generators in the
    same fresh state: call again for each arm of an experiment, never hand a used one on.
    """
    seed = check_integer("seed", seed, 0, np.inf)
    n_children = 1 if n_networks is None else check_integer("n_networks", n_networks)
    networks = [
        [np.random.default_rng(child) for child in network.spawn(4)]
        for network in np.random.SeedSequence(seed).spawn(n_children)
    ]
    by_purpose = networks[0] if n_networks is None else [list(s) for s in zip(*networks)]
    return Streams(*by_purpose)


def one_per_network(rng, n_networks, name="rng"):
    """Return one generator for each network from `rng`, itself one Generator or a list of them.

    n_networks=None means one network without a networks axis: the result is a list of one.
    A single Generator for several networks is spawned into children, which leaves its own
    stream untouched. Raises TypeError for anything that is not a Generator, ValueError when
    the list has another length or holds one generator twice.
    """
    n_expected = 1 if n_networks is None else check_integer("n_networks", n_networks)
    if isinstance(rng, np.random.Generator):
        return [rng] if n_networks is None else rng.spawn(n_expected)
    if not isinstance(rng, (list, tuple)) or not all(
        isinstance(one, np.random.Generator) for one in rng
    ):
        raise TypeError(
            f"{name} must be a numpy.random.Generator or a list with one for each network, "
            f"got {type(rng).__name__}"
        )
    if len(rng) != n_expected:
        raise ValueError(f"{name} must hold {n_expected} generators, got {len(rng)}")
    if len({id(one) for one in rng}) < len(rng):
        raise ValueError(f"{name} must hold a generator of its own for each network, got one twice")
    return list(rng)
