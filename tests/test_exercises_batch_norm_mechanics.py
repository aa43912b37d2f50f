"""Notebook 02's exercises meet the course's BatchNorm, and answers as learners write them."""

import numpy as np
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


WRONG = [
    ("forward", ["s = np.sqrt(z.var(axis=0)) + eps", "return gamma * ((z - z.mean(0)) / s) + beta"],
     "under the root"),
    ("forward", ["return gamma * (z - z.mean(0)) / z.std(0) + beta"], "eps is missing"),
    ("forward", ["x = z / np.sqrt(z.var(0) + eps)", "return gamma * (x - z.mean(0)) + beta"],
     "after the division"),
    ("forward", ["z -= z.mean(0)", "return gamma * z / np.sqrt(z.var(0) + eps) + beta"],
     "in place"),
    ("update_running", [
        "mean = (1 - momentum) * running_mean + momentum * z.mean(0)",
        "return mean, (1 - momentum) * running_var + momentum * z.var(0)",
    ], "Two things"),
    ("update_running", [
        "mean = momentum * running_mean + (1 - momentum) * z.mean(0)",
        "var = ((z - running_mean)**2).sum(0) / (len(z) - 1)",
        "return mean, momentum * running_var + (1 - momentum) * var",
    ], "around the running mean"),
    ("infer", ["return gamma * (z - z.mean(0)) / np.sqrt(z.var(0) + eps) + beta"],
     "the batch's own mean and variance"),
    ("infer", ["return gamma * z + beta"], "Not yet"),
    ("backward", ["g = grad_outputs * gamma",
                  "return (g - g.sum(0) - x_hat * (g * x_hat).sum(0)) / std"], "sums over"),
    ("backward", ["g = grad_outputs * gamma",
                  "return (g - g.mean() - x_hat * (g * x_hat).mean()) / std"], "whole array"),
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
