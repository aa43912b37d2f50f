"""The optimiser: momentum, weight decay, and rates for networks and layers; PyTorch as oracle."""

import copy
import pickle

import numpy as np
import pytest
from gradient_check import normal

from helpers.layers import Dense
from helpers.training import SGD


class Layer:
    """A layer that learns, of the reader's own."""

    parameters = ("weights",)

    def __init__(self, weights, grad_weights=None):
        self.weights, self.grad_weights = weights, grad_weights


@pytest.mark.parametrize("rate", [0.1, [0.1, 0.2]])
def test_many_parameters_are_updated_like_few(rate):
    weights, gradient = normal((2, 3, 30_000)), normal((2, 3, 30_000), seed=1)  # several blocks
    layer, small = Layer(weights.copy(), gradient), Layer(np.ones((2, 1, 1)), np.ones((2, 1, 1)))
    layer.n_networks = 2
    optimiser = SGD([small, layer], learning_rate=rate, momentum=0.5)
    for _ in range(2):
        optimiser.step()
    rates = np.broadcast_to(rate, 2)[:, None, None]
    np.testing.assert_allclose(layer.weights, weights - 2.5 * rates * gradient, atol=1e-12)
    np.testing.assert_allclose(small.weights, 1 - 2.5 * rates, rtol=1e-12)


def test_what_is_assigned_to_a_layer_learns_on_in_the_layers_own_type():
    layers = [Layer(np.zeros(2, np.float32), np.ones(2)) for _ in range(2)]
    optimiser = SGD(layers, learning_rate=1.0, momentum=0.0)
    mine = np.array([5.0, 6.0])
    layers[1].weights = mine
    optimiser.step()
    np.testing.assert_array_equal(layers[1].weights, [4, 5])
    np.testing.assert_array_equal(layers[0].weights, [-1, -1])
    np.testing.assert_array_equal(mine, [5, 6])
    assert layers[1].weights.dtype == np.float32
    for bad, error in ((np.zeros((2, 1)), ValueError), (None, ValueError), (1j * mine, TypeError)):
        layers[0].weights = bad
        with pytest.raises(error, match=r"weights must keep its shape|Cannot cast"):
            optimiser.step()


def test_layers_that_cannot_learn_together_are_refused():
    shared, double = np.zeros((3, 3)), Layer(np.zeros(2))
    for other, one in ((double, Layer(np.zeros(2, np.float32))), (Layer(shared), Layer(shared.T))):
        with pytest.raises(ValueError, match=r"one dtype, got float32|arrays of their own"):
            SGD([other, one], learning_rate=0.1)


def test_an_optimiser_is_not_copied():
    optimiser = SGD([Layer(np.zeros(2))], learning_rate=0.1)
    for copied in (copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="make another one for the copied layers"):
            copied(optimiser)


def test_a_step_wants_a_backward():
    has, lacks = Layer(np.zeros(1), np.ones(1)), Layer(np.zeros(1))
    optimiser = SGD([has, lacks], learning_rate=1.0)
    with pytest.raises(ValueError, match="step must follow a backward, got no grad_weights"):
        optimiser.step()
    del lacks.grad_weights
    with pytest.raises(ValueError, match="step must follow a backward"):
        optimiser.step()
    lacks.grad_weights = np.ones(1)
    optimiser.step()  # as if it had never been refused
    assert has.weights == lacks.weights == -1


def test_dead_units_leave_no_denormal_velocities():
    """Without a gradient momentum shrinks velocities for hundreds of steps."""
    layer = Layer(np.zeros(3, np.float32), np.array([1e-3, -1.0, 0.0], np.float32))
    optimiser, tiny = SGD([layer], learning_rate=1.0), np.finfo(np.float32).tiny
    for _ in range(2000):
        layer.weights[...] = 0
        optimiser.step()
        velocity = np.abs(layer.weights)
        assert np.isfinite(velocity).all() and not ((velocity > 0) & (velocity < tiny)).any()
        layer.grad_weights = np.array([0.0, -1.0, 0.0], np.float32)
    np.testing.assert_allclose(velocity, [0, 10, 0], rtol=1e-5)


