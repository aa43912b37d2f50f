"""Notebook 05's own experiments: does drift cost speed, which learning rates train, how smooth is
the loss?

Each follows a question that a paper asked of large convolutional networks (Santurkar et al. 2018;
Bjorck et al. 2018) and asks it of the course's small ones, in a design of our own.
"""

import copy
import itertools
from dataclasses import dataclass, fields

import numpy as np

from helpers.checks import check_choice, check_finite, check_flag, check_integer, check_number
from helpers.datasets import FASHION_MNIST_FILE, load_fashion_mnist, read_arrays
from helpers.experiments.arm import N_SEEDS, train_arm, without_and_with
from helpers.intervals import (
    format_number,
    format_table,
    interval_ends,
    mean_interval,
    mean_intervals,
    paired_interval,
)
from helpers.layer_statistics import layer_places, predict_with_batch_statistics
from helpers.layers import BatchNorm, Dense
from helpers.network import Network, multilayer_perceptron, softmax_cross_entropy
from helpers.randomness import one_per_network, repeat_streams, spawn_streams
from helpers.sweep import side_by_side
from helpers.training import SGD, minibatches, train

# -- the race of notebook 02, one arm at a time --


@dataclass(frozen=True, eq=False)
class Arm:
    """Training loss of one arm of the race, and when it fell below the threshold.

    steps: (n_checks,), after which the losses were taken. losses: (n_checks, n_networks), nats,
    of fixed training images. first_steps: (n_networks,), the first watched step below the
    threshold, or the last step of the race where there is none; arrived: whether there is one.
    Without a finish line nobody arrives.
    """

    steps: np.ndarray
    losses: np.ndarray
    first_steps: np.ndarray
    arrived: np.ndarray

    @property
    def band(self):
        """Mean loss and the ends of its 95% interval, each (n_checks,)."""
        return interval_ends(mean_intervals(self.losses))

    @property
    def n_late(self):
        """How many networks had not arrived when the race was stopped."""
        return int((~self.arrived).sum())

    @property
    def median_text(self):
        """The median of the first steps as text, ">= 160" where it lies at the cap."""
        median = np.median(self.first_steps)
        at_cap = self.n_late > 0 and median >= self.first_steps.max()
        return (">= " if at_cap else "") + format_number(median, 0)


@dataclass(frozen=True, eq=False)
class Race:
    """Paired arms in one setting: network k of both has the same data, weights and batches.

    threshold: in nats, or None for no finish line; then there are curves, but nothing to win.
    """

    activation: str
    learning_rate: float
    threshold: float
    without: Arm
    with_batch_norm: Arm

    @property
    def arms(self):
        return self.without, self.with_batch_norm

    @property
    def name(self):
        return f"{self.activation}, learning rate {self.learning_rate:g}"

    @property
    def steps_saved(self):
        """Interval of the steps saved; runs stopped by the cap make its mean an underestimate."""
        return paired_interval(self.without.first_steps, self.with_batch_norm.first_steps)

    @property
    def score(self):
        """In how many pairs the network with batch norm was first, level, second.

        Two that were both stopped by the cap are level.
        """
        lead = self.without.first_steps - self.with_batch_norm.first_steps
        return tuple(int((np.sign(lead) == sign).sum()) for sign in (1, 0, -1))


def run_race(activation="relu", learning_rate=0.1, *, threshold=0.5, on_step=None, **settings):
    """Train pairs with and without batch norm and return a Race to `threshold` nats.

    threshold, settings: those of `run_race_arm`, the same for both arms.
    """
    arms = without_and_with(
        run_race_arm, activation=activation, learning_rate=learning_rate, threshold=threshold,
        on_step=on_step, **settings,
    )
    return Race(activation, learning_rate, threshold, *arms)


