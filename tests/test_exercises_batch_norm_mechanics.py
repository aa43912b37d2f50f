"""Notebook 02's exercises meet the course's BatchNorm, and answers as learners write them."""

import numpy as np
import pytest
from exercise_answers import answer_tests

from helpers.batch_norm_mechanics import exercises as exercises
from helpers.layers import BatchNorm

# -- the reference is what the layer does --


@pytest.fixture
def layer():
    norm = BatchNorm(4, momentum=0.8, eps=1e-3, dtype=np.float64)
    rng = np.random.default_rng(0)
    norm.gamma[...], norm.beta[...] = rng.normal(0, 1, (2, 4))
    norm.running_mean[...], norm.running_var[...] = rng.uniform(0.5, 2, (2, 4))
    return norm


def batch(seed=1):
    return np.random.default_rng(seed).normal(1, 2, (6, 4))


def test_forward_is_that_of_the_layer(layer):
    z = batch()
    expected = layer.forward(z, training=True)
    ours = exercises.forward(z, layer.gamma, layer.beta, layer.eps)
    np.testing.assert_allclose(ours, expected, rtol=1e-12)


def test_running_statistics_are_those_of_the_layer(layer):
    z = batch()
    ours = exercises.update_running(layer.running_mean, layer.running_var, z, layer.momentum)
    layer.forward(z, training=True)
    np.testing.assert_allclose(ours, (layer.running_mean, layer.running_var), rtol=1e-12)


def test_inference_is_that_of_the_layer(layer):
    z = batch()
    stored = layer.running_mean, layer.running_var, layer.gamma, layer.beta
    ours = exercises.infer(z, *stored, layer.eps)
    np.testing.assert_allclose(ours, layer.forward(z, training=False), rtol=1e-12)


def test_backward_is_that_of_the_layer(layer):
    z, grad_outputs = batch(), batch(2)
    layer.forward(z, training=True)
    std = np.sqrt(z.var(axis=0) + layer.eps)
    ours = exercises.backward(grad_outputs, (z - z.mean(axis=0)) / std, std, layer.gamma)
    np.testing.assert_allclose(ours, layer.backward(grad_outputs), rtol=1e-9)


# -- answers as learners write them --


def averages(old="momentum", new="(1 - momentum)", mean="z.mean(0)", var="z.var(0, ddof=1)"):
    """Return the lines of an update with these shares and statistics."""
    return [
        f"mean = {old} * running_mean + {new} * {mean}",
        f"var = {old} * running_var + {new} * {var}",
        "return mean, var",
    ]


