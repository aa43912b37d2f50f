"""Notebook 03: what layer 3 receives while layers 1 and 2 learn, are kicked or are driven.

Two stations of a network with three hidden layers or more: "z2", what the second activation
receives (batch norm's outputs, if any), and "h2", what the third Dense receives. Recordings use
fresh statistics: batch norm normalises with the moments of the recorded images themselves.
"""

import copy
from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np

from helpers.checks import check_choice, check_integer, check_number
from helpers.datasets import load_fashion_mnist, make_read_only
from helpers.experiments.arm import N_SEEDS, Resumable, last_result, start_arm, without_and_with
from helpers.intervals import (
    format_number,
    format_table,
    mean_interval,
    mean_intervals,
    paired_interval,
)
from helpers.layer_statistics import layer_places, predict_with_batch_statistics, record
from helpers.layers import Dense, ReLU, Sigmoid, Tanh
from helpers.network import Network, multilayer_perceptron, softmax_cross_entropy
from helpers.randomness import one_per_network, spawn_streams
from helpers.shift import Drift, measure_drift
from helpers.sweep import made_once, side_by_side
from helpers.training import train

SIZES = (196, 64, 64, 64, 10)
STATIONS = ("z2", "h2")
QUANTITIES = tuple(field.name for field in fields(Drift))
KICKS = ("scale", "common direction", "random")
DRIVES = ("none", "rotation", "growth")


def listen(network, probe):
    """Return what arrives at each station, {station: (..., batch, features)}."""
    received = record(network, probe, statistics="fresh")
    return {
        "z2": received[layer_places(network, (ReLU, Tanh, Sigmoid))[1]],
        "h2": received[layer_places(network, Dense)[2]],
    }


# -- drift: how far the values at a station move every few steps --


@dataclass(frozen=True)
class DriftArm:
    """Networks that were watched while they learned.

    losses: (n_steps, n_networks), of the mini-batches. drift[station][quantity]: between
    checkpoints, (n_checkpoints - 1, n_networks), the median over units; total: the same between
    the first and the last checkpoint, (n_networks,). Quantities are those of `shift.Drift`.
    """

    network: object
    losses: np.ndarray
    drift: dict
    total: dict

    def mean_drift(self, station, quantity):
        """Return the mean over checkpoints, (n_networks,)."""
        return self.drift[station][quantity].mean(axis=0)


@dataclass(frozen=True)
class DriftPair:
    """Two arms with the same data, initial weights and mini-batches, and a probe for both.

    probe_inputs: (n_probe, d), probe_targets: (n_probe,): test images that nobody trains on.
    """

    learning_rate: float
    batch_size: int
    without: DriftArm
    with_norm: DriftArm
    probe_inputs: np.ndarray
    probe_targets: np.ndarray

    @property
    def arms(self):
        return self.without, self.with_norm


def run_drift(
    learning_rate=0.02, *, batch_size=128, n_train=2000, n_probe=256, n_networks=N_SEEDS, seed=0,
    **settings,
):
    """Train with and without batch norm and return a DriftPair.

    settings: the others of `run_drift_arm`, whose `on_step` is called 2 * n_steps times.
    """
    arms = without_and_with(
        run_drift_arm, learning_rate=learning_rate, batch_size=batch_size, n_train=n_train,
        n_probe=n_probe, n_networks=n_networks, seed=seed, **settings,
    )
    data = _load(n_train, n_probe, n_networks, seed)
    return DriftPair(learning_rate, batch_size, *arms, data.test_inputs, data.test_targets)


def run_drift_arm(
    learning_rate=0.02, *, batch_norm, activation="relu", batch_size=128, n_steps=200, every=10,
    n_train=2000, n_probe=256, n_networks=N_SEEDS, seed=0, on_step=None,
):
    """Train one arm and return its DriftArm; arms that share the seed are paired.

    Drift is measured from each checkpoint to the next, `every` steps later, the first before any
    training. `on_step` is called n_steps times. Raises ValueError or TypeError unless `every` is
    between 1 and n_steps.
    """
    check_integer("n_steps", n_steps)
    check_integer("every", every, 1, n_steps, high_is="n_steps")
    return _watch_drift(
        _load(n_train, n_probe, n_networks, seed), batch_norm=batch_norm, activation=activation,
        learning_rate=learning_rate, batch_size=batch_size, n_steps=n_steps, every=every,
        n_networks=n_networks, seed=seed, on_step=on_step,
    )