def run_race_arm(
    activation="relu", learning_rate=0.1, *, batch_norm, threshold=0.5, n_train=2000, n_hidden=5,
    width=48, batch_size=128, n_steps=160, check_every=5, n_probe=256, n_networks=N_SEEDS, seed=7,
    rebuild=None, after_step=None, on_step=None,
):
    """Train one arm of a race and return it; arms that share the seed are paired.

    The loss is taken on the first `n_probe` training images, every `check_every` steps, with
    those images' own statistics. The arm stops when its last network has arrived at `threshold`
    nats, or after `n_steps`; threshold=None is no finish line. Fashion-MNIST, 14 x 14 pixels, a
    subset for each network. `rebuild(network, streams)` returns the network to race with;
    `after_step(step, network, probe_inputs)` watches. Raises ValueError when `check_every` is above
    `n_steps`: such a race would never be looked at.
    """
    n_steps = check_integer("n_steps", n_steps)
    check_integer("check_every", check_every, 1, n_steps, high_is="n_steps")
    if threshold is not None:
        check_number("threshold", threshold, 0, low_open=True)
    streams = spawn_streams(seed, n_networks)
    data = load_fashion_mnist(n_train=n_train, n_networks=n_networks, rng=streams.data)
    network = multilayer_perceptron(
        [196, *[width] * n_hidden, 10], rng=streams.weights, batch_norm=batch_norm,
        activation=activation, n_networks=n_networks, dtype=np.float64,
    )
    if rebuild is not None:
        network = rebuild(network, streams)
    steps = train(
        network, data.train_inputs, data.train_targets, n_steps=n_steps, batch_size=batch_size,
        learning_rate=learning_rate, rng=streams.order,
    )
    probe = data.train_inputs[:, :n_probe], data.train_targets[:, :n_probe]
    return _time_arm(network, steps, probe, threshold, check_every, after_step, on_step)


def _time_arm(network, steps, probe, threshold, check_every, after_step, on_step):
    inputs, targets = probe
    finish = -np.inf if threshold is None else threshold
    losses, arrived = [], np.zeros(network.n_networks, dtype=bool)
    for step in steps:
        if after_step is not None:
            after_step(step, network, inputs)
        if on_step is not None:
            on_step()
        if (step.index + 1) % check_every == 0:
            logits = predict_with_batch_statistics(network, inputs)
            losses.append(softmax_cross_entropy(logits, targets)[0])
            arrived |= losses[-1] < finish
            if arrived.all():
                break
    losses = np.array(losses)
    first_check = np.where(arrived, (losses < finish).argmax(axis=0), len(losses) - 1)
    watched = check_every * np.arange(1, len(losses) + 1)
    return Arm(watched, losses, watched[first_check], arrived)


# -- section 2: if inputs drift more, does training get slow? --


class StepNoise:
    """outputs = inputs * scale + shift: one scale and one shift per unit, drawn for each step.

    All images of a mini-batch meet the same two numbers, so a unit's distribution moves as a
    whole. shift is uniform between -max_shift and max_shift, log(scale) between -log(max_scale)
    and log(max_scale). A forward in training draws them; inference is the identity, except in a
    copy that is `held`. rng: a list with one generator for each network.
    """

    parameters = ()

    def __init__(self, n_features, *, max_shift, max_scale, rng):
        self.n_features = check_integer("n_features", n_features)
        self.max_shift = check_number("max_shift", max_shift, 0)
        self.max_scale = check_number("max_scale", max_scale, 1)
        self.n_networks = len(rng)
        self.rng = one_per_network(rng, self.n_networks)
        self.is_held = False
        self._shift, self._scale = 0.0, 1.0

    def forward(self, inputs, *, training):
        self._is_active = check_flag("training", training) or self.is_held
        if training:
            self._draw(inputs.dtype)
        return inputs * self._scale + self._shift if self._is_active else inputs

    def backward(self, grad_outputs):
        return grad_outputs * self._scale if self._is_active else grad_outputs

    def held(self):
        """Return a copy that adds the noise of the last training step in inference, too."""
        twin = copy.copy(self)
        twin.is_held = True
        return twin

    def _draw(self, dtype):
        draws = np.stack([one.uniform(-1, 1, (2, 1, self.n_features)) for one in self.rng], axis=1)
        shift, log_scale = draws.astype(dtype)  # (n_networks, 1, n_features) each
        self._shift = self.max_shift * shift
        self._scale = np.exp(np.log(self.max_scale) * log_scale)


