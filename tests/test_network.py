"""A whole network and its loss: gradients, shapes, refusals."""

import copy

import numpy as np
import pytest
from gradient_check import assert_gradients, normal
from scipy.special import log_softmax

from helpers.layers import BatchNorm, Dense, Dropout, LayerNorm, ReLU
from helpers.network import (
    ACTIVATIONS,
    Network,
    multilayer_perceptron,
    predict,
    softmax_cross_entropy,
)
from helpers.randomness import spawn_streams


def labels(shape, n_classes, seed=0):
    return np.random.default_rng(seed).integers(0, n_classes, shape)


def make_network(n_networks=None, **options):
    streams = spawn_streams(3, n_networks)
    return multilayer_perceptron(
        [5, 6, 4, 3], rng=streams.weights, dropout_rng=streams.dropout, n_networks=n_networks,
        dtype=np.float64, **options,
    )


# --- gradients -----------------------------------------------------------------------------------


@pytest.mark.parametrize("n_networks", [None, 1, 3])
@pytest.mark.parametrize(("batch_norm", "group_size"), [(True, None), (True, 4), (False, None)])
@pytest.mark.parametrize(("dropout", "activation"), [(0.0, "tanh"), (0.3, "sigmoid")])
def test_backward_equals_finite_differences(
    n_networks, group_size, dropout, batch_norm, activation
):
    network = make_network(
        n_networks, batch_norm=batch_norm, group_size=group_size, dropout=dropout,
        activation=activation,
    )
    front = () if n_networks is None else (n_networks,)
    inputs, targets = normal((*front, 12, 5)), labels((*front, 12), 3)
    weights = np.random.default_rng(1).uniform(0.2, 3.0, targets.shape)
    for layer in network.layers:
        for name in layer.parameters:  # away from the special values of a fresh network
            getattr(layer, name)[...] += 0.1 * normal(getattr(layer, name).shape, seed=7)
    dropouts = [layer for layer in network.layers if isinstance(layer, Dropout)]
    generators = [layer.rng for layer in dropouts]

    def loss():
        for layer, fresh in zip(dropouts, copy.deepcopy(generators), strict=True):
            layer.rng = fresh  # the same mask each time
        losses, grad_logits = softmax_cross_entropy(
            network.forward(inputs, training=True), targets, weights
        )
        loss.grad_logits = grad_logits
        return float(losses.sum())

    loss()
    assert_gradients(loss, inputs, network.backward(loss.grad_logits), network.layers)


# --- the loss ------------------------------------------------------------------------------------


def test_the_loss_is_the_mean_negative_log_softmax_of_the_target():
    logits, targets = 5 * normal((3, 7, 4)), labels((3, 7), 4)
    losses, _ = softmax_cross_entropy(logits, targets)
    expected = -np.take_along_axis(log_softmax(logits, -1), targets[..., None], -1)[..., 0]
    np.testing.assert_allclose(losses, expected.mean(axis=-1), rtol=1e-12)
    assert losses.shape == (3,)
    assert np.ndim(softmax_cross_entropy(logits[0], targets[0])[0]) == 0


def test_shared_targets_and_weights_serve_every_network():
    logits, targets = normal((3, 7, 4)), labels(7, 4)
    weights = np.arange(7.0)
    for one in softmax_cross_entropy(np.float32(logits), targets, weights):
        assert one.dtype == np.float32
    shared = softmax_cross_entropy(logits, targets, weights)
    own = softmax_cross_entropy(logits, np.stack([targets] * 3), np.stack([weights] * 3))
    np.testing.assert_array_equal(shared[0], own[0])
    np.testing.assert_array_equal(shared[1], own[1])


def test_huge_logits_do_not_overflow_and_divergence_counts_as_infinite():
    logits = np.array([[1e30, 0.0], [np.nan, 0.0]])
    loss, _ = softmax_cross_entropy(logits[:1], np.array([1]))
    assert loss == 1e30
    assert softmax_cross_entropy(logits, np.array([0, 0]))[0] == np.inf


# --- construction --------------------------------------------------------------------------------


def test_batch_norm_and_dropout_leave_the_initial_weights_as_they_are():
    arms = [make_network(4, **o) for o in ({"batch_norm": False}, {"dropout": 0.5}, {})]
    first = [[la.weights for la in arm.layers if isinstance(la, Dense)] for arm in arms]
    for other in first[1:]:
        for left, right in zip(first[0], other, strict=True):
            np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize(("activation", "fan"), [("relu", 300), ("tanh", 500), ("sigmoid", 500)])
