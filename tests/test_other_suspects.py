"""Notebook 05's own experiments: noise that moves a unit's distribution, rates, smoothness."""

import copy

import numpy as np
import pytest

from helpers.experiments import other_suspects as experiments
from helpers.experiments.batch_norm_mechanics import run_race, run_race_arm
from helpers.experiments.other_suspects import (
    GradientShift,
    LearningRateMap,
    RatePair,
    RateSweep,
    StepNoise,
    add_step_noise,
    load_learning_rate_map,
    measure_gradient_shift,
    measure_learning_rates,
    measure_smoothness,
    run_noisy_arm,
    run_noisy_race,
)
from helpers.intervals import mean_interval
from helpers.layer_statistics import layer_places
from helpers.layers import BatchNorm, Dense
from helpers.network import Network, multilayer_perceptron
from helpers.randomness import spawn_streams

FEW = {"n_networks": 4}
QUICK = {"n_networks": 3, "n_train": 300, "n_steps": 12}

# -- noise behind batch norm --


def step_noise(n_networks=3, **noise):
    noise = {"max_shift": 0.5, "max_scale": 1.5, **noise}
    return StepNoise(5, rng=spawn_streams(0, n_networks).dropout, **noise)


def some_inputs(shape=(3, 8, 5)):
    return np.random.default_rng(1).standard_normal(shape)


def test_noise_is_one_shift_and_one_scale_per_unit_and_network():
    noise, inputs = step_noise(), some_inputs()
    outputs = noise.forward(inputs, training=True)
    scale = (outputs[:, 1] - outputs[:, 0]) / (inputs[:, 1] - inputs[:, 0])
    shift = outputs[:, 0] - scale * inputs[:, 0]
    np.testing.assert_allclose(outputs, scale[:, None] * inputs + shift[:, None])
    assert len(np.unique(scale.round(6))) == len(np.unique(shift.round(6))) == 15


def test_noise_is_new_in_each_step_and_within_its_bounds():
    noise, inputs = step_noise(), np.stack([np.zeros((3, 5)), np.ones((3, 5))], axis=1)
    draws = np.array([noise.forward(inputs, training=True) for _ in range(400)])
    shifts, scales = draws[:, :, 0], draws[:, :, 1] - draws[:, :, 0]
    assert np.abs(shifts).max() == pytest.approx(0.5, abs=0.01)
    assert scales.max() == pytest.approx(1.5, abs=0.01)
    assert scales.min() == pytest.approx(1 / 1.5, abs=0.01)
    # uniform on a logarithmic scale: as often a stretch as a squeeze
    assert (scales > 1).mean() == pytest.approx(0.5, abs=0.05)
    assert np.abs(shifts.mean(axis=0)).max() < 0.06


def test_a_network_meets_its_own_noise_whoever_is_beside_it():
    few, many = step_noise(2), step_noise(4)
    inputs = some_inputs((4, 8, 5))
    for _ in range(3):
        alone = few.forward(inputs[:2], training=True)
        np.testing.assert_array_equal(many.forward(inputs, training=True)[:2], alone)


def test_noise_is_off_in_inference_unless_held():
    noise, inputs = step_noise(), some_inputs()
    for layer in (noise, noise.held()):  # no step yet, no noise to hold
        np.testing.assert_array_equal(layer.forward(inputs, training=False), inputs)
    noisy = noise.forward(inputs, training=True)
    np.testing.assert_array_equal(noise.forward(inputs, training=False), inputs)
    np.testing.assert_array_equal(noise.held().forward(inputs, training=False), noisy)
    assert not noise.is_held


def test_gradient_of_the_noise_is_its_scale():
    noise, inputs = step_noise(), some_inputs()
    noise.forward(inputs, training=True)
    upstream, step = some_inputs() ** 2, 1e-6
    held = noise.held()
    ends = [held.forward(inputs + sign * step, training=False) for sign in (1, -1)]
    measured = upstream * (ends[0] - ends[1]) / (2 * step)
    np.testing.assert_allclose(noise.backward(upstream), measured, rtol=1e-6)
    noise.forward(inputs, training=False)
    np.testing.assert_array_equal(noise.backward(upstream), upstream)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_shift": -0.1}, "max_shift must be a finite number in"),
        ({"max_scale": 0.9}, "max_scale must be a finite number in"),
    ],
)
def test_impossible_noise_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        step_noise(**settings)


