"""Notebook 03: what layer 3 receives while layers 1 and 2 learn, are kicked or are driven.

Two stations of a network with two hidden layers or more: "z2", what the second activation
receives (batch norm's outputs, if any), and "h2", what the third Dense receives. Recordings use
fresh statistics: batch norm normalises with the moments of the recorded images themselves.
"""

import copy
from dataclasses import asdict, dataclass

import numpy as np

from helpers.arms import train_arms, watch_arms
from helpers.checks import check_choice, check_finite, check_number
from helpers.datasets import load_fashion_mnist
from helpers.intervals import format_number, mean_intervals
from helpers.layer_statistics import (
    layer_places,
    predict_with_batch_statistics,
    record,
    third_dense,
)
from helpers.layers import Dense, ReLU, Sigmoid, Tanh
from helpers.long_work import remember
from helpers.network import Network, mean_loss, multilayer_perceptron, predict

STATIONS = ("z2", "h2")
SILENT_BELOW = 0.02  # the standard deviation of a unit that says nothing
ARMS = {"without": dict(batch_norm=False), "with": dict(batch_norm=True)}


def load_clothes(n_networks=16, *, seed=0):
    """Return the images of this notebook; its probe are the 256 test images."""
    return load_fashion_mnist(n_train=2000, n_test=256, n_networks=n_networks, seed=seed)


def listen(network, probe):
    """Return what arrives at each station, {station: (..., batch, features)}."""
    third, received = third_dense(network), record(network, probe, statistics="fresh")
    second = layer_places(network, (ReLU, Tanh, Sigmoid))[1]
    return {"z2": received[second], "h2": received[third]}


# -- drift: how far the values at a station move from look to look --


class DriftMeter:
    """A look that remembers: how far the values at both stations moved since the look before.

    {"mean at z2", "ranking at h2", ...}: (n_networks,), each quantity of Drift, the median
    over the units that are not silent; {"total mean at z2", ...}: the same since the first look,
    which itself has nothing to tell. probe: (n_probe, features), the same images at every look.
    """

    def __init__(self, probe):
        self.probe, self.first, self.before = probe, None, None

    def __call__(self, network):
        now, before = listen(network, self.probe), self.before
        self.before = now
        if before is None:
            self.first = now
            return {}
        return {
            f"{since}{name} at {station}": values
            for station in STATIONS
            for since, start in (("", before), ("total ", self.first))
            for name, values in median_drift(start[station], now[station]).items()
        }


@dataclass(frozen=True)
class Drift:
    """How far each unit's values moved: arrays (..., features), NaN for units that stay silent.

    mean: |change of the mean|, in standard deviations of the earlier values.
    scale: |log of the ratio of the standard deviations|.
    wasserstein: Wasserstein-1 distance, in earlier standard deviations; contains mean and scale.
    shape: Wasserstein-1 distance after standardising both; what mean and scale do not explain.
    ranking: 1 - correlation over the probe; whether the unit still scores the same inputs high.
    """

    mean: np.ndarray
    scale: np.ndarray
    wasserstein: np.ndarray
    shape: np.ndarray
    ranking: np.ndarray


def measure_drift(before, after):
    """Return the Drift of each unit between two recordings of one probe.

    before, after: (..., batch, features), the same probe in the same order. Units whose standard
    deviation is below SILENT_BELOW in either recording are NaN. Raises ValueError for shapes
    that differ.
    """
    before = check_finite("before", before, dtype=np.float64)
    after = check_finite("after", after, dtype=np.float64)
    if before.shape != after.shape or before.ndim < 2 or not before.size:
        raise ValueError(
            "before and after must both have shape (..., batch, features), "
            f"got {before.shape} and {after.shape}"
        )
    sd_before, sd_after = before.std(axis=-2), after.std(axis=-2)
    alive = (sd_before >= SILENT_BELOW) & (sd_after >= SILENT_BELOW)
    sd_before, sd_after = np.where(alive, sd_before, np.nan), np.where(alive, sd_after, np.nan)
    mean_before, mean_after = before.mean(axis=-2), after.mean(axis=-2)
    centred_before = before - mean_before[..., None, :]
    covariance = (centred_before * (after - mean_after[..., None, :])).mean(axis=-2)
    # In one dimension Wasserstein-1 pairs equally many values in order (tested against scipy);
    # standardising keeps that order, so one sort serves both distances.
    before, after = np.sort(before, axis=-2), np.sort(after, axis=-2)
    standard_before = _standardise(before, mean_before, sd_before)
    standard_after = _standardise(after, mean_after, sd_after)
    return Drift(
        mean=np.abs(mean_after - mean_before) / sd_before,
        scale=np.abs(np.log(sd_after / sd_before)),
        wasserstein=np.abs(after - before).mean(axis=-2) / sd_before,
        shape=np.abs(standard_after - standard_before).mean(axis=-2),
        ranking=1 - covariance / (sd_before * sd_after),
    )


