"""Looking at a network from outside must show the truth; `test_bad_input`: it changes nothing."""

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
from helpers.layers import BatchNorm, Dense, Dropout, ReLU
from helpers.network import Network, multilayer_perceptron
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
    hidden = [Dense, BatchNorm, ReLU, Dropout]
    kinds = [*hidden, *hidden, Dense]
    for asked in (Dense, (Dense, ReLU)):
        expected = [place for place, kind in enumerate(kinds) if issubclass(kind, asked)]
        assert layer_places(make_network(), asked) == expected


@given(networks, st.sampled_from([None, 4]), st.integers(0, 99))
def test_what_is_stored_are_the_moments_of_what_arrives(n_networks, group_size, seed):
    inputs = normal((12, 5), seed)
    twin = with_statistics(make_network(n_networks), inputs, group_size)
    for layer, arriving in zip(twin.layers, record(twin, inputs), strict=True):
        if isinstance(layer, BatchNorm):
            groups = arriving.reshape(*arriving.shape[:-2], -1, group_size or 12, layer.n_features)
            var = groups.var(axis=-2, ddof=0 if group_size is None else 1).mean(axis=-2)
            np.testing.assert_allclose(layer.running_var, var.reshape(layer.shape), rtol=1e-10)
            mean = arriving.mean(axis=-2).reshape(layer.shape)
            np.testing.assert_allclose(layer.running_mean, mean, atol=1e-10)
            if group_size is not None:  # behind it inference no longer sees what the groups saw
                break


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
    np.testing.assert_array_equal(received[0], inputs)
    outputs = [layer.forward(one, training=False) for layer, one in zip(network.layers, received)]
    for left, right in zip(outputs, [*received[1:], network.forward(inputs, training=False)]):
        np.testing.assert_allclose(left, right, rtol=1e-12)


def test_fresh_recordings_have_mean_beta_after_batch_norm():
    received = record(make_network(), normal((40, 5)), statistics="fresh")
    np.testing.assert_allclose(received[2].mean(axis=-2), 0.5, atol=1e-12)


def test_groups_are_checked_where_no_batch_norm_would():
    with pytest.raises(ValueError, match="group_size must be"):
        predict_with_batch_statistics(make_network(batch_norm=False), normal((10, 5)), 0)


def test_a_batch_norm_in_front_serves_shared_inputs():
    twin = with_statistics(Network([BatchNorm(3, 2)]), normal((8, 3)))
    assert twin.layers[0].running_mean.shape == (2, 1, 3)


def test_overflow_while_looking_is_divergence_not_a_warning():
    with np.errstate(all="raise"):
        for statistics in ("stored", "fresh"):
            network = make_network()
            network.layers[0].weights *= 1e300
            record(network, np.full((8, 5), 1e70) * np.arange(1, 9)[:, None], statistics)