# --- rates and decays of their own -------------------------------------------------------------

RATES, DECAYS = (0.3, 0.02), (0.05, 0.001)  # of the first layer, of the second


def two_layers(n_networks=None):
    options = dict(rng=np.random.default_rng(0), n_networks=n_networks, dtype=np.float64)
    return [Dense(6, 4, **options), Dense(4, 3, **options)]


def copies_of(layers):
    return [getattr(layer, name).copy() for layer in layers for name in layer.parameters]


def learn(layers, **options):
    """Return all parameters, two of each layer, after six steps."""
    optimiser = SGD(layers, **options)
    for step in range(6):
        for layer in layers:
            for name in layer.parameters:
                setattr(layer, "grad_" + name, normal(getattr(layer, name).shape, step))
        optimiser.step()
    return copies_of(layers)


@pytest.mark.parametrize("each", [1.0, np.array([1.0, 0.1, 3.0])])
def test_each_layer_follows_the_lines_of_its_docstring(each):
    """Written out, array by array; `each`: factors of the networks' rates."""
    layers = two_layers(len(each) if np.ndim(each) else None)
    scale = np.reshape(each, (-1, 1, 1)) if np.ndim(each) else each
    expected, velocities = copies_of(layers), [0, 0, 0, 0]
    for step in range(6):
        for place, parameter in enumerate(expected):
            gradient = normal(parameter.shape, step) + DECAYS[place // 2] * parameter
            velocities[place] = 0.9 * velocities[place] + gradient
            parameter -= RATES[place // 2] * scale * velocities[place]
    found = learn(
        layers, learning_rate=lambda layers: [rate * each for rate in RATES],
        weight_decay=lambda layers: DECAYS,
    )
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-12)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_it_is_pytorchs_sgd(momentum):
    torch = pytest.importorskip("torch", reason="PyTorch, of the extra bench, is not installed")
    theirs = [torch.tensor(one) for one in copies_of(two_layers())]
    groups = [
        dict(params=params, lr=rate, weight_decay=decay)
        for params, rate, decay in zip((theirs[:2], theirs[2:]), RATES, DECAYS)
    ]
    optimiser = torch.optim.SGD(groups, momentum=momentum)
    for step in range(6):
        for one in theirs:
            one.grad = torch.tensor(normal(one.shape, step))
        optimiser.step()
    found = learn(
        two_layers(), momentum=momentum, learning_rate=lambda layers: RATES,
        weight_decay=lambda layers: DECAYS,
    )
    for one, other in zip(found, theirs, strict=True):
        np.testing.assert_allclose(one, other.numpy(), rtol=0, atol=1e-12)


def test_one_rate_named_layer_by_layer_changes_no_bit_and_zero_freezes():
    plain, start = learn(two_layers(), learning_rate=0.1), copies_of(two_layers())
    for options in (
        dict(learning_rate=lambda layers: [0.1, 0.1]),
        dict(learning_rate=0.1, weight_decay=lambda layers: [0.0, 0.0]),
    ):
        np.testing.assert_equal(learn(two_layers(), **options), plain)
    frozen = learn(two_layers(), learning_rate=lambda layers: [0.0, 0.1])
    is_same = [np.array_equal(one, other) for one, other in zip(frozen, start)]
    assert is_same == [True, True, False, False]


@pytest.mark.parametrize(("rates", "words"), [
    (lambda layers: [0.1], "learning_rate must return a list, one for each of 2 layers"),
    (lambda layers: [0.1, -0.1], "learning_rate must be between .* or 0, got -0.1"),
    (lambda layers: [0.1, "fast"], "learning_rate must be an array"),
    ([0.1, 0.2], "learning_rate must be a number, or one for each network"),
])
def test_rates_of_layers_that_make_no_sense_are_refused(rates, words):
    with pytest.raises((ValueError, TypeError), match=words):
        SGD(two_layers(3), learning_rate=rates)
