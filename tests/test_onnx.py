"""Batch norm against the ONNX project's own cases.

ONNX keeps features on axis 1 and stores the *biased* variance; ours come last, and we store the
unbiased one, m / (m - 1) times as large. ONNX's momentum means the same as ours.
"""

import warnings

import numpy as np
import pytest
from onnx.backend.test.case.node import collect_testcases

from helpers.layers import BatchNorm

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # collecting builds the cases of every operator, with overflows
    CASES = {case.name: case for case in collect_testcases("BatchNormalization")}


@pytest.mark.parametrize("name", sorted(CASES))
def test_batch_norm_agrees_with_onnx(name):
    (inputs, scale, bias, mean, var), outputs = CASES[name].data_sets[0]
    attributes = {a.name: a for a in CASES[name].model.graph.node[0].attribute}
    options = {"eps": attributes["epsilon"].f} if "epsilon" in attributes else {}
    training = "training_mode" in attributes and attributes["training_mode"].i == 1

    norm = BatchNorm(inputs.shape[1], momentum=0.9, **options)
    norm.gamma, norm.beta = scale, bias
    norm.running_mean, norm.running_var = mean.copy(), var.copy()
    rows = np.moveaxis(inputs, 1, -1)
    flat = norm.forward(rows.reshape(-1, rows.shape[-1]), training=training)
    np.testing.assert_allclose(
        np.moveaxis(flat.reshape(rows.shape), -1, 1), outputs[0], rtol=1e-5, atol=1e-6
    )
    if training:
        n_rows = len(flat)
        expected_mean, expected_biased_var = outputs[1:]
        batch_var = (expected_biased_var - 0.9 * var) / 0.1
        expected_var = 0.9 * var + 0.1 * batch_var * n_rows / (n_rows - 1)
        np.testing.assert_allclose(norm.running_mean, expected_mean, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(norm.running_var, expected_var, rtol=1e-5)