def test_noise_stands_behind_each_batch_norm_and_learns_nothing():
    streams = spawn_streams(0, 2)
    network = multilayer_perceptron([6, 5, 4, 3], rng=streams.weights, n_networks=2)
    noisy = add_step_noise(network, max_shift=1, max_scale=2, rng=streams.dropout)
    for before, layer in zip(noisy.layers, noisy.layers[1:]):
        assert isinstance(before, BatchNorm) == isinstance(layer, StepNoise)
    assert [one for one in noisy.layers if not isinstance(one, StepNoise)] == network.layers
    assert all(one.parameters == () for one in noisy.layers if isinstance(one, StepNoise))


# -- the noisy race --


@pytest.fixture(scope="module")
def race():
    return run_noisy_race(n_train=600, n_steps=60, threshold=0.8, **FEW)


def test_the_first_two_arms_are_notebook_02s_race(race):
    plain = run_race(n_train=600, n_steps=60, threshold=0.8, **FEW)
    for ours, theirs in zip(race.arms[:2], plain.arms, strict=True):
        np.testing.assert_array_equal(ours.losses, theirs.losses)
        np.testing.assert_array_equal(ours.first_steps, theirs.first_steps)


def test_noise_moves_what_layer_3_receives_more_than_no_batch_norm_does(race):
    without, with_batch_norm, noisy = race.drift
    assert (noisy > 2 * without).all()
    assert (without > 2 * with_batch_norm).all()


def test_noise_costs_steps(race):
    assert race.cost_of_noise.low > 0
    saved = race.without.first_steps - race.noisy.first_steps
    assert race.steps_saved_despite_noise.mean == pytest.approx(saved.mean())


def test_drift_is_not_the_noise_of_drawing_mini_batches():
    still = run_noisy_race(learning_rate=1e-12, n_train=300, n_steps=6, **FEW)
    assert still.drift[:2].max() < 1e-6  # nothing learns, though every batch is another one
    assert still.drift[2].min() > 0.1


def test_no_noise_is_batch_norm_and_the_loss_is_taken_without_noise():
    settings = {"n_train": 300, "n_steps": 10, **FEW}
    batch_norm = run_race_arm(batch_norm=True, **settings)
    silent = run_noisy_arm(max_shift=0, max_scale=1, **settings)
    np.testing.assert_array_equal(silent.losses, batch_norm.losses)
    still = {"learning_rate": 1e-12, **settings}
    noisy, quiet = run_noisy_arm(max_shift=2, **still), run_race_arm(batch_norm=True, **still)
    np.testing.assert_allclose(noisy.losses, quiet.losses, rtol=1e-8)


def test_without_a_finish_line_nobody_arrives():
    settings = {"n_train": 300, "n_steps": 10, **FEW}
    arms = {
        name: run_race_arm(batch_norm=True, threshold=threshold, **settings)
        for name, threshold in (("low", 1e-9), ("none", None), ("at once", 100.0))
    }
    assert arms["at once"].steps.tolist() == [5] and arms["at once"].n_late == 0
    assert arms["none"].steps.tolist() == [5, 10] and arms["none"].n_late == 4
    assert arms["none"].first_steps.tolist() == [10] * 4 and arms["none"].median_text == ">= 10"
    np.testing.assert_array_equal(arms["none"].losses, arms["low"].losses)
    with pytest.raises(ValueError, match="threshold must be"):
        run_race_arm(batch_norm=True, threshold=0, **settings)


def test_tables_say_what_the_race_found(race):
    drift, steps = experiments.drift_table([race]), experiments.steps_table([race])
    for interval in map(mean_interval, race.drift):
        assert str(interval) in drift
    for text in [arm.median_text for arm in race.arms]:
        assert text in steps
    assert str(race.steps_saved_despite_noise) in steps and str(race.cost_of_noise) in steps
    assert " / ".join(str(arm.n_late) for arm in race.arms) in steps


# -- learning rates --


def sweep_of(final_losses, rates=(0.1, 1.0, 10.0), batch_norm=False):
    return RateSweep("relu", 3, 1.0, batch_norm, np.array(rates), np.array(final_losses))