def add_step_noise(network, *, max_shift, max_scale, rng):
    """Return a Network of the same layers, with StepNoise behind each batch norm.

    rng: a list with one generator for each network, which all noise layers share.
    """
    layers = []
    for layer in network.layers:
        layers.append(layer)
        if isinstance(layer, BatchNorm):
            noise = StepNoise(
                layer.n_features, max_shift=max_shift, max_scale=max_scale, rng=rng
            )
            layers.append(noise)
    return Network(layers)


NOISY_ARMS = ("without", "with", "noisy")  # their headings in tables
DRIFT_STEPS = 40  # drift is compared over the first steps, which all arms of notebook 05 take


@dataclass(frozen=True, eq=False)
class NoisyRace(Race):
    """A Race with a third paired arm: noise behind each batch norm.

    drift: (3, n_networks), in the order of `arms`: how far the mean of what layer 3 receives
    moves from one step to the next, in standard deviations: the median over units, the mean over
    the first DRIFT_STEPS steps.
    """

    noisy: Arm
    drift: np.ndarray

    @property
    def arms(self):
        return self.without, self.with_batch_norm, self.noisy

    @property
    def steps_saved_despite_noise(self):
        """Interval of the steps that noisy batch norm saves against none; below 0, it is slower.

        A run stopped by the cap counts as arrived there.
        """
        return paired_interval(self.without.first_steps, self.noisy.first_steps)

    @property
    def cost_of_noise(self):
        """Interval of the steps that the noise adds to batch norm; the cap makes it too small."""
        return paired_interval(self.noisy.first_steps, self.with_batch_norm.first_steps)


def run_noisy_race(activation="relu", learning_rate=0.1, **settings):
    """Race networks without batch norm, with it, and with noise behind it; return a NoisyRace.

    settings: as in `run_noisy_races`.
    """
    return run_noisy_races([learning_rate], activation=activation, **settings)[0]


def run_noisy_races(
    learning_rates, *, activation="relu", max_shift=0.5, max_scale=1.5, threshold=0.5,
    on_step=None, **settings,
):
    """Return a NoisyRace at each of the learning rates.

    settings: those of `run_race_arm`, the same for all arms. Calls `on_step()` at most
    3 * n_steps times for each race.
    """
    settings |= dict(activation=activation, threshold=threshold, on_step=on_step)
    noise = dict(max_shift=max_shift, max_scale=max_scale)
    ways = [
        dict(run=run_race_arm, batch_norm=False), dict(run=run_race_arm, batch_norm=True),
        dict(run=run_noisy_arm, **noise),
    ]
    jobs = [
        dict(learning_rate=rate, **way, **settings) for rate in learning_rates for way in ways
    ]
    watched = side_by_side(_watch_mean, jobs)
    races = []
    for place, rate in enumerate(learning_rates):
        arms, drift = zip(*watched[place * len(ways) : (place + 1) * len(ways)])
        races.append(NoisyRace(activation, rate, threshold, *arms, np.array(drift)))
    return races


def _watch_mean(run, **settings):
    watch = _MeanWatch()
    return run(after_step=watch, **settings), watch.drift


def run_noisy_arm(
    activation="relu", learning_rate=0.1, *, max_shift=0.5, max_scale=1.5, **settings
):
    """Return the Arm of networks with StepNoise behind each batch norm.

    Our own design, after Santurkar et al. 2018, section 2.1: they add noise to each activation of
    each example, from a distribution that changes in every step; here all examples of a step meet
    the same shift and the same stretch, so the distribution moves and nothing else happens to it.
    The noise comes from the seed's `dropout` stream and is off when the training loss is taken.
    settings: those of `run_race_arm`, with whose arms of the same seed this one is paired.
    """

    def add_noise(network, streams):
        return add_step_noise(
            network, max_shift=max_shift, max_scale=max_scale, rng=streams.dropout
        )

    return run_race_arm(activation, learning_rate, batch_norm=True, rebuild=add_noise, **settings)