def drift_table(pairs, station, quantity):
    """Return a text table, one line per DriftPair: per checkpoint, both arms and paired."""
    drifts = [[arm.mean_drift(station, quantity) for arm in pair.arms] for pair in pairs]
    return format_table(
        {
            f"{quantity} at {station}:": [f"rate {pair.learning_rate:g}" for pair in pairs],
            "batch": [pair.batch_size for pair in pairs],
            "without": [mean_interval(without) for without, _ in drifts],
            "with": [mean_interval(with_norm) for _, with_norm in drifts],
            "difference": [paired_interval(after, before) for before, after in drifts],
        }
    )


@made_once(maxsize=1)  # arms share their images
def _load(n_train, n_probe, n_networks, seed, /):  # a keyword would be another key of the cache
    rng = spawn_streams(seed, n_networks).data
    data = load_fashion_mnist(n_train=n_train, n_test=n_probe, n_networks=n_networks, rng=rng)
    make_read_only(data.train_inputs, data.train_targets, data.test_inputs, data.test_targets)
    return data


def _watch_drift(data, **options):
    losses, drift = [], {station: [] for station in STATIONS}
    checkpoints = _checkpoints(data, losses=losses, **options)
    network, _, first = next(checkpoints)
    previous = first
    for _, _, heard in checkpoints:
        for station in STATIONS:
            drift[station].append(_median_drift(previous[station], heard[station]))
        previous = heard
    total = {one: _median_drift(first[one], previous[one]) for one in STATIONS}
    stacked = {
        station: {name: np.array([each[name] for each in parts]) for name in QUANTITIES}
        for station, parts in drift.items()
    }
    return DriftArm(network, np.array(losses), stacked, total)


def _median_drift(before, after):
    """Return {quantity: (n_networks,)}, the median over the units that are not silent."""
    drift = measure_drift(before, after)
    return {name: np.nanmedian(getattr(drift, name), axis=-1) for name in QUANTITIES}


def _checkpoints(
    data, *, batch_norm, activation, learning_rate, batch_size, n_steps, every, n_networks, seed,
    losses, on_step=None, dtype=np.float64,
):
    """Train and yield (network, number of steps done, recordings) at the start and `every` steps.

    The losses of all steps are appended to `losses`.
    """
    network, training = start_arm(
        data.train_inputs, data.train_targets, SIZES, seed=seed, n_networks=n_networks,
        n_steps=n_steps, batch_size=batch_size, learning_rate=learning_rate, dtype=dtype,
        batch_norm=batch_norm, activation=activation,
    )
    yield network, 0, listen(network, data.test_inputs)
    for step in training:
        losses.append(step.losses)
        if on_step is not None:
            on_step()
        if (step.index + 1) % every == 0:
            yield network, step.index + 1, listen(network, data.test_inputs)


# -- ridges: the same recordings, kept for a picture --

RIDGE_STEPS = tuple(range(0, 201, 10))
RIDGE_GRID = np.linspace(-8, 8, 241)
RIDGE_UNITS = 6


@dataclass(frozen=True)
class RidgeArm:
    """The first units of one network at one step.

    density, start_density: (n_units, len(RIDGE_GRID)), over the probe, now and before training.
    marked, start_marked: (n_units,), the values of one image, the probe's first. drift: quantity
    -> number, over the 10 steps before: the median over all units, the mean over two networks.
    """

    density: np.ndarray
    start_density: np.ndarray
    marked: np.ndarray
    start_marked: np.ndarray
    drift: dict