def _standardise(values, mean, sd):
    return (values - mean[..., None, :]) / sd[..., None, :]


def median_drift(before, after):
    """Return {quantity: (n_networks,)}, the median over the units that are not silent."""
    drift = asdict(measure_drift(before, after))
    return {name: np.nanmedian(values, axis=-1) for name, values in drift.items()}


def watch_drift(data, arms=ARMS, *, seed=0, **settings):
    """Watch arms by a DriftMeter on the test images; settings: instead of the notebook's."""
    usual = dict(
        hidden=[64] * 3, n_steps=200, batch_size=128, learning_rate=0.02, every=10,
        look=DriftMeter(data.test_inputs), look_first=True,
    )
    return watch_arms(arms, data, seed=seed, **{**usual, **settings})


# -- ridges: the same stations, recorded for a picture --

RIDGE_STEPS = tuple(range(0, 201, 10))
N_RIDGES = 6  # units that are shown


@remember(maxsize=2)  # 11 MB each
def watch_stations(learning_rate=0.02, batch_size=128):
    """Watch two networks of either arm: run["z2"], run["h2"]: (n_looks, 2, 256, 64) float32."""
    data = load_clothes(n_networks=2)
    yield from watch_drift(
        data, look=lambda network: listen(network, data.test_inputs), dtype=np.float32,
        learning_rate=learning_rate, batch_size=batch_size,
    )


def ridges_at(step=50, station="z2", learning_rate=0.02, batch_size=128):
    """Yield the share of the way to `step`, one of RIDGE_STEPS, and what stands there.

    {"step", "station", "learning_rate", "batch_size"}: as given; {"without", "with"}: {"now",
    "start"}: (256, N_RIDGES), some units of one network on the probe, now and before training;
    "mean": how far the means moved in the last 10 steps, in sd, all units of two networks.
    """
    setting = dict(station=station, learning_rate=learning_rate, batch_size=batch_size)
    for _, runs in watch_stations(learning_rate, batch_size):
        if runs is None:
            continue
        place = min(RIDGE_STEPS.index(step), len(runs["with"].steps) - 1)
        seen = {"step": RIDGE_STEPS[place], **setting}
        for arm, run in runs.items():
            drift = median_drift(*run[station][[max(place - 1, 0), place]])
            # Copies: who keeps them keeps no recording.
            now, start = run[station][[place, 0], 0, :, :N_RIDGES]
            seen[arm] = {"now": now, "start": start, "mean": drift["mean"].mean()}
        yield seen["step"] / step if step else 1, seen
        if seen["step"] == step:
            return


# -- kicks: a sudden change of layers 1 and 2 --

KICKS = ("scale", "common direction", "random")
HURT = ("without", "fresh", "stored")


def run_kick(runs, data, kind="scale", size=2.0, *, n_kicks=3, before=None):
    """Kick the networks of both arms, see `kick`; return how far the test loss rises, in nats.

    runs: {"without": Run, "with": Run}, which meet the same random numbers. before: the
    `probe_losses` of their networks, for whoever kicks them often. Returns {"kind", "size"}, as
    given, and {"without", "fresh", "stored"}: (n_networks,), the means over `n_kicks`.
    """
    networks = [runs[arm].network for arm in ARMS]
    before, rises = probe_losses(*networks, data) if before is None else before, []
    for number in range(n_kicks):
        kicked = [kick(one, kind, size, data.test_inputs, seed=[0, number]) for one in networks]
        rises.append(probe_losses(*kicked, data) - before)
    return {"kind": kind, "size": size, **dict(zip(HURT, np.mean(rises, axis=0)))}


