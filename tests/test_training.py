"""The training loop, its mini-batches and its optimiser."""

import copy
import itertools
import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import threadpoolctl
from gradient_check import normal
from hypothesis import given
from hypothesis import strategies as st

from helpers.network import Network, multilayer_perceptron
from helpers.randomness import spawn_streams
from helpers.training import minibatches, train

N_NETWORKS, N_SAMPLES = 16, 48


INPUTS = normal((N_NETWORKS, N_SAMPLES, 6))
TARGETS = np.random.default_rng(1).integers(0, 3, (N_NETWORKS, N_SAMPLES))


def start(
    streams, inputs=INPUTS, targets=TARGETS, n_networks=N_NETWORKS, n_steps=20, batch_size=16,
    learning_rate=0.1, sample_weights=None, dtype=np.float64, in_front=(), **options,
):
    network = multilayer_perceptron(
        [6, 8, 8, 3], rng=streams.weights, dropout_rng=streams.dropout, n_networks=n_networks,
        dtype=dtype, **options,
    )
    network.layers[:0] = in_front
    return network, train(
        network, inputs, targets, n_steps=n_steps, batch_size=batch_size,
        learning_rate=learning_rate, rng=streams.order, sample_weights=sample_weights,
    )


def run(*arguments, **options):
    network, steps = start(*arguments, **options)
    return network, np.array([step.losses for step in steps])


def run_two(inputs=INPUTS[:2], **options):
    return run(spawn_streams(0, 2), inputs, TARGETS[:2], 2, **options)


# --- lock-step -----------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [
    {},
    {"batch_norm": False, "activation": "tanh"},
    {"group_size": 8, "dropout": 0.2, "activation": "sigmoid"},
])
def test_sixteen_networks_in_lock_step_equal_each_alone(options):
    together, losses = run(spawn_streams(0, N_NETWORKS), **options)
    for k in range(N_NETWORKS):
        streams = spawn_streams(0, N_NETWORKS)
        own = type(streams)(**{name: generators[k] for name, generators in vars(streams).items()})
        alone, alone_losses = run(own, INPUTS[k], TARGETS[k], n_networks=None, **options)
        np.testing.assert_allclose(alone_losses, losses[:, k], rtol=1e-10)
        for left, right in zip(alone.layers, together.layers, strict=True):
            for name in {*left.parameters, "running_var"} & vars(left).keys():
                own = np.squeeze(getattr(right, name)[k])
                np.testing.assert_allclose(getattr(left, name), own, rtol=1e-8, atol=1e-12)


class Spy:
    """A layer that passes everything on and remembers what it saw."""

    parameters = ()

    def __init__(self):
        self.inputs, self.blas_threads = [], []

    def forward(self, inputs, *, training):
        if training:
            self.inputs.append(inputs)
            self.blas_threads += blas_threads()
        return inputs

    def backward(self, grad_outputs):
        self.blas_threads += blas_threads()
        return grad_outputs


def test_every_arm_meets_the_same_mini_batches():
    seen = []
    for options in ({"batch_norm": False}, {}, {"dropout": 0.5}, {"dropout": 0.5, "group_size": 4}):
        spy = Spy()
        run_two(in_front=[spy], n_steps=7, **options)
        seen.append(np.array(spy.inputs))
    assert seen[0].shape == (7, 2, 16, 6)
    for other in seen[1:]:
        np.testing.assert_array_equal(other, seen[0])


# --- mini-batches --------------------------------------------------------------------------------


@given(st.integers(1, 40), st.data(), st.sampled_from([None, 1, 3]), st.integers(0, 99))
def test_an_epoch_shows_each_example_at_most_once(n_samples, data, n_networks, seed):
    batch_size = data.draw(st.integers(1, n_samples))
    rng = np.random.default_rng(seed)
    rows = minibatches(n_samples, batch_size, n_networks=n_networks, rng=rng)
    per_epoch = n_samples // batch_size
    for _ in range(2):
        epoch = np.concatenate(list(itertools.islice(rows, per_epoch)), axis=-1)
        assert epoch.shape[-1] == per_epoch * batch_size
        for order in np.atleast_2d(epoch):
            assert len(set(order)) == len(order) and set(order) <= set(range(n_samples))


def test_a_batch_of_everything_still_permutes():
    rows = minibatches(100, 100, rng=np.random.default_rng(0))
    first, second = next(rows), next(rows)
    assert (first != second).any() and (first != np.arange(100)).any()
    own = next(minibatches(50, 50, n_networks=2, rng=np.random.default_rng(0)))
    assert (own[0] != own[1]).any()
    with pytest.raises(ValueError, match="batch_size must be between 1 and 100"):
        minibatches(100, 101, rng=np.random.default_rng(0))


# --- learning ------------------------------------------------------------------------------------


