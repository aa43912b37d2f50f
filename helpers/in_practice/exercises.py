"""Notebook 06's exercises: layer norm, PyTorch's running statistics, and a layer folded away."""

import numpy as np

from helpers.page.exercise import Exercise, reveal  # noqa: F401, for the notebook


def layer_norm(z, gamma, beta, eps):
    """Return the outputs of layer norm, (batch, features), as z; gamma, beta: (features,)."""
    mean = z.mean(axis=1, keepdims=True)
    var = z.var(axis=1, keepdims=True)
    x_hat = (z - mean) / np.sqrt(var + eps)
    return gamma * x_hat + beta


def _draw_rows(rng):
    n_rows, n_features = int(rng.integers(3, 6)), int(rng.integers(7, 10))
    z = rng.normal(1, rng.uniform(0.05, 2, (n_rows, 1)), (n_rows, n_features))
    return z, *rng.uniform(0.5, 2, (2, n_features)), float(rng.uniform(0.002, 0.02))


check_layer_norm = Exercise(layer_norm, _draw_rows, {
    "Those are mean and variance down the columns, of one unit over the batch: batch norm. Layer "
    "norm takes them along each row, axis 1.": {"axis=1": "axis=0"},
    "One mean and one variance for the whole array. Each row has its own.": {"axis=1": "axis=None"},
    "This variance divides by the number of features minus 1. Take the biased one, NumPy's "
    "default.": {"var(axis=1": "var(ddof=1, axis=1"},
    "Divided by the variance: its root gives width 1.": {"np.sqrt": ""},
    "eps is missing under the root.": {"var + eps": "var"},
    "eps was added to the standard deviation; it belongs to the variance, under the root.":
        {"np.sqrt(var + eps)": "(np.sqrt(var) + eps)"},
    "gamma and beta are still missing: x_hat is not the output yet.":
        {"gamma * x_hat + beta": "x_hat"},
    "gamma and beta have changed places.": {"gamma * x_hat + beta": "beta * x_hat + gamma"},
}, praise="No row looks at another: the batch may be of any size, and nothing is stored.")


def update_as_pytorch(running_var, batch, momentum):
    """Return PyTorch's running variance, (features,), after one more batch, (m, features)."""
    return (1 - momentum) * running_var + momentum * batch.var(axis=0, ddof=1)


def _draw_update(rng):
    running_var, batch = rng.uniform(0.5, 3, 4), rng.normal(0, 2, (int(rng.integers(3, 7)), 4))
    return running_var, batch, float(rng.uniform(0.05, 0.3))


_SWAPPED = {"(1 - momentum) * running": "momentum * running", "+ momentum": "+ (1 - momentum)"}

check_update_as_pytorch = Exercise(update_as_pytorch, _draw_update, {
    "The momentum is the wrong way round: in PyTorch it is the share of the *new* batch.": _SWAPPED,
    "Wrong way round, and the biased variance too. PyTorch's momentum is the share of the new "
    "batch, and it stores the variance that divides by m - 1.": {**_SWAPPED, ", ddof=1": ""},
    "Nearly: the batch is normalised with the biased variance, but the stored one divides by m - 1 "
    "(ddof=1).": {", ddof=1": ""},
    "That stores the standard deviation. Stored is the variance.": {"batch.var": "batch.std"},
    "Old and new have to be weighed so that the weights add up to 1.": {"(1 - momentum) * ": ""},
    "One variance for all features together. Each feature has its own, over axis 0.":
        {"axis=0, ddof=1": ""},
}, praise="PyTorch's momentum 0.1 is the memory 0.9 of this course.")


def folded(weights, gamma, beta, running_mean, running_var, eps):
    """Return weights and bias of the one Dense that equals Dense and batch norm in inference.

    weights: (n_inputs, n_outputs), without a bias. All others, and the bias: (n_outputs,).
    """
    scale = gamma / np.sqrt(running_var + eps)
    return weights * scale, beta - running_mean * scale


def _draw_layer(rng):
    n_inputs, n_outputs = int(rng.integers(3, 5)), int(rng.integers(5, 8))
    weights, (gamma, mean) = rng.normal(size=(n_inputs, n_outputs)), rng.normal(size=(2, n_outputs))
    beta, var = rng.normal(2, 1, n_outputs), rng.uniform(0.1, 3, n_outputs)
    return weights, gamma, beta, mean, var, float(rng.uniform(0.01, 0.05))


check_folded = Exercise(folded, _draw_layer, {
    "eps is missing under the root.": {"running_var + eps": "running_var"},
    "Divided by the variance: the root is missing.": {"np.sqrt": ""},
    "gamma is missing.": {"gamma / ": "1 / "},
    "The stored mean was not divided by the standard deviation and scaled by gamma: it goes "
    "through the layer like everything else.": {"running_mean * scale": "running_mean"},
    "The stored mean is subtracted, not added.": {"beta - ": "beta + "},
    "The bias is not beta alone: what happens to the stored mean?": {" - running_mean * scale": ""},
    "The weights cannot stay as they are: scale each column, too.":
        {"weights * scale": "weights"},
}, praise="In inference batch norm costs nothing: it can be folded into the layer before it.")
