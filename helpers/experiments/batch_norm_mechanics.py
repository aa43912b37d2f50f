"""Notebook 02: what batch norm does to a value, whose mean it uses later, and what that costs."""

import copy
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np

from helpers.checks import check_integer, check_number
from helpers.datasets import load_fashion_mnist, make_read_only
from helpers.experiments.arm import (
    N_SEEDS,
    Resumable,
    accuracy,
    inference_accuracy,
    last_result,
    start_arm,
    train_arm,
    without_and_with,
)
from helpers.experiments.covariate_shift import draw_animals, draw_clothes, pixel_mean_and_sd
from helpers.intervals import format_number, interval_ends, mean_intervals, paired_interval
from helpers.layer_statistics import predict_with_batch_statistics, with_statistics
from helpers.layers import BatchNorm
from helpers.network import multilayer_perceptron, softmax_cross_entropy
from helpers.randomness import spawn_streams
from helpers.sweep import side_by_side
from helpers.training import train

# -- section 1: the race --


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


# -- section 2: one unit, one mini-batch --

OUTLIER_ROW = 0


@dataclass(frozen=True, eq=False)
class OneBatch:
    """Values of one unit before and after batch norm, with and without the pushed one.

    All arrays (batch_size,). The `quiet` pair has not been pushed.
    """

    before: np.ndarray
    after: np.ndarray
    quiet_before: np.ndarray
    quiet_after: np.ndarray
    gamma: float
    beta: float


def hidden_values(n_images, *, n_units=3, seed=5):
    """Return what untrained units compute for Fashion-MNIST pictures, (n_images, n_units).

    Fewer images are the first ones of more. Raises ValueError or TypeError.
    """
    streams = spawn_streams(seed)
    data = load_fashion_mnist(n_train=n_images, rng=streams.data)
    weights = np.sqrt(2 / 196) * streams.weights.standard_normal((n_units, 196))
    return data.train_inputs.astype(np.float64) @ weights.T


def normalise_one_batch(batch_size=8, gamma=1.0, beta=0.0, push=0.0):
    """Return a OneBatch of `batch_size` images, from 1, one of them moved by `push`."""
    quiet = hidden_values(batch_size)[:, 0]
    pushed = quiet.copy()
    pushed[OUTLIER_ROW] += check_number("push", push)
    after, quiet_after = (_normalise(values, gamma, beta) for values in (pushed, quiet))
    return OneBatch(pushed, after, quiet, quiet_after, gamma, beta)


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


@dataclass(frozen=True, eq=False)
class TrainedOnce:
    """Networks with the statistics of every mini-batch that they were trained on.

    moments: for each batch norm layer a pair (mean, unbiased variance), each
    (n_steps, n_networks, 1, width). Running statistics never influence training, so one
    training run serves every memory. test_order: (n_networks, n_test), rows of the test
    images in an order of each network's own.
    """

    network: object
    moments: tuple
    batch_size: int
    n_steps: int
    data: object
    test_order: np.ndarray

    @cached_property
    def own_batch(self):
        """Test accuracies (n_networks,) with each test mini-batch's own statistics."""
        return own_batch_accuracy(self, self.test_order)

    @cached_property
    def population(self):
        """Test accuracies (n_networks,) with the exact statistics of all training images."""
        return _test_accuracy(self, with_statistics(self.network, self.data.train_inputs))


@dataclass(frozen=True, eq=False)
class Averages:
    """Test accuracy of the same weights on the same images, (n_networks,) each, between 0 and 1.

    own_batch, population: as in TrainedOnce; running: with running averages of this memory.
    """

    batch_size: int
    memory: float
    n_steps: int
    own_batch: np.ndarray
    running: np.ndarray
    population: np.ndarray

    @property
    def warmed_up(self):
        """Share of the running averages that comes from data, not from their starting values."""
        return 1 - self.memory**self.n_steps


def train_once(batch_size=64, *, on_step=None, **settings):
    """Train 196-width-width-10 relu networks with batch norm and keep all batch statistics.

    settings: as in `watch_once`. `on_step` is called after each step.
    """
    return last_result(watch_once(batch_size, **settings), on_step)


def train_each(batch_sizes, **settings):
    """Return {batch size: TrainedOnce}; settings: those of `train_once`, the same for all."""
    jobs = [dict(batch_size=one, **settings) for one in batch_sizes]
    return dict(zip(batch_sizes, side_by_side(train_once, jobs)))


