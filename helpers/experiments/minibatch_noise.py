"""Notebook 04: how large batch norm's noise is, and whether it regularises.

Two kinds of experiment. The microscope holds a network still and draws many mini-batches around
one image. The training runs compare arms that are paired by seed: same training images, same wrong
labels, same initial weights. In `train_run` the *update batch* (`batch_size`) and the *statistics
group* (`group_size`) are settings of their own; the naive sweep changes both together.
"""

from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np

from helpers.checks import check_integer, check_number
from helpers.datasets import load_fashion_mnist, make_read_only
from helpers.experiments.arm import N_SEEDS, last_result, start_arm
from helpers.intervals import (
    Interval,
    interval_ends,
    mean_interval,
    mean_intervals,
    paired_interval,
)
from helpers.layer_statistics import with_statistics
from helpers.layers import Dense, Dropout
from helpers.network import softmax_cross_entropy
from helpers.randomness import spawn_streams
from helpers.second_process import second_process
from helpers.sweep import made_once, side_by_side

EPS = 1e-5  # batch norm's own
N_POOL = 1024  # images that the microscope draws its mini-batches from
N_BATCHES = 3000

# -- the microscope: one value over many mini-batches --


def pre_activations(n_units=64, n_networks=None, seed=0):
    """Return what the first layer of untrained networks computes for 1,024 images, in float64.

    (N_POOL, n_units), or (n_networks, N_POOL, n_units) with images and weights of their own.
    14 x 14 Fashion-MNIST images times He weights, before batch norm.
    """
    streams = spawn_streams(seed, n_networks)
    data = load_fashion_mnist(N_POOL, image_size=14, n_networks=n_networks, rng=streams.data)
    inputs = data.train_inputs.astype(np.float64)
    layer = Dense(
        inputs.shape[-1], n_units, rng=streams.weights, n_networks=n_networks, bias=False,
        dtype=np.float64,
    )
    return layer.forward(inputs, training=False)


def typical_place(values):
    """Return (example, unit) of a value one standard deviation above its unit's mean.

    values: (n_samples, n_units). The unit is the one whose skewness and kurtosis are nearest to
    those of a normal distribution, so that the simple formula for the noise should hold.
    """
    scaled, skewness, kurtosis = _standardised(values)
    unit = int(np.argmin(np.abs(skewness) + np.abs(kurtosis - 3)))
    return int(np.argmin(np.abs(scaled[:, unit] - 1))), unit


@dataclass(frozen=True, eq=False)
class BatchDraws:
    """One example in many mini-batches; (n_batches, n_units), in units of the population's sd."""

    x_hat: np.ndarray  # the example's value after normalisation by its mini-batch
    mean: np.ndarray  # of the mini-batch: the noise that is added
    inverse_sd: np.ndarray  # 1 / sd of the mini-batch: the noise that multiplies


def draw_batches(values, example, batch_size, ranks):
    """Return the BatchDraws of `example` for mini-batches drawn without replacement.

    values: (n_samples, n_units). ranks: (n_batches, n_samples) from `draw_ranks`; mini-batch b is
    the samples with ranks[b] < batch_size. Raises ValueError or TypeError for other batch sizes
    than 2 .. n_samples.
    """
    check_integer("batch_size", batch_size, 2, len(values), high_is="the images to draw from")
    scaled, _, _ = _standardised(values)
    # A row of zeros and ones for each mini-batch turns all sums into one matrix product.
    members = (ranks < batch_size).astype(values.dtype) / batch_size
    mean = members @ scaled
    inverse_sd = 1 / np.sqrt(members @ scaled**2 - mean**2 + EPS)
    return BatchDraws((scaled[example] - mean) * inverse_sd, mean, inverse_sd)


def draw_ranks(n_batches, n_samples, example, rng):
    """Return random ranks (n_batches, n_samples); `example` is first in every row.

    Raises ValueError or TypeError for fewer than 2 samples, or more than 16-bit integers can rank,
    and for an `example` that is not one of them.
    """
    check_integer("n_batches", n_batches)
    most = np.iinfo(np.int16).max
    check_integer("n_samples", n_samples, 2, most, high_is="what 16 bits can rank")
    check_integer("example", example, 0, n_samples - 1, high_is="the last sample")
    others = np.broadcast_to(np.arange(1, n_samples, dtype=np.int16), (n_batches, n_samples - 1))
    return np.insert(rng.permuted(others, axis=1), example, 0, axis=1)


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


