"""The optimiser: momentum, weight decay, and rates for networks and layers; PyTorch as oracle."""

import copy
import pickle

import numpy as np
import pytest

from helpers.layers import Dense
from helpers.network import multilayer_perceptron
from helpers.randomness import spawn_streams
from helpers.training import SGD


def normal(shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


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


def test_two_optimisers_may_take_turns():
    layer = Layer(np.array([1.0]), np.array([1.0]))
    optimisers = [SGD([layer], learning_rate=rate, momentum=0.0) for rate in (0.1, 0.01)]
    for optimiser in optimisers * 2:
        optimiser.step()
    assert layer.weights[0] == pytest.approx(1 - 2 * (0.1 + 0.01))


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


SHARED = np.zeros((3, 3))


@pytest.mark.parametrize(("layers", "words"), [
    ([Layer(np.zeros(2)), Layer(np.zeros(2, np.float32))], "one dtype, got float32 and float64"),
    ([], "one dtype, got none"),
    ([Layer(SHARED), Layer(SHARED.T)], "layers must have arrays of their own"),
])
def test_layers_that_cannot_learn_together_are_refused(layers, words):
    with pytest.raises(ValueError, match=words):
        SGD(layers, learning_rate=0.1)


def test_an_optimiser_is_not_copied():
    optimiser = SGD([Layer(np.zeros(2))], learning_rate=0.1)
    for copied in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="make another one for the copied layers"):
            copied(optimiser)


def test_a_step_wants_a_backward():
    layers = multilayer_perceptron([6, 3], rng=np.random.default_rng(0)).layers
    with pytest.raises(ValueError, match="step must follow a backward, got no grad_weights"):
        SGD(layers, learning_rate=1e-30).step()
    has, lacks = Layer(np.zeros(1), np.ones(1)), Layer(np.zeros(1))
    del lacks.grad_weights
    optimiser = SGD([has, lacks], learning_rate=1.0)
    for _ in range(2):
        with pytest.raises(ValueError, match="step must follow a backward"):
            optimiser.step()
    lacks.grad_weights = np.ones(1)
    optimiser.step()  # as if it had never been refused
    assert has.weights == lacks.weights == -1
    with pytest.raises(ValueError, match=r"learning_rate must be between .*got 1e-50"):
        SGD(layers, learning_rate=1e-50)


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


def small_network(n_networks=None):
    streams = spawn_streams(3, n_networks)
    return multilayer_perceptron(
        [6, 8, 8, 3], rng=streams.weights, n_networks=n_networks, dtype=np.float64
    )


def hidden_and_others(hidden, others):
    """Return what gives the hidden weights one value and everything else another."""
    return lambda layers: [
        hidden if isinstance(layer, Dense) and "bias" not in layer.parameters else others
        for layer in layers
    ]


def learn(network, **options):
    """Return all parameters, by layer and name, after six steps."""
    optimiser = SGD(network.layers, **options)
    for step in range(6):
        for (place, name), gradient in gradients_of(network, step).items():
            setattr(network.layers[place], "grad_" + name, gradient)
        optimiser.step()
    return parameters_of(network)


def parameters_of(network):
    return {
        (place, name): getattr(layer, name).copy()
        for place, layer in enumerate(network.layers) for name in layer.parameters
    }


def gradients_of(network, step):
    return {key: normal(one.shape, step) for key, one in parameters_of(network).items()}


RATES, DECAYS = (0.3, 0.02), (0.05, 0.001)  # of the hidden weights, of all others


def is_hidden(key):
    return key[1] == "weights" and key[0] < 6


@pytest.mark.parametrize("each", [1.0, np.array([1.0, 0.1, 3.0])])
def test_each_layer_follows_the_lines_of_its_docstring(each):
    """Written out, array by array; `each`: factors of the networks' rates."""
    network = small_network(len(each) if np.ndim(each) else None)
    scale = np.reshape(each, (-1, 1, 1)) if np.ndim(each) else each
    expected, velocities = parameters_of(network), dict.fromkeys(parameters_of(network), 0)
    for step in range(6):
        for key, gradient in gradients_of(network, step).items():
            kind = 0 if is_hidden(key) else 1
            gradient = gradient + DECAYS[kind] * expected[key]
            velocities[key] = 0.9 * velocities[key] + gradient
            expected[key] -= RATES[kind] * scale * velocities[key]
    found = learn(
        network, learning_rate=hidden_and_others(*(rate * each for rate in RATES)),
        weight_decay=hidden_and_others(*DECAYS),
    )
    for key, value in found.items():
        np.testing.assert_allclose(value, expected[key], rtol=0, atol=1e-12)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_it_is_pytorchs_sgd(momentum):
    torch = pytest.importorskip("torch", reason="PyTorch, of the extra bench, is not installed")
    network = small_network()
    theirs = {key: torch.tensor(value) for key, value in parameters_of(network).items()}
    groups = [
        dict(params=[one for key, one in theirs.items() if is_hidden(key) == hidden], lr=rate,
             weight_decay=decay)
        for hidden, rate, decay in zip((True, False), RATES, DECAYS)
    ]
    optimiser = torch.optim.SGD(groups, momentum=momentum)
    for step in range(6):
        for key, gradient in gradients_of(network, step).items():
            theirs[key].grad = torch.tensor(gradient)
        optimiser.step()
    found = learn(
        network, momentum=momentum, learning_rate=hidden_and_others(*RATES),
        weight_decay=hidden_and_others(*DECAYS),
    )
    start = parameters_of(small_network())
    for key, value in found.items():
        assert np.abs(value - start[key]).max() > 1e-3
        np.testing.assert_allclose(value, theirs[key].numpy(), rtol=0, atol=1e-12)


def test_one_rate_named_layer_by_layer_changes_no_bit_and_zero_freezes():
    plain = learn(small_network(), learning_rate=0.1)
    for options in (
        dict(learning_rate=hidden_and_others(0.1, 0.1)),
        dict(learning_rate=0.1, weight_decay=hidden_and_others(0.0, 0.0)),
    ):
        np.testing.assert_equal(learn(small_network(), **options), plain)
    start = parameters_of(small_network())
    frozen = learn(small_network(), learning_rate=hidden_and_others(0.0, 0.1))
    for key, value in frozen.items():
        assert (value == start[key]).all() == is_hidden(key)


@pytest.mark.parametrize(("options", "error", "words"), [
    ({"learning_rate": lambda layers: [0.1]}, ValueError,
     "learning_rate must return a list, one for each of 7 layers"),
    ({"learning_rate": hidden_and_others(0.1, -0.1)}, ValueError,
     r"learning_rate must be between 1e-30 and 1e\+30, or 0, got -0.1"),
    ({"learning_rate": hidden_and_others(0.1, "fast")}, TypeError, "learning_rate must be an arr"),
    ({"learning_rate": hidden_and_others([0.1] * 2, 0.1)}, ValueError,
     r"learning_rate must be a number, or one for each network, got shape \(2,\)"),
    ({"weight_decay": -1e-4}, ValueError, "weight_decay must be between .*got -0.0001"),
    ({"weight_decay": np.inf}, ValueError, "weight_decay must be finite"),
])
def test_rates_and_decays_that_make_no_sense_are_refused(options, error, words):
    with pytest.raises(error, match=words):
        SGD(small_network(3).layers, **{"learning_rate": 0.1, **options})
