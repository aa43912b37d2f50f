"""Notebook 05's own experiments: noise that moves a unit's distribution, rates, smoothness."""

import copy

import numpy as np
import pytest
from changed_cells import run_cells

from helpers.arms import Run, first_below, train_arms
from helpers.datasets import load_fashion_mnist
from helpers.layer_statistics import record
from helpers.layers import BatchNorm, Dense
from helpers.lecture.experiments import load_lecture
from helpers.network import multilayer_perceptron
from helpers.randomness import spawn_streams
from helpers.weighing_the_evidence import experiments as experiments
from helpers.weighing_the_evidence.experiments import (
    LEARNING_RATES,
    AroundUpdates,
    MeanWatch,
    StepNoise,
    load_learning_rate_map,
    loss_and_gradient,
    measure_learning_rates,
    noisy_perceptron,
    pair_of,
    run_noisy_race,
    step_down,
    with_layers_below,
)

SMALL_RACE = {"n_train": 600, "n_networks": 4}
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
    options = dict(n_networks=2, activation="tanh", dtype=np.float64)
    plain = multilayer_perceptron([6, 5, 4, 3], rng=spawn_streams(0, 2).weights, **options)
    streams = spawn_streams(0, 2)
    noisy = noisy_perceptron(
        [6, 5, 4, 3], rng=streams.weights, dropout_rng=streams.dropout, max_scale=3, **options
    )
    for before, layer in zip(noisy.layers, noisy.layers[1:]):
        assert isinstance(before, BatchNorm) == isinstance(layer, StepNoise)
    noises = [one for one in noisy.layers if isinstance(one, StepNoise)]
    assert all(one.parameters == () and one.max_scale == 3 for one in noises)
    others = [one for one in noisy.layers if not isinstance(one, StepNoise)]
    for one, other in zip(others, plain.layers, strict=True):
        assert type(one) is type(other)
        if isinstance(one, Dense):
            np.testing.assert_array_equal(one.weights, other.weights)


# -- the noisy race --


@pytest.fixture(scope="module")
def race():
    return run_noisy_race(0.1, n_steps=60, **SMALL_RACE)


def test_noise_moves_what_layer_3_receives_more_than_no_batch_norm_does(race):
    drift = {arm: run["drift"][-1] for arm, run in race.items()}
    assert (drift["noisy"] > 2 * drift["without"]).all()
    assert (drift["without"] > 2 * drift["with"]).all()


def test_noise_costs_steps(race):
    first = {arm: first_below(0.8, run) for arm, run in race.items()}
    assert (first["noisy"] > first["with"]).all()


def test_an_arm_alone_is_that_of_the_race(race):
    alone = run_noisy_race(0.1, arms=["noisy"], n_steps=60, **SMALL_RACE)["noisy"]
    np.testing.assert_array_equal(alone["loss"], race["noisy"]["loss"])


def test_drift_is_the_move_of_the_mean_in_its_standard_deviations():
    streams = spawn_streams(0, 2)
    network = multilayer_perceptron(
        [5, 4, 4, 3], rng=streams.weights, n_networks=2, batch_norm=False, dtype=np.float64
    )
    probe = np.random.default_rng(0).standard_normal((50, 5))
    watch = MeanWatch(lambda network: {"loss": np.ones(2)}, probe, every=2)
    assert watch(network) == {}
    before = record(network, probe)[4]  # layer 3's inputs
    network.layers[2].bias += 0.1
    after = record(network, probe)[4]
    with np.errstate(all="ignore"):
        moves = np.abs(after.mean(axis=-2) - before.mean(axis=-2)) / before.std(axis=-2)
    moves[before.std(axis=-2) < 0.02] = np.nan
    move = np.nanmedian(moves, axis=-1)
    seen = watch(network)
    np.testing.assert_array_equal(seen["loss"], 1)
    np.testing.assert_allclose(seen["drift"], move)
    assert watch(network) == {}  # two still steps
    np.testing.assert_allclose(watch(network)["drift"], move / 3)
    watch.n_moves = 3  # enough
    network.layers[2].bias += 0.1
    watch(network)
    np.testing.assert_allclose(watch(network)["drift"], move / 3)
    with pytest.raises(ValueError, match="every must be at least 2, got 1"):
        MeanWatch(None, probe, every=1)


def test_drift_is_not_the_noise_of_drawing_mini_batches():
    still = run_noisy_race(1e-12, n_steps=5, **SMALL_RACE)
    assert still["without"]["drift"].shape == (1, 4)
    assert max(still[arm]["drift"].max() for arm in ("without", "with")) < 1e-6
    assert still["noisy"]["drift"].min() > 0.1  # another shift in each step