@dataclass(frozen=True, eq=False)
class Microscope:
    """One hidden value of one image over many mini-batches of one size."""

    batch_size: int
    value: float  # with the population's mean and standard deviation: no noise
    x_hat: np.ndarray  # (n_batches,)
    theory_sd: float
    edges: np.ndarray  # (n_bins + 1,) a quarter of theory_sd apart
    heights: np.ndarray  # (n_bins,) density, in units of the theory curve's peak
    dropout_sds: dict  # probability -> relative sd


@lru_cache
def _microscope_stage():
    values = pre_activations()
    example, unit = typical_place(values)
    rng = np.random.default_rng(1)
    return values[:, [unit]], example, draw_ranks(N_BATCHES, N_POOL, example, rng)


def microscope(batch_size):
    """Return the Microscope of one typical value: 3,000 mini-batches, all with that image."""
    values, example, ranks = _microscope_stage()
    x_hat = draw_batches(values, example, batch_size, ranks).x_hat[:, 0]
    value = float(_standardised(values)[0][example, 0])
    predicted = float(theory_sd(values, example, batch_size)[0])
    edges = value + predicted * np.linspace(-5, 5, 41)
    density, _ = np.histogram(x_hat, edges)
    peak = len(x_hat) * np.diff(edges) / (predicted * np.sqrt(2 * np.pi))
    dropout_sds = {p: dropout_sd(p) for p in (0.1, 0.2, 0.5)}
    return Microscope(
        batch_size, value, x_hat, predicted, edges, density / peak, dropout_sds
    )


def dropout_sd(probability):
    """Return the relative sd that inverted dropout gives to a value: sqrt(p / (1 - p)).

    Raises ValueError or TypeError unless 0 <= p < 1.
    """
    probability = check_number("probability", probability, 0, 1, high_open=True)
    return float(np.sqrt(probability / (1 - probability)))


@dataclass(frozen=True, eq=False)
class NoiseSizes:
    """Noise against batch size; arrays (n_sizes, n_networks), means over units."""

    batch_sizes: tuple
    total: np.ndarray
    additive: np.ndarray
    multiplicative: np.ndarray
    theory: np.ndarray
    dropout: dict  # probability -> measured relative sd, (n_sizes,)


def noise_by_batch_size(
    batch_sizes=(4, 8, 16, 64, 256, 512), probabilities=(0.1, 0.2, 0.5), n_batches=500,
    n_networks=N_SEEDS, n_units=16, seed=0,
):
    """Return the NoiseSizes for a random image in each of `n_networks` untrained networks."""
    parts = {name: [] for name in ("total", "additive", "multiplicative", "theory")}
    streams = spawn_streams(seed, n_networks)
    for values, rng in zip(pre_activations(n_units, n_networks, seed), streams.order):
        example = int(rng.integers(len(values)))
        ranks = draw_ranks(n_batches, len(values), example, rng)
        draws = [draw_batches(values, example, size, ranks) for size in batch_sizes]
        parts["total"].append([one.x_hat.std(axis=0).mean() for one in draws])
        parts["additive"].append([one.mean.std(axis=0).mean() for one in draws])
        parts["multiplicative"].append([one.inverse_sd.std(axis=0).mean() for one in draws])
        parts["theory"].append([theory_sd(values, example, m).mean() for m in batch_sizes])
    dropout = {
        p: np.array([_measured_dropout_sd(p, size, seed) for size in batch_sizes])
        for p in probabilities
    }
    arrays = {name: np.array(part).T for name, part in parts.items()}
    return NoiseSizes(tuple(batch_sizes), **arrays, dropout=dropout)


def _measured_dropout_sd(probability, batch_size, seed, n_repeats=8192):
    layer = Dropout(probability, rng=np.random.default_rng([seed, batch_size]))
    outputs = layer.forward(np.ones((batch_size, n_repeats)), training=True)
    return outputs[0].std()


def _standardised(values):
    """Return values with mean 0 and sd 1 over the samples, their skewness and their kurtosis."""
    scaled = (values - values.mean(axis=0)) / values.std(axis=0)
    return scaled, (scaled**3).mean(axis=0), (scaled**4).mean(axis=0)


# -- training runs --


@dataclass(frozen=True, eq=False)
class Run:
    """Mean losses along one training run, in nats, with population statistics and no dropout.

    All arrays but `steps` are (n_evaluations, n_networks). The training images keep their wrong
    labels, the test images have none.
    """

    steps: np.ndarray  # (n_evaluations,), updates done
    train_losses: np.ndarray
    test_losses: np.ndarray
    kept: dict = field(default_factory=dict)  # updates done -> networks, population statistics

    @property
    def best_test_loss(self):
        """The lowest test loss along the run, (n_networks,): stopping early by the test set."""
        return self.test_losses.min(axis=0)

    @property
    def gaps(self):
        """Test loss minus training loss, (n_evaluations, n_networks)."""
        return self.test_losses - self.train_losses

    @property
    def end_gap(self):
        """The last of the gaps, (n_networks,)."""
        return self.gaps[-1]


