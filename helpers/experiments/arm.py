"""One arm of an experiment: networks in lock-step, built and trained from a seed."""

import threading

import numpy as np

from helpers.network import accuracy, inference_accuracy, multilayer_perceptron  # noqa: F401
from helpers.randomness import spawn_streams
from helpers.sweep import side_by_side
from helpers.training import train

N_SEEDS = 16  # networks behind each interval of the course, unless a result says otherwise


def train_arm(inputs, targets, sizes, *, after_step=None, on_step=None, **settings):
    """Return the trained Network and its mini-batch losses, (n_steps, n_networks).

    settings: as in `start_arm`. `after_step(step, network)` watches or disturbs; `on_step()` moves
    a progress bar.
    """
    network, steps = start_arm(inputs, targets, sizes, **settings)
    losses = []
    for step in steps:
        losses.append(step.losses)
        if after_step is not None:
            after_step(step, network)
        if on_step is not None:
            on_step()
    return network, np.array(losses)


def without_and_with(function, **settings):
    """Return [function(batch_norm=False, **settings), the same with True], side by side."""
    return side_by_side(function, [dict(batch_norm=one, **settings) for one in (False, True)])


def start_arm(
    inputs, targets, sizes, *, seed, n_networks, n_steps, batch_size, learning_rate, momentum=0.9,
    memory=0.9, sample_weights=None, skip=0, dtype=np.float64, **options,
):
    """Return a new Network and the iterator over its training Steps.

    Weights, order of the examples and dropout come from `seed` alone, so arms that differ in
    `options` (batch_norm, dropout, group_size, activation, init_scale) are paired. `memory` is
    batch norm's momentum. The first `skip` networks of the seed are left out: for training a few
    at a time. Data are drawn by the caller, from the same seed's `data` stream.
    """
    streams = spawn_streams(seed, n_networks, skip=skip)
    network = multilayer_perceptron(
        sizes, rng=streams.weights, dropout_rng=streams.dropout, n_networks=n_networks,
        momentum=memory, dtype=dtype, **options,
    )
    steps = train(
        network, inputs, targets, n_steps=n_steps, batch_size=batch_size, momentum=momentum,
        learning_rate=learning_rate, rng=streams.order, sample_weights=sample_weights,
    )
    return network, steps


def last_result(results, on_step=None):
    """Return the last result of pairs as in `Resumable`; `on_step()` is called for each pair."""
    result = None
    for _, latest in results:
        result = result if latest is None else latest
        if on_step is not None:
            on_step()
    return result


class Resumable:
    """Results of a long run, worse ones first, that whoever wants them next goes on with.

    results: an iterator of pairs, the share of the work that is done and what there is so far, or
    None for nothing new. Iterating gives the latest result first and then those that follow, also
    when another thread has taken some of them.
    """

    def __init__(self, results):
        self._results, self._lock = results, threading.Lock()
        self._latest = None

    def __iter__(self):
        seen = self._latest
        pair = self._next() if seen is None else seen
        while pair is not None:
            seen = seen if pair[1] is None else pair
            yield pair
            pair = self._next()
        if seen is not self._latest:
            yield self._latest

    def _next(self):
        with self._lock:
            pair = next(self._results, None)
            if pair is not None and pair[1] is not None:
                self._latest = pair
            return pair
