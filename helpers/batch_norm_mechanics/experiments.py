"""Notebook 02: one value in its mini-batch, running averages for any memory, uneven classes."""

import copy
from dataclasses import replace

import numpy as np

from helpers.arms import STEPS_AT_ONCE, first_below, never_below, watch_arms
from helpers.checks import check_number
from helpers.datasets import load_fashion_mnist
from helpers.intervals import median_text, paired_interval
from helpers.layer_statistics import predict_with_batch_statistics, with_statistics
from helpers.layers import BatchNorm
from helpers.long_work import finish, remember
from helpers.network import accuracy, inference_accuracy
from helpers.randomness import spawn_streams

# -- section 1: the race --


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
    first = [{arm: first_below(threshold, run) for arm, run in race.items()} for race in runs]
    reference, *others = first[0]
    columns = {"setting": races, **median_arrivals(threshold, runs)}
    for arm in others:
        of = "" if len(others) == 1 else f", {arm}"
        columns[f"steps saved{of}"] = [paired_interval(one[reference], one[arm]) for one in first]
        leads = [np.sign(one[reference] - one[arm]) for one in first]
        columns[f"won, level, lost{of}"] = [
            ", ".join(str((lead == sign).sum()) for sign in (1, 0, -1)) for lead in leads
        ]
    return columns | {"late": [never_below(threshold, race[reference]).sum() for race in runs]}


# -- section 2: one unit, one mini-batch --

OUTLIER_ROW = 0


def hidden_values(n_images, *, n_units=3, seed=5):
    """Return what untrained units compute for Fashion-MNIST pictures, (n_images, n_units).

    Fewer images are the first ones of more. Raises ValueError or TypeError.
    """
    streams = spawn_streams(seed)
    data = load_fashion_mnist(n_train=n_images, rng=streams.data)
    weights = np.sqrt(2 / 196) * streams.weights.standard_normal((n_units, 196))
    return data.train_inputs.astype(np.float64) @ weights.T


def normalise_one_batch(batch_size=8, gamma=1.0, beta=0.0, push=0.0):
    """Return one unit's values for `batch_size` images, from 1, one of them moved by `push`.

    {"before", "after"}: (batch_size,), before and after batch norm; {"quiet before", "quiet
    after"}: the same without the push; {"gamma", "beta"}: as given.
    """
    quiet = hidden_values(batch_size)[:, 0]
    pushed = quiet.copy()
    pushed[OUTLIER_ROW] += check_number("push", push)
    after, quiet_after = (_normalise(values, gamma, beta) for values in (pushed, quiet))
    return {
        "before": pushed, "after": after, "quiet before": quiet, "quiet after": quiet_after,
        "gamma": gamma, "beta": beta,
    }


def _normalise(values, gamma, beta, eps=1e-5):
    # BatchNorm refuses a batch of 1, which is the first thing to see here.
    return gamma * (values - values.mean()) / np.sqrt(values.var() + eps) + beta


def nudge_inputs(norm, inputs, grad_outputs, step=1e-5):
    """Return the gradient of sum(grad_outputs * outputs), measured by central differences.

    Each entry of `inputs`, (batch, features) float64, is moved up and down by `step` while the
    layer runs in training mode, which also moves the running statistics of a copy only.
    """
    norm = copy.deepcopy(norm)
    gradient = np.empty_like(inputs)
    for place in np.ndindex(inputs.shape):
        ends = []
        for direction in (step, -step):
            nudged = inputs.copy()
            nudged[place] += direction
            ends.append((grad_outputs * norm.forward(nudged, training=True)).sum())
        gradient[place] = (ends[0] - ends[1]) / (2 * step)
    return gradient


# -- section 3: whose mean at test time --

AVERAGES = dict(
    hidden=[64, 64], n_steps=150, learning_rate=0.05, memory=0.0, every=1, seed=0,
)