def train_run(*, on_step=None, **settings):
    """Train one arm and return its Run; settings and errors as in `watch_run`.

    `on_step` is called after each step.
    """
    return last_result(watch_run(**settings), on_step)


def watch_run(
    *, image_size=7, hidden=(32, 32), n_train=512, n_test=1000, label_noise=0.2, n_steps=100,
    batch_size=512, learning_rate=0.1, evaluate_every=5, keep_at=(), n_networks=N_SEEDS, skip=0,
    seed=0, dtype=np.float64, **options,
):
    """Train one arm; yield after each step the share that is done and the Run so far, or None.

    The Run is new where the losses were evaluated; the last is that of the whole training. The
    defaults are the course's configuration LIVE.

    options: group_size, dropout, batch_norm and other settings of multilayer_perceptron. Every
    evaluation normalises with the exact moments of the whole training set. The networks are kept
    as they are after the numbers of updates in `keep_at`. Raises ValueError or TypeError for
    settings that do not fit.
    """
    check_integer("evaluate_every", evaluate_every)
    for one in keep_at:
        check_integer("keep_at", one, 1, n_steps, high_is="n_steps")
    data = _load(n_train, n_test, image_size, label_noise, n_networks, skip, seed, dtype)
    inputs = data.train_inputs
    network, training = start_arm(
        inputs, data.train_targets, [inputs.shape[-1], *hidden, len(data.class_names)], seed=seed,
        n_networks=n_networks, skip=skip, n_steps=n_steps, batch_size=batch_size, dtype=dtype,
        learning_rate=learning_rate, **options,
    )
    steps, train_losses, test_losses, kept = [], [], [], {}
    for step in training:
        n_done = step.index + 1
        is_due = n_done % evaluate_every == 0 or n_done == n_steps
        if is_due or n_done in keep_at:
            fixed = with_statistics(network, inputs, share_weights=n_done not in keep_at)
        if is_due:
            steps.append(n_done)
            train_losses.append(_losses(fixed, inputs, data.train_targets))
            test_losses.append(_losses(fixed, data.test_inputs, data.test_targets))
        if n_done in keep_at:
            # Layers remember their last inputs: let that be one image, not a thousand.
            fixed.forward(data.test_inputs[:1], training=False)
            kept[n_done] = fixed
        run = Run(np.array(steps), np.array(train_losses), np.array(test_losses), kept)
        yield n_done / n_steps, run if is_due else None


def watch_halves(n_networks=N_SEEDS, **settings):
    """Train an arm as `watch_run` does, the second half of its networks in another process.

    settings: those of `watch_run` but keep_at and skip. The losses are the same but for rounding:
    BLAS adds up the losses of many networks in another order than those of few.
    """
    n_here = n_networks // 2
    others = second_process.results(
        _evaluations, skip=n_here, n_networks=n_networks - n_here, **settings
    )
    for share, run in watch_run(n_networks=n_here, **settings):
        yield share, None if run is None else _join(run, next(others))


def _evaluations(**settings):
    return (run for _, run in watch_run(**settings) if run is not None)


def _join(run, others):
    train_losses = np.hstack([run.train_losses, others.train_losses])
    test_losses = np.hstack([run.test_losses, others.test_losses])
    return Run(run.steps, train_losses, test_losses)


@made_once(maxsize=1)  # arms share their images
def _load(n_train, n_test, image_size, label_noise, n_networks, skip, seed, dtype, /):
    rng = spawn_streams(seed, n_networks, skip=skip).data
    data = load_fashion_mnist(n_train, n_test, image_size, label_noise, n_networks, rng=rng)
    inputs, test_inputs = (one.astype(dtype) for one in (data.train_inputs, data.test_inputs))
    make_read_only(inputs, data.train_targets, test_inputs, data.test_targets)
    return replace(data, train_inputs=inputs, test_inputs=test_inputs)


def _losses(network, inputs, targets):
    return softmax_cross_entropy(network.forward(inputs, training=False), targets)[0]


LIVE_ARMS = {
    "group 512": {"group_size": 512},
    "group 64": {"group_size": 64},
    "group 8": {"group_size": 8},
    "group 4": {"group_size": 4},
    "dropout 0.2": {"group_size": 512, "dropout": 0.2},
    "dropout 0.5": {"group_size": 512, "dropout": 0.5},
    "no batch norm": {"batch_norm": False},
}


