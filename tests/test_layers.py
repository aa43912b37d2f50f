"""Each layer: its formulas, its gradients, its shapes, and what it refuses."""

import numpy as np
import pytest
from gradient_check import numerical_gradient, relative_error
from hypothesis import example, given
from hypothesis import strategies as st

from helpers.arithmetic import row_of
from helpers.layers import (
    BatchNorm,
    Dense,
    Dropout,
    ReLU,
    Sigmoid,
    Tanh,
    batch_mean,
    divergence_allowed,
)
from helpers.network import Network

seeds = st.integers(0, 2**32 - 1)
scales = st.floats(1e-2, 1e4)
networks = st.sampled_from([None, 1, 3])


def normal(shape, seed=0, scale=1.0):
    return scale * np.random.default_rng(seed).standard_normal(shape)


def batch_shape(n_networks, batch_size, n_features):
    return (() if n_networks is None else (n_networks,)) + (batch_size, n_features)


def randomised(norm, seed=1):
    """The same batch norm with gamma and beta away from 1 and 0."""
    norm.gamma[...] = 1 + 0.5 * normal(norm.shape, seed)
    norm.beta[...] = normal(norm.shape, seed + 1)
    return norm


# --- gradients -----------------------------------------------------------------------------------


def make_layers(n_networks, group_size=None, dtype=np.float64):
    rng = np.random.default_rng(5)
    options = {"n_networks": n_networks, "dtype": dtype}
    norm = BatchNorm(3, group_size=group_size, **options)
    return {
        "dense": Dense(3, 4, rng=rng, **options),
        "dense without bias": Dense(3, 4, rng=rng, bias=False, **options),
        "batch norm": randomised(norm),
        "relu": ReLU(),
        "tanh": Tanh(),
        "sigmoid": Sigmoid(),
        "dropout": Dropout(0.4, rng=np.random.default_rng(0), n_networks=n_networks),
    }


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("n_networks", [None, 1, 3])
@pytest.mark.parametrize(
    ("name", "group_size"),
    [(name, None) for name in make_layers(None)] + [("batch norm", 2), ("batch norm", 4)],
)
def test_backward_equals_finite_differences(name, n_networks, group_size, training):
    layer = make_layers(n_networks, group_size)[name]
    inputs = normal(batch_shape(n_networks, 8, 3), seed=2) + 0.01  # away from relu's kink
    outputs = layer.forward(inputs, training=training)
    grad_outputs = normal(outputs.shape, seed=3)  # random: a constant one proves nothing

    def loss():
        if name == "dropout":  # the same mask each time
            layer.rng = make_layers(n_networks)["dropout"].rng
        return float((layer.forward(inputs, training=training) * grad_outputs).sum())

    grad_inputs = layer.backward(grad_outputs)
    gradients = {name: getattr(layer, "grad_" + name).copy() for name in layer.parameters}
    assert relative_error(grad_inputs, numerical_gradient(loss, inputs)) < 1e-6
    for name, gradient in gradients.items():
        parameter = getattr(layer, name)
        assert gradient.shape == parameter.shape
        assert relative_error(gradient, numerical_gradient(loss, parameter)) < 1e-6


def test_the_gradient_of_shared_inputs_is_kept_for_each_network():
    shared, grad_outputs = normal((5, 3)), normal((4, 5, 2), seed=1)
    gradients = []
    for inputs in (shared, np.stack([shared] * 4)):
        layer = Dense(3, 2, rng=np.random.default_rng(0), n_networks=4, dtype=np.float64)
        layer.forward(inputs, training=True)
        gradients.append([layer.backward(grad_outputs), layer.grad_weights, layer.grad_bias])
        assert layer.backward(grad_outputs, to_inputs=False) is None  # a first layer is spared it
    for left, right in zip(*gradients, strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-12)


# --- batch norm: properties ----------------------------------------------------------------------


@given(seeds, scales, networks)
def test_training_outputs_have_mean_beta_and_deviation_gamma(seed, scale, n_networks):
    norm = randomised(BatchNorm(4, n_networks, dtype=np.float64), seed % 1000)
    outputs = norm.forward(normal(batch_shape(n_networks, 32, 4), seed, scale), training=True)
    mean, sd = (one.reshape(norm.shape) for one in (outputs.mean(axis=-2), outputs.std(axis=-2)))
    np.testing.assert_allclose(mean, norm.beta, atol=1e-9)
    # eps is in the division: it shows where the variance is small
    np.testing.assert_allclose(sd, np.abs(norm.gamma), rtol=2e-5 + 1e-5 / scale**2 * 4)


