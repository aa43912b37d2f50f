"""Notebook 05, section 4: only the direction of hidden weights counts; what their rate does."""

import numpy as np
import pytest

from helpers.layers import Dense
from helpers.randomness import spawn_streams
from helpers.weighing_the_evidence import direction
from helpers.weighing_the_evidence.direction import for_hidden, train_at
from helpers.weighing_the_evidence.experiments import final_loss

FEW = dict(n_networks=4)


def largest_difference(eps, rate, n_steps=160):
    """Return that of all losses when hidden weights start ten times as long, at this rate."""
    plain, other = (
        train_at(one, ["free"], eps=eps, n_steps=n_steps, hidden_scale=scale, **FEW)["free"]
        for scale, one in ((1.0, 0.1), (10.0, rate))
    )
    return np.abs(plain.losses - other.losses).max()


@pytest.mark.parametrize("rate", [1.0, 1000.0])
def test_pinned_without_batch_norm_networks_do_not_diverge_but_guess(rate):
    (run,) = train_at(rate, ["pinned"], batch_norm=False, **FEW).values()
    assert np.isfinite(run.losses).all()
    assert abs(np.median(final_loss(run)) - np.log(10)) < 0.05


def test_ten_times_the_length_and_a_hundred_times_the_rate_are_the_same_training():
    assert largest_difference(1e-12, 10.0) < 1e-11  # of losses near 1: twelve digits or so
    assert largest_difference(1e-12, 0.1, n_steps=20) > 0.1  # at the same rate they are not
    assert largest_difference(1e-5, 10.0) > 1e-3  # eps still sees the length


def small_network(**options):
    return direction.perceptron_of_length(
        [6, 8, 8, 3], rng=spawn_streams(0, 2).weights, n_networks=2, dtype=np.float64, **options
    )


def test_hidden_weights_have_a_rate_of_their_own():
    layers = small_network().layers
    rates = dict(zip(layers, for_hidden(7.0, others=0.2)(layers)))
    *hidden, last = [layer for layer in layers if isinstance(layer, Dense)]
    assert [rates.pop(layer) for layer in hidden] == [7.0, 7.0]
    assert set(rates.values()) == {0.2} and last in rates


def test_lengths_are_those_of_single_units_and_can_be_pinned():
    network, long = small_network(), small_network(hidden_scale=10.0)
    hidden, long_hidden = (direction.hidden_layers(one.layers) for one in (network, long))
    for layer, other in zip(hidden, long_hidden, strict=True):
        np.testing.assert_allclose(other.weights, 10 * layer.weights)
    np.testing.assert_array_equal(network.layers[-1].weights, long.layers[-1].weights)
    units = [unit for layer in hidden for unit in layer.weights[1].T]
    first = direction.look_at_lengths(network)
    np.testing.assert_allclose(first["growth"], 1)
    expected = np.mean([1 / (unit @ unit) for unit in units])
    assert first["inverse square"][1] == pytest.approx(expected)
    before = [layer.weights.copy() for layer in hidden]
    hidden[0].weights[0] *= 3.0  # half of the hidden units
    np.testing.assert_allclose(direction.look_at_lengths(network)["growth"], [2, 1])
    direction.pin_lengths(network, None)
    for layer, weights in zip(hidden, before):
        np.testing.assert_allclose(layer.weights, weights)


def test_the_arms_do_what_their_names_say():
    runs = train_at(3.0, n_steps=12, **FEW)
    growth = {arm: run["growth"][-1] for arm, run in runs.items()}
    assert (growth["free"] > 2).all()  # steps at right angles only lengthen
    np.testing.assert_allclose(growth["pinned"], 1)
    np.testing.assert_array_equal(growth["frozen"], 1)
    losses = {arm: final_loss(run) for arm, run in runs.items()}
    assert (losses["without"] > losses["free"]).all()
    assert (losses["pinned"] != losses["free"]).all()


def test_the_table_reads_as_told():
    table = direction.load_hidden_rates()
    rates = np.array(direction.HIDDEN_RATES)[:, None]
    assert list(table) == list(direction.ARMS) and len(rates) == 13
    np.testing.assert_allclose(np.log10(rates[::2, 0]), range(-3, 4))
    assert {one.shape for arm in table.values() for one in arm.values()} == {(13, 16)}
    first = table["frozen"]["effective rate"][0] / rates[0]  # pinned lengths are the first ones
    np.testing.assert_allclose(table["pinned"]["effective rate"] / rates, np.tile(first, (13, 1)))