def test_layers_are_as_agreed(activation, fan):
    network = multilayer_perceptron(
        [300, 200, 300, 200], rng=np.random.default_rng(0), activation=activation,
        init_scale=5.0, dropout=0.5, momentum=0.5, eps=1e-3, group_size=4, dtype=np.float64,
    )
    hidden = [Dense, BatchNorm, ACTIVATIONS[activation], Dropout]
    assert [type(layer) for layer in network.layers] == hidden + hidden + [Dense]
    first, norm, last = network.layers[0], network.layers[1], network.layers[-1]
    for dense in (first, last):
        assert dense.weights.std() == pytest.approx(5 * np.sqrt(2 / fan), rel=0.02)
    assert (norm.momentum, norm.eps, norm.group_size) == (0.5, 1e-3, 4)
    assert norm.gamma.dtype == np.float64
    # a bias before batch norm would be subtracted again
    assert "bias" not in first.parameters and "bias" in last.parameters


def test_another_norm_takes_the_place_of_batch_norm():
    plain, network = (make_network(2, **one) for one in ({}, {"norm": LayerNorm}))
    kinds = [LayerNorm if type(one) is BatchNorm else type(one) for one in plain.layers]
    assert [type(layer) for layer in network.layers] == kinds
    assert network.layers[1].gamma.dtype == np.float64
    network.forward(normal((1, 5)), training=True)  # a batch of one is enough
    np.testing.assert_array_equal(network.layers[0].weights, plain.layers[0].weights)
    for option in ({"group_size": 2}, {"batch_norm": False}, {"eps": 1e-3}):
        with pytest.raises(ValueError, match=r"leave batch_norm, group_size and eps as they are"):
            make_network(norm=LayerNorm, **option)


@pytest.mark.parametrize("own", [{}, {"dropout_rng": np.random.default_rng(1)}])
def test_dropout_draws_from_no_stream_of_the_weights(own):
    rng = np.random.default_rng(0)
    network = multilayer_perceptron([5, 4, 3], rng=rng, dropout=0.5, **own)
    state = rng.bit_generator.state
    network.forward(np.ones((8, 5)), training=True)
    assert rng.bit_generator.state == state


def test_one_example_is_enough_for_inference_and_overflow_is_silent():
    network = make_network()
    network.layers[0].weights *= 1e300
    with np.errstate(all="raise"):
        logits = network.forward(np.full((1, 5), 1e70), training=False)
    assert not np.isfinite(logits).all()


@pytest.mark.parametrize("narrow", [np.int8, np.float16])
def test_narrow_inputs_are_computed_in_the_networks_type(narrow):
    inputs = (100 * normal((8, 5))).astype(narrow)  # the squares of which float16 cannot hold
    outputs = Network([BatchNorm(5)]).forward(inputs, training=True)
    assert Network([ReLU()]).dtype == np.float32  # where nothing learns
    assert outputs.dtype == np.float32
    expected = BatchNorm(5).forward(inputs.astype(np.float32), training=True)
    np.testing.assert_allclose(outputs, expected, rtol=1e-6, atol=1e-6)


def test_prediction_is_inference_block_by_block_and_leaves_the_way_back():
    network, inputs, many = make_network(dropout=0.5), normal((8, 5)), normal((300, 5), 1)
    grad = network.forward(inputs, training=True)
    before, logits = network.backward(grad), predict(network, many)
    np.testing.assert_array_equal(network.backward(grad), before)
    np.testing.assert_allclose(logits, network.forward(many, training=False), rtol=1e-12)


def test_a_network_takes_any_object_with_the_three_names():
    class Doubling:
        parameters = ()

        def forward(self, inputs, *, training):
            return 2 * inputs

        def backward(self, grad_outputs):
            return 2 * grad_outputs

    network = Network([Doubling(), Doubling()])
    assert (network.forward(np.ones((2, 3)), training=True) == 4).all()
    assert (network.backward(np.ones((2, 3))) == 4).all()


def test_a_group_that_does_not_fit_is_refused_before_any_layer_changes():
    network = Network([BatchNorm(3), BatchNorm(3, group_size=3)])
    with pytest.raises(ValueError, match="group_size must divide the batch of 8 rows, got 3"):
        network.forward(normal((8, 3)), training=True)
    assert (network.layers[0].running_mean == 0).all()