def watch_once(
    batch_size=64, *, n_train=1024, n_test=1024, width=64, n_steps=150, learning_rate=0.05,
    n_networks=N_SEEDS, only=slice(None), seed=0, every=None, dtype=np.float64,
):
    """Train; yield after each step the share that is done and the TrainedOnce so far, or None.

    It is a copy after the first step, then after `every` steps (None: never), and the trained
    networks themselves in the end. only: a slice of the `n_networks`, to train a few at a time.
    """
    data, test_order = _shuffled_data(n_train, n_test, n_networks, seed, only)
    skip, stop, _ = only.indices(n_networks)
    # With a memory of 0 the running statistics are those of the last mini-batch.
    network, training = start_arm(
        data.train_inputs, data.train_targets, [196, width, width, 10], seed=seed, memory=0.0,
        n_networks=stop - skip, skip=skip, n_steps=n_steps, batch_size=batch_size, dtype=dtype,
        learning_rate=learning_rate,
    )
    seen = []

    def so_far(network):
        moments = tuple(tuple(map(np.stack, zip(*layer))) for layer in zip(*seen))
        return TrainedOnce(network, moments, batch_size, len(seen), data, test_order)

    for step in training:
        seen.append([(n.running_mean.copy(), n.running_var.copy()) for n in _norms(network)])
        n_done, trained = step.index + 1, None
        if n_done == n_steps:
            trained = so_far(network)
        elif every is not None and (n_done == 1 or n_done % every == 0):
            trained = so_far(copy.deepcopy(network))
        yield n_done / n_steps, trained


@lru_cache(maxsize=1)  # a demo that has tried every batch size holds the images once
def _all_shuffled_data(n_train, n_test, n_networks, seed):
    rng = spawn_streams(seed, n_networks).data
    data = load_fashion_mnist(n_train=n_train, n_test=n_test, n_networks=n_networks, rng=rng)
    # The stored test images take turns in class, ten by ten: no mini-batch in the wild does.
    test_order = np.stack([one.permutation(n_test) for one in rng])
    make_read_only(
        data.train_inputs, data.train_targets, data.test_inputs, data.test_targets, test_order
    )
    return data, test_order


def _shuffled_data(n_train, n_test, n_networks, seed, only):
    """Return the images of some networks, and each one's order of the shared test images."""
    data, test_order = _all_shuffled_data(n_train, n_test, n_networks, seed)
    own = {name: getattr(data, name)[only] for name in ("train_inputs", "train_targets")}
    return replace(data, **own), test_order[only]


def with_memory(trained, memory, *, biased=False):
    """Return a copy of the networks with the running statistics that `memory` would have left.

    Replays running <- memory * running + (1 - memory) * batch from mean 0 and variance 1.
    biased: store the batch variance with 1/m, as BatchNorm does not.
    """
    check_number("memory", memory, 0, 1, high_open=True)
    network = copy.deepcopy(trained.network)
    shrink = (trained.batch_size - 1) / trained.batch_size if biased else 1.0
    for norm, (means, variances) in zip(_norms(network), trained.moments, strict=True):
        norm.running_mean[...] = _replay(means, memory, start=0.0)
        norm.running_var[...] = _replay(shrink * variances, memory, start=1.0)
    return network


def _replay(batches, memory, start):
    n_steps = len(batches)
    weights = (1 - memory) * memory ** np.arange(n_steps - 1, -1, -1)
    return start * memory**n_steps + np.tensordot(weights, batches, axes=1)


def compare_averages(trained, memory=0.9):
    """Return the Averages: three of them, one set of weights, one set of test images."""
    running = running_accuracy(trained, memory)
    own_batch, population = trained.own_batch, trained.population
    return Averages(
        trained.batch_size, memory, trained.n_steps, own_batch, running, population
    )


def watch_averages(batch_size, memory, **settings):
    """Yield the share of the training that is done and the Averages so far, or None.

    settings: as in `watch_in_parts`. No training is done twice: one serves every memory.
    """
    for share, parts in _trained_in_parts(batch_size, **settings):
        yield share, None if parts is None else _average_all(parts, memory)


@lru_cache(maxsize=8)
def _trained_in_parts(batch_size, **settings):
    return Resumable(watch_in_parts(batch_size, **settings))