@dataclass(frozen=True)
class Ridges:
    """What both arms show at `station` after `step` steps."""

    step: int
    station: str
    learning_rate: float
    batch_size: int
    without: RidgeArm
    with_norm: RidgeArm

    @property
    def arms(self):
        return self.without, self.with_norm


def ridges_at(step=50, station="z2", learning_rate=0.02, batch_size=128):
    """Yield the share of the way to `step`, one of RIDGE_STEPS, that is done and the Ridges there.

    The last ones are those at `step`. Nothing is trained twice: the recordings of the last few
    settings are kept, and the training goes on from where it stands.
    """
    check_choice("step", step, RIDGE_STEPS)
    check_choice("station", station, STATIONS)
    for _, arms in _recordings(learning_rate, batch_size):
        at = min(step, max(arms[0]))
        heard = [{one: each[station] for one, each in arm.items()} for arm in arms]
        ridges = Ridges(
            at, station, learning_rate, batch_size, *(_ridge_arm(arm, at) for arm in heard)
        )
        yield at / step if step else 1, ridges
        if at == step:
            return


def _ridge_arm(recordings, step):
    now, start = (recordings[at][0, :, :RIDGE_UNITS] for at in (step, 0))
    medians = _median_drift(recordings[max(step - 10, 0)], recordings[step])
    drift = {name: float(values.mean()) for name, values in medians.items()}
    return RidgeArm(_density(now), _density(start), now[0], start[0], drift)


def _density(values, width=0.2):
    """Smooth the distribution of each column of `values` by a normal kernel of sd `width`."""
    distances = (RIDGE_GRID - values.T[..., None]) / width
    return np.exp(-0.5 * distances**2).mean(axis=-2) / (width * np.sqrt(2 * np.pi))


def record_arms(learning_rate, batch_size):
    """Return the recordings of both arms, {step: {station: (2, 256, 64)}}, float32."""
    return last_result(_recordings(learning_rate, batch_size))


@lru_cache(maxsize=8)
def _recordings(learning_rate, batch_size):
    return Resumable(_record(learning_rate, batch_size))


def _record(learning_rate, batch_size, n_networks=2, seed=0):
    """Train both arms side by side; yield the share done and what was recorded so far of each."""
    data = _load(2000, 256, n_networks, seed)
    options = dict(
        activation="relu", learning_rate=learning_rate, batch_size=batch_size,
        n_steps=RIDGE_STEPS[-1], every=10, n_networks=n_networks, seed=seed, dtype=np.float32,
        losses=[],
    )
    arms = {}, {}
    for both in zip(*(_checkpoints(data, batch_norm=one, **options) for one in (False, True))):
        for arm, (_, n_done, heard) in zip(arms, both):
            make_read_only(*heard.values())
            arm[n_done] = heard
        yield n_done / RIDGE_STEPS[-1], tuple(dict(arm) for arm in arms)


# -- kicks: a sudden change of layers 1 and 2 --


@dataclass(frozen=True)
class KickResult:
    """What one kind of kick does to trained networks.

    damage: (3, n_networks), the increase of the probe's loss in nats: without batch norm, with
    batch norm and fresh statistics, with batch norm and stored statistics.
    """

    kind: str
    size: float
    damage: np.ndarray

    @property
    def texts(self):
        """Return the three damages as printed; what is zero by construction has no interval."""
        return [
            format_number(one.mean, 2) if fixed else str(one)
            for one, fixed in zip(mean_intervals(self.damage), self.zero_by_construction)
        ]

    @property
    def zero_by_construction(self):
        """Return for each damage whether it must be 0: no kick, or a factor measured afresh."""
        return [self.size == 0, self.size == 0 or self.kind == "scale", self.size == 0]


