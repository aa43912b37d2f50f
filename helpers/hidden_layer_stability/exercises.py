"""Notebook 03's exercises: what a factor on the weights does, and what drift is made of."""

import itertools

import numpy as np

from helpers.layers import BatchNorm, Dense
from helpers.network import Network
from helpers.page.exercise import Exercise, reveal  # noqa: F401, for the notebook


def scale_invariance(gradient, weights, factor):
    """Return two numbers: how the gradient's length answers a factor, and a cosine.

    gradient: takes weights (n_inputs,) and returns the loss's gradient there, (n_inputs,). The
    first number is the gradient's length at factor * weights over its length at weights, the
    second the cosine of the angle between the weights and their gradient.
    """
    grad, grad_scaled = gradient(weights), gradient(factor * weights)
    ratio = np.linalg.norm(grad_scaled) / np.linalg.norm(grad)
    cosine = weights @ grad / (np.linalg.norm(weights) * np.linalg.norm(grad))
    return ratio, cosine


_IN_TURN = itertools.cycle((True, False))


def _draw_unit(rng):
    """Return one unit under a squared loss; every second has batch norm behind it."""
    inputs, weights = rng.normal(1, 1, (30, 6)), rng.normal(size=6)
    # targets further out than the outputs: a cosine below 0, so that its sign counts
    targets = 2 * inputs @ weights[:, None] + rng.normal(size=(30, 1))
    dense = Dense(6, 1, rng=rng, bias=False, dtype=np.float64)
    norm = [BatchNorm(1, dtype=np.float64)] if next(_IN_TURN) else []
    network = Network([dense, *norm])

    def gradient(weights):
        dense.weights = np.asarray(weights, dtype=np.float64)[:, None]
        network.backward(network.forward(inputs, training=True) - targets)
        return dense.grad_weights[:, 0] / len(inputs)

    return gradient, weights, float(rng.uniform(2, 20))


check_scale_invariance = Exercise(scale_invariance, _draw_unit, {
    "That is what batch norm makes of every unit, filled in by hand. Not all units that come here "
    "have batch norm behind them: ask `gradient` and measure.":
        {"return ratio, cosine": "return 1 / factor, 0.0"},
    "The first number is upside down: the gradient at the scaled weights belongs on top.":
        {"return ratio": "return 1 / ratio"},
    "The first number is just the factor: the gradient was multiplied, not the weights. Ask for "
    "the gradient once more, at factor * weights.": {"return ratio": "return factor"},
    "The first number compares squared lengths: a root is missing.":
        {"return ratio": "return ratio**2"},
    "The second number is the dot product, which grows with both lengths. A cosine is divided by "
    "both.": {"ratio, cosine": "ratio, weights @ grad"},
    "The second number is the angle; the cosine was asked for.":
        {"ratio, cosine": "ratio, np.arccos(cosine)"},
    "The second number compares the two gradients with each other; compare the weights with their "
    "gradient.": {"weights @ grad / (np.linalg.norm(weights)":
                  "grad_scaled @ grad / (np.linalg.norm(grad_scaled)"},
    "The second number was measured at the scaled weights; it belongs to `weights` as they came.":
        {"weights @ grad": "weights @ grad_scaled", "* np.linalg.norm(grad)":
         "* np.linalg.norm(grad_scaled)"},
}, praise="Where batch norm stood behind the unit, you found 1 / factor and 0: the loss does not "
   "feel the length of the weights, and a small step turns them, long ones less than short ones.")


def split_drift(before, after):
    """Return the drift of each unit in three parts, (n_units,) each: mean, width and shape.

    before, after: (n_images, n_units), the same images at an earlier and a later step. mean: by
    how many earlier standard deviations it moved. width: |log| of the ratio of the standard
    deviations. shape: the mean distance of the sorted values, each recording standardised first.
    """
    sd_before, sd_after = before.std(axis=0), after.std(axis=0)
    x = np.sort((before - before.mean(axis=0)) / sd_before, axis=0)
    y = np.sort((after - after.mean(axis=0)) / sd_after, axis=0)
    mean = np.abs(after.mean(axis=0) - before.mean(axis=0)) / sd_before
    return mean, np.abs(np.log(sd_after / sd_before)), np.abs(y - x).mean(axis=0)


def _draw_recordings(rng):
    n_images, n_units = int(rng.integers(30, 60)), int(rng.integers(5, 9))
    before = rng.gamma(3, rng.uniform(0.5, 2, n_units), (n_images, n_units))
    noise = rng.normal(size=before.shape)
    after = rng.uniform(0.4, 1.6, n_units) * before + noise + rng.uniform(-4, 2, n_units)
    return before, after


check_split_drift = Exercise(split_drift, _draw_recordings, {
    "Mean and width carry their signs: units that move up and units that move down would cancel. "
    "Drift is a distance.": {"mean = np.abs": "mean = ", "np.abs(np.log": "(np.log"},
    "The mean carries its sign: how far it moved is asked, not whether up or down.":
        {"mean = np.abs": "mean = "},
    "The width carries its sign: a hill that narrows has drifted too.":
        {"np.abs(np.log": "(np.log"},
    "The mean is counted in later standard deviations; take the earlier ones, so that the "
    "yardstick does not move with what it measures.":
        {"return mean": "return mean * sd_before / sd_after"},
    "The mean is in the unit's own numbers; count it in the earlier standard deviations.":
        {"return mean": "return mean * sd_before"},
    "The width is the ratio itself: a hill that keeps its width must score 0.":
        {"np.abs(np.log(sd_after / sd_before))": "sd_after / sd_before"},
    "The width is twice too large: its logarithm was taken of the variances.":
        {"np.abs(np.log": "2 * np.abs(np.log"},
    "The width is a difference in standard deviations: halved and doubled would count differently. "
    "Take the logarithm of their ratio.":
        {"np.log(sd_after / sd_before)": "sd_after / sd_before - 1"},
    "The shape compares value with value of the same image, which is closer to ranking. Sort each "
    "unit's values first: only the two hills are compared.":
        {"np.sort(": "", "sd_before, axis=0)": "sd_before", "sd_after, axis=0)": "sd_after"},
    "The shape was sorted along the units: without an axis, `np.sort` takes the last one. Sort "
    "over the images.": {"sd_before, axis=0": "sd_before", "sd_after, axis=0": "sd_after"},
    "The shape was not standardised: mean and width are still in it, and it is the plain distance "
    "that fools people.": {"(before - before.mean(axis=0)) / sd_before": "before",
                           "(after - after.mean(axis=0)) / sd_after": "after"},
    "For the shape, both recordings were standardised by the earlier mean and width, so that both "
    "changes are still in it. Give each its own.":
        {"after.mean(axis=0)) / sd_after": "before.mean(axis=0)) / sd_before"},
    "For the shape, distances to the left and to the right cancel to 0: take them without their "
    "signs.": {"np.abs(y - x)": "(y - x)"},
    "These standard deviations divide by n - 1. Take NumPy's default here, which divides by n, as "
    "batch norm does.": {"std(axis=0": "std(ddof=1, axis=0"},
}, praise="Under batch norm the first two are set by construction; ask for the third whenever "
   "somebody shows you a distance between distributions.")