WRONG = [
    ("forward", ["m = z.mean(axis=1, keepdims=True)", "v = z.var(axis=1, keepdims=True)",
                 "return (z - m) / np.sqrt(v + eps) * gamma + beta"], "variance of each row"),
    ("forward", ["m, v = z.mean(1), z.var(1)",
                 "return gamma * ((z.T - m) / (v + eps) ** 0.5).T + beta"], "of each row"),
    ("forward", ["return gamma * (z - np.mean(z)) / np.sqrt(np.var(z) + eps) + beta"],
     "whole array"),
    ("forward", ["var = ((z - z.mean(0)) ** 2).sum(0) / (len(z) - 1)",
                 "return gamma * (z - z.mean(0)) / np.sqrt(var + eps) + beta"],
     "unbiased variance"),
    ("forward", ["return gamma * (z - z.mean(0)) / (z.var(0) + eps) + beta"],
     "where is the root?"),
    ("forward", ["return gamma * (z - z.mean(0)) / (z.std(0) + eps) + beta"], "under the root"),
    ("forward", ["s = np.sqrt(z.var(axis=0)) + eps", "return gamma * ((z - z.mean(0)) / s) + beta"],
     "under the root"),
    ("forward", ["return gamma * (z - z.mean(0)) / z.std(0) + beta"], "eps is missing"),
    ("forward", ["return gamma * (z - z.mean(0)) / np.sqrt(z.var(0) + 1e-5) + beta"],
     "typed in where `eps`"),
    ("forward", ["x = (z - z.mean(0)) / np.sqrt(z.var(0) + eps)", "return gamma * (x + beta)"],
     "added before γ"),
    ("forward", ["x = (z - z.mean(0)) / np.sqrt(z.var(0) + eps)", "return beta * x + gamma"],
     "changed places"),
    ("forward", ["return (z - z.mean(0)) / np.sqrt(z.var(0) + eps)"], "still to come"),
    ("forward", ["return gamma * (z - z.mean(0)) / np.sqrt(z.var(0) + eps)"], "β is missing"),
    ("forward", ["return gamma * z / np.sqrt(z.var(0) + eps) + beta"], "not subtracted"),
    ("forward", ["x = z / np.sqrt(z.var(0) + eps)", "return gamma * (x - z.mean(0)) + beta"],
     "after the division"),
    ("forward", ["z -= z.mean(0)", "return gamma * z / np.sqrt(z.var(0) + eps) + beta"],
     "in place"),
    ("forward", ["return gamma * (z - z.mean(1)) / np.sqrt(z.var(1) + eps) + beta"],
     "raised ValueError"),
    ("update_running", averages("(1 - momentum)", "momentum"), "look swapped: here momentum"),
    ("update_running", ["m, v = z.mean(0), z.var(0, ddof=1)",
                        "return (running_mean + momentum * (m - running_mean),"
                        " running_var + momentum * (v - running_var))"],
     "look swapped: here momentum"),
    ("update_running", averages(var="z.var(0)"), "the biased one"),
    ("update_running", averages(var="((z - z.mean(0))**2).mean(0)"), "the biased one"),
    ("update_running", averages("(1 - momentum)", "momentum", var="z.var(0)"), "Two things"),
    ("update_running", averages(var="z.std(0)"), "standard deviations. Variances"),
    ("update_running", averages(var="np.std(z, axis=0, ddof=1)"), "if unbiased ones"),
    ("update_running", averages(mean="np.mean(z)", var="np.var(z, ddof=1)"), "whole array"),
    ("update_running", ["return z.mean(0), z.var(0, ddof=1)"], "this batch alone"),
    ("update_running", averages(new="1"), "comes in whole"),
    ("update_running", averages(old="1"), "stays whole"),
    ("update_running", ["n, k = len(z), momentum",
                        "new = k * running_var + (1 - k) * z.var(0)",
                        "return k * running_mean + (1 - k) * z.mean(0), n / (n - 1) * new"],
     "multiplies the past"),
    ("update_running", averages(var="((z - running_mean)**2).sum(0) / (len(z) - 1)"),
     "around the running mean"),
    ("update_running", ["k = momentum", "new_mean = k * running_mean + (1 - k) * z.mean(0)",
                        "return k * running_var + (1 - k) * z.var(0, ddof=1), new_mean"],
     "other order"),
    ("update_running", ["return momentum * running_mean + (1 - momentum) * z.mean(0)"],
     "Return 2 values"),
    ("infer", ["return gamma * (z - z.mean(0)) / np.sqrt(z.var(0) + eps) + beta"],
     "the batch's own mean and variance"),
    ("infer", ["return gamma * (z - z.mean(0)) / np.sqrt(running_var + eps) + beta"],
     "The mean is the batch's own"),
    ("infer", ["return gamma * (z - running_mean) / np.sqrt(z.var(0) + eps) + beta"],
     "The variance is the batch's own"),
    ("infer", ["v = running_var * len(z) / (len(z) - 1)",
               "return gamma * (z - running_mean) / np.sqrt(v + eps) + beta"], "unbiased already"),
    ("infer", ["return gamma * (z - running_mean) / (running_var + eps) + beta"],
     "where is the root?"),
    ("infer", ["return gamma * (z - running_mean) / np.sqrt(running_var) + beta"],
     "eps is missing"),
    ("infer", ["return gamma * (z - running_mean) / (np.sqrt(running_var) + eps) + beta"],
     "under the root"),
    ("infer", ["return gamma * (z - running_mean) / np.sqrt(running_var + 1e-5) + beta"],
     "typed in where `eps`"),
    ("infer", ["return (z - running_mean) / np.sqrt(running_var + eps)"], "learned, and needed"),
    ("infer", ["return gamma * ((z - running_mean) / np.sqrt(running_var + eps) + beta)"],
     "added before γ"),
    ("infer", ["return gamma * z / np.sqrt(running_var + eps) + beta"], "not subtracted"),
    ("infer", ["return gamma * z + beta"], "Not yet"),
    ("backward", ["return grad_outputs * gamma / std"], "as constants"),
    ("backward", ["g = grad_outputs * gamma / std", "return g - g.mean(0)"],
     "part along x̂ is still there"),
    ("backward", ["g = grad_outputs * gamma", "return (g - x_hat * np.mean(g * x_hat, 0)) / std"],
     "part along 1 is still there"),
    ("backward", ["g = grad_outputs * gamma",
                  "return (g - g.sum(0) - x_hat * (g * x_hat).sum(0)) / std"], "sums over"),
    ("backward", ["g = grad_outputs * gamma",
                  "return (g - g.mean(0) - (g * x_hat).mean(0)) / std"], "no direction"),
    ("backward", ["g = grad_outputs * gamma",
                  "share = (g * x_hat).mean(0) / (x_hat * x_hat).mean(0)",
                  "return (g - g.mean(0) - share * x_hat) / std"], "exact projection"),
    ("backward", ["g = grad_outputs * gamma",
                  "return (g + g.mean(0) + x_hat * (g * x_hat).mean(0)) / std"], "are added"),
    ("backward", ["g = grad_outputs",
                  "return (g - g.mean(0) - x_hat * (g * x_hat).mean(0)) / std"], "γ is missing"),
    ("backward", ["g = gamma * grad_outputs",
                  "return g - g.mean(0) - x_hat * (g * x_hat).mean(0)"],
     "division by std is missing"),
    ("backward", ["g = gamma * grad_outputs",
                  "return std * (g - g.mean(0) - x_hat * (g * x_hat).mean(0))"],
     "Multiplied by std"),
    ("backward", ["g = gamma * grad_outputs",
                  "return (g - g.mean(0) - x_hat * (g * x_hat).mean(0)) / std**2"],
     "Divided by the variance"),
    ("backward", ["return np.zeros_like(x_hat)"], "Not yet"),
]