def drift_table(races):
    """Return a text table of NoisyRaces: how far layer 3's inputs move per step, in sd."""
    drifts = {
        name: [mean_interval(race.drift[place]) for race in races]
        for place, name in enumerate(NOISY_ARMS)
    }
    return format_table({"drift per step": [race.name for race in races], **drifts})


def steps_table(races):
    """Return a text table of NoisyRaces: median steps, who was too late, and what noise saves."""
    medians = {
        name: [race.arms[place].median_text for race in races]
        for place, name in enumerate(NOISY_ARMS)
    }
    late = [" / ".join(str(arm.n_late) for arm in race.arms) for race in races]
    return format_table(
        {
            "median steps": [race.name for race in races],
            **medians,
            "too late": late,
            "without - noisy": [race.steps_saved_despite_noise for race in races],
            "noisy - with": [race.cost_of_noise for race in races],
        }
    )


class _MeanWatch:
    """Follows the mean of what layer 3 receives, on a fixed probe, noise of the step included."""

    def __init__(self):
        self._moments, self._moves = None, []

    def __call__(self, _step, network, probe):
        if len(self._moves) == DRIFT_STEPS:
            return
        front = [
            layer.held() if isinstance(layer, StepNoise) else layer
            for layer in network.layers[: layer_places(network, Dense)[2]]
        ]
        received = predict_with_batch_statistics(Network(front), probe)
        mean, sd = received.mean(axis=-2), received.std(axis=-2)
        if self._moments is not None:
            before, sd_before = self._moments
            # Not measure_drift: a unit that falls silent in this very step has moved, and counts.
            with np.errstate(all="ignore"):  # units that stay silent
                moves = np.where(sd_before > 0.02, np.abs(mean - before) / sd_before, np.nan)
            self._moves.append(np.nanmedian(moves, axis=-1))
        self._moments = mean, sd

    @property
    def drift(self):
        return np.mean(self._moves, axis=0)


# -- section 3: which learning rates train? --

LEARNING_RATES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
TRAINED_BELOW = 1.0  # nats; guessing is at log(10) = 2.3


@dataclass(frozen=True, eq=False)
class RateSweep:
    """The same networks trained with several learning rates, paired across rates by seed.

    learning_rates: (n_rates,). final_losses: (n_rates, n_networks), nats: the mini-batch loss,
    the mean over the last 10 steps, inf where training diverged.
    """

    activation: str
    depth: int
    init_scale: float
    batch_norm: bool
    learning_rates: np.ndarray
    final_losses: np.ndarray

    @property
    def typical_losses(self):
        """Median of the final losses over networks, (n_rates,)."""
        return np.median(self.final_losses, axis=1)

    @property
    def trains(self):
        """Which rates train, (n_rates,): the typical loss ends below TRAINED_BELOW."""
        return self.typical_losses < TRAINED_BELOW

    @property
    def best(self):
        """Place of the learning rate with the lowest mean final loss."""
        return int(self.final_losses.mean(axis=1).argmin())

    @property
    def range_text(self):
        """The rates that train as text: "0.1 to 3", or "none"."""
        rates = [f"{rate:g}" for rate in self.learning_rates[self.trains]]
        return " to ".join(dict.fromkeys((rates[0], rates[-1]))) if rates else "none"