def test_no_noise_is_batch_norm_and_the_loss_is_taken_without_noise():
    data = load_fashion_mnist(n_train=300, n_networks=2, seed=0)
    arms = {
        "with": {}, "silent": dict(build=noisy_perceptron, max_shift=0, max_scale=1),
        "loud": dict(build=noisy_perceptron, max_shift=2),
    }

    def look(network):
        return {"logits": network.forward(data.test_inputs[:50], training=False)}

    settings = dict(hidden=[8, 8], batch_size=30, n_steps=10, memory=0.0, look=look, seed=0)
    runs = train_arms(arms, data, learning_rate=0.1, **settings)
    np.testing.assert_array_equal(runs["silent"]["logits"], runs["with"]["logits"])
    still = train_arms(arms, data, learning_rate=1e-12, **settings)
    difference = still["loud"].losses - still["with"].losses
    assert (np.abs(difference) > 1e-3).all()  # mini-batches meet the noise


def test_too_few_layers_for_a_layer_3_are_refused():
    data = load_fashion_mnist(n_train=100, n_networks=2, seed=0)
    watch = dict(look=MeanWatch(dict, data.train_inputs[:, :20], every=2), every=1)
    settings = dict(n_steps=2, batch_size=10, learning_rate=0.1, seed=0)
    with pytest.raises(ValueError, match="hidden must name at least 2 layers, got 1"):
        train_arms({"": {}}, data, hidden=[8], **watch, **settings)


def run_of(losses):
    losses = np.array(losses)
    return Run(5 * np.arange(1, len(losses) + 1), {"loss": losses}, None, None)


# -- learning rates --


def losses_of(**by_rate):
    """Return final losses (n_rates, 3): 3 nats where nothing else is given for a place."""
    losses = np.full((len(LEARNING_RATES), 3), 3.0)
    for place, values in by_rate.items():
        losses[int(place[1:])] = values
    return losses


def test_a_rate_trains_when_the_typical_network_does():
    losses = losses_of(_4=[0.9, 0.8, 1.5], _5=[0.9, 1.2, np.inf], _6=[np.inf, np.inf, 0.2])
    assert np.flatnonzero(experiments.trains(losses)).tolist() == [4]
    assert experiments.range_text(losses) == "0.1"


def test_the_range_is_named_by_its_ends():
    assert experiments.range_text(losses_of(_6=0.5, _7=0.4, _8=0.4)) == "1 to 10"
    assert experiments.range_text(losses_of(_6=1.0)) == "none"


def test_a_pair_is_read_at_its_best_rates_and_at_one_rate():
    pair = {
        "name": "x", "without": losses_of(_4=[0.9, 0.7, 0.8], _6=[np.inf, np.inf, 0.1]),
        "with": losses_of(_4=[0.8, 0.8, 0.8], _6=[0.4, 0.6, 0.5]),
    }
    assert experiments.best_rates(pair) == {"without": 0.1, "with": 1.0}
    best = experiments.losses_at(pair, {"without": 0.1, "with": 1.0})
    np.testing.assert_array_equal(best["without"], [0.9, 0.7, 0.8])
    np.testing.assert_array_equal(best["with"], [0.4, 0.6, 0.5])
    with pytest.raises(ValueError, match=r"learning_rates must be one of .*, got 0.2"):
        experiments.losses_at(pair, {"with": 0.2})
    table = experiments.rates_that_train([pair])
    assert table == {"rates that train": ["x"], "without": ["0.1"], "with": ["0.1 to 1"]}


@pytest.mark.parametrize("batch_norm", [False, True])
def test_networks_are_the_same_at_every_rate(batch_norm):
    quick = {"batch_norm": batch_norm, **QUICK}
    more = measure_learning_rates((0.1, 0.3), **quick)
    assert more.shape == (2, 3) and (more[0] != more[1]).all()
    np.testing.assert_array_equal(measure_learning_rates([0.3], **quick)[0], more[1])


def test_final_losses_are_the_mean_of_the_last_ten_mini_batches():
    ten, one_more = (
        measure_learning_rates([0.3], **QUICK | {"n_steps": n}) for n in (10, 11)
    )
    assert (ten > one_more).all()  # the first, highest loss dropped out


def test_divergence_is_infinite():
    losses = measure_learning_rates(
        (0.01, 30.0), depth=10, init_scale=5.0, batch_norm=False, **QUICK
    )
    assert np.isinf(losses[1]).all() and not experiments.trains(losses)[1]


