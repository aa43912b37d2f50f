"""Notebook 06's exercises: layer norm, PyTorch's running statistics, and a layer folded away."""

import numpy as np

from helpers.page.exercise import Exercise, reveal

__all__ = [
    "check_folded",
    "check_layer_norm",
    "check_update_as_pytorch",
    "reveal",
]


def layer_norm(z, gamma, beta, eps):
    """Return the outputs of layer norm, (batch, features), as z; gamma, beta: (features,)."""
    mean = z.mean(axis=1, keepdims=True)
    var = z.var(axis=1, keepdims=True)
    x_hat = (z - mean) / np.sqrt(var + eps)
    return gamma * x_hat + beta


def _normalised(axis, *, ddof=0, power=0.5, inside=1, outside=0):
    """Return layer norm that goes over another axis, or divides by something else."""

    def attempt(z, gamma, beta, eps):
        var = z.var(axis=axis, keepdims=True, ddof=ddof)
        below = (var + inside * eps) ** power + outside * eps
        return gamma * (z - z.mean(axis=axis, keepdims=True)) / below + beta

    return attempt


def _draw_rows(rng):
    n_rows, n_features = int(rng.integers(3, 6)), int(rng.integers(7, 10))
    z = rng.normal(1, rng.uniform(0.05, 2, (n_rows, 1)), (n_rows, n_features))
    return z, *rng.uniform(0.5, 2, (2, n_features)), float(rng.uniform(0.002, 0.02))


check_layer_norm = Exercise(
    layer_norm,
    _draw_rows,
    {
        "Those are mean and variance down the columns, of one unit over the batch: batch norm. "
        "Layer norm takes them along each row, axis 1.": _normalised(0),
        "One mean and one variance for the whole array. Each row has its own.": _normalised(None),
        "This variance divides by the number of features minus 1. Take the biased one, NumPy's "
        "default.": _normalised(1, ddof=1),
        "Divided by the variance: its root gives width 1.": _normalised(1, power=1),
        "eps is missing under the root.": _normalised(1, inside=0),
        "eps was added to the standard deviation; it belongs to the variance, under the root.": (
            _normalised(1, inside=0, outside=1)
        ),
        "gamma and beta are still missing: x_hat is not the output yet.": (
            lambda z, gamma, beta, eps: layer_norm(z, 1, 0, eps)
        ),
        "gamma and beta have changed places.": (
            lambda z, gamma, beta, eps: layer_norm(z, beta, gamma, eps)
        ),
    },
    praise="No row looks at another: the batch may be of any size, and nothing is stored.",
)


def update_as_pytorch(running_var, batch, momentum):
    """Return PyTorch's running variance, (features,), after one more batch, (m, features)."""
    return (1 - momentum) * running_var + momentum * batch.var(axis=0, ddof=1)


check_update_as_pytorch = Exercise(
    update_as_pytorch,
    lambda rng: (
        rng.uniform(0.5, 3, 4), rng.normal(0, 2, (int(rng.integers(3, 7)), 4)),
        float(rng.uniform(0.05, 0.3)),
    ),
    {
        "The momentum is the wrong way round: in PyTorch it is the share of the *new* batch.": (
            lambda old, batch, p: p * old + (1 - p) * batch.var(axis=0, ddof=1)
        ),
        "Wrong way round, and the biased variance too. PyTorch's momentum is the share of the new "
        "batch, and it stores the variance that divides by m - 1.": (
            lambda old, batch, p: p * old + (1 - p) * batch.var(axis=0)
        ),
        "Nearly: the batch is normalised with the biased variance, but the stored one divides by "
        "m - 1 (ddof=1).": lambda old, batch, p: (1 - p) * old + p * batch.var(axis=0),
        "That stores the standard deviation. Stored is the variance.": (
            lambda old, batch, p: (1 - p) * old + p * batch.std(axis=0, ddof=1)
        ),
        "Old and new have to be weighed so that the weights add up to 1.": (
            lambda old, batch, p: old + p * batch.var(axis=0, ddof=1)
        ),
        "One variance for all features together. Each feature has its own, over axis 0.": (
            lambda old, batch, p: (1 - p) * old + p * batch.var()
        ),
    },
    praise="PyTorch's momentum 0.1 is the memory 0.9 of this course.",
)


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


def _with_scale(scale_of):
    def attempt(weights, gamma, beta, mean, var, eps):
        scale = scale_of(gamma, var, eps)
        return weights * scale, beta - mean * scale

    return attempt


check_folded = Exercise(
    folded,
    _draw_layer,
    {
        "eps is missing under the root.": _with_scale(lambda gamma, var, eps: gamma / var**0.5),
        "Divided by the variance: the root is missing.": (
            _with_scale(lambda gamma, var, eps: gamma / (var + eps))
        ),
        "gamma is missing.": _with_scale(lambda gamma, var, eps: 1 / np.sqrt(var + eps)),
        "The stored mean was not divided by the standard deviation and scaled by gamma: it goes "
        "through the layer like everything else.": lambda w, gamma, beta, mean, var, eps: (
            w * gamma / np.sqrt(var + eps), beta - mean
        ),
        "The stored mean is subtracted, not added.": lambda w, gamma, beta, mean, var, eps: (
            w * gamma / np.sqrt(var + eps), beta + mean * gamma / np.sqrt(var + eps)
        ),
        "The bias is not beta alone: what happens to the stored mean?": (
            lambda w, gamma, beta, mean, var, eps: (w * gamma / np.sqrt(var + eps), beta)
        ),
        "The weights are right to be kept, but each column has to be scaled as well.": (
            lambda w, gamma, beta, mean, var, eps: (w, beta - mean * gamma / np.sqrt(var + eps))
        ),
    },
    praise="In inference batch norm costs nothing: it can be folded into the layer before it.",
)