def measure_learning_rates(
    activation="relu", depth=3, init_scale=1.0, batch_norm=True, *,
    learning_rates=LEARNING_RATES, n_networks=N_SEEDS, n_steps=100, n_train=1000, width=32,
    batch_size=128, seed=0, on_step=None,
):
    """Train with every learning rate and return a RateSweep.

    depth: layers of weights, one more than hidden layers. Fashion-MNIST at 7 x 7 pixels, plain
    gradient descent without momentum. All rates train in one lock-step batch; network k meets
    the same data, initial weights and mini-batches at each rate, with and without batch norm.
    Raises ValueError or TypeError for arguments out of range.
    """
    check_integer("depth", depth, 2)
    check_integer("n_steps", n_steps, 10)
    rates = check_finite("learning_rates", learning_rates, dtype=np.float64)
    if rates.ndim != 1 or not rates.size:
        raise ValueError(f"learning_rates must hold at least one rate, got shape {rates.shape}")
    n_all = len(rates) * check_integer("n_networks", n_networks)
    streams = repeat_streams(seed, n_networks, len(rates))
    data = load_fashion_mnist(n_train, image_size=7, n_networks=n_all, rng=streams.data)
    network = multilayer_perceptron(
        [49, *[width] * (depth - 1), 10], rng=streams.weights, batch_norm=batch_norm,
        activation=activation, init_scale=init_scale, n_networks=n_all, dtype=np.float64,
    )
    losses = []
    for step in train(
        network, data.train_inputs, data.train_targets, n_steps=n_steps, batch_size=batch_size,
        learning_rate=np.repeat(rates, n_networks), momentum=0.0, rng=streams.order,
    ):
        losses.append(step.losses)
        if on_step is not None:
            on_step()
    final_losses = np.mean(losses[-10:], axis=0).reshape(len(rates), n_networks)
    return RateSweep(activation, depth, init_scale, batch_norm, rates, final_losses)


@dataclass(frozen=True, eq=False)
class RatePair:
    """Two RateSweeps in one setting, paired: network k of both has the same data and batches.

    Each arm's best rate is chosen on the training loss that is then compared, for both alike.
    """

    without: RateSweep
    with_batch_norm: RateSweep

    @property
    def arms(self):
        return self.without, self.with_batch_norm

    @property
    def name(self):
        one = self.without
        return f"{one.activation}, depth {one.depth}, initial weights × {one.init_scale:g}"

    @property
    def best_rates(self):
        """The learning rate with the lowest mean final loss: (without, with batch norm)."""
        return tuple(float(arm.learning_rates[arm.best]) for arm in self.arms)

    @property
    def best_losses(self):
        """Final losses at those rates, (2, n_networks)."""
        return np.array([arm.final_losses[arm.best] for arm in self.arms])

    @property
    def best_difference(self):
        """Interval of the final loss, each arm at its best rate: with batch norm - without."""
        return paired_interval(*self.best_losses[::-1])

    def difference_at(self, learning_rate):
        """Return the same Interval with both arms at one learning rate, or raise ValueError."""
        rates = self.without.learning_rates.tolist()
        place = rates.index(check_choice("learning_rate", learning_rate, rates))
        without, with_batch_norm = (arm.final_losses[place] for arm in self.arms)
        return paired_interval(with_batch_norm, without)


# -- the map: all of this for many settings, computed beforehand --

MAP_FILE = FASHION_MNIST_FILE.with_name("learning_rate_map.npz")
MAP_AXES = {
    "activation": ("relu", "tanh", "sigmoid"),
    "depth": (3, 5, 10),
    "init_scale": (0.2, 1.0, 5.0),
    "batch_norm": (False, True),
}


@dataclass(frozen=True, eq=False)
class LearningRateMap:
    """A RateSweep for every combination of MAP_AXES.

    learning_rates: (n_rates,). final_losses: (3, 3, 3, 2, n_rates, n_networks), the first four
    axes in the order of MAP_AXES.
    """

    learning_rates: np.ndarray
    final_losses: np.ndarray

    def sweep(self, **setting):
        """Return the RateSweep of one value for each of MAP_AXES; ValueError for another value."""
        place = tuple(
            allowed.index(check_choice(name, setting[name], allowed))
            for name, allowed in MAP_AXES.items()
        )
        return RateSweep(
            **setting, learning_rates=self.learning_rates, final_losses=self.final_losses[place]
        )

    def pair(self, activation="relu", depth=3, init_scale=1.0):
        """Return the RatePair of a setting."""
        setting = {"activation": activation, "depth": depth, "init_scale": init_scale}
        return RatePair(*(self.sweep(**setting, batch_norm=one) for one in (False, True)))

    @property
    def pairs(self):
        """All RatePairs of the map."""
        settings = itertools.product(*(MAP_AXES[name] for name in list(MAP_AXES)[:3]))
        return [self.pair(*setting) for setting in settings]

    @property
    def score(self):
        """In how many settings more, as many, fewer rates train with batch norm."""
        counts = np.array([[arm.trains.sum() for arm in pair.arms] for pair in self.pairs])
        signs = np.sign(counts[:, 1] - counts[:, 0])
        return tuple(int((signs == sign).sum()) for sign in (1, 0, -1))