def test_batch_norm_widens_the_range_of_a_deep_network():
    without, with_norm = (
        measure_learning_rates((0.1, 1.0), depth=10, batch_norm=one, n_networks=4)
        for one in (False, True)
    )
    assert not experiments.trains(without)[1] and experiments.trains(with_norm).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"depth": 1}, "depth must be at least 2"),
        ({"n_steps": 9}, "n_steps must be at least 10"),
        ({"learning_rates": [0.1, 0.0]}, "learning_rate must be above 0"),
        ({"init_scale": 0.0}, "init_scale must be"),
    ],
)
def test_impossible_sweeps_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        measure_learning_rates(**settings)


# -- the map --


def test_the_map_names_its_settings():
    rate_map = load_learning_rate_map()
    pair = pair_of(rate_map, "tanh", 10, 0.2)
    np.testing.assert_array_equal(pair["without"], rate_map[1, 2, 0, 0])
    np.testing.assert_array_equal(pair["with"], rate_map[1, 2, 0, 1])
    assert pair["name"] == "tanh, depth 10, initial weights × 0.2"
    with pytest.raises(ValueError, match="depth must be one of 3, 5, 10, got 4"):
        pair_of(rate_map, "relu", 4, 1.0)


def test_batch_norm_never_has_fewer_rates_that_train():
    assert experiments.score(load_learning_rate_map()) == (26, 1, 0)


def test_the_score_counts_more_as_many_and_fewer():
    losses = np.full((3, 3, 3, 2, 10, 1), 2.0)  # nothing trains
    losses[0, 0, 0, 1, 0], losses[1, 1, 1, 0] = 0.5, 0.5
    losses[2, 2, 2] = 0.5
    assert experiments.score(losses) == (1, 25, 1)


def test_a_missing_map_says_how_to_get_it(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"python -m helpers\.lecture\.precompute"):
        load_learning_rate_map(tmp_path / "learning_rate_map.npz")


def test_a_damaged_map_says_how_to_get_it(tmp_path):
    path = tmp_path / "learning_rate_map.npz"
    path.write_bytes(b"PK not quite")
    with pytest.raises(ValueError, match="cannot be read"):
        load_learning_rate_map(path)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("learning_rates", None, "lacks learning_rates"),
        ("depth", None, "lacks depth"),
        ("activation", lambda a: a[::-1], "holds other settings than"),
        ("batch_norm", lambda a: a[0], "holds other settings than"),
        ("learning_rates", lambda a: a[:0], "holds other settings than"),
        ("learning_rates", lambda a: a.astype(str), "holds other settings than"),
        ("final_losses", lambda a: a[..., 0], r"final_losses .* got float64 \(3, 3, 3, 2, 10\)"),
        ("final_losses", lambda a: a[..., 1:, :], r"got float64 \(3, 3, 3, 2, 9, 16\)"),
        ("final_losses", lambda a: a[..., :0], r"got float64 \(3, 3, 3, 2, 10, 0\)"),
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


# -- around an update --


def visits(at, n_steps=6, batch_norm=True, activation="relu"):
    """Return what a look has seen around some updates, and the Run."""
    seen, data = [], load_fashion_mnist(n_train=200, n_networks=2, seed=0)

    def look(before, after, inputs, targets):
        seen.append((before, after, inputs, targets))
        return {"loss": loss_and_gradient(copy.deepcopy(before), inputs, targets)[0]}

    batches = dict(batch_size=50, seed=0)
    arms = {"": dict(batch_norm=batch_norm, activation=activation)}
    runs = train_arms(
        arms, data, hidden=[16] * 3, n_steps=n_steps, learning_rate=0.1, momentum=0.0, every=1,
        look=AroundUpdates(look, data, at=at, **batches), **batches,
    )
    return seen, runs[""]


@pytest.mark.parametrize("batch_norm", [False, True])
def test_a_look_meets_the_update_with_its_mini_batch_in_any_epoch(batch_norm):
    seen, run = visits(at=[2, 6], batch_norm=batch_norm)
    assert run.steps.tolist() == [2, 6]
    np.testing.assert_allclose(run["loss"], run.losses[[1, 5]], rtol=1e-12)
    for before, after, *batch in seen:
        loss_and_gradient(before, *batch)
        expected = step_down(before, 0.1)
        for one, other in zip(expected.layers, after.layers, strict=True):
            for name in one.parameters:
                np.testing.assert_allclose(getattr(one, name), getattr(other, name))