def train_arms(arms=LIVE_ARMS, **settings):
    """Return {name: Run} for {name: options of train_run}; `settings` are common to all arms."""
    jobs = [dict(**options, **settings) for options in arms.values()]
    return dict(zip(arms, side_by_side(train_run, jobs)))


@dataclass(frozen=True, eq=False)
class NaiveSweep:
    """End of training for several batch sizes; losses (n_sizes, n_networks)."""

    batch_norm: bool
    batch_sizes: tuple
    n_steps: tuple  # updates in the same number of epochs
    train_losses: np.ndarray
    test_losses: np.ndarray

    @property
    def gaps(self):
        """Test loss minus training loss, (n_sizes, n_networks)."""
        return self.test_losses - self.train_losses


def naive_sweep(
    batch_norm, batch_sizes=(16, 64, 512), n_epochs=20, n_train=1024, on_step=None, **settings
):
    """Return the NaiveSweep that changes the batch size as one would, at equal epochs.

    Update batch and statistics group are the same, so the noise and the number of updates change
    together. 14 x 14 images, hidden layers of 32 units, 20% of the labels drawn anew.
    """
    n_steps = tuple(n_epochs * (n_train // size) for size in batch_sizes)
    settings = {"image_size": 14, "learning_rate": 0.05, **settings}
    runs = [
        train_run(
            batch_norm=batch_norm, batch_size=size, n_steps=n, evaluate_every=n, n_train=n_train,
            on_step=on_step, **settings,
        )
        for size, n in zip(batch_sizes, n_steps)
    ]
    ends = {
        name: np.array([getattr(run, name)[-1] for run in runs])
        for name in ("train_losses", "test_losses")
    }
    return NaiveSweep(batch_norm, tuple(batch_sizes), n_steps, **ends)


# The end of training in a network that fits everything: configuration B with half the images.
SATURATED = {
    "image_size": 14, "hidden": (64, 64), "n_train": 256, "batch_size": 256, "n_steps": 80,
    "evaluate_every": 10,
}
SATURATED_ARMS = {"group 256": {"group_size": 256}, "group 64": {"group_size": 64}}


# -- arms against each other --


@dataclass(frozen=True, eq=False)
class Curve:
    """A mean and its 95% interval along a run, arrays (n_evaluations,)."""

    steps: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray


def curve(steps, values):
    """Return the Curve of `values`, (n_evaluations, n_networks)."""
    return Curve(steps, *interval_ends(mean_intervals(values)))


def differences(runs, reference="group 512"):
    """Return {name: (best test loss, end gap)}: paired Intervals of each run minus `reference`."""
    base = runs[reference]
    return {
        name: (
            paired_interval(run.best_test_loss, base.best_test_loss),
            paired_interval(run.end_gap, base.end_gap),
        )
        for name, run in runs.items()
        if name != reference
    }


@dataclass(frozen=True, eq=False)
class GroupComparison:
    """One arm beside the arm with group 512 and no dropout."""

    group_size: int
    dropout: float
    train: Curve
    test: Curve
    reference_train: Curve
    reference_test: Curve
    best_test_loss: Interval
    difference: Interval | None  # paired, of the best test loss; None for the reference itself
    end_gap: Interval


def run_reference(on_step=None):
    """Return the Run with group 512 and no dropout that `watch_comparison` needs."""
    return last_result(watch_halves(group_size=512, dtype=np.float32), on_step)


def watch_comparison(reference, group_size, dropout):
    """Train one arm of LIVE; yield the share that is done and the GroupComparison so far, or None.

    reference: from `run_reference`; where group_size is 512 and dropout 0, it is the arm itself.
    Trains in float32: for pictures, not for printed tables.
    """
    if group_size == 512 and dropout == 0:
        yield 1, _comparison(reference, reference, group_size, dropout)
        return
    for share, run in watch_halves(group_size=group_size, dropout=dropout, dtype=np.float32):
        yield share, None if run is None else _comparison(run, reference, group_size, dropout)


def _comparison(run, reference, group_size, dropout):
    n_done = len(run.steps)  # so far: against what the reference had reached by then
    best, reference_best = (one.test_losses[:n_done].min(axis=0) for one in (run, reference))
    return GroupComparison(
        group_size, dropout,
        curve(run.steps, run.train_losses), curve(run.steps, run.test_losses),
        curve(reference.steps, reference.train_losses),
        curve(reference.steps, reference.test_losses),
        mean_interval(best),
        None if run is reference else paired_interval(best, reference_best),
        mean_interval(run.end_gap),
    )
