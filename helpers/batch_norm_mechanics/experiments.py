"""Notebook 02: one value in its mini-batch, running averages for any memory, uneven classes."""

import copy
from dataclasses import replace

import numpy as np

from helpers.arms import STEPS_AT_ONCE, first_below, never_below, watch_arms
from helpers.batch_norm_mechanics.exercises import forward
from helpers.checks import check_number
from helpers.datasets import load_fashion_mnist
from helpers.intervals import median_text, paired_interval
from helpers.layer_statistics import predict_with_batch_statistics, record, with_statistics
from helpers.layers import BatchNorm, Dense
from helpers.long_work import remember
from helpers.network import Network, accuracy, inference_accuracy, predict
from helpers.randomness import spawn_streams

AVERAGES = dict(hidden=[64, 64], n_steps=150, learning_rate=0.05, memory=0.0, every=1, seed=0)


def median_arrivals(threshold, races):
    """Return {arm: texts} of races [{arm: Run}]: the median of its first steps below `threshold`.

    ">= 160" where half of the networks had not arrived when the race ended.
    """
    races = list(races)
    return {
        arm: [
            median_text(first_below(threshold, race[arm]), never_below(threshold, race[arm]).sum())
            for race in races
        ]
        for arm in races[0]
    }


def arrivals(races, threshold):
    """Return a table of races {name: {arm: Run}}: when each arm's loss fell below `threshold`.

    Medians of the arms; what each further arm saves against the first, pair by pair; how many
    pairs it won, drew and lost (two that never arrived are level); how many networks of the first
    arm were late, that is not there when the race ended.
    """
    runs = list(races.values())
    reference, *others = runs[0]
    columns = {"setting": races, **median_arrivals(threshold, runs)}
    for arm in others:
        of = "" if len(others) == 1 else f", {arm}"
        firsts = [[first_below(threshold, race[one]) for one in (reference, arm)] for race in runs]
        columns[f"steps saved{of}"] = [paired_interval(*pair) for pair in firsts]
        columns[f"won, level, lost{of}"] = [
            f"{(one > other).sum()}, {(one == other).sum()}, {(one < other).sum()}"
            for one, other in firsts
        ]
    return columns | {"late": [never_below(threshold, race[reference]).sum() for race in runs]}


def hidden_values(n_images, *, n_units=3, seed=5):
    """Return what untrained units compute for Fashion-MNIST pictures, (n_images, n_units).

    Fewer images are the first ones of more. Raises ValueError or TypeError.
    """
    streams = spawn_streams(seed)
    data = load_fashion_mnist(n_train=n_images, rng=streams.data)
    weights = np.sqrt(2 / 196) * streams.weights.standard_normal((n_units, 196))
    return data.train_inputs.astype(np.float64) @ weights.T


def normalise_one_batch(batch_size=8, gamma=1.0, beta=0.0, push=0.0):
    """Return one unit's values for `batch_size` images, from 1, the first of them moved by `push`.

    {"before", "after"}: (batch_size,), before and after batch norm; {"quiet before", "quiet
    after"}: the same without the push; {"gamma", "beta"}: as given.
    """
    quiet = hidden_values(batch_size)[:, 0]
    pushed = quiet.copy()
    pushed[0] += check_number("push", push)
    # As the reader writes it: BatchNorm refuses a batch of 1, which is the first thing to see here.
    after, quiet_after = (forward(values, gamma, beta, eps=1e-5) for values in (pushed, quiet))
    return {
        "before": pushed, "after": after, "quiet before": quiet, "quiet after": quiet_after,
        "gamma": gamma, "beta": beta,
    }


def nudge_inputs(norm, inputs, grad_outputs, step=1e-5):
    """Return the gradient of sum(grad_outputs * outputs), measured by central differences.

    Each entry of `inputs`, (batch, features) float64, is moved up and down by `step` while the
    layer runs in training mode, which also moves the running statistics of a copy only.
    """
    norm = copy.deepcopy(norm)
    gradient = np.empty_like(inputs)
    for place in np.ndindex(inputs.shape):
        nudge = np.zeros_like(inputs)
        nudge[place] = step
        high, low = (norm.forward(inputs + one, training=True) for one in (nudge, -nudge))
        gradient[place] = (grad_outputs * (high - low)).sum() / (2 * step)
    return gradient


@remember(maxsize=1)
def load_shuffled(n_train=1024, n_test=1024, n_networks=16, seed=0):
    """Return Examples whose test images each network meets in an order of its own.

    The stored test images take turns in class, ten by ten: no mini-batch in the wild does.
    """
    rng = spawn_streams(seed, n_networks).data
    data = load_fashion_mnist(n_train, n_test, n_networks=n_networks, rng=rng)
    order = np.stack([one.permutation(n_test) for one in rng])
    return replace(
        data, test_inputs=data.test_inputs[order], test_targets=data.test_targets[order]
    )


