"""A whole network and its loss: gradients, shapes, refusals."""

import copy

import numpy as np
import pytest
from gradient_check import numerical_gradient, relative_error
from scipy.special import log_softmax

from helpers.layers import BatchNorm, Dense, Dropout, ReLU
from helpers.network import (
    ACTIVATIONS,
    Network,
    accuracy,
    multilayer_perceptron,
    predict,
    softmax_cross_entropy,
)
from helpers.randomness import spawn_streams


def normal(shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


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
    options = {
        "n_networks": n_networks, "batch_norm": batch_norm, "group_size": group_size,
        "dropout": dropout, "activation": activation,
    }
    network = make_network(**options)
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
    grad_inputs = network.backward(loss.grad_logits)
    gradients = [
        (getattr(layer, name), getattr(layer, "grad_" + name).copy())
        for layer in network.layers
        for name in layer.parameters
    ]
    assert relative_error(grad_inputs, numerical_gradient(loss, inputs)) < 1e-6
    for parameter, gradient in gradients:
        assert relative_error(gradient, numerical_gradient(loss, parameter)) < 1e-6


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
        [300, 200, 300 - (fan - 300), 10], rng=np.random.default_rng(0), activation=activation,
        init_scale=5.0, dropout=0.5, momentum=0.5, eps=1e-3, group_size=4, dtype=np.float64,
    )
    hidden = [Dense, BatchNorm, ACTIVATIONS[activation], Dropout]
    assert [type(layer) for layer in network.layers] == hidden + hidden + [Dense]
    dense, norm = network.layers[0], network.layers[1]
    assert dense.weights.std() == pytest.approx(5 * np.sqrt(2 / fan), rel=0.02)
    assert (norm.momentum, norm.eps, norm.group_size) == (0.5, 1e-3, 4)
    assert norm.gamma.dtype == np.float64
    assert ["bias" in layer.parameters for layer in network.layers if isinstance(layer, Dense)] == [
        False, False, True,  # a bias before batch norm would be subtracted again
    ]


def test_the_last_layer_starts_like_the_others():
    network = multilayer_perceptron([300, 100, 300], rng=np.random.default_rng(0), init_scale=5.0)
    assert network.layers[-1].weights.std() == pytest.approx(5 * np.sqrt(2 / 100), rel=0.02)
    assert network.dtype == Network([ReLU()]).dtype == np.float32


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


def test_inputs_without_a_networks_axis_are_shared():
    network = make_network(3)
    inputs = normal((8, 5))
    np.testing.assert_allclose(
        network.forward(inputs, training=False),
        network.forward(np.stack([inputs] * 3), training=False),
        rtol=1e-12,
    )


@pytest.mark.parametrize("narrow", [np.int8, np.float16])
def test_narrow_inputs_are_computed_in_the_networks_type(narrow):
    inputs = (100 * normal((8, 5))).astype(narrow)  # the squares of which float16 cannot hold
    outputs = Network([BatchNorm(5)]).forward(inputs, training=True)
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
    for wrong in ("abc", [3], None):
        with pytest.raises(TypeError, match="layers must have forward, backward, parameters, got"):
            Network(wrong)


# --- refusals ------------------------------------------------------------------------------------

@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"activation": "swish"}, ValueError, "activation must be one of 'relu', .*got 'swish'"),
        ({"sizes": [5]}, ValueError, r"sizes must name at least inputs and outputs, got \[5\]"),
        ({"sizes": [5, 0, 3]}, ValueError, r"sizes\[1\] must be at least 1, got 0"),
        ({"dropout": 1.0}, ValueError, "dropout must be .*got 1.0"),
        ({"dropout": False}, TypeError, "dropout must be a number, got False"),
        ({"init_scale": 0}, ValueError, "init_scale must be .*got 0"),
        ({"eps": -1e-5}, ValueError, "eps must be .*got -1e-05"),
        ({"activation": np.array(["relu"])}, ValueError, "activation must be one of"),
        ({"batch_norm": "no"}, TypeError, "batch_norm must be True or False, got 'no'"),
        ({"dtype": None}, ValueError, "dtype must be one of .*got None"),
        ({"batch_norm": False, "momentum": np.nan}, ValueError, "momentum must be"),
        ({"init_scale": 1e39}, ValueError, "init_scale must be"),
    ],
)
def test_a_network_that_makes_no_sense_is_refused(arguments, error, words):
    rng = np.random.default_rng(0)
    with pytest.raises(error, match=words):
        multilayer_perceptron(**{"sizes": [5, 4, 3], "rng": rng, **arguments})
    assert rng.random() == np.random.default_rng(0).random()  # nothing was drawn


