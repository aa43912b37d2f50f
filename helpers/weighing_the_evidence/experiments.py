"""Notebook 05's own experiments: does drift cost speed, which learning rates train, how smooth is
the loss?

Each follows a question that a paper asked of large convolutional networks (Santurkar et al. 2018;
Bjorck et al. 2018; Morcos et al. 2018) and asks it of the course's small ones, in a design of our
own.
"""

import copy

import numpy as np

from helpers.arms import train_arms
from helpers.checks import check_choice, check_flag, check_integer, check_number
from helpers.datasets import DATA_FOLDER, load_fashion_mnist, read_arrays
from helpers.layer_statistics import (
    layer_places,
    predict_with_batch_statistics,
    record,
    third_dense,
)
from helpers.layers import BatchNorm, Dense
from helpers.network import (
    Network,
    accuracy,
    mean_loss,
    multilayer_perceptron,
    softmax_cross_entropy,
)
from helpers.randomness import spawn_streams
from helpers.training import SGD, minibatches

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
        self.n_features, self.n_networks, self.rng = n_features, len(rng), rng
        self.max_shift = check_number("max_shift", max_shift, 0)
        self.max_scale = check_number("max_scale", max_scale, 1)
        self.is_held, self._shift, self._scale = False, 0.0, 1.0

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


def noisy_perceptron(sizes, *, dropout_rng, max_shift=0.5, max_scale=1.5, **options):
    """Return a `multilayer_perceptron` with StepNoise behind each batch norm.

    Our own design, after Santurkar et al. 2018, section 2.1: they add noise to each activation of
    each example, from a distribution that changes in every step; here all examples of a step meet
    the same shift and the same stretch, so the distribution moves and nothing else happens to it.
    The noise comes from the dropout streams, which all noise layers share.
    """
    network = multilayer_perceptron(sizes, dropout_rng=dropout_rng, **options)
    noise = dict(max_shift=max_shift, max_scale=max_scale, rng=dropout_rng)
    layers = []
    for layer in network.layers:
        layers.append(layer)
        if isinstance(layer, BatchNorm):
            layers.append(StepNoise(layer.n_features, **noise))
    return Network(layers)


class MeanWatch:
    """A look, for every step, that adds the drift of layer 3's inputs to what `look` tells.

    "drift": how far their mean has moved in 1, 10 and 40 steps (`lags`), (n_networks, 3), in
    standard deviations before the move: the median over units, the mean over all such moves in the
    first 40 steps; NaN as long as there is none. For the images `probe`, with the noise of the
    last step. Both are told every `every` steps, from 2.
    """

    lags, n_moves = (1, 10, 40), 40

    def __init__(self, look, probe, *, every):
        self.look, self.probe, self.every = look, probe, check_integer("every", every, 2)
        self._n_done, self._seen = 0, ()  # mean and standard deviation after each step

    def __call__(self, network):
        self._n_done += 1
        if len(self._seen) <= self.n_moves:
            self._seen, self._drift = (*self._seen, self._mean_and_sd(network)), None
        if self._n_done % self.every:
            return {}
        if self._drift is None:
            self._drift = np.stack([self._drift_in(lag) for lag in self.lags], axis=-1)
        return {**self.look(network), "drift": self._drift}

    def _mean_and_sd(self, network):
        front = network.layers[: third_dense(network)]
        front = [one.held() if isinstance(one, StepNoise) else one for one in front]
        received = predict_with_batch_statistics(Network(front), self.probe)
        return received.mean(axis=-2), received.std(axis=-2)

    def _drift_in(self, lag):
        means, sds = np.swapaxes(self._seen, 0, 1)  # (n_steps, n_networks, n_units) each
        if len(means) <= lag:
            return np.full(len(means[0]), np.nan)
        # Not measure_drift: a unit that falls silent on the way has moved, and counts.
        sds = np.where(sds > 0.02, sds, np.nan)  # units that stay silent do not
        moves = np.abs(means[lag:] - means[:-lag]) / sds[:-lag]
        return np.nanmedian(moves, axis=-1).mean(axis=0)


NOISY_ARMS = {
    "without": dict(batch_norm=False),
    "with": dict(batch_norm=True),
    "noisy": dict(build=noisy_perceptron),
}