def rates_table(pairs):
    """Return a text table of RatePairs: the learning rates that train."""
    return format_table(
        {
            "rates that train": [pair.name for pair in pairs],
            "without": [pair.without.range_text for pair in pairs],
            "with": [pair.with_batch_norm.range_text for pair in pairs],
        }
    )


def tuned_table(pairs, learning_rate=0.1):
    """Return a text table: final losses at each arm's best rate, and paired differences."""
    losses = [mean_intervals(pair.best_losses) for pair in pairs]
    rates = [" / ".join(f"{rate:g}" for rate in pair.best_rates) for pair in pairs]
    return format_table(
        {
            "final loss": [pair.name for pair in pairs],
            "best rates": rates,
            "without": [without for without, _ in losses],
            "with": [with_batch_norm for _, with_batch_norm in losses],
            "difference": [pair.best_difference for pair in pairs],
            f"both at {learning_rate:g}": [pair.difference_at(learning_rate) for pair in pairs],
        }
    )


def load_learning_rate_map(path=MAP_FILE):
    """Return the LearningRateMap in data/, which `python -m helpers.experiments.precompute` writes.

    Raises FileNotFoundError when the file is missing, ValueError when it is damaged or holds
    other settings.
    """
    restore = (
        f"Restore it with `git checkout -- data/{path.name}` or compute it anew, in some minutes, "
        "with `python -m helpers.experiments.precompute`."
    )
    fields_of_map = [field.name for field in fields(LearningRateMap)]
    arrays = read_arrays(path, [*MAP_AXES, *fields_of_map], restore)
    axes = {name: arrays[name].tolist() for name in MAP_AXES}
    if axes != {name: list(values) for name, values in MAP_AXES.items()}:
        raise ValueError(f"{path} holds other settings than {MAP_AXES}, got {axes}. {restore}")
    rate_map = LearningRateMap(*(arrays[name] for name in fields_of_map))
    if difference := _misfit(rate_map):
        raise ValueError(f"{path} is altered: {difference}. {restore}")
    return rate_map


def _misfit(rate_map):
    """Return in words what is wrong with the arrays of a LearningRateMap, None if nothing is."""
    rates, losses = rate_map.learning_rates, rate_map.final_losses
    if rates.dtype != np.float64 or rates.ndim != 1 or not rates.size:
        return f"learning_rates must be float64 (n_rates,), got {rates.dtype} {rates.shape}"
    expected = (*map(len, MAP_AXES.values()), len(rates))
    if losses.dtype != np.float64 or losses.shape[:-1] != expected or not losses.size:
        wanted = ", ".join(map(str, expected))
        return (
            f"final_losses must be float64 ({wanted}, n_networks), got {losses.dtype} "
            f"{losses.shape}"
        )
    return None


# -- section 4: is it smoothness? --


@dataclass(frozen=True, eq=False)
class SmoothnessArm:
    """How the loss behaves along the negative gradient; (n_networks,), medians over points.

    loss_change: nats, after one long step. cosine: of the gradients before and after a middle
    step. beta: length of the gradient's change per length of a short step.
    """

    loss_change: np.ndarray
    cosine: np.ndarray
    beta: np.ndarray


@dataclass(frozen=True, eq=False)
class Smoothness:
    """Two paired arms in one setting."""

    activation: str
    without: SmoothnessArm
    with_batch_norm: SmoothnessArm

    @property
    def arms(self):
        return self.without, self.with_batch_norm

    def difference(self, quantity):
        """Return the paired Interval of a field of SmoothnessArm, with batch norm - without."""
        without, with_batch_norm = (getattr(arm, quantity) for arm in self.arms)
        return paired_interval(with_batch_norm, without)


