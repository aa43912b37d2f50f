"""Layer and group norm: their formulas, gradients and refusals; PyTorch, where it is installed."""

from functools import partial

import numpy as np
import pytest
from gradient_check import numerical_gradient, relative_error
from hypothesis import given
from hypothesis import strategies as st

from helpers.layers import BatchNorm, GroupNorm, LayerNorm
from helpers.network import multilayer_perceptron, softmax_cross_entropy

NORMS = {
    "layer norm": LayerNorm,
    "2 groups": partial(GroupNorm, n_groups=2),
    "3 groups": partial(GroupNorm, n_groups=3),
}
MOMENTUM = 0.9


def normal(shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def randomised(norm):
    """The same layer with gamma and beta away from 1 and 0."""
    norm.gamma[...] = 1 + 0.5 * normal(norm.shape, 1)
    norm.beta[...] = normal(norm.shape, 2)
    return norm


@pytest.mark.parametrize("n_networks", [None, 6])  # as many as rows and features
@pytest.mark.parametrize("name", NORMS)
def test_backward_equals_finite_differences(name, n_networks):
    layer = randomised(NORMS[name](6, n_networks=n_networks, dtype=np.float64))
    inputs = normal((6, 6) if n_networks is None else (n_networks, 6, 6))
    grad_outputs = normal(inputs.shape, seed=3)

    def loss():
        return float((layer.forward(inputs, training=True) * grad_outputs).sum())

    loss()
    found = {"inputs": (layer.backward(grad_outputs), inputs)}
    for one in layer.parameters:
        found[one] = getattr(layer, "grad_" + one).copy(), getattr(layer, one)
    for gradient, array in found.values():
        assert gradient.shape == array.shape
        assert relative_error(gradient, numerical_gradient(loss, array)) < 1e-6


@given(st.integers(0, 2**32 - 1), st.floats(1e-2, 1e4), st.sampled_from([*NORMS]))
def test_each_group_of_a_row_has_mean_0_and_width_1_and_ignores_its_batch(seed, scale, name):
    layer = NORMS[name](12, eps=1e-30, dtype=np.float64)
    inputs = scale * normal((5, 12), seed)
    outputs = layer.forward(inputs, training=True)
    groups = outputs.reshape(5, layer.n_groups, -1)
    np.testing.assert_allclose(groups.mean(axis=-1), 0, atol=1e-9)
    np.testing.assert_allclose(groups.std(axis=-1), 1, rtol=1e-9)
    for alone in (inputs[:1], inputs[:1] * 7):  # one row; seven times its size
        for training in (True, False):
            row = layer.forward(alone, training=training)
            np.testing.assert_allclose(row, outputs[:1], rtol=1e-7, atol=1e-9)


def test_layer_norm_is_its_formula():
    z, norm = normal((5, 6)), randomised(LayerNorm(6, eps=0.1, dtype=np.float64))
    mean, var = z.mean(axis=1, keepdims=True), z.var(axis=1, keepdims=True)
    expected = norm.gamma * (z - mean) / np.sqrt(var + 0.1) + norm.beta
    np.testing.assert_allclose(norm.forward(z, training=True), expected, rtol=1e-12)


def test_lock_step_is_each_network_alone_and_shared_inputs_are_broadcast():
    norm = randomised(GroupNorm(4, 2, n_networks=3, dtype=np.float64))
    inputs = normal((5, 4))
    outputs = norm.forward(inputs, training=True)
    for k, of_network in enumerate(outputs):
        alone = GroupNorm(4, 2, dtype=np.float64)
        alone.gamma[...], alone.beta[...] = norm.gamma[k, 0], norm.beta[k, 0]
        np.testing.assert_allclose(of_network, alone.forward(inputs, training=False), rtol=1e-12)


def test_the_dtype_is_kept():
    for dtype in (np.float32, np.float64):
        layer = LayerNorm(4, dtype=dtype)
        outputs = layer.forward(normal((3, 4)).astype(dtype), training=True)
        assert outputs.dtype == layer.backward(outputs).dtype == layer.grad_gamma.dtype == dtype


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: GroupNorm(6, 4), ValueError, "n_groups must divide the n_features, 6, .*got 4"),
        (lambda: GroupNorm(7, 3), ValueError, "n_groups must divide the n_features, 7, .*got 3"),
        (lambda: GroupNorm(6, 6), ValueError, "groups of at least 2, got 6"),
        (lambda: LayerNorm(1), ValueError, "n_groups must divide the n_features, 1"),
        (lambda: GroupNorm(6, 0), ValueError, "n_groups must be at least 1, got 0"),
        (lambda: GroupNorm(6, 2.0), TypeError, "n_groups must be an integer"),
        (lambda: LayerNorm(6).forward(np.ones((2, 5)), training=True), ValueError, r"\(2, 5\)"),
        (lambda: LayerNorm(6).forward(np.ones((2, 6)), training=0), TypeError, "training must be"),
        (lambda: LayerNorm(6).backward(np.ones((2, 6))), ValueError, "must follow a forward"),
    ],
)
def test_what_makes_no_sense_is_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize("option", [{"group_size": 2}, {"batch_norm": False}, {"eps": 1e-3}])
def test_another_norm_takes_no_option_of_batch_norm(option):
    with pytest.raises(ValueError, match=r"norm replaces batch norm: leave .* eps as they are"):
        multilayer_perceptron([4, 6, 2], rng=np.random.default_rng(0), norm=LayerNorm, **option)


