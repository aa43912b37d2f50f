"""Looking at a network from outside must show the truth and change nothing."""

import copy
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.layer_statistics import (
    layer_places,
    predict_with_batch_statistics,
    record,
    with_statistics,
)
from helpers.layers import BatchNorm, Dense, ReLU
from helpers.network import Network, multilayer_perceptron, softmax_cross_entropy
from helpers.randomness import spawn_streams

networks = st.sampled_from([None, 1, 3])


def make_network(n_networks=None, **options):
    streams = spawn_streams(3, n_networks)
    network = multilayer_perceptron(
        [5, 8, 6, 3], rng=streams.weights, dropout_rng=streams.dropout, n_networks=n_networks,
        dtype=np.float64, dropout=0.5, **options,
    )
    for norm in norms_of(network):
        norm.eps, norm.gamma[...], norm.beta[...] = 0.1, 1.5, 0.5
    return network


def normal(shape, seed=0):
    return 2 + 3 * np.random.default_rng(seed).standard_normal(shape)


def norms_of(network):
    return [layer for layer in network.layers if isinstance(layer, BatchNorm)]


def test_places_are_those_of_all_kinds_asked_for():
    network = make_network()
    for kinds in (Dense, (Dense, ReLU)):
        places = layer_places(network, kinds)
        asked = [isinstance(layer, kinds) for layer in network.layers]
        assert [place in places for place in range(len(network.layers))] == asked
    assert len(layer_places(network, Dense)) == 3 and places == sorted(places)


@given(networks, st.sampled_from([None, 4]), st.integers(0, 99))
def test_what_is_stored_are_the_moments_of_what_arrives(n_networks, group_size, seed):
    inputs = normal((12, 5), seed)
    twin = with_statistics(make_network(n_networks), inputs, group_size)
    if group_size is None:  # then inference normalises exactly as the statistics were taken
        for layer, received in zip(twin.layers, record(twin, inputs), strict=True):
            if isinstance(layer, BatchNorm):
                mean = received.mean(axis=-2).reshape(layer.shape)
                var = received.var(axis=-2).reshape(layer.shape)
                np.testing.assert_allclose(layer.running_mean, mean, atol=1e-10)
                np.testing.assert_allclose(layer.running_var, var, rtol=1e-10)
    else:
        first = norms_of(twin)[0]
        arriving = record(twin, inputs)[1]
        groups = arriving.reshape(*arriving.shape[:-2], 3, 4, arriving.shape[-1])
        np.testing.assert_allclose(
            first.running_var, groups.var(axis=-2, ddof=1).mean(axis=-2).reshape(first.shape)
        )


def test_a_copy_that_shares_weights_has_statistics_of_its_own():
    network, inputs = make_network(2), normal((12, 5))
    own, shared = (with_statistics(network, inputs, share_weights=one) for one in (False, True))
    logits = [one.forward(inputs, training=False) for one in (own, shared, network)]
    np.testing.assert_array_equal(logits[0], logits[1])
    assert not np.array_equal(logits[0], logits[2])
    for layer, left, right in zip(network.layers, own.layers, shared.layers, strict=True):
        for name in layer.parameters:
            assert getattr(layer, name) is getattr(right, name) is not getattr(left, name)
    assert all((norm.running_mean == 0).all() for norm in norms_of(network))


@given(networks)
def test_stored_statistics_of_the_same_inputs_predict_as_fresh_ones(n_networks):
    network, inputs = make_network(n_networks), normal((12, 5))
    np.testing.assert_allclose(
        with_statistics(network, inputs).forward(inputs, training=False),
        predict_with_batch_statistics(network, inputs),
        rtol=1e-9, atol=1e-9,
    )


def test_each_group_predicts_as_if_alone():
    network, inputs = make_network(2), normal((2, 12, 5))
    logits = predict_with_batch_statistics(network, inputs, group_size=4)
    alone = predict_with_batch_statistics(network, inputs[:, 4:8])
    np.testing.assert_allclose(logits[:, 4:8], alone, rtol=1e-10)


