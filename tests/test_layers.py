"""Each layer: its formulas, its gradients, its shapes, and what it refuses."""

import numpy as np
import pytest
from gradient_check import assert_gradients, normal
from hypothesis import example, given
from hypothesis import strategies as st

from helpers.arithmetic import row_of
from helpers.layers import (
    BatchNorm,
    Dense,
    Dropout,
    GroupNorm,
    LayerNorm,
    ReLU,
    Sigmoid,
    Tanh,
    batch_mean,
    divergence_allowed,
)
from helpers.network import Network

SIZE = 6  # of every axis, where one could be mistaken for another
seeds = st.integers(0, 2**32 - 1)
networks = st.sampled_from([None, 1, 3])


def batch_shape(n_networks, batch_size, n_features):
    return (() if n_networks is None else (n_networks,)) + (batch_size, n_features)


def randomised(norm, seed=1):
    """The same norm with gamma and beta away from 1 and 0."""
    norm.gamma[...] = 1 + 0.5 * normal(norm.shape, seed)
    norm.beta[...] = normal(norm.shape, seed + 1)
    return norm


def make_dropout(n_networks):
    return Dropout(0.4, rng=np.random.default_rng(0), n_networks=n_networks)


def make_layers(n_networks, dtype=np.float64):
    rng = np.random.default_rng(5)
    options = {"n_networks": n_networks, "dtype": dtype}
    return {
        "dense": Dense(SIZE, 4, rng=rng, **options),
        "dense without bias": Dense(SIZE, 4, rng=rng, bias=False, **options),
        "batch norm": randomised(BatchNorm(SIZE, **options)),
        "batch norm of pairs": randomised(BatchNorm(SIZE, group_size=2, **options)),
        "batch norm of six": randomised(BatchNorm(SIZE, group_size=SIZE, **options)),
        "layer norm": randomised(LayerNorm(SIZE, **options)),
        "group norm": randomised(GroupNorm(SIZE, 2, **options)),
        "dropout": make_dropout(n_networks),
        "relu": ReLU(),
        "tanh": Tanh(),
        "sigmoid": Sigmoid(),
    }


LAYERS = list(make_layers(None))


# --- every layer ---------------------------------------------------------------------------------


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("n_networks", [None, 1, SIZE])
@pytest.mark.parametrize("name", LAYERS)
def test_backward_equals_finite_differences(name, n_networks, training):
    layer = make_layers(n_networks)[name]
    inputs = normal(batch_shape(n_networks, 12, SIZE), seed=2) + 0.01  # away from relu's kink
    outputs = layer.forward(inputs, training=training)
    grad_outputs = normal(outputs.shape, seed=3)  # random: a constant one proves nothing

    def loss():
        if name == "dropout":  # the same mask each time
            layer.rng = make_dropout(n_networks).rng
        return float((layer.forward(inputs, training=training) * grad_outputs).sum())

    assert_gradients(loss, inputs, layer.backward(grad_outputs), [layer])