def test_each_arm_walks_through_its_mini_batches_alone():
    data = load_fashion_mnist(n_train=100, n_networks=2, seed=0)
    batches = dict(batch_size=20, seed=0)
    walker = AroundUpdates(lambda before, after, *batch: {"x": batch[0]}, data, at=[3], **batches)
    runs = train_arms(
        {"a": {}, "b": {}}, data, hidden=[4], n_steps=4, learning_rate=0.1, look=walker, every=1,
        **batches,
    )
    np.testing.assert_array_equal(runs["a"]["x"], runs["b"]["x"])
    with pytest.raises(ValueError, match="a number in at must be at least 2"):
        AroundUpdates(None, data, at=[1], **batches)


@pytest.mark.parametrize("batch_norm", [False, True])
def test_short_steps_change_the_loss_as_the_gradient_says(batch_norm):
    ((network, _, *batch),), _ = visits(at=[2], batch_norm=batch_norm, activation="tanh")
    loss, gradient = loss_and_gradient(network, *batch)
    near, after = loss_and_gradient(step_down(network, 1e-6), *batch)
    np.testing.assert_allclose(near - loss, -1e-6 * (gradient**2).sum(axis=-1), rtol=1e-3)
    np.testing.assert_allclose(after, gradient, atol=1e-3)
    again, _ = loss_and_gradient(network, *batch)
    np.testing.assert_array_equal(again, loss)  # a step down leaves the network where it is
    np.testing.assert_allclose(
        experiments.length(gradient), np.sqrt((gradient**2).sum(axis=-1))
    )


def test_batch_norm_is_smoother_with_relu():
    changes = experiments.long_steps("relu", at=(6, 16), n_train=600, n_networks=8)
    assert (changes["with"] < changes["without"]).all()


def test_layer_3s_gradient_shifts_only_when_layers_below_have_moved():
    ((before, after, *batch),), _ = visits(at=[4])
    gradient = experiments.third_gradient(before, *batch)
    assert gradient.shape == (2, 16 * 16)
    same = with_layers_below(after, before)  # layers 3 and 4 have moved
    for layer, other in zip(same.layers[:6], before.layers[:6]):
        for name in layer.parameters:
            np.testing.assert_array_equal(getattr(layer, name), getattr(other, name))
    mixed = experiments.third_gradient(with_layers_below(before, after), *batch)
    assert (np.abs(mixed - gradient).max(axis=-1) > 1e-6).all()
    unmoved = experiments.third_gradient(with_layers_below(before, before), *batch)
    np.testing.assert_array_equal(unmoved, gradient)


# -- a learner changes a line of notebook 05 --

FEW = {"n_networks=16": "n_networks=3", "n_train=2000": "n_train=300"}
SMALL = {**FEW, "n_train=1000": "n_train=200"}
SETUP = ("setup", "s2-data")
RACE = (*SETUP, "s2-run", "s2-drift", "s2-table")
QUICK_RACE = {**FEW, "n_steps=160": "n_steps=20"}


def columns_of(printed, heading):
    """Return the headings of the table whose first one is `heading`, and its rows, as text."""
    lines = printed.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(heading))
    return lines[start], lines[start + 1 : start + 3]


def test_a_learner_adds_an_arm_to_the_race_and_takes_another_rate_and_depth():
    changed = run_cells("05", RACE, {
        **QUICK_RACE, "[48] * 5": "[24] * 3", "activation=\"relu\"": "activation=\"tanh\"",
        "arms = {": "arms = {\n    \"groups\": dict(group_size=32),",
        "\"relu, learning rate 0.02\": 0.02": "\"slow\": 0.03",
    })
    assert list(changed.names["races"]) == ["relu, learning rate 0.1", "slow"]
    run = changed.names["races"]["slow"]["groups"]
    assert run["loss"].shape == (4, 3) and run.steps.tolist() == [5, 10, 15, 20]
    assert [layer.n_outputs for layer in run.network.layers if isinstance(layer, Dense)] == [
        24, 24, 24, 10
    ]
    for heading in ("drift per step", "median steps"):
        names, rows = columns_of(changed.printed, heading)
        assert names.removeprefix(heading).split()[:4] == ["groups", "without", "with", "noisy"]
        assert rows[1].startswith("slow ")
    picture = run_cells("05", (*RACE, "s2-fast-bet", "s2-figure"), {
        **QUICK_RACE, "\"relu, learning rate 0.02\": 0.02": "\"slow\": 0.03",
    })
    assert "slow: a median of >= 20 steps" in picture.said


def test_louder_noise_drifts_further():
    loud = run_cells("05", RACE, {**QUICK_RACE, "max_shift=0.5": "max_shift=2.0"})
    usual = run_cells("05", RACE, QUICK_RACE)
    drifts = [one.names["races"]["relu, learning rate 0.1"] for one in (usual, loud)]
    assert (drifts[1]["noisy"]["drift"] > 2 * drifts[0]["noisy"]["drift"]).mean() > 0.9
    np.testing.assert_array_equal(drifts[0]["with"]["drift"], drifts[1]["with"]["drift"])