def watch_in_parts(batch_size, *, n_networks=N_SEEDS, at_once=4, n_steps=150, **settings):
    """Train `at_once` networks after another, in float32: the first ones are there early.

    Yields the share that is done and None, or a TrainedOnce for each part so far; the first part
    is also shown while it learns. settings: the others of `watch_once`.
    """
    parts = ()
    for start in range(0, n_networks, at_once):
        only = slice(start, min(start + at_once, n_networks))
        for share, trained in watch_once(
            batch_size, n_steps=n_steps, n_networks=n_networks, only=only, dtype=np.float32,
            every=None if parts else max(n_steps // 6, 1), **settings,
        ):
            share = (start + share * (only.stop - start)) / n_networks
            yield share, None if trained is None else (*parts, trained)
        parts = (*parts, trained)


def _average_all(parts, memory):
    averages = [compare_averages(trained, memory) for trained in parts]
    joined = {
        name: np.concatenate([getattr(one, name) for one in averages])
        for name in ("own_batch", "running", "population")
    }
    return replace(averages[0], **joined)


def running_accuracy(trained, memory, *, biased=False):
    """Return test accuracies (n_networks,) with the running statistics of `with_memory`."""
    return _test_accuracy(trained, with_memory(trained, memory, biased=biased))


def _test_accuracy(trained, network):
    return inference_accuracy(network, trained.data.test_inputs, trained.data.test_targets)


def own_batch_accuracy(trained, order):
    """Return accuracies (n_networks,) when test images are normalised batch by batch.

    order: rows of the test images, (n_test,) or (n_networks, n_test); consecutive ones share a
    batch of the training's size.
    """
    data = trained.data
    logits = predict_with_batch_statistics(
        trained.network, data.test_inputs[order], trained.batch_size
    )
    return accuracy(logits, data.test_targets[order])


def compare_company(trained):
    """Return own-batch accuracies (n_networks,) by who shares a batch: three orders of one set."""
    targets = trained.data.test_targets
    return {
        "shuffled": own_batch_accuracy(trained, trained.test_order),
        "classes in turn": own_batch_accuracy(trained, np.arange(len(targets))),
        "sorted by class": own_batch_accuracy(trained, np.argsort(targets, kind="stable")),
    }


def _norms(network):
    return [layer for layer in network.layers if isinstance(layer, BatchNorm)]


# -- section 4: new statistics for new pictures --


@dataclass(frozen=True, eq=False)
class Adaptation:
    """Networks trained on black coats, judged on coloured ones; (n_networks,), between 0 and 1.

    without: accuracy without batch norm. stored, fresh: accuracy of one network with the
    statistics of the black training pictures, and of the coloured test pictures (no labels).
    uneven_stored, uneven_fresh: the mean of both classes' accuracies when the coloured pictures
    hold nine of class 0 to one of class 1, and fresh statistics come from them.
    """

    without: np.ndarray
    stored: np.ndarray
    fresh: np.ndarray
    uneven_stored: np.ndarray
    uneven_fresh: np.ndarray


def adapt_to_faces(*, n_networks=N_SEEDS, n_pictures=500, seed=0, **settings):
    """Return the Adaptation of notebook 01's cat detectors to coloured coats."""
    rng = spawn_streams(seed, n_networks).data
    train_set, test_set = (
        draw_animals(n_pictures, n_networks=n_networks, rng=rng) for _ in range(2)
    )
    return adapt_statistics(train_set, test_set, seed=seed, **settings)


def adapt_to_clothes(*, n_networks=N_SEEDS, n_pictures=500, seed=0, **settings):
    """Return the Adaptation of detectors of dark grey trousers and bags to coloured ones."""
    rng = spawn_streams(seed, n_networks).data
    train_set, test_set = draw_clothes(
        ("Trouser", "Bag"), n_train=n_pictures, n_networks=n_networks, rng=rng
    )
    return adapt_statistics(train_set, test_set, seed=seed, **settings)


def adapt_statistics(
    train_set, test_set, *, n_steps=120, batch_size=100, learning_rate=0.03, width=32, seed=0,
    on_step=None,
):
    """Train on `train_set.black` and return the Adaptation to `test_set.bright`.

    Both sets have targets (n_networks, n) and pictures black and bright (n_networks, n, d).
    Fresh statistics come from the test pictures, without labels (AdaBN: Li et al. 2016,
    section 3). Calls `on_step()` 2 * n_steps times.
    """
    mean, sd = pixel_mean_and_sd(train_set.black)
    black, bright = (train_set.black - mean) / sd, (test_set.bright - mean) / sd
    (without, _), (trained, _) = without_and_with(
        train_arm, inputs=black, targets=train_set.targets, sizes=[black.shape[-1], width, 2],
        seed=seed, n_networks=len(black), n_steps=n_steps, batch_size=batch_size,
        learning_rate=learning_rate, on_step=on_step,
    )
    stored = with_statistics(trained, black)
    even, uneven = (bright, test_set.targets), _make_uneven(bright, test_set.targets)
    return Adaptation(
        without=inference_accuracy(without, *even),
        stored=inference_accuracy(stored, *even),
        fresh=inference_accuracy(with_statistics(trained, even[0]), *even),
        uneven_stored=_balanced_score(stored, *uneven),
        uneven_fresh=_balanced_score(with_statistics(trained, uneven[0]), *uneven),
    )


def _balanced_score(network, inputs, targets):
    right = network.forward(inputs, training=False).argmax(axis=-1) == targets
    shares = [(right & (targets == c)).sum(axis=-1) / (targets == c).sum(axis=-1) for c in (0, 1)]
    return np.mean(shares, axis=0)


def _make_uneven(inputs, targets):
    """Return some of the inputs and targets: nine of class 0 for each one of class 1."""
    n_ones = min((targets == 0).sum(axis=-1).min() // 9, (targets == 1).sum(axis=-1).min())
    rows = [
        np.concatenate([np.flatnonzero(one == 0)[: 9 * n_ones], np.flatnonzero(one)[:n_ones]])
        for one in targets
    ]
    networks = np.arange(len(targets))[:, None]
    return inputs[networks, rows], targets[networks, rows]