@pytest.mark.parametrize("n_rows", [SIZE, SIZE * SIZE])
@pytest.mark.parametrize("are_shared", [False, True])
@pytest.mark.parametrize("name", LAYERS[:-3])  # activations have no networks of their own
def test_lock_step_is_each_network_alone(name, are_shared, n_rows):
    together, inputs = make_layers(SIZE)[name], normal((SIZE, n_rows, SIZE))
    outputs = together.forward(inputs[0] if are_shared else inputs, training=True)
    grad_outputs = normal(outputs.shape, seed=3)
    grad_inputs = together.backward(grad_outputs)
    for k in range(SIZE):
        alone = make_layers(None)[name]
        if name == "dropout":
            alone.rng = make_dropout(SIZE).rng[k : k + 1]
        for one in alone.parameters:
            setattr(alone, one, np.squeeze(getattr(together, one)[k]))
        own = alone.forward(inputs[0 if are_shared else k], training=True)
        pairs = [(own, outputs[k]), (alone.backward(grad_outputs[k]), grad_inputs[k])]
        arrays = ["running_mean", "running_var", *("grad_" + one for one in alone.parameters)]
        for one in vars(alone).keys() & {*arrays}:
            pairs.append((getattr(alone, one), np.squeeze(getattr(together, one)[k])))
        for left, right in pairs:
            np.testing.assert_allclose(left, right, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", LAYERS)
def test_float32_stays_float32(name):
    layer = make_layers(2, np.float32)[name]
    outputs = layer.forward(np.float32(normal((6, SIZE))), training=True)
    grad_inputs = layer.backward(outputs)
    kept = [getattr(layer, one) for one in ("running_mean", "running_var") if hasattr(layer, one)]
    learned = [getattr(layer, one) for name in layer.parameters for one in (name, "grad_" + name)]
    for array in (outputs, grad_inputs, *kept, *learned):
        assert array.dtype == np.float32
    layer.forward(np.float32(normal((6, SIZE))), training=False)
    assert layer.backward(outputs).dtype == np.float32


@pytest.mark.parametrize("name", LAYERS)
def test_every_layer_called_by_hand_refuses_what_does_not_fit(name):
    layer, inputs = make_layers(2)[name], normal((2, SIZE, SIZE))
    with pytest.raises(ValueError, match="grad_outputs must follow a forward"):
        layer.backward(inputs)
    Network([layer]).forward(inputs[0], training=True)  # which checks at its door, for a while
    wrong = [(inputs[0, 0], ValueError), (inputs.astype(int), TypeError), (None, TypeError)]
    for bad, error in [*wrong, (inputs * np.nan, ValueError)]:
        with pytest.raises(error, match="inputs must"):
            layer.forward(bad, training=True)
    for training in ("no", None, 0):
        with pytest.raises(TypeError, match="training must be True or False"):
            layer.forward(inputs, training=training)
    outputs = layer.forward(inputs, training=True)
    wrong = [(outputs[0, 0], ValueError), (outputs.astype(int), TypeError)]
    for bad, error in [*wrong, (outputs * np.nan, ValueError)]:
        with pytest.raises(error, match="grad_outputs must"):
            layer.backward(bad)


# --- batch norm ----------------------------------------------------------------------------------


@given(seeds, st.floats(1e-2, 1e4), networks, st.sampled_from([None, 2, 3, 6]))
def test_groups_of_neighbours_are_normalised_alone(seed, scale, n_networks, group_size):
    norm = BatchNorm(3, n_networks, group_size=group_size, dtype=np.float64)
    randomised(norm, seed % 1000).running_mean[...] = 2
    inputs = scale * normal(batch_shape(n_networks, 12, 3), seed)
    groups = inputs.reshape(*inputs.shape[:-2], -1, group_size or 12, 3)
    mean, var = groups.mean(axis=-2, keepdims=True), groups.var(axis=-2, keepdims=True)
    x_hat = ((groups - mean) / np.sqrt(var + 1e-5)).reshape(inputs.shape)
    outputs = norm.forward(inputs, training=True)
    np.testing.assert_allclose(outputs, norm.gamma * x_hat + norm.beta, rtol=1e-9, atol=1e-9)
    # one forward, one update, with memory 0.9: of the mean over groups, and the unbiased variance
    mean, var = inputs.mean(axis=-2), groups.var(axis=-2, ddof=1).mean(axis=-2)
    np.testing.assert_allclose(norm.running_mean, 1.8 + 0.1 * mean.reshape(norm.shape), rtol=1e-9)
    np.testing.assert_allclose(norm.running_var, 0.9 + 0.1 * var.reshape(norm.shape))


@given(seeds, networks, st.sampled_from([None, 2, 4]))
def test_inference_leaves_statistics_alone_and_ignores_batch_mates(seed, n_networks, group_size):
    norm = BatchNorm(3, n_networks, group_size=group_size, dtype=np.float64)
    inputs = normal(batch_shape(n_networks, 8, 3), seed)
    norm.forward(inputs, training=True)
    kept = norm.running_mean.copy(), norm.running_var.copy()
    together = norm.forward(inputs, training=False)
    alone = norm.forward(inputs[..., 2:3, :], training=False)
    np.testing.assert_allclose(alone, together[..., 2:3, :], rtol=1e-6)
    np.testing.assert_array_equal((norm.running_mean, norm.running_var), kept)


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


@given(seeds, st.floats(1e-2, 1e4), st.sampled_from([1, 2, 3]))
def test_each_group_of_a_row_has_mean_0_and_width_1_and_ignores_its_batch(seed, scale, n_groups):
    layer = GroupNorm(12, n_groups, eps=1e-30, dtype=np.float64)
    inputs = scale * normal((5, 12), seed)
    outputs = layer.forward(inputs, training=True)
    groups = outputs.reshape(5, n_groups, -1)
    np.testing.assert_allclose(groups.mean(axis=-1), 0, atol=1e-9)
    np.testing.assert_allclose(groups.std(axis=-1), 1, rtol=1e-9)
    for training in (True, False):
        alone = layer.forward(inputs[:1] * 7, training=training)  # seven times its size
        np.testing.assert_allclose(alone, outputs[:1], rtol=1e-7, atol=1e-9)


def test_layer_norm_is_its_formula():
    z, norm = normal((5, 6)), randomised(LayerNorm(6, eps=0.1, dtype=np.float64))
    mean, var = z.mean(axis=1, keepdims=True), z.var(axis=1, keepdims=True)
    expected = norm.gamma * (z - mean) / np.sqrt(var + 0.1) + norm.beta
    np.testing.assert_allclose(norm.forward(z, training=True), expected, rtol=1e-12)


def test_dropout_keeps_the_expected_value_and_inference_is_the_identity():
    layer = Dropout(0.2, rng=np.random.default_rng(0))
    inputs = np.ones((2000, 50))
    outputs = layer.forward(inputs, training=True)
    assert set(np.unique(outputs)) == {0.0, 1 / 0.8}
    assert abs(outputs.mean() - 1) < 6 * np.sqrt(0.2 / 0.8 / outputs.size)
    np.testing.assert_array_equal(layer.forward(inputs, training=False), inputs)
    assert not np.may_share_memory(layer.forward(inputs, training=False), inputs)


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
    inputs = 3 * normal((20, 3))
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


def test_a_first_dense_is_spared_the_gradient_of_its_inputs():
    layer = make_layers(None)["dense"]
    outputs = layer.forward(normal((5, SIZE)), training=True)
    assert layer.backward(outputs, to_inputs=False) is None


@pytest.mark.parametrize(
    ("n_rows", "group_size", "words"),
    [
        (1, None, "at least 2 rows, got 1"), (1, 4, "at least 2 rows, got 1"),
        (2, 4, "group_size must be between 2 and 2"), (10, 4, "group_size must divide the batch"),
    ],
)
def test_rows_that_fill_no_groups_are_refused_and_change_nothing(n_rows, group_size, words):
    norm = BatchNorm(3, group_size=group_size)
    with pytest.raises(ValueError, match=words):
        norm.forward(np.ones((n_rows, 3)), training=True)
    assert (norm.running_mean == 0).all() and (norm.running_var == 1).all()


def test_where_divergence_is_allowed_nothing_is_hidden():
    def forward():
        return ReLU().forward(np.array([[np.nan]]), training=True)

    before = np.geterr()
    assert np.isnan(divergence_allowed(forward)).all()
    assert divergence_allowed(np.geterr) == dict.fromkeys(before, "ignore")
    assert np.geterr() == before
    with pytest.raises(ValueError, match="inputs must be"):
        forward()


# --- PyTorch's layers are the oracle, where the extra `bench` is installed ------------------------


@pytest.mark.parametrize("name", ["BatchNorm1d", "LayerNorm", "GroupNorm"])
def test_it_is_pytorchs_layer(name):
    torch = pytest.importorskip("torch", reason="PyTorch, of the extra bench, is not installed")
    ours, theirs = {
        "BatchNorm1d": (BatchNorm(12, dtype=np.float64), torch.nn.BatchNorm1d(12, momentum=0.1)),
        "LayerNorm": (LayerNorm(12, dtype=np.float64), torch.nn.LayerNorm(12)),
        "GroupNorm": (GroupNorm(12, 3, dtype=np.float64), torch.nn.GroupNorm(3, 12)),
    }[name]
    randomised(ours)
    inputs, grad_outputs = normal((8, 12)), normal((8, 12), seed=4)
    x = torch.tensor(inputs, requires_grad=True)
    theirs.double()
    with torch.no_grad():
        theirs.weight.copy_(torch.tensor(ours.gamma))
        theirs.bias.copy_(torch.tensor(ours.beta))
    outputs = theirs(x)
    outputs.backward(torch.tensor(grad_outputs))
    found = [ours.forward(inputs, training=True), ours.backward(grad_outputs)]
    expected = [outputs.detach(), x.grad, theirs.weight.grad, theirs.bias.grad]
    for one, other in zip([*found, ours.grad_gamma, ours.grad_beta], expected, strict=True):
        np.testing.assert_allclose(one, other.numpy(), rtol=1e-9, atol=1e-12)
