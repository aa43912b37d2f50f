"""Notebook 06's measures: three cases that went wrong, and four norms at one batch size."""

import copy
from functools import partial

import numpy as np

from helpers.arms import watch_arms
from helpers.datasets import load_fashion_mnist
from helpers.layer_statistics import predict_with_batch_statistics, with_statistics
from helpers.layers import BatchNorm, GroupNorm, LayerNorm
from helpers.network import accuracy, inference_accuracy
from helpers.training import train

NORMS = {
    "batch norm": {},
    "batch norm in pairs": dict(group_size=2),
    "layer norm": dict(norm=LayerNorm),
    "group norm": dict(norm=partial(GroupNorm, n_groups=4)),
}
SMALL = dict(hidden=[32, 32], n_steps=100, learning_rate=0.02)


def watch_norms(batch_size, n_networks=8):
    """Train the four NORMS as SMALL says; yields (share done, {"batch_size", "runs"}).

    In float32 and with fewer networks than the notebook: for a picture, not for printed numbers.
    """
    clothes = load_fashion_mnist(2000, 1000, 7, n_networks=n_networks, seed=3)

    def look(network):
        return {"accuracy": inference_accuracy(network, clothes.test_inputs, clothes.test_targets)}

    settings = dict(SMALL, batch_size=batch_size, look=look, every=5, seed=3, dtype=np.float32)
    for share, runs in watch_arms(NORMS, clothes, **settings):
        yield share, runs and {"batch_size": batch_size, "runs": runs}


def evaluate(network, data, batch_size, order):
    """Return {"inference", "training mode"}: test accuracies, and the two settings.

    order: "shuffled" or "one class at a time". Accuracies are (n_networks,).
    """
    places = np.argsort(data.test_targets, kind="stable")  # class 0 first, then class 1, ...
    if order == "shuffled":
        places = np.random.default_rng(0).permutation(len(places))
    inputs, targets = data.test_inputs[places], data.test_targets[places]
    own = as_the_colleague(network, inputs, batch_size)
    return {
        "inference": inference_accuracy(network, inputs, targets),
        "training mode": accuracy(own, targets), "batch_size": batch_size, "order": order,
    }


def as_the_colleague(network, inputs, test_batch):
    """Case 1: return the logits that somebody gets who forgot to leave training mode."""
    return predict_with_batch_statistics(network, inputs, test_batch)


def through_another_camera(inputs):
    """Return pictures with half the contrast, and brighter by one of the old pictures' sd."""
    return 0.5 * inputs + 1


def fine_tune(network, inputs, targets, *, memory, n_steps=20, seed=0):
    """Case 2: return a copy of `network` that learned on, and the losses of its last mini-batch.

    inputs: (n_networks, n_samples, features). memory: of its batch norms from now on.
    """
    tuned = copy.deepcopy(network)
    for layer in tuned.layers:
        if isinstance(layer, BatchNorm):
            layer.momentum = memory
    streams = [np.random.default_rng([seed, k]) for k in range(len(inputs))]
    settings = dict(n_steps=n_steps, batch_size=64, learning_rate=0.02, rng=streams)
    for step in train(tuned, inputs, targets, **settings):
        losses = step.losses
    return tuned, losses


def treat(network, inputs, keep=None):
    """Case 2: `with_statistics`, by a name that does not give the cause away.

    keep: "running_mean" or "running_var", of which the network keeps its own.
    """
    treated = with_statistics(network, inputs)
    for old, new in zip(network.layers, treated.layers):
        if keep and isinstance(old, BatchNorm):
            getattr(new, keep)[...] = getattr(old, keep)
    return treated


def look_inside(network):
    """Case 3: return the mean stored variance of each batch norm, (n_networks,) for each layer."""
    norms = [layer for layer in network.layers if isinstance(layer, BatchNorm)]
    return [norm.running_var.mean(axis=(-2, -1)) for norm in norms]
