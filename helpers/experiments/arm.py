"""One arm of an experiment: networks in lock-step, built and trained from a seed."""

import numpy as np

from helpers.network import multilayer_perceptron
from helpers.randomness import spawn_streams
from helpers.training import train

N_SEEDS = 16  # networks behind each interval of the course, unless a result says otherwise


def train_arm(
    inputs, targets, sizes, *, seed, n_networks, n_steps, batch_size, learning_rate, momentum=0.9,
    memory=0.9, sample_weights=None, after_step=None, on_step=None, dtype=np.float64, **options,
):
    """Return the trained Network and its mini-batch losses, (n_steps, n_networks).

    Weights, order of the examples and dropout come from `seed` alone, so arms that differ in
    `options` (batch_norm, dropout, group_size, activation, init_scale) are paired. `memory` is
    batch norm's momentum. `after_step(step, network)` watches or disturbs; `on_step()` moves a
    progress bar. Data are drawn by the caller, from the same seed's `data` stream.
    """
    streams = spawn_streams(seed, n_networks)
    network = multilayer_perceptron(
        sizes, rng=streams.weights, dropout_rng=streams.dropout, n_networks=n_networks,
        momentum=memory, dtype=dtype, **options,
    )
    losses = []
    for step in train(
        network, inputs, targets, n_steps=n_steps, batch_size=batch_size, momentum=momentum,
        learning_rate=learning_rate, rng=streams.order, sample_weights=sample_weights,
    ):
        losses.append(step.losses)
        if after_step is not None:
            after_step(step, network)
        if on_step is not None:
            on_step()
    return network, np.array(losses)


def inference_accuracy(network, inputs, targets):
    """Return the accuracy, () or (n_networks,), with stored statistics and without dropout."""
    return accuracy(network.forward(inputs, training=False), targets)


def accuracy(logits, targets):
    """Return the share of rows whose largest logit is the target's: (..., batch) -> (...)."""
    return (logits.argmax(axis=-1) == targets).mean(axis=-1)