@given(seeds, st.floats(10, 1e6), networks)
def test_outputs_ignore_the_scale_of_the_inputs(seed, scale, n_networks):
    norm = BatchNorm(3, n_networks, dtype=np.float64)
    inputs = normal(batch_shape(n_networks, 16, 3), seed)  # variance far above 1e4 * eps
    np.testing.assert_allclose(
        norm.forward(scale * inputs, training=True),
        norm.forward(inputs, training=True),
        rtol=1e-4, atol=1e-4,
    )


@given(seeds, networks, st.sampled_from([None, 2, 4]))
def test_inference_leaves_statistics_alone_and_ignores_batch_mates(seed, n_networks, group_size):
    norm = BatchNorm(3, n_networks, group_size=group_size, dtype=np.float64)
    inputs = normal(batch_shape(n_networks, 8, 3), seed)
    norm.forward(inputs, training=True)
    kept = norm.running_mean.copy(), norm.running_var.copy()
    together = norm.forward(inputs, training=False)
    alone = norm.forward(inputs[..., 2:3, :], training=False)
    np.testing.assert_allclose(alone, together[..., 2:3, :], rtol=1e-6)
    np.testing.assert_array_equal(norm.running_mean, kept[0])
    np.testing.assert_array_equal(norm.running_var, kept[1])


@given(seeds, networks, st.sampled_from([2, 3, 6, 12]))  # 12: plain batch norm
def test_groups_are_consecutive_rows_normalised_alone(seed, n_networks, group_size):
    inputs = normal(batch_shape(n_networks, 12, 3), seed)
    grouped = randomised(BatchNorm(3, n_networks, group_size=group_size, dtype=np.float64))
    outputs = grouped.forward(inputs, training=True)
    means, variances = [], []
    for start in range(0, 12, group_size):
        rows = inputs[..., start : start + group_size, :]
        alone = randomised(BatchNorm(3, n_networks, momentum=0.0, dtype=np.float64))
        np.testing.assert_allclose(
            outputs[..., start : start + group_size, :], alone.forward(rows, training=True)
        )
        means.append(alone.running_mean)
        variances.append(alone.running_var)
    # one forward, one update: with the mean over groups
    np.testing.assert_allclose(grouped.running_mean, 0.1 * np.mean(means, axis=0), atol=1e-12)
    np.testing.assert_allclose(grouped.running_var, 0.9 + 0.1 * np.mean(variances, axis=0))


@given(seeds, networks)
def test_running_statistics_approach_the_population(seed, n_networks):
    rng = np.random.default_rng(seed)
    norm = BatchNorm(2, n_networks, momentum=0.95, dtype=np.float64)
    for _ in range(300):
        shape = batch_shape(n_networks, 16, 2)
        norm.forward(3 + 2 * rng.standard_normal(shape), training=True)
    # An average with memory .95 counts as (1 + .95) / (1 - .95) = 39 batches of 16. Standard
    # errors: of the mean 2 / sqrt(39 * 16), of the variance 4 * sqrt(2 / 15) / sqrt(39).
    np.testing.assert_allclose(norm.running_mean, 3, atol=6 * 0.080)
    np.testing.assert_allclose(norm.running_var, 4, atol=6 * 0.234)


def test_the_running_variance_is_unbiased_and_memory_weighs_the_past():
    norm = BatchNorm(1, momentum=0.75, dtype=np.float64)
    norm.forward(np.array([[0.0], [2.0]]), training=True)
    assert norm.running_mean[0] == 0.75 * 0 + 0.25 * 1
    assert norm.running_var[0] == 0.75 * 1 + 0.25 * 2  # biased 1, unbiased 2


def test_no_axis_is_mistaken_for_another_when_all_have_the_same_length():
    size = 4
    inputs = normal((size, size * size, size))
    lock_step = randomised(BatchNorm(size, size, group_size=size, dtype=np.float64))
    outputs = lock_step.forward(inputs, training=True)
    grad_inputs = lock_step.backward(inputs**2)
    for k in range(size):
        alone = BatchNorm(size, group_size=size, dtype=np.float64)
        alone.gamma, alone.beta = lock_step.gamma[k, 0], lock_step.beta[k, 0]
        np.testing.assert_allclose(alone.forward(inputs[k], training=True), outputs[k], rtol=1e-12)
        np.testing.assert_allclose(alone.backward(inputs[k] ** 2), grad_inputs[k], atol=1e-12)
        np.testing.assert_allclose(alone.grad_gamma, lock_step.grad_gamma[k, 0], rtol=1e-10)
        np.testing.assert_allclose(alone.running_var, lock_step.running_var[k, 0], rtol=1e-12)