def run_noisy_race(learning_rate, *, n_probe=256, n_steps=160, n_networks=16, seed=7):
    """Return notebook 05's race {arm: Run}: the "loss" every 5 steps, and the "drift" so far.

    The loss is that of `n_probe` training images, with their own statistics and without noise.
    """
    clothes = load_fashion_mnist(n_train=2000, n_networks=n_networks, seed=seed)
    probe, labels = clothes.train_inputs[:, :n_probe], clothes.train_targets[:, :n_probe]

    def look(network):
        return {"loss": mean_loss(predict_with_batch_statistics(network, probe), labels)}

    return train_arms(
        NOISY_ARMS, clothes, hidden=[48] * 5, n_steps=n_steps, batch_size=128,
        learning_rate=learning_rate, seed=seed, look=MeanWatch(look, probe, every=5), every=1,
    )


# -- section 3: which learning rates train? --

LEARNING_RATES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
TRAINED_BELOW = 1.0  # nats; guessing is at log(10) = 2.3


def measure_learning_rates(
    learning_rates=LEARNING_RATES, *, depth=3, n_steps=100, n_networks=16, seed=0, **options
):
    """Train with every learning rate and return the final losses, (n_rates, n_networks), nats.

    Network k meets the same data, first weights and mini-batches at each rate. inf where training
    diverged. depth: layers of weights, one more than hidden layers of 32 units. Fashion-MNIST at
    7 x 7 pixels, batches of 128, gradient descent without momentum. options: of `watch_arms`.
    """
    small = load_fashion_mnist(n_train=1000, image_size=7, n_networks=n_networks, seed=seed)
    runs = train_arms(
        {rate: dict(learning_rate=rate) for rate in learning_rates}, small,
        hidden=[32] * (depth - 1), n_steps=n_steps, batch_size=128, momentum=0.0, seed=seed,
        **options,
    )
    return np.array([final_loss(run) for run in runs.values()])


def final_loss(run):
    """Return the mean loss of the last 10 mini-batches of a Run, (n_networks,)."""
    return run.losses[-10:].mean(axis=0)


def trains(losses):
    """Return at which rates the median of `losses`, (n_rates, n_networks), is low enough."""
    return np.median(losses, axis=1) < TRAINED_BELOW


def range_text(losses):
    """Return the LEARNING_RATES that train as text: "0.1 to 3", or "none"."""
    found = [f"{rate:g}" for rate in np.array(LEARNING_RATES)[trains(losses)]]
    return " to ".join(dict.fromkeys((found[0], found[-1]))) if found else "none"


# -- the map: all of this for many settings, computed beforehand --

MAP_FILE = DATA_FOLDER / "learning_rate_map.npz"
MAP_AXES = {
    "activation": ("relu", "tanh", "sigmoid"),
    "depth": (3, 5, 10),
    "init_scale": (0.2, 1.0, 5.0),
    "batch_norm": (False, True),
    "learning_rates": LEARNING_RATES,
}


def load_learning_rate_map(path=MAP_FILE):
    """Return the map in data/: final losses, axes as in MAP_AXES, then the networks.

    Raises OSError or ValueError as `read_arrays`.
    """
    return read_arrays(path)["final_losses"]


def pair_of(rate_map, activation="relu", depth=3, init_scale=1.0):
    """Return one setting of the map; ValueError for a value that it does not have.

    {"without", "with"}: final losses (n_rates, n_networks); {"name"}: of what.
    """
    setting = zip(MAP_AXES, (activation, depth, init_scale))
    without, with_norm = rate_map[tuple(_place(*one) for one in setting)]
    name = f"{activation}, depth {depth}, initial weights × {init_scale:g}"
    return {"name": name, "without": without, "with": with_norm}


def _place(name, value):
    return MAP_AXES[name].index(check_choice(name, value, MAP_AXES[name]))


def score(rate_map):
    """Return in how many settings more, as many, fewer rates train with batch norm."""
    losses = rate_map.reshape(-1, *rate_map.shape[3:])  # a row for each setting
    more = [trains(with_norm).sum() - trains(without).sum() for without, with_norm in losses]
    return tuple(int((np.sign(more) == sign).sum()) for sign in (1, 0, -1))


def best_rates(pair):
    """Return the rates with the lowest mean final loss, {"without", "with"}.

    Each is chosen on the training loss that is then compared, for both arms alike.
    """
    return {arm: LEARNING_RATES[pair[arm].mean(axis=1).argmin()] for arm in ("without", "with")}


def losses_at(pair, rates):
    """Return {arm: final losses (n_networks,)} at the rates {arm: one of LEARNING_RATES}."""
    return {arm: pair[arm][_place("learning_rates", rate)] for arm, rate in rates.items()}


def rates_that_train(pairs):
    """Return a table of pairs as in `pair_of`: the learning rates that train."""
    texts = {arm: [range_text(one[arm]) for one in pairs] for arm in ("without", "with")}
    return {"rates that train": [one["name"] for one in pairs], **texts}