def load_shuffled(n_train=1024, n_test=1024, n_networks=16, seed=0):
    """Return FashionMNIST data whose test images each network meets in an order of its own.

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
    norms = _norms(network)
    means = {f"mean {place}": norm.running_mean.copy() for place, norm in enumerate(norms)}
    return means | {f"var {place}": norm.running_var.copy() for place, norm in enumerate(norms)}


def with_memory(run, memory, *, shrink=1.0):
    """Return a copy of the networks with the running statistics that `memory` would have left.

    run: of networks of memory 0, with `last_statistics` after each step. Running statistics never
    influence training, so one run serves every memory: we replay
        running <- memory * running + (1 - memory) * batch
    from mean 0 and variance 1. shrink: multiplies the batch variances; (m - 1) / m makes them
    biased, as BatchNorm does not store them.
    """
    check_number("memory", memory, 0, 1, high_open=True)
    network = copy.deepcopy(run.network)
    for place, norm in enumerate(_norms(network)):
        norm.running_mean[...] = _replay(run[f"mean {place}"], memory, start=0.0)
        norm.running_var[...] = _replay(shrink * run[f"var {place}"], memory, start=1.0)
    return network


def _replay(batches, memory, start):
    n_steps = len(batches)
    weights = (1 - memory) * memory ** np.arange(n_steps - 1, -1, -1)
    return start * memory**n_steps + np.tensordot(weights, batches, axes=1)


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
        running = 100 * inference_accuracy(with_memory(run, memory), *_tests(data))
        setting = {"batch_size": batch_size, "memory": memory, "n_steps": len(run.steps)}
        yield share, {**setting, **scores, "running": running}


def compare_averages(batch_size, memory, **settings):
    """Return the last result of `watch_averages`."""
    return finish(watch_averages(batch_size, memory, **settings))


load_once = remember(maxsize=1)(load_shuffled)


@remember(maxsize=8)
def watch_trained(batch_size, *, n_networks=16, every_accuracies=25, **settings):
    """Yield (share done, (Run so far, the data, what needs no memory) now and then, else None)."""
    data = load_once(n_networks=n_networks)
    settings = {**AVERAGES, "look": last_statistics, "batch_size": batch_size, **settings}
    for share, runs in watch_arms({"": {}}, data, **settings):
        run = None if runs is None else runs[""]
        n_done = 0 if run is None else len(run.steps)
        if share < 1 and n_done != STEPS_AT_ONCE and n_done % every_accuracies:
            yield share, None
            continue
        run = replace(run, network=copy.deepcopy(run.network))  # it learns on
        own = predict_with_batch_statistics(run.network, data.test_inputs, batch_size)
        population = with_statistics(run.network, data.train_inputs)
        yield share, (run, data, {
            "own batch": 100 * accuracy(own, data.test_targets),
            "population": 100 * inference_accuracy(population, *_tests(data)),
        })


def _tests(data):
    return data.test_inputs, data.test_targets


def _norms(network):
    return [layer for layer in network.layers if isinstance(layer, BatchNorm)]


# -- go deeper: uneven classes --


def balanced_accuracy(network, inputs, targets):
    """Return the mean of the accuracies on classes 0 and 1, (n_networks,)."""
    right = network.forward(inputs, training=False).argmax(axis=-1) == targets
    shares = [(right & (targets == c)).sum(axis=-1) / (targets == c).sum(axis=-1) for c in (0, 1)]
    return np.mean(shares, axis=0)


def nine_to_one(inputs, targets):
    """Return some of the inputs and targets: nine of class 0 for each one of class 1."""
    n_ones = min((targets == 0).sum(axis=-1).min() // 9, (targets == 1).sum(axis=-1).min())
    rows = [
        np.concatenate([np.flatnonzero(one == 0)[: 9 * n_ones], np.flatnonzero(one)[:n_ones]])
        for one in targets
    ]
    networks = np.arange(len(targets))[:, None]
    return inputs[networks, rows], targets[networks, rows]