RIGHT = [
    ("forward", ["m = np.mean(z, 0)", "s = (np.mean(z**2, 0) - m**2 + eps) ** 0.5",
                 "return beta + (z - m) * (gamma / s)"]),
    ("forward", ["out = np.empty_like(z)", "for j in range(z.shape[1]):",
                 "    column = z[:, j]",
                 "    x = (column - column.mean()) / np.sqrt(column.var() + eps)",
                 "    out[:, j] = gamma[j] * x + beta[j]", "return out"]),
    ("update_running", ["m, v = z.mean(0), z.var(0) * len(z) / (len(z) - 1)",
                        "return [running_mean + (1 - momentum) * (m - running_mean),"
                        " running_var + (1 - momentum) * (v - running_var)]"]),
    ("infer", ["scale = gamma / np.sqrt(running_var + eps)",
               "return scale * z + (beta - scale * running_mean)"]),
    ("backward", ["m, g = len(x_hat), grad_outputs",
                  "return gamma / std / m * (m * g - g.sum(0) - x_hat * (g * x_hat).sum(0))"]),
    ("backward", ["m = len(x_hat)", "gx = grad_outputs * gamma",
                  "gvar = (gx * x_hat).sum(0) / (-2 * std**2)", "gmean = -gx.sum(0) / std",
                  "return gx / std + gvar * 2 * x_hat * std / m + gmean / m"]),
]

test_a_mistake_is_named, test_a_right_answer_passes = answer_tests(exercises, WRONG, RIGHT)


def test_constant_gradients_would_prove_nothing():
    _, x_hat, std, gamma = exercises.check_backward._cases[0]
    ones = np.ones_like(x_hat)
    np.testing.assert_allclose(exercises.backward(ones, x_hat, std, gamma), 0, atol=1e-9)
    for grad_outputs, *_ in exercises.check_backward._cases:
        assert grad_outputs.std(axis=0).min() > 0.1


def test_in_each_case_one_unit_hardly_varies():
    for z, *_, eps in exercises.check_forward._cases + exercises.check_infer._cases:
        assert z.var(axis=0)[0] < 10 * eps and eps > 1.5e-5
