"""Notebook 05, section 4: with batch norm only the direction of the hidden weights counts.

Batch norm divides by whatever length a unit's weights have. So a gradient is at right angles to
them and the smaller the longer they are (Salimans & Kingma 2016, section 2.1, for their own
normalisation), and what turns them is the effective rate, rate / length^2 (van Laarhoven 2017).
"""

import numpy as np

from helpers.arms import train_arms
from helpers.datasets import DATA_FOLDER, load_fashion_mnist, read_arrays
from helpers.layers import Dense
from helpers.network import multilayer_perceptron
from helpers.weighing_the_evidence.experiments import LEARNING_RATES, final_loss

HIDDEN_RATES = (*LEARNING_RATES, 100.0, 300.0, 1000.0)


def hidden_layers(layers):
    """Return the Dense layers but the last: those whose outputs batch norm normalises."""
    return [layer for layer in layers if isinstance(layer, Dense)][:-1]


def for_hidden(value, others):
    """Return a learning rate or weight decay of `SGD`: `value` for hidden Dense layers.

    Gamma, beta and the last layer, whose length counts, are among the others.
    """

    def of_layers(layers):
        hidden = hidden_layers(layers)
        return [value if layer in hidden else others for layer in layers]

    return of_layers


def unit_lengths(layer):
    """Return the length of each unit's weights, (..., 1, n_units)."""
    return np.linalg.norm(layer.weights, axis=-2, keepdims=True)


def perceptron_of_length(sizes, *, hidden_scale=1.0, **options):
    """Return a `multilayer_perceptron` whose hidden weights start `hidden_scale` times as long.

    Each hidden Dense remembers how long its units were at the start, in `first_lengths`.
    """
    network = multilayer_perceptron(sizes, **options)
    for layer in hidden_layers(network.layers):
        layer.weights *= hidden_scale
        layer.first_lengths = unit_lengths(layer)
    return network


def pin_lengths(network, _rng):
    """Give each hidden unit its first length back (a `disturb` of `train_arms`)."""
    for layer in hidden_layers(network.layers):
        with np.errstate(all="ignore"):  # diverged, or a unit of length 0, which stays
            factor = layer.first_lengths / unit_lengths(layer)
        layer.weights *= np.where(np.isfinite(factor), factor, 1)


def look_at_lengths(network):
    """Return how long the hidden units are, means over all of them, (n_networks,) each.

    "growth": length / first length. "inverse square": 1 / length^2; times the rate it is the
    effective rate.
    """
    layers = hidden_layers(network.layers)
    with np.errstate(all="ignore"):  # diverged
        lengths = np.concatenate([unit_lengths(layer)[..., 0, :] for layer in layers], axis=-1)
        first = np.concatenate([layer.first_lengths[..., 0, :] for layer in layers], axis=-1)
        growth, inverse = (lengths / first).mean(axis=-1), (lengths**-2).mean(axis=-1)
    return {"growth": growth, "inverse square": inverse}


ARMS = {
    "free": {},
    "pinned": dict(disturb=pin_lengths),
    "frozen": dict(learning_rate=for_hidden(0.0, others=0.1)),
    "without": dict(batch_norm=False),
}


def train_at(rate, arms=ARMS, *, n_networks=16, seed=7, **settings):
    """Return {arm: Run} of the ARMS that are named, with the hidden weights at `rate`."""
    clothes = load_fashion_mnist(n_train=2000, n_networks=n_networks, seed=seed)
    of_race = dict(
        hidden=[48] * 5, n_steps=160, batch_size=128, learning_rate=for_hidden(rate, others=0.1),
        build=perceptron_of_length, look=look_at_lengths, seed=seed,
    )
    return train_arms({arm: ARMS[arm] for arm in arms}, clothes, **{**of_race, **settings})


# -- the table: all of this at many rates, computed beforehand --

RATES_FILE = DATA_FOLDER / "hidden_rates.npz"
RATES_AXES = {"arms": tuple(ARMS), "hidden_rates": HIDDEN_RATES}
MEASURED = ("final_losses", "growth", "inverse_squares")


def measure_rate(rate, **settings):
    """Return what the table has for one rate, {MEASURED: (n_arms, n_networks)}."""
    runs = train_at(rate, **settings).values()
    found = zip(*((final_loss(run), *(seen[-1] for seen in run.seen.values())) for run in runs))
    return {name: np.array(values) for name, values in zip(MEASURED, found)}


def load_hidden_rates(path=RATES_FILE):
    """Return the table in data/: {arm: {"loss", "growth", "effective rate": (n_rates, 16)}}.

    After 160 steps: the training loss of the last 10 mini-batches, inf where it diverged, and the
    means over all hidden units of what `look_at_lengths` says. The rates are HIDDEN_RATES. Raises
    OSError or ValueError as `read_arrays`.
    """
    arrays = read_arrays(path)
    losses, growth, inverse = (arrays[name] for name in MEASURED)
    effective = np.array(HIDDEN_RATES)[:, None] * inverse
    return {
        arm: {"loss": losses[row], "growth": growth[row], "effective rate": effective[row]}
        for row, arm in enumerate(ARMS)
    }