def test_a_rate_trains_when_the_typical_network_does():
    sweep = sweep_of([[0.9, 0.8, 1.5], [0.9, 1.2, np.inf], [np.inf, np.inf, 0.2]])
    assert sweep.trains.tolist() == [True, False, False]
    assert sweep.typical_losses.tolist() == [0.9, 1.2, np.inf]
    assert sweep.range_text == "0.1"
    assert sweep.best == 0


def test_the_range_is_named_by_its_ends():
    assert sweep_of([[2.0], [0.5], [0.4]]).range_text == "1 to 10"
    assert sweep_of([[2.0], [1.0], [3.0]]).range_text == "none"


def test_a_pair_is_read_at_its_best_rates_and_at_one_rate():
    pair = RatePair(
        sweep_of([[0.9, 0.7], [np.inf, 0.1], [3.0, 3.0]]),
        sweep_of([[0.8, 0.8], [0.4, 0.6], [3.0, 3.0]], batch_norm=True),
    )
    assert pair.best_rates == (0.1, 1.0)
    np.testing.assert_array_equal(pair.best_losses, [[0.9, 0.7], [0.4, 0.6]])
    assert pair.best_difference.mean == pytest.approx(-0.3)
    assert pair.difference_at(0.1).mean == pytest.approx(0.0)
    with pytest.raises(ValueError, match=r"learning_rate must be one of .*, got 0.2"):
        pair.difference_at(0.2)


def test_tables_of_rates():
    pair = RatePair(
        sweep_of([[2.0, 2.1], [0.8, 0.9], [3.0, 3.0]]),
        sweep_of([[0.5, 0.7], [0.4, 0.6], [3.0, 3.0]], batch_norm=True),
    )
    header, line = experiments.rates_table([pair]).splitlines()
    assert header.split()[-2:] == ["without", "with"]
    assert line.endswith("1  0.1 to 1")
    tuned = experiments.tuned_table([pair], learning_rate=0.1)
    assert "both at 0.1" in tuned and "1 / 1" in tuned
    assert str(pair.difference_at(0.1)) in tuned and str(pair.best_difference) in tuned


@pytest.mark.parametrize("batch_norm", [False, True])
def test_networks_are_the_same_at_every_rate(batch_norm):
    quick = {"batch_norm": batch_norm, **QUICK}
    twice = measure_learning_rates(learning_rates=(0.1, 0.3, 0.1), **quick)
    np.testing.assert_array_equal(twice.final_losses[0], twice.final_losses[2])
    assert (twice.final_losses[1] != twice.final_losses[0]).all()
    alone = measure_learning_rates(learning_rates=[0.3], **quick)
    np.testing.assert_allclose(alone.final_losses[0], twice.final_losses[1], rtol=1e-10)


def test_fewer_networks_are_the_first_of_more():
    few, more = (
        measure_learning_rates(learning_rates=(0.1, 1.0), **QUICK | {"n_networks": n})
        for n in (2, 4)
    )
    np.testing.assert_allclose(few.final_losses, more.final_losses[:, :2], rtol=1e-10)


def test_final_losses_are_the_mean_of_the_last_ten_mini_batches():
    quick = QUICK | {"learning_rates": [0.3]}
    ten, one_more = (measure_learning_rates(**quick | {"n_steps": n}) for n in (10, 11))
    assert ten.final_losses.shape == (1, 3)
    assert (ten.final_losses > one_more.final_losses).all()  # the first, highest loss dropped out


def test_divergence_is_infinite():
    quick = QUICK | {"learning_rates": (0.01, 30.0)}
    sweep = measure_learning_rates("relu", 10, 5.0, False, **quick)
    assert np.isinf(sweep.final_losses[1]).all()
    assert not sweep.trains[1]


def test_batch_norm_widens_the_range_of_a_deep_network():
    settings = {"learning_rates": (0.1, 1.0), "n_networks": 4}
    pair = RatePair(
        *(measure_learning_rates(depth=10, batch_norm=one, **settings) for one in (False, True))
    )
    assert not pair.without.trains[1]
    assert pair.with_batch_norm.trains.all()
    assert pair.best_difference.high < 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"depth": 1}, "depth must be at least 2"),
        ({"n_steps": 9}, "n_steps must be at least 10"),
        ({"learning_rates": [0.1, 0.0]}, "learning_rate must be above 0"),
        ({"learning_rates": []}, "learning_rates must hold at least one rate"),
        ({"learning_rates": [[0.1]]}, "learning_rates must hold at least one rate"),
        ({"init_scale": 0.0}, "init_scale must be"),
    ],
)
def test_impossible_sweeps_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        measure_learning_rates(**settings)