def run_kick(pair, kind="scale", size=2.0, *, n_kicks=3, seed=0, before=None):
    """Kick both arms of a DriftPair; return the KickResult, a mean over `n_kicks` kicks.

    Both arms meet the same random numbers. See `kick` for `kind` and `size`. before: the
    `probe_losses` of the networks as they are, for whoever kicks them often.
    """
    networks = [arm.network for arm in pair.arms]
    before = probe_losses(pair, *networks) if before is None else before
    damage = []
    for number in range(n_kicks):
        kicked = [
            kick(network, kind, size, pair.probe_inputs, rng=_kick_rng(seed, number))
            for network in networks
        ]
        damage.append(probe_losses(pair, *kicked) - before)
    return KickResult(kind, size, np.mean(damage, axis=0))


def kick_table(kicks):
    """Return a text table of KickResults: how much the loss rises, and the paired difference."""
    return format_table(
        {
            "kick": [one.kind for one in kicks],
            "size": [format_number(one.size, 1) for one in kicks],
            "without": [one.texts[0] for one in kicks],
            "fresh": [one.texts[1] for one in kicks],
            "stored": [one.texts[2] for one in kicks],
            "stored - without": [paired_interval(one.damage[2], one.damage[0]) for one in kicks],
        }
    )


def ranking_after_kick(pair, kind, size, *, seed=0):
    """Return the ranking drift at h2 that one kick causes: two arrays (n_networks,)."""
    drifts = []
    for arm in pair.arms:
        twin = kick(arm.network, kind, size, pair.probe_inputs, rng=_kick_rng(seed, 0))
        heard, heard_after = (listen(one, pair.probe_inputs)["h2"] for one in (arm.network, twin))
        drifts.append(_median_drift(heard, heard_after)["ranking"])
    return drifts


def kick(network, kind, size, probe, *, rng):
    """Return a copy of `network` whose first two Dense layers got a kick.

    size: the length of the change relative to the length of the weights that it is added to.
    kind: "scale" multiplies all weights by 1 + size; "common direction" adds to every unit, with
    a random sign, the direction of the mean input that its layer receives on `probe`; "random"
    adds independent normal numbers. rng: one Generator or one per network. Raises ValueError or
    TypeError for another kind or size and for a network without a networks axis.
    """
    check_choice("kind", kind, KICKS)
    size = check_number("size", size, 0)
    if network.n_networks is None:
        raise ValueError("network must have a networks axis (n_networks=1 or more), got None")
    twin = copy.deepcopy(network)
    generators = one_per_network(rng, network.n_networks)
    received = record(network, probe, statistics="fresh") if kind == "common direction" else None
    for place in layer_places(twin, Dense)[:2]:
        weights = twin.layers[place].weights
        if kind == "scale":
            weights += size * weights
        elif kind == "random":
            weights += size * _noise(weights, generators)
        else:
            weights += size * _push(weights, received[place].mean(axis=-2), generators)
    return twin


def _noise(weights, generators):
    """Return normal numbers as long as the weights, (n_networks, n_inputs, n_outputs)."""
    noise = np.stack([one.standard_normal(weights.shape[-2:]) for one in generators])
    return noise * _root_mean_square(weights)


def _push(weights, mean_input, generators):
    """Return plus or minus the direction of `mean_input`, as long as each unit's weights."""
    signs = np.stack([one.choice([-1, 1], (1, weights.shape[-1])) for one in generators])
    direction = mean_input / np.linalg.norm(mean_input, axis=-1, keepdims=True)
    return direction[..., None] * signs * np.linalg.norm(weights, axis=-2, keepdims=True)


def _root_mean_square(weights):
    return np.sqrt((weights**2).mean(axis=(-2, -1), keepdims=True))


def _kick_rng(seed, number):
    return np.random.default_rng([seed, number])


def probe_losses(pair, plain, norm):
    """Return the losses on the probe in nats, (3, n_networks), in the order of `damage`.

    plain, norm: networks without and with batch norm, the trained ones of `pair` or kicked ones.
    """
    inputs = pair.probe_inputs
    logits = [
        plain.forward(inputs, training=False),
        predict_with_batch_statistics(norm, inputs),
        norm.forward(inputs, training=False),
    ]
    return np.stack([softmax_cross_entropy(one, pair.probe_targets)[0] for one in logits])


# -- a moving target: layers 1 and 2 are driven from outside and never come to rest --