def smoothness_table(results):
    """Return a text table of Smoothness results, one line per activation and quantity."""
    quantities = [field.name for field in fields(SmoothnessArm)]
    lines = [(result, quantity) for quantity in quantities for result in results]
    without, with_batch_norm = (
        [mean_interval(getattr(result.arms[place], quantity)) for result, quantity in lines]
        for place in (0, 1)
    )
    return format_table(
        {
            "": [f"{quantity}, {result.activation}" for result, quantity in lines],
            "without": without,
            "with": with_batch_norm,
            "difference": [result.difference(quantity) for result, quantity in lines],
        }
    )


LONG_STEP, MIDDLE_STEP, SHORT_STEP = 1.0, 0.1, 0.03
VISITED_STEPS = (5, 15, 25)


def measure_smoothness(
    activation="relu", *, learning_rate=0.1, visited=VISITED_STEPS, n_train=2000, n_hidden=5,
    width=48, batch_size=128, n_networks=N_SEEDS, seed=0, on_step=None,
):
    """Walk along the negative gradient from points of a training run; return the Smoothness.

    After each number of steps in `visited`, plain gradient descent halts and looks at the
    mini-batch that comes next: its loss and gradient here, and after steps of LONG_STEP,
    MIDDLE_STEP and SHORT_STEP times the negative gradient (after Santurkar et al. 2018, section
    3.2, who also measure how loss and gradient vary along that line). Calls `on_step()`
    2 * max(visited) times.
    """
    settings = dict(
        sizes=[196, *[width] * n_hidden, 10], n_steps=max(visited), n_train=n_train, momentum=0.0,
        activation=activation, learning_rate=learning_rate, batch_size=batch_size,
        n_networks=n_networks, seed=seed, on_step=on_step,
    )
    arms = without_and_with(_smoothness_arm, visited=visited, **settings)
    return Smoothness(activation, *arms)


def _smoothness_arm(visited, **settings):
    points = []

    def look(n_done, network, next_batch):
        if n_done in visited:
            points.append(_look_around(network, *next_batch))

    _train_with_foresight(look, **settings)
    return SmoothnessArm(*np.median(points, axis=0))


def _look_around(network, inputs, targets):
    """Return loss_change, cosine and beta at the network's place, (3, n_networks)."""
    here = copy.deepcopy(network)
    loss, gradient = _loss_and_gradient(here, inputs, targets)
    (far_loss, _), (_, middle), (_, near) = (
        _loss_and_gradient(_step_down(here, size), inputs, targets)
        for size in (LONG_STEP, MIDDLE_STEP, SHORT_STEP)
    )
    cosine = (gradient * middle).sum(axis=-1) / (_length(gradient) * _length(middle))
    beta = _length(near - gradient) / (SHORT_STEP * _length(gradient))
    return np.array([far_loss - loss, cosine, beta])


def _loss_and_gradient(network, inputs, targets):
    """Return the losses (n_networks,) and all gradients in a row, (n_networks, n_parameters)."""
    losses, grad_logits = softmax_cross_entropy(network.forward(inputs, training=True), targets)
    network.backward(grad_logits, to_inputs=False)
    gradients = [
        getattr(layer, "grad_" + name).reshape(network.n_networks, -1)
        for layer in network.layers
        for name in layer.parameters
    ]
    return losses, np.concatenate(gradients, axis=-1)


def _step_down(network, size):
    """Return a copy, `size` times the gradient that the network holds further down."""
    twin = copy.deepcopy(network)
    SGD(twin.layers, learning_rate=size, momentum=0.0).step()
    return twin


def _length(vectors):
    return np.linalg.norm(vectors, axis=-1)