# -- the map --


def test_the_map_names_its_settings():
    rate_map = load_learning_rate_map()
    place = (1, 2, 0, 1)
    pair = rate_map.pair("tanh", 10, 0.2)
    np.testing.assert_array_equal(pair.with_batch_norm.final_losses, rate_map.final_losses[place])
    assert pair.with_batch_norm.batch_norm and not pair.without.batch_norm
    assert (pair.without.activation, pair.without.depth) == ("tanh", 10)
    with pytest.raises(ValueError, match="depth must be one of 3, 5, 10, got 4"):
        rate_map.pair("relu", 4, 1.0)


def test_batch_norm_never_has_fewer_rates_that_train():
    assert load_learning_rate_map().score == (26, 1, 0)


def test_the_score_counts_more_as_many_and_fewer():
    losses = np.full((3, 3, 3, 2, 2, 1), 2.0)  # nothing trains
    losses[0, 0, 0, 1, 0], losses[1, 1, 1, 0] = 0.5, 0.5
    losses[2, 2, 2] = 0.5
    rate_map = LearningRateMap(np.array([0.1, 1.0]), losses)
    assert rate_map.score == (1, 25, 1)
    names = [pair.name for pair in rate_map.pairs]
    assert len(set(names)) == 27
    assert names[:2] == [f"relu, depth 3, initial weights × {scale}" for scale in ("0.2", "1")]


def test_a_missing_map_says_how_to_get_it(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"python -m helpers\.experiments\.precompute"):
        load_learning_rate_map(tmp_path / "learning_rate_map.npz")


def test_a_damaged_map_says_how_to_get_it(tmp_path):
    path = tmp_path / "learning_rate_map.npz"
    path.write_bytes(b"PK not quite")
    with pytest.raises(ValueError, match="cannot be read"):
        load_learning_rate_map(path)


SHAPES = r"final_losses must be float64 \(3, 3, 3, 2, 10, n_networks\), got float64 "


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("learning_rates", None, "lacks learning_rates"),
        ("depth", None, "lacks depth"),
        ("activation", lambda a: a[::-1], "holds other settings than"),
        ("batch_norm", lambda a: a[0], "holds other settings than"),
        ("learning_rates", lambda a: a[0], r"learning_rates must be float64 .* got float64 \(\)"),
        ("learning_rates", lambda a: a[:0], r"learning_rates must be .* got float64 \(0,\)"),
        ("learning_rates", lambda a: a.astype(str), "learning_rates must be float64"),
        ("final_losses", lambda a: a[..., 0], SHAPES + r"\(3, 3, 3, 2, 10\)"),
        ("final_losses", lambda a: a[..., 1:, :], SHAPES + r"\(3, 3, 3, 2, 9, 16\)"),
        ("final_losses", lambda a: a[..., :0], SHAPES + r"\(3, 3, 3, 2, 10, 0\)"),
        ("final_losses", np.isinf, "final_losses must be float64 .* got bool"),
    ],
)
def test_a_map_with_other_arrays_is_refused(tmp_path, name, change, message):
    path = tmp_path / "learning_rate_map.npz"
    with np.load(experiments.MAP_FILE) as archive:
        arrays = dict(archive)
    array = arrays.pop(name)
    if change is not None:
        arrays[name] = change(array)
    np.savez(path, **arrays)
    with pytest.raises(ValueError, match=message) as caught:
        load_learning_rate_map(path)
    assert "git checkout -- data/learning_rate_map.npz" in str(caught.value)


# -- smoothness and the shift of a gradient --


def training(**settings):
    options = {
        "sizes": [196, 16, 16, 16, 10], "activation": "relu", "batch_norm": True, "n_train": 200,
        "n_steps": 6, "batch_size": 50, "learning_rate": 0.1, "n_networks": 2, "seed": 0,
        "on_step": None,
    }
    seen = []

    def look(n_done, network, next_batch):
        seen.append((n_done, copy.deepcopy(network), next_batch))

    experiments._train_with_foresight(look, **options | settings)
    return seen


