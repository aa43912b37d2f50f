"""Whatever a public function of the core is given: the right answer, or an error that names it.

One argument of a call that works is replaced by anything at all. What never comes out: another
exception, a warning, a number that is not finite, a changed argument.
"""

import copy
import dataclasses
import importlib
import inspect
import re
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import helpers
from helpers import (
    arms,
    datasets,
    faces,
    intervals,
    layer_statistics,
    network,
    randomness,
    recoloured,
    shift,
    training,
)
from helpers.layers import BatchNorm, Dense, Dropout, GroupNorm, LayerNorm, ReLU, Sigmoid, Tanh
from helpers.network import Network, multilayer_perceptron

X = np.random.default_rng(0).standard_normal((6, 4))
X32, Y = np.float32(X), np.arange(6) % 2
RNG = np.random.default_rng(0)
DATA = datasets.Examples(X, Y, X, Y, ("no", "yes"))

# -- anything at all --

NUMBERS = [
    0, 1, 2, 3, -1, 0.5, 1.5, 1e20, -1e300, 5e-324, 1e-50, np.nan, np.inf, 2**62, 10**400, 2j
]
OTHERS = [None, True, "no", "", b"no", [], {}, [[1, 2], [3]], [None], (), len, Dense]
TYPES = [bool, "i1", "u1", "i8", "f2", "f4", "f8", "c8", "O", "U3"]
SHAPES = [(), (1,), (2,), (6,), (0, 4), (1, 4), (6, 4), (2, 6, 4), (6, 3), (6, 2), (1, 6, 4, 1)]
FILLS = [0, 1, -1, 0.5, 300, 3001, 9e14, 9e74, -1e20, 1e100, 5e-324, np.nan, np.inf]


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


def optimiser(**arguments):
    training.SGD(**arguments)  # holds room that is not filled yet


def step(**gradients):
    layer = Dense(4, 4, rng=np.random.default_rng(0))
    optimiser = training.SGD(layer, learning_rate=0.1)
    before = layer.weights.copy(), layer.bias.copy()
    vars(layer).update(gradients)
    try:
        with np.errstate(over="ignore"):  # divergence
            optimiser.step()
    except (ValueError, TypeError):
        assert (before[0] == layer.weights).all() and (before[1] == layer.bias).all()
        raise
    return layer


def table(columns):
    intervals.show_table({"row": [1, 2], "columns": columns})


def compare(rows):
    return list(map(str, intervals.compare_arms([{"a": X[0], "b": rows}])["b - a"]))


def in_coats(colourfulness):
    return recoloured.draw_animals(2, 12, rng=np.random.default_rng(0)).in_coats(colourfulness)


def dyed(**arguments):
    data = recoloured.Dyed(**arguments)
    return data.train_inputs, data.test_inputs


def of(function, **arguments):
    return function, arguments


RUN = dict(n_steps=2, batch_size=2, learning_rate=0.1, momentum=0.9, weight_decay=0.1)
PAIR = dict(source=X, target=X + 1, squares=True)
SOME = dict(rng=RNG, n_networks=None)
LOOK = dict(look=lambda network: {"loss": np.ones(())}, disturb=lambda network, rng: None)
ARMS = dict(data=DATA, seed=0, hidden=[4], every=1, look_first=True, n_networks=None, memory=0.9)
SEEN = SimpleNamespace(steps=np.arange(2), seen={"loss": np.ones((2, 3))})
RACE = arms.Run(SEEN.steps, SEEN.seen, np.ones((2, 3)), None)
CATS = recoloured.draw_animals(4, 12, n_networks=1, rng=RNG)
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
        group_size=2, init_scale=1.0, momentum=0.9, eps=1e-5, dtype="float32", dropout_rng=RNG,
        **SOME,
    ),
    "SGD": of(
        optimiser, layers=[LAYERS["Dense"]], learning_rate=0.1, momentum=0.9, weight_decay=0.1
    ),
    "predict": of(network.predict, network=NET, inputs=X),
    "inference_accuracy": of(network.inference_accuracy, network=NET, inputs=X, targets=Y),
    "mean_loss": of(network.mean_loss, logits=X, targets=Y),
    "softmax_cross_entropy": of(
        network.softmax_cross_entropy, logits=X, targets=Y, sample_weights=np.ones(6)
    ),
    "accuracy": of(network.accuracy, logits=X, targets=Y),
    "train": of(
        training.train, network=NET, inputs=X, targets=Y, rng=RNG, sample_weights=np.ones(6), **RUN
    ),
    "minibatches": of(training.minibatches, n_samples=4, batch_size=2, **SOME),
    "train_arms": of(arms.train_arms, arms={"": {}}, **ARMS, **LOOK, **RUN),
    "watch_arms": of(arms.watch_arms, arms={"": {}}, **ARMS, build=multilayer_perceptron, **RUN),
    "first_below": of(arms.first_below, threshold=0.5, run=RACE),
    "never_below": of(arms.never_below, threshold=0.5, run=RACE),
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
    "layer_places": of(layer_statistics.layer_places, network=NET, kinds=Dense),
    "third_dense": of(
        layer_statistics.third_dense, network=multilayer_perceptron([1] * 4, rng=RNG)
    ),
    "domain_auc": of(shift.domain_auc, **PAIR),
    "importance_weights": of(shift.importance_weights, **PAIR),
    "effective_sample_size": of(shift.effective_sample_size, weights=np.ones(4)),
    "mean_interval": of(intervals.mean_interval, values=np.arange(6.0)),
    "mean_intervals": of(intervals.mean_intervals, values=X),
    "paired_interval": of(intervals.paired_interval, values=X[:, 0], reference=X[:, 1]),
    "format_number": of(intervals.format_number, value=0.5, decimals=2),
    "mean_text": of(intervals.mean_text, values=X, decimals=2),
    "show": of(intervals.show, label="loss"),
    "show_table": of(intervals.show_table, columns={"a": [1]}),
    "show_table.columns": of(table, columns=[1, 2]),
    "compare_arms": of(intervals.compare_arms, rows=[{"a": X[0], "b": X[1]}], difference="b"),
    "compare_arms.rows": of(compare, rows=X[1]),
    "verdict": of(intervals.verdict, interval=intervals.mean_interval(X[0]), margin=0.0, sign=1),
    "sample_kinds": of(faces.sample_kinds, n_faces=2, rng=RNG),
    "coat_colours": of(faces.coat_colours, n_faces=2, rng=RNG),
    "draw_faces": of(faces.draw_faces, kinds=[0, 1], image_size=12, rng=RNG),
    "draw_animals": of(recoloured.draw_animals, n_faces=2, image_size=12, **SOME),
    "draw_shown": of(recoloured.draw_shown, n_cats=1, image_size=12),
    "draw_clothes": of(
        recoloured.draw_clothes, classes=["Bag", "Dress"], n_train=2, n_test=2, **SOME
    ),
    "Recoloured.in_coats": of(in_coats, colourfulness=0.5),
    "Dyed": of(dyed, train=CATS, tests=CATS, coats=0.5, class_names=("other", "cat")),
    "Network.forward": of(forward, _layer=NET, inputs=X, training=True),
    "Network.backward": of(backward, _layer=NET, grad_logits=X[:, :2], to_inputs=True),
    **{f"{name}.forward": of(forward, _layer=layer, inputs=X32, training=True)
       for name, layer in LAYERS.items()},
}
for _name, _layer in LAYERS.items():
    _grad = np.ones_like(_layer.forward(X32, training=True))
    CASES[f"{_name}.backward"] = of(backward, _layer=_layer, grad_outputs=_grad)