def test_a_network_takes_another_norm_in_the_place_of_batch_norm():
    options = dict(n_networks=2, dtype=np.float64)
    networks = [
        multilayer_perceptron([4, 6, 6, 3], rng=list(map(np.random.default_rng, (0, 1))), **one)
        for one in (options, {**options, "norm": LayerNorm})
    ]
    kinds = [[type(layer) for layer in network.layers] for network in networks]
    assert kinds[1] == [LayerNorm if kind is BatchNorm else kind for kind in kinds[0]]
    logits = networks[1].forward(normal((1, 4)), training=True)  # a batch of one is enough
    networks[1].backward(softmax_cross_entropy(logits, np.array([0]))[1])
    for one, other in zip(*(network.layers for network in networks)):
        if "weights" in one.parameters:
            np.testing.assert_array_equal(one.weights, other.weights)


# --- PyTorch's layers are the oracle, where the extra `bench` is installed ------------------------


def of_torch(layer, inputs, grad_outputs, torch, training=True):
    """Return outputs and gradients of a PyTorch layer with one call each way."""
    layer.double().train(training)
    x = torch.tensor(inputs, requires_grad=True)
    outputs = layer(x)
    outputs.backward(torch.tensor(grad_outputs))
    grads = x.grad, layer.weight.grad, layer.bias.grad
    return [one.detach().numpy() for one in (outputs, *grads)]


@pytest.mark.parametrize("name", ["batch norm", *NORMS])
def test_it_is_pytorch_layer(name):
    torch = pytest.importorskip("torch", reason="PyTorch, of the extra bench, is not installed")
    theirs = {
        "batch norm": lambda: torch.nn.BatchNorm1d(12, momentum=1 - MOMENTUM),
        "layer norm": lambda: torch.nn.LayerNorm(12),
        "2 groups": lambda: torch.nn.GroupNorm(2, 12),
        "3 groups": lambda: torch.nn.GroupNorm(3, 12),
    }[name]()
    make = {"batch norm": BatchNorm, **NORMS}[name]
    ours = randomised(make(12, dtype=np.float64))
    with torch.no_grad():
        theirs.weight.copy_(torch.tensor(ours.gamma))
        theirs.bias.copy_(torch.tensor(ours.beta))
    inputs, grad_outputs = normal((8, 12)), normal((8, 12), seed=4)
    expected = of_torch(theirs, inputs, grad_outputs, torch)
    outputs = ours.forward(inputs, training=True)
    found = [outputs, ours.backward(grad_outputs), ours.grad_gamma, ours.grad_beta]
    for one, other in zip(found, expected):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-6)  # parameters were float32