def test_an_impossible_change_names_the_option_and_what_is_allowed():
    with pytest.raises(ValueError, match="hidden must name at least 2 layers, got 1"):
        run_cells("05", RACE, {**QUICK_RACE, "[48] * 5": "[48]"})
    with pytest.raises(ValueError, match="max_scale must be a finite number in"):
        run_cells("05", RACE, {**QUICK_RACE, "max_scale=1.5": "max_scale=0.5"})
    with pytest.raises(TypeError, match="arm 'noisy' does not know the option noise"):
        run_cells("05", RACE, {**QUICK_RACE, "max_scale=1.5": "noise=2"})


def test_a_learner_trains_another_setting_of_the_map():
    cells = (*SETUP, "s3-live", "s3-same")
    changes = {**SMALL, "n_steps=100": "n_steps=10"}
    changes |= {"depth, live_rates = 3, [0.1, 0.3, 1.0]": "depth, live_rates = 5, [0.01, 0.03]"}
    changed = run_cells("05", cells, changes)
    assert list(changed.names["live"]) == [0.01, 0.03]
    _, rows = columns_of(changed.printed, "learning rate  without")
    assert [row.split()[0] for row in rows] == ["0.01", "0.03"]
    assert "learning rate 0.03, as in the map: False" in changed.printed  # 10 steps, not 100


def test_a_learner_walks_in_other_networks_and_at_other_places():
    cells = (*SETUP, "s3-live", "s4-look", "s4-run", "s4-figure", "s4-table",
             "deeper-smooth-table")
    changes = {**SMALL, "n_steps=100": "n_steps=10"}
    changed = run_cells("05", cells, {
        **changes, "at=[6, 16, 26]": "at=[3, 5]", "n_steps=26": "n_steps=5",
        "\"tanh\": dict(activation=\"tanh\")": "\"sigmoid\": dict(activation=\"sigmoid\")",
    })
    assert changed.names["walks"]["sigmoid"]["with"]["beta"].shape == (2, 3)
    assert "sigmoid: the loss changes by" in changed.said
    assert "sigmoid, with minus without:" in changed.printed
    assert "cosine, sigmoid" in changed.printed and "tanh" not in changed.printed


def test_a_learner_looks_at_the_gradient_of_other_networks():
    cells = (*SETUP, "s3-live", "s4-look", "deeper-shift-look", "deeper-shift-run")
    changes = {**SMALL, "n_steps=100": "n_steps=10"}
    changed = run_cells("05", cells, {
        **changes, "at=[30, 40]": "at=[3, 5, 6]", "n_steps=40": "n_steps=6", "[64] * 3": "[16] * 4",
        "\"tanh, rate 0.02\": dict(activation=\"tanh\", learning_rate=0.02)":
        "\"tanh, rate 0.1\": dict(activation=\"tanh\", learning_rate=0.1)",
    })
    assert changed.names["shifts"]["tanh, rate 0.1"]["with"]["shift"].shape == (3, 3)
    assert "tanh, rate 0.1 " in changed.printed


def test_one_setting_of_the_map_is_what_the_notebook_trains():
    """Where training is calm; the notebook prints it for three rates and both arms."""
    stored = pair_of(load_learning_rate_map(), "relu", 3, 1.0)
    rates = (0.1, 0.3)
    for arm in ("without", "with"):
        computed = measure_learning_rates(rates, batch_norm=arm == "with", n_networks=4)
        expected = [experiments.losses_at(stored, {arm: rate})[arm][:4] for rate in rates]
        np.testing.assert_allclose(computed, expected, rtol=1e-9)


def test_the_board_has_the_race_that_the_notebook_prints():
    """Its cells, with four of their sixteen networks."""
    cells = (*SETUP, "s2-run")
    few = {"n_networks=16": "n_networks=4", "n_steps=160": "n_steps=45"}
    notebook, lecture = run_cells("05", cells, few), load_lecture()
    for place, rate in enumerate(lecture.races):
        name = f"relu, learning rate {rate:g}"
        for arm, run in notebook.names["races"][name].items():
            stored = lecture.races[rate][arm]["loss"][:9, :4]
            np.testing.assert_allclose(run["loss"], stored, rtol=1e-6)
        drifts = [run["drift"][-1] for run in notebook.names["races"][name].values()]
        stored = lecture.arrays["race_drift"][place][:, :4]
        np.testing.assert_allclose(drifts, stored, rtol=1e-6)