@pytest.mark.parametrize("name", make_layers(2))
def test_float32_stays_float32(name):
    layer = make_layers(2, dtype=np.float32)[name]
    outputs = layer.forward(normal((8, 3)).astype(np.float32), training=True)
    grad_inputs = layer.backward(outputs)
    kept = [getattr(layer, one) for one in ("running_mean", "running_var") if hasattr(layer, one)]
    learned = [getattr(layer, one) for name in layer.parameters for one in (name, "grad_" + name)]
    for array in (outputs, grad_inputs, *kept, *learned):
        assert array.dtype == np.float32
    layer.forward(normal((8, 3)).astype(np.float32), training=False)
    assert layer.backward(outputs).dtype == np.float32


@given(st.floats(-1e6, 1e6, width=32), st.integers(2, 300))
@example(3.0, 237)  # whose mean BLAS rounds most
def test_a_constant_feature_becomes_0(value, n):
    norm = BatchNorm(1)
    assert np.abs(norm.forward(np.full((n, 1), value, np.float32), training=True)).max() < 1e-4
    np.testing.assert_allclose(norm.running_mean, 0.1 * value, rtol=1.5e-7, atol=1e-30)
    np.testing.assert_allclose(norm.running_var, 0.9, rtol=1e-6)


def test_rows_of_ones_are_kept_for_all_and_not_of_integers():
    with pytest.raises(ValueError, match="read-only"):
        row_of(1.0, 3, np.float32)[...] = 2
    with pytest.raises(TypeError, match="inputs must be floating point, got dtype int64"):
        batch_mean(np.arange(12).reshape(4, 3))


# --- the other layers ----------------------------------------------------------------------------


def test_dropout_keeps_the_expected_value_and_inference_is_the_identity():
    layer = Dropout(0.2, rng=np.random.default_rng(0))
    inputs = np.ones((2000, 50))
    outputs = layer.forward(inputs, training=True)
    assert set(np.unique(outputs)) == {0.0, 1 / 0.8}
    assert abs(outputs.mean() - 1) < 6 * np.sqrt(0.2 / 0.8 / outputs.size)
    assert abs(outputs.std() - np.sqrt(0.2 / 0.8)) < 0.01  # the course's "relative sd"
    np.testing.assert_array_equal(layer.forward(inputs, training=False), inputs)
    assert not np.may_share_memory(layer.forward(inputs, training=False), inputs)


def test_dropout_draws_the_mask_of_each_network_from_its_own_generator():
    ones = np.ones((30, 4))
    together = Dropout(0.5, rng=np.random.default_rng(0).spawn(2), n_networks=2)
    outputs = together.forward(ones, training=True)
    assert (outputs[0] != outputs[1]).any()
    for rng, alone in zip(np.random.default_rng(0).spawn(2), outputs, strict=True):
        np.testing.assert_array_equal(Dropout(0.5, rng=rng).forward(ones, training=True), alone)


def test_no_dropout_draws_nothing():
    rng = np.random.default_rng(0)
    Dropout(0.0, rng=rng).forward(np.ones((3, 2)), training=True)
    assert rng.random() == np.random.default_rng(0).random()


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (ReLU(), lambda x: x * (x > 0)),
        (Tanh(), np.tanh),
        (Sigmoid(), lambda x: 1 / (1 + np.exp(-x))),
    ],
)
def test_activations_are_their_formulas(layer, expected):
    inputs = normal((20, 3), scale=3.0)
    np.testing.assert_allclose(layer.forward(inputs, training=True), expected(inputs), atol=1e-15)


def test_sigmoid_saturates_without_overflow():
    with np.errstate(all="raise"):
        outputs = Sigmoid().forward(np.array([[-1e4, 1e4]]), training=True)
    np.testing.assert_array_equal(outputs, [[0.0, 1.0]])


def test_dense_starts_with_the_deviation_of_he_et_al_whatever_the_dtype():
    single, double = (
        Dense(300, 200, rng=np.random.default_rng(0), n_networks=2, dtype=dtype).weights
        for dtype in (np.float32, np.float64)
    )
    assert double.std() == pytest.approx(np.sqrt(2 / 300), rel=0.02)
    np.testing.assert_array_equal(double.astype(np.float32), single)
    assert (single != double).any() and (double[0] != double[1]).any()