@dataclass(frozen=True)
class MovingTarget:
    """What driving layers 1 and 2 costs.

    late_loss: {drive: (2, n_networks)}, without and with batch norm: the training loss in nats,
    the mean over the last quarter of the steps.
    """

    late_loss: dict

    def damage(self, drive):
        """Return what the drive adds to the late loss, (2, n_networks)."""
        return self.late_loss[drive] - self.late_loss["none"]


# Chosen among 0.01, 0.03, 0.1 and 0.3 on the training loss, one for each arm, in a trial run.
DRIVEN_RATES = {
    (drive, batch_norm): 0.01 if (drive, batch_norm) == ("growth", False) else 0.1
    for drive in DRIVES
    for batch_norm in (False, True)
}


def run_moving_target(drives=DRIVES, **settings):
    """Drive layers 1 and 2 while the later layers learn; return a MovingTarget.

    settings: those of `run_driven_arm`, whose `on_step` is called 2 * len(drives) * n_steps times.
    Raises ValueError or TypeError unless `drives` are of DRIVES, "none" among them.
    """
    for drive in drives:
        check_choice("drives", drive, DRIVES)
    if "none" not in drives:
        raise ValueError(f"drives must contain 'none', to compare with, got {drives!r}")
    jobs = [
        dict(drive=drive, batch_norm=one, **settings) for drive in drives for one in (False, True)
    ]
    losses = np.array(side_by_side(run_driven_arm, jobs)).reshape(len(drives), 2, -1)
    return MovingTarget(dict(zip(drives, losses)))


def run_driven_arm(
    drive, batch_norm, *, activation="relu", n_steps=120, n_train=2000, batch_size=128,
    n_networks=N_SEEDS, seed=0, on_step=None,
):
    """Drive layers 1 and 2 of one arm; return its late loss, (n_networks,), as in MovingTarget.

    Four hidden layers of 48 units. After every step the weights of the first two get noise of a
    tenth of their length and are set back to that length ("rotation"), or grow by 2% ("growth").
    Arms that share the seed meet the same drive. `on_step` is called n_steps times. Raises
    ValueError or TypeError unless `drive` is one of DRIVES and n_steps >= 4.
    """
    check_choice("drive", drive, DRIVES)
    check_integer("n_steps", n_steps, 4)
    data = _load(n_train, 2, n_networks, seed)
    streams = spawn_streams(seed, n_networks)
    network = multilayer_perceptron(
        [196, 48, 48, 48, 48, 10], rng=streams.weights, batch_norm=batch_norm,
        activation=activation, n_networks=n_networks, dtype=np.float64,
    )
    third = layer_places(network, Dense)[2]
    front = _Driven(network.layers[:third])
    losses = []
    for step in train(
        Network([front, *network.layers[third:]]), data.train_inputs, data.train_targets,
        n_steps=n_steps, batch_size=batch_size, learning_rate=DRIVEN_RATES[drive, batch_norm],
        rng=streams.order,
    ):
        losses.append(step.losses)
        front.move(drive, streams.dropout)  # a stream that nobody else uses
        if on_step is not None:
            on_step()
    return np.mean(losses[-(n_steps // 4) :], axis=0)


class _Driven:
    """Layers that hand values on, learn nothing and are moved from outside."""

    parameters = ()

    def __init__(self, layers):
        self.layers = layers

    def forward(self, inputs, *, training):
        for layer in self.layers:
            inputs = layer.forward(inputs, training=training)
        return inputs

    def backward(self, grad_outputs):
        return grad_outputs  # nobody below needs it

    def move(self, drive, generators):
        for layer in self.layers:
            if isinstance(layer, Dense):
                _drive(layer.weights, drive, generators)


def _drive(weights, drive, generators):
    """Move `weights` in place by one step of the drive."""
    if drive == "growth":
        weights *= 1.02
    elif drive == "rotation":
        length = _root_mean_square(weights)
        weights += 0.1 * _noise(weights, generators)
        weights *= length / _root_mean_square(weights)