def last_statistics(network):
    """Look at the mean and the unbiased variance that each batch norm has stored.

    In networks of memory 0 these are the statistics of the last mini-batch.
    """
    return {
        f"{name} {place}": getattr(norm, f"running_{name}")
        for place, norm in enumerate(_norms(network)) for name in ("mean", "var")
    }


def with_memory(run, memory, *, shrink=1.0, warm=False):
    """Return a copy of the networks with the running statistics that `memory` would have left.

    run: of networks of memory 0, with `last_statistics` after each step. Running statistics never
    influence training, so one run serves every memory: we replay
        running <- memory * running + (1 - memory) * batch
    from mean 0 and variance 1; warm: without them, as Adam corrects its averages. shrink:
    multiplies the batch variances; (m - 1) / m makes them biased, as BatchNorm does not store them.
    """
    check_number("memory", memory, 0, 1, high_open=True)
    n_steps, network = len(run.steps), copy.deepcopy(run.network)
    weights = memory ** np.arange(n_steps - 1, -1, -1.0)
    start = 0 if warm else memory**n_steps
    weights *= (1 - start) / weights.sum()
    for place, norm in enumerate(_norms(network)):
        norm.running_mean[...] = np.tensordot(weights, run[f"mean {place}"], axes=1)
        of_batches = np.tensordot(weights, run[f"var {place}"], axes=1)
        norm.running_var[...] = start + shrink * of_batches
    return network


def _norms(network):
    return [layer for layer in network.layers if isinstance(layer, BatchNorm)]


def watch_averages(batch_size, memory, **settings):
    """Yield (share done, test accuracies so far, or None) for one batch size and memory.

    {"own batch", "running", "population"}: (n_networks,), in %, the same weights with three kinds
    of statistics; {"batch_size", "memory", "n_steps"}: what they belong to. No training is done
    twice: one serves every memory. settings: instead of those of AVERAGES.
    """
    for share, seen in watch_trained(batch_size, **settings):
        if seen is None:
            yield share, None
            continue
        run, data, scores = seen
        running = inference_accuracy(with_memory(run, memory), data.test_inputs, data.test_targets)
        setting = {"batch_size": batch_size, "memory": memory, "n_steps": len(run.steps)}
        yield share, {**setting, **scores, "running": 100 * running}


@remember(maxsize=8)
def watch_trained(batch_size, *, n_networks=16, **settings):
    """Yield (share done, (Run so far, data, what needs no memory) now and then, else None)."""
    data = load_shuffled(n_networks=n_networks)
    settings = {**AVERAGES, "look": last_statistics, "batch_size": batch_size, **settings}
    tests, targets = data.test_inputs, data.test_targets
    for share, runs in watch_arms({"": {}}, data, **settings):
        n_done = len(runs[""].steps)
        if share < 1 and n_done != STEPS_AT_ONCE and n_done % 25:
            yield share, None
            continue
        run = replace(runs[""], network=copy.deepcopy(runs[""].network))  # it learns on
        own = predict_with_batch_statistics(run.network, tests, batch_size)
        population = with_statistics(run.network, data.train_inputs)
        yield share, (run, data, {
            "own batch": 100 * accuracy(own, targets),
            "population": 100 * inference_accuracy(population, tests, targets),
        })


def insert_batch_norm(network, inputs):
    """Return a copy with batch norm behind each hidden Dense that, as it is, changes nothing.

    It stores the mean and the variance of what `inputs` cause there, and γ and β undo both. After
    `with_statistics` on other inputs each unit has its old mean and width on those, too: the
    treatment of batch norm ("AdaBN", Li et al. 2016, section 3) for a network trained without.
    """
    layers = []
    for layer, z in zip(network.layers, record(network, inputs), strict=True):
        if layers and isinstance(layers[-1], Dense):  # z: what a hidden layer hands on
            norm = BatchNorm(z.shape[-1], network.n_networks, dtype=network.dtype)
            norm.running_mean = z.mean(axis=-2).reshape(norm.shape)
            norm.running_var = z.var(axis=-2).reshape(norm.shape)
            norm.gamma, norm.beta = np.sqrt(norm.running_var + norm.eps), norm.running_mean.copy()
            layers.append(norm)
        layers.append(copy.deepcopy(layer))
    return Network(layers)


def class_accuracies(network, inputs, targets):
    """Return the accuracies on class 0 and on class 1, (2, n_networks)."""
    right = predict(network, inputs).argmax(axis=-1) == targets
    return np.array([right.mean(axis=-1, where=targets == one) for one in (0, 1)])


def nine_to_one(inputs, targets):
    """Return some of the inputs and targets: nine of class 0 for each one of class 1."""
    n_ones = min((targets == 0).sum(axis=-1).min() // 9, (targets == 1).sum(axis=-1).min())
    rows = [
        np.concatenate([np.flatnonzero(one == 0)[: 9 * n_ones], np.flatnonzero(one)[:n_ones]])
        for one in targets
    ]
    networks = np.arange(len(targets))[:, None]
    return inputs[networks, rows], targets[networks, rows]
