"""Notebook 04: how large batch norm's noise is, and the arms that differ in nothing else.

The microscope holds a network still and draws many mini-batches around one image. In LIVE_ARMS the
*update batch* (`batch_size`) and the *statistics group* (`group_size`) are settings of their own.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from helpers.arms import train_arms, watch_arms
from helpers.checks import check_integer
from helpers.datasets import load_fashion_mnist
from helpers.layer_statistics import with_statistics
from helpers.layers import Dense
from helpers.long_work import remember
from helpers.network import mean_loss, multilayer_perceptron, predict
from helpers.randomness import spawn_streams
from helpers.training import train

EPS = 1e-5  # batch norm's own
N_POOL = 1024  # images that the microscope draws its mini-batches from

# -- the microscope: one value over many mini-batches --


def pre_activations(n_units=64, n_networks=None, seed=0):
    """Return what the first layer of untrained networks computes for 1024 images, in float64.

    (N_POOL, n_units), or (n_networks, N_POOL, n_units) with images and weights of their own.
    14 x 14 Fashion-MNIST images times He weights, before batch norm.
    """
    streams = spawn_streams(seed, n_networks)
    images = load_fashion_mnist(N_POOL, n_networks=n_networks, rng=streams.data).train_inputs
    own = dict(n_networks=n_networks, rng=streams.weights, dtype=np.float64)
    layer = Dense(images.shape[-1], n_units, bias=False, **own)
    return layer.forward(images.astype(np.float64), training=False)


def typical_place(values):
    """Return (example, unit) of a value one standard deviation above its unit's mean.

    values: (n_samples, n_units). The unit is the one whose skewness and kurtosis are nearest to
    those of a normal distribution, so that the simple formula for the noise should hold.
    """
    scaled, skewness, kurtosis = _standardised(values)
    unit = int(np.argmin(np.abs(skewness) + np.abs(kurtosis - 3)))
    return int(np.argmin(np.abs(scaled[:, unit] - 1))), unit


def draw_ranks(n_batches, n_samples, example, rng):
    """Return random ranks (n_batches, n_samples); `example` is first in every row.

    Mini-batch b of any size is the samples with ranks[b] < batch_size: drawn without replacement,
    always with the example. 16 bits rank all images that there are.
    """
    others = np.broadcast_to(np.arange(1, n_samples, dtype=np.int16), (n_batches, n_samples - 1))
    return np.insert(rng.permuted(others, axis=1), example, 0, axis=1)


def draw_batches(values, example, batch_size, ranks):
    """Return the x_hat of `example` in the mini-batches of `ranks`, (n_batches, n_units).

    values: (n_samples, n_units). Raises ValueError or TypeError for other batch sizes than
    2 .. n_samples.
    """
    check_integer("batch_size", batch_size, 2, len(values), high_is="the images to draw from")
    scaled, _, _ = _standardised(values)
    # A row of zeros and ones for each mini-batch turns all sums into one matrix product.
    members = (ranks < batch_size).astype(values.dtype) / batch_size
    mean = members @ scaled
    return (scaled[example] - mean) / np.sqrt(members @ scaled**2 - mean**2 + EPS)


def theory_sd(values, example, batch_size):
    """Return the predicted sd of the example's x_hat, (n_units,), for values (n_samples, n_units).

    To first order in 1/m, with u the example's distance from the mean in standard deviations:
        variance = (1 + u * skewness + u**2 * (kurtosis - 1) / 4) / m * (N - m) / (N - 1)
    The 1 is the wobble of the batch mean, the last term in the bracket that of the batch standard
    deviation (u**2 / 2 for a normal unit), the one between them their covariance. The last factor
    is the finite-population correction for draws without replacement (Cochran 1977, chapter 2),
    exact for the mean only. That the example is always in its own batch is left out. Raises
    ValueError or TypeError for other batch sizes than 1 .. n_samples.
    """
    n_samples = len(values)
    check_integer("batch_size", batch_size, 1, n_samples, high_is="the images to draw from")
    scaled, skewness, kurtosis = _standardised(values)
    u = scaled[example]
    bracket = 1 + u * skewness + u**2 * (kurtosis - 1) / 4
    return np.sqrt(bracket / batch_size * (n_samples - batch_size) / (n_samples - 1))


def _standardised(values):
    """Return values with mean 0 and sd 1 over the samples, their skewness and their kurtosis."""
    scaled = (values - values.mean(axis=0)) / values.std(axis=0)
    return scaled, (scaled**3).mean(axis=0), (scaled**4).mean(axis=0)


@remember()
def _microscope_stage():
    values = pre_activations()
    example, unit = typical_place(values)
    return values[:, [unit]], example, draw_ranks(3000, N_POOL, example, np.random.default_rng(1))


def microscope(batch_size):
    """Return what one typical value of one image does over 3000 mini-batches of one size.

    {"batch_size"}: as given; {"value"}: normalised by all images, so without noise; {"x_hat"}:
    (3000,); {"theory_sd"}: as predicted; {"dropout"}: {probability: relative sd}.
    """
    values, example, ranks = _microscope_stage()
    return {
        "batch_size": batch_size,
        "value": _standardised(values)[0][example, 0],
        "x_hat": draw_batches(values, example, batch_size, ranks)[:, 0],
        "theory_sd": theory_sd(values, example, batch_size)[0],
        "dropout": {p: dropout_sd(p) for p in (0.1, 0.2, 0.5)},
    }


def dropout_sd(probability):
    """Return the relative sd that inverted dropout gives to a value."""
    return float(np.sqrt(probability / (1 - probability)))


def measure_noise(values, batch_sizes, n_batches=500, *, seed):
    """Return the noise of a random image in each network, arrays (n_sizes, n_networks).

    values: (n_networks, n_samples, n_units) before batch norm. {"total"}: standard deviation of
    x_hat over mini-batches, mean over units; {"theory"}: as predicted.
    """
    noise = {name: [] for name in ("total", "theory")}
    for one, rng in zip(values, spawn_streams(seed, len(values)).order):
        example = int(rng.integers(len(one)))
        ranks = draw_ranks(n_batches, len(one), example, rng)
        draws = [draw_batches(one, example, size, ranks) for size in batch_sizes]
        noise["total"].append([x_hat.std(axis=0).mean() for x_hat in draws])
        noise["theory"].append([theory_sd(one, example, m).mean() for m in batch_sizes])
    return {name: np.array(sds).T for name, sds in noise.items()}


# -- training runs --

# One pair of threads for all runs: each new thread would get memory of its own, and keep it.
_HALVES = ThreadPoolExecutor(2)
LIVE = dict(hidden=[32, 32], n_steps=100, batch_size=512, learning_rate=0.1, every=5, seed=0)
LIVE_ARMS = {
    "group 512": dict(group_size=512),
    "group 64": dict(group_size=64),
    "group 8": dict(group_size=8),
    "group 4": dict(group_size=4),
    "dropout 0.2": dict(group_size=512, dropout=0.2),
    "dropout 0.5": dict(group_size=512, dropout=0.5),
    "no batch norm": dict(batch_norm=False),
}


def load_live(n_networks=16, n_test=1000, *, seed=0):
    """Return the data of LIVE: 512 small training images, 20% of the labels replaced at random."""
    return load_fashion_mnist(512, n_test, 7, 0.2, n_networks, seed=seed)


def losses_on(data):
    """Return a look at both mean losses, in nats, with the statistics of all training images."""

    def look(network):
        fixed = with_statistics(network, data.train_inputs, share_weights=True)
        train = mean_loss(predict(fixed, data.train_inputs), data.train_targets)
        test = mean_loss(predict(fixed, data.test_inputs), data.test_targets)
        return {"training loss": train, "test loss": test, "gap": test - train}

    return look


def watch_live(arms=LIVE_ARMS, *, n_networks=16, n_test=1000, seed=0, **settings):
    """Train arms as LIVE says, on 512 small images; yields (share done, {arm: Run so far}).

    settings: instead of those of LIVE.
    """
    data = load_live(n_networks, n_test, seed=seed)
    return watch_arms(arms, data, **{**LIVE, "look": losses_on(data), "seed": seed, **settings})


def watch_group(group_size, dropout=0.0, *, grey=None):
    """Train the arm of `watch_live` with these settings; yields (share done, what is seen so far).

    {"group_size", "dropout", "grey"}: as given; {"steps"}: (n_looks,); and what `losses_on` looks
    at, (n_looks, n_networks). In float32: for pictures, not for printed tables. One half of the
    networks trains beside the other: on two cores the reader waits two thirds of the time.
    """
    setting, seen = dict(group_size=group_size, dropout=dropout, grey=grey), []
    data, streams = load_live(16, seed=LIVE["seed"]), spawn_streams(LIVE["seed"], 16)
    networks, trainings, looks, n_steps = [], [], [], LIVE["n_steps"]
    for half in (slice(8), slice(8, 16)):
        inputs, targets = data.train_inputs[half], data.train_targets[half]
        networks.append(multilayer_perceptron(
            [49, *LIVE["hidden"], 10], rng=streams.weights[half], dropout_rng=streams.dropout[half],
            dropout=dropout, group_size=group_size, n_networks=len(inputs),
        ))
        trainings.append(train(
            networks[-1], inputs, targets, n_steps=n_steps, batch_size=LIVE["batch_size"],
            learning_rate=LIVE["learning_rate"], rng=streams.order[half],
        ))
        looks.append(losses_on(replace(data, train_inputs=inputs, train_targets=targets)))
    for n_done in range(1, n_steps + 1):
        list(_HALVES.map(next, trainings))
        if n_done % LIVE["every"] == 0:
            one, other = _HALVES.map(lambda look, network: look(network), looks, networks)
            both = {name: np.append(one[name], other[name]) for name in one}
            seen.append({"steps": n_done, **both})
            so_far = {name: np.array([look[name] for look in seen]) for name in seen[0]}
            yield n_done / n_steps, {**setting, **so_far}


def sweep_batch_sizes(batch_norm, batch_sizes, n_epochs=20, *, n_test=1000, n_networks=16, seed=0):
    """Return {batch size: Run} at equal epochs: noise and number of updates change together."""
    data = load_fashion_mnist(1024, n_test, 14, 0.2, n_networks, seed=seed)
    arms = {m: dict(batch_size=m, n_steps=n_epochs * (1024 // m)) for m in batch_sizes}
    settings = dict(hidden=[32, 32], learning_rate=0.05, look=losses_on(data), seed=seed)
    return train_arms(arms, data, batch_norm=batch_norm, **settings)