# -- section 4 and Go deeper: around an update --


class AroundUpdates:
    """A look, for every step, at what some of the updates change.

    look: (before, after, inputs, targets) -> {name: array}, with copies of the networks before and
    after the update, and its mini-batch. at: which updates, from 2. data, batch_size, seed: those
    of the training run, from which the mini-batches come in the same order.
    """

    def __init__(self, look, data, *, batch_size, seed, at):
        n_networks, n_samples = data.train_targets.shape
        last = max(check_integer("a number in at", one, 2) for one in at)
        order, each = spawn_streams(seed, n_networks).order, np.arange(n_networks)[:, None]
        batches = minibatches(n_samples, batch_size, n_networks=n_networks, rng=order)
        self.look, self._n_done, self._before = look, 0, None
        self._batches = {
            number: (data.train_inputs[each, rows], data.train_targets[each, rows])
            for number, rows in zip(range(1, last + 1), batches)
            if number in at
        }

    def __call__(self, network):
        self._n_done += 1
        seen = {}
        if self._n_done in self._batches:
            batch = self._batches[self._n_done]
            seen = self.look(self._before, copy.deepcopy(network), *batch)
        if self._n_done + 1 in self._batches:
            self._before = copy.deepcopy(network)
        return seen


def loss_and_gradient(network, inputs, targets):
    """Return the losses (n_networks,) and all gradients in a row, (n_networks, n_parameters)."""
    losses, grad_logits = softmax_cross_entropy(network.forward(inputs, training=True), targets)
    network.backward(grad_logits, to_inputs=False)
    gradients = [
        getattr(layer, "grad_" + name).reshape(network.n_networks, -1)
        for layer in network.layers
        for name in layer.parameters
    ]
    return losses, np.concatenate(gradients, axis=-1)


def step_down(network, rate):
    """Return a copy, one step of `rate` further down the gradient that the network holds."""
    twin = copy.deepcopy(network)
    SGD(twin.layers, learning_rate=rate, momentum=0.0).step()
    return twin


def length(vectors):
    """Return the length of each of the vectors along the last axis."""
    return np.linalg.norm(vectors, axis=-1)


def long_steps(activation, *, at, seed):
    """Return {arm: by how much the loss changes in one step at rate 1 before these updates}.

    The medians over these places, (n_networks,), as in the notebook.
    """
    clothes = load_fashion_mnist(n_train=2000, n_networks=16, seed=seed)
    batches = dict(batch_size=128, seed=seed)

    def look(before, _after, *batch):
        loss, _ = loss_and_gradient(before, *batch)
        far_loss, _ = loss_and_gradient(step_down(before, 1.0), *batch)
        return {"loss_change": far_loss - loss}

    runs = train_arms(
        {"without": dict(batch_norm=False), "with": dict(batch_norm=True)}, clothes,
        hidden=[48] * 5, n_steps=max(at), learning_rate=0.1, momentum=0.0, activation=activation,
        look=AroundUpdates(look, clothes, at=at, **batches), every=1, **batches,
    )
    return {arm: np.median(run["loss_change"], axis=0) for arm, run in runs.items()}


def third_gradient(network, inputs, targets):
    """Return the gradient of layer 3's weights, (n_networks, n_weights)."""
    loss_and_gradient(network, inputs, targets)
    third = network.layers[third_dense(network)]
    return third.grad_weights.reshape(network.n_networks, -1)


def with_layers_below(network, other):
    """Return a copy of the network whose layers 1 and 2 are those of another one."""
    third = third_dense(network)
    return copy.deepcopy(Network(other.layers[:third] + network.layers[third:]))


# -- section 5: what one unit tells --


def silence_units(network, inputs, targets):
    """Return the accuracy lost, in points, (n_units, n_networks), unit by unit.

    A silent hidden unit hands on its mean over `inputs`, whatever the image, so that only what it
    tells about the image is lost. (Morcos et al. 2018 silence units of larger networks and find
    that batch norm makes them rely less on single ones.) inputs: (batch, features), targets:
    (batch,), shared by all networks.
    """
    right = accuracy(network.forward(inputs, training=False), targets)
    received, lost = record(network, inputs), []
    for place in layer_places(network, Dense)[1:]:
        above = Network(network.layers[place:])
        for unit in range(received[place].shape[-1]):
            values = received[place].copy()
            values[..., unit] = values[..., unit].mean(axis=-1, keepdims=True)
            lost.append(right - accuracy(above.forward(values, training=False), targets))
    return 100 * np.array(lost)
