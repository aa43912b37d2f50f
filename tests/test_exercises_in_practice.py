"""Notebook 06's exercises, answered as learners do."""

import numpy as np
from exercise_answers import answer_tests

from helpers.in_practice import exercises as exercises
from helpers.layers import BatchNorm, Dense, LayerNorm

ROW = "x_hat = (z - z.mean(1, keepdims=True)) / np.sqrt(z.var(1, keepdims=True) + eps)"
OUTPUTS = "return gamma * x_hat + beta"
SCALE = "scale = gamma / np.sqrt(running_var + eps)"
FOLDED = "return weights * scale, beta - running_mean * scale"


def test_the_references_are_the_layers_of_the_course():
    rng = np.random.default_rng(0)
    z, norm = rng.normal(size=(4, 6)), LayerNorm(6, dtype=np.float64)
    norm.gamma[...], norm.beta[...] = rng.normal(size=(2, 6))
    outputs = norm.forward(z, training=True)
    found = exercises.layer_norm(z, norm.gamma, norm.beta, norm.eps)
    np.testing.assert_allclose(found, outputs)

    norm = BatchNorm(6, momentum=0.9, dtype=np.float64)
    norm.forward(z, training=True)
    np.testing.assert_allclose(exercises.update_as_pytorch(np.ones(6), z, 0.1), norm.running_var)

    dense = Dense(6, 6, rng=rng, bias=False, dtype=np.float64)
    norm.gamma[...], norm.beta[...] = rng.normal(size=(2, 6))
    outputs = norm.forward(dense.forward(z, training=False), training=False)
    weights, bias = exercises.folded(
        dense.weights, norm.gamma, norm.beta, norm.running_mean, norm.running_var, norm.eps
    )
    np.testing.assert_allclose(z @ weights + bias, outputs)


KEPT = "momentum * running_var + (1 - momentum)"
TAKEN = "(1 - momentum) * running_var + momentum"

WRONG = [
    ("layer_norm", "return gamma * (z - z.mean(0)) / np.sqrt(z.var(0) + eps) + beta",
     "down the columns"),
    ("layer_norm", "return gamma * (z - z.mean()) / np.sqrt(z.var() + eps) + beta", "whole array"),
    ("layer_norm", [ROW, "return x_hat"], "still missing"),
    ("layer_norm", [ROW, "return beta * x_hat + gamma"], "changed places"),
    ("layer_norm", [ROW.replace(" + eps", ""), OUTPUTS], "eps is missing"),
    ("layer_norm", [ROW.replace("var(1,", "var(1, ddof=1,"), OUTPUTS], "biased one"),
    ("layer_norm", [ROW.replace("np.sqrt", ""), OUTPUTS], "its root"),
    ("layer_norm", [
        "sd = z.std(1, keepdims=True) + eps",
        "return gamma * (z - z.mean(1, keepdims=True)) / sd + beta",
    ], "under the root"),
    ("update_as_pytorch", f"return {KEPT} * batch.var(axis=0, ddof=1)", "the wrong way round"),
    ("update_as_pytorch", f"return {KEPT} * batch.var(axis=0)", "biased variance too"),
    ("update_as_pytorch", f"return {TAKEN} * batch.var(axis=0)", "m - 1"),
    ("update_as_pytorch", f"return {TAKEN} * batch.std(axis=0, ddof=1)", "standard deviation"),
    ("update_as_pytorch", f"return {TAKEN} * batch.var()", "Each feature"),
    ("folded", [SCALE, "return weights * scale"], "Return 2 values"),
    ("folded", [SCALE, "return weights * scale, beta"], "not beta alone"),
    ("folded", [SCALE, "return weights * scale, beta + running_mean * scale"], "not added"),
    ("folded", [SCALE, "return weights * scale, beta - running_mean"], "was not divided"),
    ("folded", [SCALE, "return weights, beta - running_mean * scale"], "each column"),
    ("folded", [SCALE.replace(" + eps", ""), FOLDED], "eps is missing"),
    ("folded", [SCALE.replace("gamma", "1"), FOLDED], "gamma is missing"),
]
RIGHT = [
    ("layer_norm", [ROW, "return x_hat * gamma + beta"]),
    ("update_as_pytorch", [
        "new = ((batch - batch.mean(0)) ** 2).sum(0) / (len(batch) - 1)",
        "return running_var + momentum * (new - running_var)",
    ]),
    ("folded", [SCALE, "return weights @ np.diag(scale), beta - scale * running_mean"]),
]

test_a_mistake_is_named, test_a_right_answer_passes = answer_tests(exercises, WRONG, RIGHT)