def _train_with_foresight(look, *, sizes, n_train, batch_size, n_networks, seed, **settings):
    """Train one arm and call `look(steps done, network, next_batch)` after each step.

    next_batch: (inputs, targets) of the mini-batch that comes next. settings: those of `train_arm`.
    """
    rng = spawn_streams(seed, n_networks).data
    data = load_fashion_mnist(n_train, n_networks=n_networks, rng=rng)
    # The same seed gives the same order: this second walk is one mini-batch ahead of training.
    order = spawn_streams(seed, n_networks).order
    batches = minibatches(n_train, batch_size, n_networks=n_networks, rng=order)
    next(batches)

    def look_ahead(step, network):
        rows = np.arange(n_networks)[:, None], next(batches)
        look(step.index + 1, network, (data.train_inputs[rows], data.train_targets[rows]))

    train_arm(
        data.train_inputs, data.train_targets, sizes, seed=seed, n_networks=n_networks,
        batch_size=batch_size, after_step=look_ahead, **settings,
    )


# -- go deeper: the shift of a gradient --


@dataclass(frozen=True, eq=False)
class GradientShift:
    """How much the update of the layers below turns layer 3's gradient, in paired arms.

    without, with_batch_norm: (n_checkpoints, n_networks), |G - G'| / |G| for layer 3's weights:
    G before, G' after the layers below were updated, on the same mini-batch.
    """

    activation: str
    learning_rate: float
    without: np.ndarray
    with_batch_norm: np.ndarray

    @property
    def late(self):
        """Means over the second half of the checkpoints, (2, n_networks)."""
        half = len(self.without) // 2
        arms = self.without, self.with_batch_norm
        return np.array([arm[half:].mean(axis=0) for arm in arms])

    @property
    def difference(self):
        """Paired Interval of `late`, with batch norm minus without."""
        return paired_interval(*self.late[::-1])


def gradient_shift_table(results):
    """Return a text table of GradientShifts: the means over the second half of training."""
    arms = [mean_intervals(result.late) for result in results]
    return format_table(
        {
            "|G - G'| / |G|": [f"{one.activation}, rate {one.learning_rate:g}" for one in results],
            "without": [without for without, _ in arms],
            "with": [with_batch_norm for _, with_batch_norm in arms],
            "difference": [result.difference for result in results],
        }
    )


def measure_gradient_shift(
    activation="relu", learning_rate=0.1, *, n_steps=200, every=10, n_train=2000, batch_size=128,
    n_networks=N_SEEDS, seed=0, on_step=None,
):
    """Return the GradientShift of layer 3 in 196-64-64-64-10 networks, every `every` steps.

    The definition of internal covariate shift by Santurkar et al. 2018, section 2.2, divided by
    the length of G. Calls `on_step()` 2 * n_steps times. Raises ValueError unless `every`, at
    least 2, is at most half of n_steps.
    """
    check_integer("n_steps", n_steps, 4)
    check_integer("every", every, 2, n_steps // 2, high_is="half of n_steps")
    settings = dict(
        sizes=[196, 64, 64, 64, 10], n_steps=n_steps, n_train=n_train, activation=activation,
        learning_rate=learning_rate, batch_size=batch_size, n_networks=n_networks, seed=seed,
        on_step=on_step,
    )
    arms = without_and_with(_gradient_shifts, every=every, **settings)
    return GradientShift(activation, learning_rate, *arms)


def _gradient_shifts(every, **settings):
    shifts, before = [], ()

    def look(n_done, network, next_batch):
        nonlocal before
        if n_done % every == 0:
            shifts.append(_gradient_shift(*before, after=network))
        elif n_done % every == every - 1:
            before = copy.deepcopy(network), *next_batch

    _train_with_foresight(look, **settings)
    return np.array(shifts)


def _gradient_shift(before, inputs, targets, *, after):
    """Return |G - G'| / |G| of layer 3's weights on one mini-batch, (n_networks,)."""
    third = layer_places(before, Dense)[2]
    mixed = copy.deepcopy(Network(after.layers[:third] + before.layers[third:]))
    gradients = []
    for network in (before, mixed):
        _loss_and_gradient(network, inputs, targets)
        gradients.append(network.layers[third].grad_weights.reshape(network.n_networks, -1))
    old, new = gradients
    return _length(new - old) / _length(old)