def test_the_mini_batch_ahead_is_the_one_that_training_meets_next():
    seen = []
    for _, network, (inputs, targets) in training():
        if seen:  # training has just passed this mini-batch through the first layer
            np.testing.assert_array_equal(network.layers[0]._inputs, seen[-1])
        seen.append(inputs.astype(np.float64))
        assert targets.shape == (2, 50)
    assert len(seen) == 6
    assert (seen[0] != seen[4]).any()  # another epoch, another order


def test_looking_around_changes_nothing():
    _, network, batch = training()[0]
    before = copy.deepcopy(network)
    first = experiments._look_around(network, *batch)
    for one, other in zip(before.layers, network.layers, strict=True):
        for name in one.parameters:
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
        if isinstance(one, BatchNorm):
            np.testing.assert_array_equal(one.running_mean, other.running_mean)
    np.testing.assert_array_equal(experiments._look_around(network, *batch), first)


@pytest.mark.parametrize("batch_norm", [False, True])
def test_short_steps_change_the_loss_as_the_gradient_says(monkeypatch, batch_norm):
    for name in ("LONG_STEP", "MIDDLE_STEP", "SHORT_STEP"):
        monkeypatch.setattr(experiments, name, 1e-6)
    _, network, batch = training(activation="tanh", batch_norm=batch_norm)[0]
    loss_change, cosine, beta = experiments._look_around(network, *batch)
    _, gradient = experiments._loss_and_gradient(copy.deepcopy(network), *batch)
    np.testing.assert_allclose(loss_change, -1e-6 * (gradient**2).sum(axis=-1), rtol=1e-3)
    np.testing.assert_allclose(cosine, 1, atol=1e-8)
    assert (beta > 0).all()


def test_batch_norm_is_smoother_with_relu():
    result = measure_smoothness("relu", n_train=600, n_networks=8)
    for arm in result.arms:
        assert arm.loss_change.shape == arm.cosine.shape == arm.beta.shape == (8,)
    assert result.difference("loss_change").high < 0
    assert result.difference("cosine").low > 0
    table = experiments.smoothness_table([result])
    assert f"{result.difference('loss_change')}" in table and "beta, relu" in table


def test_a_gradient_shifts_only_when_layers_below_have_moved():
    networks = [network for _, network, _ in training()]
    _, network, batch = training()[0]
    third = layer_places(network, Dense)[2]
    below, above = networks[5].layers[:third], networks[5].layers[third:]
    same = Network(network.layers[:third] + above)
    moved = Network(below + network.layers[third:])
    shift = experiments._gradient_shift
    np.testing.assert_allclose(shift(network, *batch, after=same), 0, atol=1e-12)
    assert (shift(network, *batch, after=moved) > 0.01).all()


def test_gradient_shift_falls_with_relu_at_a_large_rate():
    result = measure_gradient_shift("relu", 0.1, n_steps=80, every=5, n_networks=8)
    assert result.without.shape == result.with_batch_norm.shape == (16, 8)
    assert result.difference.high < 0
    assert str(result.difference) in experiments.gradient_shift_table([result])


def test_late_is_the_second_half():
    arms = np.arange(10.0).reshape(5, 2), np.ones((5, 2))
    late = GradientShift("relu", 0.1, *arms).late
    np.testing.assert_array_equal(late, [[6, 7], [1, 1]])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"every": 1}, "every must be between 2 and 100"),
        ({"every": 101}, "every must be between 2 and 100"),
        ({"n_steps": 3}, "n_steps must be at least 4"),
    ],
)
def test_impossible_checkpoints_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        measure_gradient_shift(**settings)


def test_steps_are_counted():
    calls = []
    settings = {"n_train": 300, "on_step": lambda: calls.append(1), "n_networks": 2}
    measure_learning_rates(n_steps=10, learning_rates=(0.1,), **settings)
    assert len(calls) == 10
    measure_smoothness(visited=(2,), **settings)
    assert len(calls) == 10 + 2 * 2
    measure_gradient_shift(n_steps=4, every=2, **settings)
    assert len(calls) == 10 + 2 * 2 + 2 * 4
    run_noisy_race(n_steps=5, threshold=None, **settings)
    assert len(calls) == 10 + 2 * 2 + 2 * 4 + 3 * 5