def test_inputs_of_another_shape_are_refused():
    for shape in ((8, 4), (5,), (2, 8, 5), (0, 5)):
        with pytest.raises(ValueError, match="inputs must h"):
            make_network().forward(np.ones(shape), training=False)
        with pytest.raises(ValueError, match="inputs must h"):
            predict(make_network(), np.ones(shape))


@pytest.mark.parametrize(
    ("targets", "error", "words"),
    [
        ([0, 1, 3], ValueError, "targets must lie between 0 and 2, got 3"),
        ([0, -1, 2], ValueError, "targets must lie between 0 and 2, got -1"),
        ([0, 1], ValueError, r"targets must have shape \(3,\), got \(2,\)"),
        (np.array([0, 1, 2**63], np.uint64), ValueError, "must lie between 0 and 2, got 922337"),
        ([True, False, True], TypeError, "targets must be integer class labels, got dtype bool"),
        ([0.0, 1.0, 2.0], TypeError, "targets must be integer class labels, got dtype float64"),
    ],
)
def test_labels_that_make_no_sense_are_refused(targets, error, words):
    with pytest.raises(error, match=words):
        softmax_cross_entropy(np.zeros((3, 3)), np.array(targets))
    with pytest.raises(error, match=words):
        accuracy(np.zeros((3, 3)), np.array(targets))


@pytest.mark.parametrize(
    ("logits", "sample_weights", "error", "words"),
    [
        (np.zeros((3, 3)), np.ones(4), ValueError, r"sample_weights must have shape \(3,\), got"),
        (np.zeros((3, 3)), -np.ones(3), ValueError, r"must be non-negative, got -1\.0"),
        (np.zeros(3), None, ValueError, "logits must have shape"),
        (np.zeros((0, 3)), None, ValueError, r"logits must have shape .*got \(0, 3\)"),
        (np.zeros((3, 3), int), None, TypeError, "logits must be float32 or float64, got .*int"),
    ],
)
def test_logits_and_weights_that_make_no_sense_are_refused(logits, sample_weights, error, words):
    with pytest.raises(error, match=words):
        softmax_cross_entropy(logits, np.zeros(3, int), sample_weights)


def test_backward_wants_the_shape_of_the_last_forward():
    network = make_network()
    with pytest.raises(ValueError, match="grad_logits must follow a forward"):
        network.backward(np.zeros((8, 3)))
    network.forward(normal((8, 5)), training=True)
    with pytest.raises(ValueError, match=r"\(8, 3\), got \(7, 3\)"):
        network.backward(np.zeros((7, 3)))
    with pytest.raises(TypeError, match="grad_logits must be float32 or float64, got dtype int"):
        network.backward(np.zeros((8, 3), int))
    with pytest.raises(TypeError, match="to_inputs must be True or False, got 'no'"):
        network.backward(np.zeros((8, 3)), to_inputs="no")


def test_values_that_the_network_cannot_hold_are_refused():
    network = multilayer_perceptron([5, 4, 3], rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"inputs must be finite, got 40 .*\(float32\)"):
        network.forward(np.full((8, 5), 1e20), training=False)
    with pytest.raises(TypeError, match="inputs must be an array of real numbers, got dtype bool"):
        network.forward(np.ones((8, 5), bool), training=False)


def dense(n_inputs, n_outputs, n_networks=None):
    return Dense(n_inputs, n_outputs, rng=np.random.default_rng(0), n_networks=n_networks)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: [], "at least one layer"),
        (lambda: [BatchNorm(3, 2), BatchNorm(3, 3)], r"agree on n_networks, got \[2, 3\]"),
        (lambda: [BatchNorm(3), dense(3, 2, 2)], r"agree on n_networks, got \[2, None\]"),
        (lambda: [ReLU()] * 2, "must all be different objects"),
        (lambda: [dense(3, 4), ReLU(), dense(5, 2)], "layer 2 takes 5 features, got 4"),
        (lambda: [BatchNorm(3), dense(4, 2)], "layer 1 takes 4 features, got 3"),
        (lambda: [dense(3, 4), Dropout(0.5, rng=np.random.default_rng(0)), dense(5, 2)], "layer 2"),
    ],
)
def test_layers_must_fit_together(make, words):
    with pytest.raises(ValueError, match=words):
        Network(make())


def test_a_group_that_does_not_fit_is_refused_before_any_layer_changes():
    network = Network([BatchNorm(3), BatchNorm(3, group_size=3)])
    with pytest.raises(ValueError, match="group_size must divide the batch of 8 rows, got 3"):
        network.forward(normal((8, 3)), training=True)
    assert (network.layers[0].running_mean == 0).all()
