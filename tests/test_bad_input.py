"""Whatever a public function of the core is given: the right answer, or an error that names it.

One argument of a call that works is replaced by anything at all. What never comes out: another
exception, a warning, a number that is not finite, a changed argument.
"""

import copy
import inspect
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import datasets, intervals, layer_statistics, network, randomness, shift, training
from helpers.arms import train_arms
from helpers.layers import BatchNorm, Dense, Dropout, GroupNorm, LayerNorm, ReLU, Sigmoid, Tanh
from helpers.network import Network, multilayer_perceptron

X = np.random.default_rng(0).standard_normal((6, 4))
X32, Y = np.float32(X), np.arange(6) % 2
RNG = np.random.default_rng(0)
DATA = datasets.Examples(X, Y, X, Y, ("no", "yes"))

# -- anything at all --

NUMBERS = [0, 1, 2, 3, -1, 0.5, 1.5, 1e20, -1e300, 5e-324, 1e-50, np.nan, np.inf, 10**400, 2j]
OTHERS = [None, True, "no", "", b"no", [], {}, [[1, 2], [3]], [None], (), len, Dense]
TYPES = [bool, "i1", "u1", "i8", "f2", "f4", "f8", "c8", "O", "U3"]
SHAPES = [(), (1,), (2,), (6,), (0, 4), (1, 4), (6, 4), (2, 6, 4), (6, 3), (6, 2), (1, 6, 4, 1)]
FILLS = [0, 1, -1, 0.5, 300, 3001, -1e20, 1e100, 5e-324, np.nan, np.inf]


@st.composite
def arrays(draw):
    shape, fill = draw(st.sampled_from(SHAPES)), draw(st.sampled_from(FILLS))
    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
        values = draw(st.sampled_from([0, 1, fill])) * np.random.default_rng(1).random(shape) + fill
        values = np.asarray(values).astype(draw(st.sampled_from(TYPES)))
    form = draw(st.sampled_from(["plain", "masked", "matrix", "strided", "read-only", "list"]))
    if form == "masked":
        return np.ma.masked_array(values, mask=True, fill_value=values.dtype.type(0))
    if form == "matrix" and values.ndim == 2:
        return values.view(np.matrix)
    if form == "strided" and values.ndim:
        return np.repeat(values, 2, axis=-1)[..., ::2]
    values.flags.writeable = form != "read-only"
    return values.tolist() if form == "list" else values


ANYTHING = st.one_of(st.sampled_from(NUMBERS), st.sampled_from(OTHERS), arrays())

# -- calls that work, by name: a function and its arguments; what begins with _ stays as it is --

LAYERS = {
    "Dense": Dense(4, 4, rng=RNG), "BatchNorm": BatchNorm(4), "BatchNorms": BatchNorm(4, 2),
    "GroupNorm": GroupNorm(4, 2), "LayerNorm": LayerNorm(4), "Dropout": Dropout(0.5, rng=RNG),
    "ReLU": ReLU(), "Tanh": Tanh(), "Sigmoid": Sigmoid(),
}
NET = multilayer_perceptron([4, 4, 2], rng=RNG, dropout=0.5)
NET.forward(X, training=True)


def forward(_layer, **arguments):
    return _layer.forward(**arguments), _layer


def backward(_layer, **arguments):
    return _layer.backward(**arguments), _layer


def drift(**arguments):  # NaN where a unit is silent
    return np.nan_to_num(vars(shift.measure_drift(**arguments))["mean"], posinf=np.inf)


def optimiser(**arguments):
    training.SGD(**arguments)  # holds room that is not filled yet


def of(function, **arguments):
    return function, arguments