# --- refusals ------------------------------------------------------------------------------------

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: BatchNorm(2.5), TypeError, "n_features must be an integer, got 2.5"),
        (lambda: BatchNorm(3, momentum=1.0), ValueError, "momentum must be .*got 1.0"),
        (lambda: BatchNorm(3, eps=-1e-5), ValueError, "eps must be .*got -1e-05"),
        (lambda: BatchNorm(3, dtype=int), ValueError, "dtype must be one of 'float32', 'float64'"),
        (lambda: BatchNorm(3, dtype="foo"), ValueError, "dtype must be one of .*got 'foo'"),
        (lambda: Dense(3, 4, rng=RNG, bias="no"), TypeError, "bias must be True or False"),
        (lambda: BatchNorm(3, group_size=1), ValueError, "group_size must be at least 2, got 1"),
        (lambda: BatchNorm(3).forward(np.ones((1, 3), "f"), training=True), ValueError, "got 1"),
        (lambda: BatchNorm(3, n_networks=0), ValueError, "n_networks must be at least 1, got 0"),
        (lambda: Dense(3, "4", rng=RNG), TypeError, "n_outputs must be an integer, got '4'"),
        (lambda: Dense(3, 4, rng=0), TypeError, "rng must be a numpy.random.Generator"),
        (lambda: Dense(3, 4, rng=[RNG], n_networks=2), ValueError, "rng must hold 2 generators"),
        (lambda: Dense(3, 4, rng=RNG, weight_sd=-1), ValueError, "weight_sd must be .*got -1"),
        (lambda: Dense(3, 4, rng=RNG, weight_sd=1e39), ValueError, "weight_sd must be .*got 1e"),
        (lambda: Dense(3, 4, rng=RNG).backward(1, to_inputs="no"), TypeError, "to_inputs must be"),
        (lambda: BatchNorm(3, eps=0), ValueError, "eps must be .*got 0"),
        (lambda: Dropout(1.0, rng=RNG), ValueError, "probability must be .*got 1.0"),
    ],
)
def test_a_layer_that_makes_no_sense_is_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize(
    ("inputs", "error", "words"),
    [
        (np.ones((8, 4)), ValueError, r"inputs must have shape \(batch, 3\), got \(8, 4\)"),
        (np.ones((2, 8, 3)), ValueError, r"got \(2, 8, 3\)"),
        (np.ones((1, 3)), ValueError, "at least 2 rows, got 1"),
        (np.ones((10, 3)), ValueError, "group_size must divide the batch of 10 rows, got 4"),
        (np.ones((2, 3)), ValueError, r"group_size must be between 2 and 2 \(the batch\), got 4"),
        (np.ones((8, 3), dtype=int), TypeError, "inputs must be float32 or float64, got dtype int"),
        (np.full((8, 3), np.nan), ValueError, "inputs must be finite, got 24 NaN"),
        (np.full((8, 3), np.inf), ValueError, "inputs must be finite, got 24 NaN or infinite"),
        (np.full((8, 3), -1e20), ValueError, r"inputs must be finite, got 24 .*beyond 1e\+15"),
        (np.ones((8, 3), np.float16), TypeError, "inputs must be float32 .*got dtype float16"),
        (np.ones((0, 3)), ValueError, r"at least one value, got shape \(0, 3\)"),
    ],
)
def test_refused_inputs_change_nothing(inputs, error, words):
    norm = BatchNorm(3, group_size=4, dtype=np.float64)
    norm.forward(normal((8, 3)), training=False)
    waiting = norm.backward(np.ones((8, 3)))
    with pytest.raises(error, match=words):
        norm.forward(inputs, training=True)
    np.testing.assert_array_equal(norm.running_mean, 0)
    np.testing.assert_array_equal(norm.running_var, 1)
    np.testing.assert_array_equal(norm.backward(np.ones((8, 3))), waiting)


@pytest.mark.parametrize("name", make_layers(2))
def test_every_layer_called_by_hand_refuses_what_does_not_fit(name):
    layer = make_layers(2)[name]
    with pytest.raises(ValueError, match="grad_outputs must follow a forward"):
        layer.backward(np.ones((2, 8, 3)))
    Network([layer]).forward(normal((8, 3)), training=True)  # which checks at its door, for a while
    integers, nan = np.ones((8, 3), int), np.full((8, 3), np.nan)
    wrong = [(np.ones(3), ValueError), (integers, TypeError), (nan, ValueError), (None, TypeError)]
    for inputs, error in wrong:
        with pytest.raises(error, match="inputs must"):
            layer.forward(inputs, training=True)
    for training in ("no", None, 0):
        with pytest.raises(TypeError, match="training must be True or False"):
            layer.forward(normal((8, 3)), training=training)
    outputs = layer.forward(normal((2, 8, 3)), training=True)
    with pytest.raises(ValueError, match="grad_outputs must have shape"):
        layer.backward(np.ones(outputs.shape[-1]))
    for grad, error in ((outputs.astype(int), TypeError), (outputs * np.nan, ValueError)):
        with pytest.raises(error, match="grad_outputs must be"):
            layer.backward(grad)


def test_where_divergence_is_allowed_nothing_is_hidden():
    def forward():
        return ReLU().forward(np.array([[np.nan]]), training=True)

    assert np.isnan(divergence_allowed(forward)).all()
    with pytest.raises(ValueError, match="inputs must be"):
        forward()
