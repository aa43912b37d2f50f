"""Notebook 02's exercises meet the course's BatchNorm, and answers as learners write them."""

import numpy as np
import pytest
from exercise_answers import answer_tests

from helpers.batch_norm_mechanics import exercises
from helpers.layers import BatchNorm


def test_references_are_what_the_layer_does():
    norm = BatchNorm(4, momentum=0.8, eps=1e-3, dtype=np.float64)
    rng = np.random.default_rng(0)
    norm.gamma[...], norm.beta[...] = rng.normal(0, 1, (2, 4))
    norm.running_mean[...], norm.running_var[...] = rng.uniform(0.5, 2, (2, 4))
    z, grad_outputs = rng.normal(1, 2, (2, 6, 4))
    stored = norm.running_mean.copy(), norm.running_var.copy()
    learned = norm.gamma, norm.beta, norm.eps
    inferred = norm.forward(z, training=False)
    np.testing.assert_allclose(exercises.infer(z, *stored, *learned), inferred, rtol=1e-12)
    outputs = norm.forward(z, training=True)
    np.testing.assert_allclose(exercises.forward(z, *learned), outputs, rtol=1e-12)
    updated = exercises.update_running(*stored, z, norm.momentum)
    np.testing.assert_allclose(updated, (norm.running_mean, norm.running_var), rtol=1e-12)
    std = np.sqrt(z.var(axis=0) + norm.eps)
    gradient = exercises.backward(grad_outputs, (z - z.mean(axis=0)) / std, std, norm.gamma)
    np.testing.assert_allclose(gradient, norm.backward(grad_outputs), rtol=1e-9)


@pytest.mark.parametrize("name", ["forward", "update_running", "infer", "backward"])
def test_every_hint_can_be_met(name):
    check = getattr(exercises, f"check_{name}")
    for hint, mistaken in check.mistakes.items():
        assert check(mistaken).message == hint


def averages(old="momentum", new="(1 - momentum)", mean="z.mean(0)", var="z.var(0, ddof=1)"):
    """Return the lines of an update with these shares and statistics."""
    return [
        f"mean = {old} * running_mean + {new} * {mean}",
        f"var = {old} * running_var + {new} * {var}",
        "return mean, var",
    ]


WRONG = [
    ("forward", ["m, v = z.mean(1), z.var(1)",
                 "return gamma * ((z.T - m) / (v + eps) ** 0.5).T + beta"], "of each row"),
    ("forward", ["return gamma * (z - np.mean(z)) / np.sqrt(np.var(z) + eps) + beta"],
     "whole array"),
    ("forward", ["var = ((z - z.mean(0)) ** 2).sum(0) / (len(z) - 1)",
                 "return gamma * (z - z.mean(0)) / np.sqrt(var + eps) + beta"],
     "unbiased variance"),
    ("forward", ["return gamma * (z - z.mean(0)) / (z.var(0) + eps) + beta"],
     "where is the root?"),
    ("forward", ["s = np.sqrt(z.var(axis=0)) + eps", "return gamma * ((z - z.mean(0)) / s) + beta"],
     "under the root"),
    ("forward", ["return gamma * (z - z.mean(0)) / z.std(0) + beta"], "eps is missing"),
    ("forward", ["x = (z - z.mean(0)) / np.sqrt(z.var(0) + eps)", "return gamma * (x + beta)"],
     "added before γ"),
    ("forward", ["x = z / np.sqrt(z.var(0) + eps)", "return gamma * (x - z.mean(0)) + beta"],
     "after the division"),
    ("forward", ["z -= z.mean(0)", "return gamma * z / np.sqrt(z.var(0) + eps) + beta"],
     "in place"),
    ("update_running", averages("(1 - momentum)", "momentum"), "look swapped: here momentum"),
    ("update_running", averages(var="((z - z.mean(0))**2).mean(0)"), "the biased one"),
    ("update_running", averages("(1 - momentum)", "momentum", var="z.var(0)"), "Two things"),
    ("update_running", averages(var="z.std(0)"), "standard deviations. Variances"),
    ("update_running", averages(new="1"), "comes in whole"),
    ("update_running", averages(var="((z - running_mean)**2).sum(0) / (len(z) - 1)"),
     "around the running mean"),
    ("update_running", ["return momentum * running_mean + (1 - momentum) * z.mean(0)"],
     "Return 2 values"),
    ("infer", ["return gamma * (z - z.mean(0)) / np.sqrt(z.var(0) + eps) + beta"],
     "the batch's own mean and variance"),
    ("infer", ["return gamma * (z - z.mean(0)) / np.sqrt(running_var + eps) + beta"],
     "The mean is the batch's own"),
    ("infer", ["return gamma * (z - running_mean) / (np.sqrt(running_var) + eps) + beta"],
     "under the root"),
    ("infer", ["return gamma * z + beta"], "Not yet"),
    ("backward", ["g = grad_outputs * gamma / std", "return g - g.mean(0)"],
     "part along x̂ is still there"),
    ("backward", ["g = grad_outputs * gamma",
                  "return (g - g.sum(0) - x_hat * (g * x_hat).sum(0)) / std"], "sums over"),
    ("backward", ["g = grad_outputs * gamma",
                  "return (g - g.mean(0) - (g * x_hat).mean(0)) / std"], "no direction"),
    ("backward", ["g = grad_outputs * gamma",
                  "share = (g * x_hat).mean(0) / (x_hat * x_hat).mean(0)",
                  "return (g - g.mean(0) - share * x_hat) / std"], "exact projection"),
]

RIGHT = [
    ("forward", ["m = np.mean(z, 0)", "s = (np.mean(z**2, 0) - m**2 + eps) ** 0.5",
                 "return beta + (z - m) * (gamma / s)"]),
    ("update_running", ["m, v = z.mean(0), z.var(0) * len(z) / (len(z) - 1)",
                        "return [running_mean + (1 - momentum) * (m - running_mean),"
                        " running_var + (1 - momentum) * (v - running_var)]"]),
    ("infer", ["scale = gamma / np.sqrt(running_var + eps)",
               "return scale * z + (beta - scale * running_mean)"]),
    ("backward", ["m = len(x_hat)", "gx = grad_outputs * gamma",
                  "gvar = (gx * x_hat).sum(0) / (-2 * std**2)", "gmean = -gx.sum(0) / std",
                  "return gx / std + gvar * 2 * x_hat * std / m + gmean / m"]),
]

test_a_mistake_is_named, test_a_right_answer_passes = answer_tests(exercises, WRONG, RIGHT)