def test_a_recording_is_what_each_layer_receives():
    network, inputs = make_network(2), normal((2, 9, 5))
    received = record(network, inputs)
    assert len(received) == len(network.layers)
    np.testing.assert_array_equal(received[0], inputs)
    last = network.layers[-1]
    assert isinstance(last, Dense)
    np.testing.assert_allclose(
        received[-1] @ last.weights + last.bias, network.forward(inputs, training=False)
    )
    relu = next(i for i, layer in enumerate(network.layers) if isinstance(layer, ReLU))
    np.testing.assert_array_equal(received[relu + 1], np.maximum(received[relu], 0))


def test_fresh_recordings_have_mean_beta_after_batch_norm():
    network, inputs = make_network(), normal((40, 5))
    received = record(network, inputs, statistics="fresh")
    after = next(i for i, layer in enumerate(network.layers) if isinstance(layer, BatchNorm)) + 1
    np.testing.assert_allclose(received[after].mean(axis=-2), 0.5, atol=1e-12)


@pytest.mark.parametrize(
    "look",
    [
        record,
        partial(record, statistics="fresh"),
        with_statistics,
        partial(with_statistics, group_size=4),
        predict_with_batch_statistics,
        partial(predict_with_batch_statistics, group_size=4),
    ],
)
def test_looking_changes_nothing_not_even_a_backward_in_waiting(look):
    network, inputs = make_network(2), normal((2, 12, 5))
    logits = network.forward(inputs, training=True)
    _, grad_logits = softmax_cross_entropy(logits, np.zeros((2, 12), int))
    untouched = copy.deepcopy(network)
    look(network, inputs[:, :8] + 5.0)
    np.testing.assert_array_equal(network.backward(grad_logits), untouched.backward(grad_logits))
    for left, right in zip(norms_of(network), norms_of(untouched), strict=True):
        np.testing.assert_array_equal(left.running_mean, right.running_mean)
        np.testing.assert_array_equal(left.running_var, right.running_var)


def test_what_makes_no_sense_is_refused():
    network, inputs = make_network(), normal((10, 5))
    with pytest.raises(ValueError, match="statistics must be one of 'stored', 'fresh', got 'new'"):
        record(network, inputs, statistics="new")
    with pytest.raises(ValueError, match="group_size must divide the batch of 10 rows, got 4"):
        predict_with_batch_statistics(network, inputs, 4)
    with pytest.raises(ValueError, match="at least 2 rows, got 1"):
        with_statistics(network, inputs[:1])


def test_a_batch_norm_in_front_serves_shared_inputs_and_refuses_others():
    lock_step, single = Network([BatchNorm(3, 2)]), Network([BatchNorm(1)])
    assert with_statistics(lock_step, normal((8, 3))).layers[0].running_mean.shape == (2, 1, 3)
    with pytest.raises(ValueError, match=r"inputs must have shape \(batch, 1\), got \(8, 4\)"):
        predict_with_batch_statistics(single, normal((8, 4)))
    with pytest.raises(ValueError, match=r"got \(2, 8, 1\)"):
        predict_with_batch_statistics(single, normal((2, 8, 1)))


def test_groups_are_checked_where_no_batch_norm_would():
    network = make_network(batch_norm=False)
    for group_size, error in ((0, ValueError), ("2", TypeError)):
        with pytest.raises(error, match="group_size must be"):
            predict_with_batch_statistics(network, normal((8, 5)), group_size)
    with pytest.raises(TypeError, match="network must be a Network, got NoneType"):
        record(None, normal((8, 5)))


def test_overflow_while_looking_is_divergence_not_a_warning():
    with np.errstate(all="raise"):
        for statistics in ("stored", "fresh"):
            network = make_network()
            network.layers[0].weights *= 1e300
            record(network, np.full((8, 5), 1e70) * np.arange(1, 9)[:, None], statistics)