def test_training_learns_and_reports_losses_before_the_update():
    _, losses = run_two(n_steps=200)
    assert losses.shape == (200, 2) and (losses[-20:].mean(axis=0) < 0.7 * losses[0]).all()
    assert losses[0] == pytest.approx(run_two(learning_rate=[1e-9, 1e-8])[1][0])


@pytest.mark.parametrize("dtype", ["int8", "uint8", "uint16", "uint64"])
def test_labels_of_any_integer_type_train_alike(dtype):
    inputs = normal((300, 6))  # more than an int8 counts
    targets = (inputs[:, 0] > 0).astype(int)
    options = dict(n_networks=2, n_steps=5, batch_size=300)
    _, expected = run(spawn_streams(0, 2), inputs, targets, **options)
    _, losses = run(spawn_streams(0, 2), inputs, targets.astype(dtype), **options)
    np.testing.assert_array_equal(losses, expected)


def learned(network):
    return [getattr(layer, name).copy() for layer in network.layers for name in layer.parameters]


@pytest.mark.parametrize("copied", [
    copy.deepcopy,
    lambda network: pickle.loads(pickle.dumps(network)),
    lambda network: Network([copy.copy(layer) for layer in network.layers]),
])
def test_a_copied_network_learns_like_its_original_and_leaves_it_alone(copied):
    def train_on(network):
        order = spawn_streams(5, 2).order
        list(train(network, INPUTS[:2], TARGETS[:2], n_steps=3, batch_size=16, learning_rate=0.1,
                   rng=order))
        return learned(network)

    network, _ = run_two()
    before, of_twin = learned(network), train_on(copied(network))
    np.testing.assert_equal(learned(network), before)
    np.testing.assert_equal(train_on(network), of_twin)
    assert (of_twin[0] != before[0]).any()


def test_an_example_of_weight_zero_is_not_there():
    weights = np.ones(N_SAMPLES)
    weights[:10] = 0
    changed = INPUTS.copy()
    changed[:, :10] += 5.0
    losses, same = (
        run(spawn_streams(0, N_NETWORKS), inputs, batch_norm=False, sample_weights=weights,
            dtype=np.float32)[1]
        for inputs in (INPUTS, changed)
    )
    assert losses.dtype == np.float32  # the weights are float64
    np.testing.assert_array_equal(losses, same)


@pytest.mark.parametrize("scale", [1, 1e12])  # large inputs overflow in the optimiser, too
def test_divergence_is_legal_and_shows_as_infinity(scale):
    with np.errstate(all="raise"):
        _, losses = run_two(
            inputs=scale * INPUTS[:2], batch_norm=False, n_steps=60, learning_rate=1e30,
            dtype=np.float32,
        )
    assert np.isinf(losses[-1]).all() and not np.isnan(losses).any()


@pytest.mark.parametrize("in_a_thread", [False, True])
def test_blas_threads_are_pinned_within_a_step_only(in_a_thread):
    spy, seen = Spy(), []
    _, steps = start(spawn_streams(0, N_NETWORKS), in_front=[spy], n_steps=2)

    def walk():
        for number, step in enumerate(steps):
            assert step.index == number
            seen.append(blas_threads())

    with threadpoolctl.threadpool_limits(2, user_api="blas"):  # by this thread, which lives on
        outside = blas_threads()
        with ThreadPoolExecutor(1) as pool:
            pool.submit(walk).result() if in_a_thread else walk()
    assert spy.blas_threads and set(spy.blas_threads) == {1} and seen == [outside] * 2


def blas_threads():
    return [
        pool["num_threads"] for pool in threadpoolctl.threadpool_info()
        if pool["user_api"] == "blas" and "numpy" in pool["filepath"]
    ]


def test_a_library_imported_meanwhile_is_pinned_too():
    code = """
import threadpoolctl
from helpers.network import one_blas_thread
def say():
    print(*{pool["num_threads"] for pool in threadpoolctl.threadpool_info()})
def load():
    import scipy.linalg
    one_blas_thread(say)
    say()
one_blas_thread(load)
say()
"""
    two = {**os.environ, "OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "2"}
    done = subprocess.run([sys.executable, "-c", code], env=two, capture_output=True, text=True)
    assert done.stdout.split() == ["1", "1", "2"], done.stderr


def test_two_threads_that_train_leave_blas_as_it_was():
    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        outside = blas_threads()
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda _: run_two(n_steps=150), range(2)))
        assert blas_threads() == outside


# --- refusals, at the call and before anything changes -------------------------------------------


@pytest.mark.parametrize("batch_size", [18, 2])
def test_a_batch_that_no_group_divides_is_refused_at_the_call(batch_size):
    with pytest.raises(ValueError, match="group_size must"):
        start(spawn_streams(0, N_NETWORKS), group_size=4, batch_size=batch_size)


def test_without_batch_norm_one_example_is_a_batch():
    run(spawn_streams(0), INPUTS[0], TARGETS[0], None, batch_norm=False, batch_size=1)