CASES["SGD.step"] = of(step, grad_weights=np.ones((4, 4)), grad_bias=np.ones(4))

# For arguments that were checked before; for data files; for the pictures of a notebook.
INNER = set(
    "divergence_allowed batch_sum batch_mean check_group_size with_networks_axis "
    "check_network infer checksum read_arrays save_arrays write_whole "
    "region_rule region_boundary interval_ends median_text".split()
)
# Where two arguments do not fit together, either may be named.
OTHER_NAMED = {
    "logits": "targets must have shape", "inputs": "targets must have shape",
    "n_samples": "batch_size must be between", "probe": "inputs of at least 2 rows",
    "rows": "values must be|values and reference",  # {arm: values}
}
SHOWN = ["label", "columns"]  # as it is, with its mask
HANDED_ON = ["logits", "grad_logits", "grad_weights", "grad_bias"]  # NaN, after divergence
# May be a function; what that raises is its own.
FUNCTIONS = ["learning_rate", "weight_decay", "look", "disturb", "build"]


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
    assume(not (callable(value) and name in FUNCTIONS))
    arguments = copy.deepcopy({**valid, name: value})
    before = state(arguments)
    try:
        with warnings.catch_warnings(action="error"):
            result = answer(function, arguments)
    except (ValueError, TypeError) as error:
        names = rf"\b{name}\b|{OTHER_NAMED.get(name, name)}"
        assert re.search(names, str(error)), f"{error} does not name {name}"
        assert state(arguments) == before
        return
    assert name in SHOWN or not isinstance(value, np.ma.MaskedArray)
    assert state(arguments[name]) == state(value) or name == "rng"
    found = [one for one in leaves(result) if isinstance(one, (np.ndarray, np.floating, float))]
    assert name in HANDED_ON or all(np.isfinite(one).all() for one in found)
    if isinstance(value, np.ndarray):  # whatever its form
        plain = np.array(value, copy=True, subok=False)
        assert state(answer(function, copy.deepcopy({**valid, name: plain}))) == state(result)
        if value.dtype.kind == "f":  # and type
            wide = answer(function, copy.deepcopy({**valid, name: plain.astype(float)}))
            for one, other in zip(leaves(result), leaves(wide)):
                if isinstance(one, np.ndarray) and one.dtype.kind == "f":
                    size = np.abs(plain.astype(float)).max(initial=1)
                    np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3 * size)


def public_names():
    """Yield the names of all functions and classes of the core, but for its own tools."""
    for file in Path(helpers.__file__).parent.glob("[a-z]*.py"):
        if file.stem not in ("arithmetic", "checks", "execute", "long_work"):
            module = importlib.import_module(f"helpers.{file.stem}")
            for name, one in vars(module).items():
                is_ours = inspect.isclass(one) or inspect.isfunction(one)
                if is_ours and one.__module__ == module.__name__ and name[0] != "_":
                    yield from [] if dataclasses.is_dataclass(one) else [name]


def test_every_public_function_is_in_the_table():
    assert set(public_names()) - {name.partition(".")[0] for name in CASES} <= INNER


@pytest.mark.parametrize("name", CASES)
def test_the_call_in_the_table_works_and_changes_nothing_that_it_is_given(name):
    function, arguments = copy.deepcopy(CASES[name])
    before = {one: state(value) for one, value in arguments.items()}
    answer(function, arguments)
    changed = {one for one in arguments if state(arguments[one]) != before[one]}
    learns = {"network"} if name == "train" else set()
    assert changed <= {"rng", "dropout_rng", "_layer"} | learns


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