def probe_losses(without, with_norm, data):
    """Return the test losses of two networks in nats, (3, n_networks), in the order of HURT.

    The one with batch norm is judged with fresh statistics, those of the test images, and with
    stored ones.
    """
    logits = [
        predict(without, data.test_inputs),
        predict_with_batch_statistics(with_norm, data.test_inputs),
        predict(with_norm, data.test_inputs),
    ]
    return np.stack([mean_loss(one, data.test_targets) for one in logits])


def kick_texts(result):
    """Return {name: text} of a result of `run_kick`; what must be zero has no interval."""
    zero = HURT if result["size"] == 0 else ("fresh",) if result["kind"] == "scale" else ()
    intervals = zip(HURT, mean_intervals([result[name] for name in HURT]))
    return {
        name: format_number(one.mean, 2) if name in zero else str(one) for name, one in intervals
    }


def kick(network, kind, size, probe, *, seed):
    """Return a copy of networks in lock-step whose first two Dense layers got a kick.

    size: the length of the change relative to the length of the weights that it is added to.
    kind: "scale" multiplies all weights by 1 + size; "common direction" adds to every unit, with
    a random sign, the direction of the mean input that its layer receives on `probe`; "random"
    adds independent normal numbers. seed: of what is random, the same for both arms of a pair.
    Raises ValueError or TypeError for another kind or size.
    """
    check_choice("kind", kind, KICKS)
    size = check_number("size", size, 0)
    twin = copy.deepcopy(network)
    generators = np.random.default_rng(seed).spawn(network.n_networks)
    received = record(network, probe, statistics="fresh") if kind == "common direction" else None
    for place in layer_places(twin, Dense)[:2]:
        change = weights = twin.layers[place].weights
        if kind == "random":
            change = _noise(weights, generators)
        elif kind == "common direction":
            mean = received[place].mean(axis=-2)[..., None]
            signs = np.stack([one.choice([-1, 1], (1, weights.shape[-1])) for one in generators])
            lengths = np.linalg.norm(weights, axis=-2, keepdims=True)  # of each unit's weights
            change = mean / np.linalg.norm(mean, axis=-2, keepdims=True) * signs * lengths
        weights += size * change
    return twin


def _noise(weights, generators):
    """Return normal numbers as long as the weights, (n_networks, n_inputs, n_outputs)."""
    noise = np.stack([one.standard_normal(weights.shape[-2:]) for one in generators])
    return noise * _root_mean_square(weights)


def _root_mean_square(weights):
    return np.sqrt((weights**2).mean(axis=(-2, -1), keepdims=True))


# -- a moving target: layers 1 and 2 are driven from outside and never come to rest --


def build_driven(sizes, **options):
    """Return a `multilayer_perceptron` whose layers 1 and 2 hand values on and learn nothing."""
    network = multilayer_perceptron(sizes, **options)
    third = third_dense(network)
    return Network([_Driven(network.layers[:third]), *network.layers[third:]])


class _Driven(Network):
    """Layers that hand values on, learn nothing and are moved from outside."""

    parameters = ()

    def backward(self, grad_outputs):
        return grad_outputs  # nobody below needs it


def drive(rotation=0.0, growth=0.0):
    """Return a `disturb` for networks of `build_driven`, which moves layers 1 and 2 each step.

    rotation: their weights get noise of this share of their length, and the length is restored;
    growth: they grow by this share.
    """

    def disturb(network, generators):
        for dense in (one for one in network.layers[0].layers if isinstance(one, Dense)):
            weights = dense.weights
            length = _root_mean_square(weights)
            if rotation:
                weights += rotation * _noise(weights, generators)
                weights *= length / _root_mean_square(weights)
            weights *= 1 + growth

    return disturb


DRIVES = {"none": drive(), "rotation": drive(rotation=0.1), "growth": drive(growth=0.02)}


def late_losses(data, name, *, n_steps=120, seed=0):
    """Drive layers 1 and 2 by DRIVES[name]; return {arm: (n_networks,)}.

    The training loss in nats, the mean over the last quarter of the steps.
    """
    disturb = DRIVES[check_choice("name", name, DRIVES)]
    slow = dict(batch_norm=False, learning_rate=0.01)
    runs = train_arms(
        {**ARMS, "without": slow} if name == "growth" else ARMS, data, hidden=[48] * 4,
        n_steps=n_steps, batch_size=128, learning_rate=0.1, seed=seed, build=build_driven,
        disturb=disturb,
    )
    return {arm: run.losses[-(n_steps // 4) :].mean(axis=0) for arm, run in runs.items()}