RUN = dict(n_steps=2, batch_size=2, learning_rate=0.1, momentum=0.9)
PAIR = dict(source=X, target=X + 1, squares=True)
SOME = dict(rng=RNG, n_networks=None)
CASES = {
    "Dense": of(Dense, n_inputs=2, n_outputs=2, bias=True, weight_sd=0.1, dtype="float32", **SOME),
    "BatchNorm": of(
        BatchNorm, n_features=2, n_networks=2, momentum=0.9, eps=1e-5, group_size=2, dtype="float32"
    ),
    "GroupNorm": of(GroupNorm, n_features=4, n_groups=2, n_networks=2, eps=1e-5, dtype="float32"),
    "LayerNorm": of(LayerNorm, n_features=4, n_networks=2, eps=1e-5, dtype="float32"),
    "Dropout": of(Dropout, probability=0.5, **SOME),
    "Network": of(Network, layers=[ReLU()]),
    "multilayer_perceptron": of(
        multilayer_perceptron, sizes=[4, 4, 2], batch_norm=True, dropout=0.5, activation="relu",
        group_size=2, init_scale=1.0, momentum=0.9, dtype="float32", dropout_rng=RNG, **SOME,
    ),
    "SGD": of(optimiser, layers=[LAYERS["Dense"]], learning_rate=0.1, momentum=0.9),
    "predict": of(network.predict, network=NET, inputs=X),
    "inference_accuracy": of(network.inference_accuracy, network=NET, inputs=X, targets=Y),
    "softmax_cross_entropy": of(
        network.softmax_cross_entropy, logits=X, targets=Y, sample_weights=np.ones(6)
    ),
    "accuracy": of(network.accuracy, logits=X, targets=Y),
    "train": of(
        training.train, network=NET, inputs=X, targets=Y, rng=RNG, sample_weights=np.ones(6), **RUN
    ),
    "minibatches": of(training.minibatches, n_samples=4, batch_size=2, **SOME),
    "train_arms": of(
        train_arms, arms={"": {}}, data=DATA, seed=0, hidden=[4], every=1, look_first=True,
        n_networks=None, memory=0.9, **RUN,
    ),
    "spawn_streams": of(randomness.spawn_streams, seed=0, n_networks=2),
    "one_per_network": of(randomness.one_per_network, **SOME),
    "load_fashion_mnist": of(
        datasets.load_fashion_mnist, n_train=4, n_test=4, image_size=7, label_noise=0.1,
        n_networks=2, classes=[0, 1], seed=0,
    ),
    "shifted_regions": of(datasets.shifted_regions, distance=1.0, n_samples=4, **SOME),
    "record": of(layer_statistics.record, network=NET, probe=X, statistics="fresh"),
    "predict_with_batch_statistics": of(
        layer_statistics.predict_with_batch_statistics, network=NET, inputs=X, group_size=2
    ),
    "with_statistics": of(
        layer_statistics.with_statistics, network=NET, inputs=X, group_size=2, share_weights=False
    ),
    "domain_auc": of(shift.domain_auc, **PAIR),
    "importance_weights": of(shift.importance_weights, **PAIR),
    "effective_sample_size": of(shift.effective_sample_size, weights=np.ones(4)),
    "measure_drift": of(drift, before=X, after=X + 1),
    "mean_interval": of(intervals.mean_interval, values=np.arange(6.0)),
    "mean_intervals": of(intervals.mean_intervals, values=X),
    "paired_interval": of(intervals.paired_interval, values=X[:, 0], reference=X[:, 1]),
    "verdict": of(intervals.verdict, interval=intervals.mean_interval(X[0]), margin=0.0, sign=1),
    "Network.forward": of(forward, _layer=NET, inputs=X, training=True),
    "Network.backward": of(backward, _layer=NET, grad_logits=X[:, :2], to_inputs=True),
    **{f"{name}.forward": of(forward, _layer=layer, inputs=X32, training=True)
       for name, layer in LAYERS.items()},
}
for _name, _layer in LAYERS.items():
    _grad = np.ones_like(_layer.forward(X32, training=True))
    CASES[f"{_name}.backward"] = of(backward, _layer=_layer, grad_outputs=_grad)

# Words for what an argument holds; and what hands NaN on, after divergence.
ALSO_NAMED = ["inputs", "batch", "sizes"]
HANDED_ON = ["logits", "grad_logits"]


def leaves(value):
    """All that is in an argument or in a result."""
    if type(value).__module__.startswith("helpers"):
        value = vars(value)
    if isinstance(value, (dict, list, tuple)):
        for one in value.values() if isinstance(value, dict) else value:
            yield from leaves(one)
    else:
        yield value


def state(value):
    """The same, to be compared."""
    return [
        (one.shape, one.dtype, one.tobytes()) if isinstance(one, np.ndarray)
        else str(one.bit_generator.state) if isinstance(one, np.random.Generator) else repr(one)
        for one in leaves(value)
    ]


def answer(function, arguments):
    result = function(**arguments)
    return next(result) if inspect.isgenerator(result) else result


def meets_anything(function, valid, data):
    name = data.draw(st.sampled_from([one for one in valid if not one.startswith("_")]))
    value = data.draw(ANYTHING)
    arguments = copy.deepcopy({**valid, name: value})
    before = state(arguments)
    try:
        with warnings.catch_warnings(action="error"):
            result = answer(function, arguments)
    except (ValueError, TypeError) as error:
        assert any(word in str(error) for word in [*valid, *ALSO_NAMED]), error
        assert state(arguments) == before
        return
    assert not isinstance(value, np.ma.MaskedArray)
    assert state(arguments[name]) == state(value) or name == "rng"
    found = [one for one in leaves(result) if isinstance(one, (np.ndarray, np.floating, float))]
    assert name in HANDED_ON or all(np.isfinite(one).all() for one in found)
    if isinstance(value, np.ndarray):  # whatever its form
        plain = copy.deepcopy({**valid, name: np.array(value, copy=True, subok=False)})
        assert state(answer(function, plain)) == state(result)


@pytest.mark.parametrize("name", CASES)
@given(data=st.data())
def test_the_right_answer_or_an_error_that_names_the_argument(name, data):
    meets_anything(*CASES[name], data)


@pytest.mark.thorough
@pytest.mark.parametrize("name", CASES)
@settings(max_examples=2000)
@given(data=st.data())
def test_the_same_with_more_examples(name, data):
    meets_anything(*CASES[name], data)
