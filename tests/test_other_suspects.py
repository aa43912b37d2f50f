"""Notebook 05's own experiments: noise behind batch norm, rates that train, smoothness, units."""

import copy

import numpy as np
import pytest
from changed_cells import run_cells

from helpers.arms import first_below, never_below, train_arms
from helpers.datasets import load_fashion_mnist
from helpers.intervals import paired_interval
from helpers.layer_statistics import record
from helpers.layers import BatchNorm, Dense
from helpers.lecture.experiments import load_lecture
from helpers.network import multilayer_perceptron
from helpers.randomness import spawn_streams
from helpers.weighing_the_evidence import experiments
from helpers.weighing_the_evidence.experiments import (
    LEARNING_RATES,
    AroundUpdates,
    MeanWatch,
    StepNoise,
    loss_and_gradient,
)

# -- noise behind batch norm --


def step_noise(n_networks=3):
    return StepNoise(5, rng=spawn_streams(0, n_networks).dropout, max_shift=0.5, max_scale=1.5)


def some_inputs(shape=(3, 8, 5)):
    return np.random.default_rng(1).standard_normal(shape)


def test_noise_is_a_shift_and_a_scale_per_unit_and_network_new_in_each_step():
    noise, inputs = step_noise(), some_inputs()
    draws = np.array([noise.forward(inputs, training=True) for _ in range(400)])
    scales = (draws[:, :, 1] - draws[:, :, 0]) / (inputs[:, 1] - inputs[:, 0])
    shifts = draws[:, :, 0] - scales * inputs[:, 0]
    np.testing.assert_allclose(draws, scales[:, :, None] * inputs + shifts[:, :, None])
    assert len(np.unique(scales.round(9))) > 5990 and len(np.unique(shifts.round(9))) > 5990
    assert np.abs(shifts).max() == pytest.approx(0.5, abs=0.01)
    assert (scales.min(), scales.max()) == pytest.approx((1 / 1.5, 1.5), abs=0.01)
    # uniform on a logarithmic scale: as often a stretch as a squeeze
    assert (scales > 1).mean() == pytest.approx(0.5, abs=0.05)
    assert np.abs(shifts.mean(axis=0)).max() < 0.06


def test_a_network_meets_its_own_noise_whoever_is_beside_it():
    few, many, inputs = step_noise(2), step_noise(4), some_inputs((4, 8, 5))
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


def test_gradient_of_the_noise_is_its_scale():
    noise, inputs = step_noise(), some_inputs()
    noise.forward(inputs, training=True)
    upstream, step, held = some_inputs() ** 2, 1e-6, noise.held()
    ends = [held.forward(inputs + sign * step, training=False) for sign in (1, -1)]
    measured = upstream * (ends[0] - ends[1]) / (2 * step)
    np.testing.assert_allclose(noise.backward(upstream), measured, rtol=1e-6)
    noise.forward(inputs, training=False)
    np.testing.assert_array_equal(noise.backward(upstream), upstream)


def test_noise_stands_behind_each_batch_norm_and_learns_nothing():
    sizes, streams = [6, 5, 4, 3], spawn_streams(0, 2)
    options = dict(n_networks=2, activation="tanh", dtype=np.float64)
    plain = multilayer_perceptron(sizes, rng=spawn_streams(0, 2).weights, **options)
    noisy = experiments.noisy_perceptron(
        sizes, rng=streams.weights, dropout_rng=streams.dropout, max_scale=3, **options
    )
    for before, layer in zip(noisy.layers, noisy.layers[1:]):
        assert isinstance(before, BatchNorm) == isinstance(layer, StepNoise)
    others = [one for one in noisy.layers if not isinstance(one, StepNoise)]
    for one, other in zip(others, plain.layers, strict=True):
        assert type(one) is type(other)
        if isinstance(one, Dense):
            np.testing.assert_array_equal(one.weights, other.weights)


# -- the drift of layer 3's inputs --


@pytest.fixture
def network():
    return multilayer_perceptron(
        [5, 4, 4, 3], rng=spawn_streams(0, 2).weights, n_networks=2, batch_norm=False,
        dtype=np.float64,
    )


def test_drift_is_the_move_of_the_mean_in_its_standard_deviations(network):
    probe = np.random.default_rng(0).standard_normal((50, 5))
    watch = MeanWatch(lambda network: {"loss": np.ones(2)}, probe, every=2)
    assert watch(network) == {}
    before = record(network, probe)[4]  # layer 3's inputs
    network.layers[2].bias += 0.1
    sds = before.std(axis=-2)
    with np.errstate(all="ignore"):
        moves = np.abs(record(network, probe)[4].mean(axis=-2) - before.mean(axis=-2)) / sds
    move = np.nanmedian(np.where(sds < 0.02, np.nan, moves), axis=-1)
    seen = watch(network)
    np.testing.assert_array_equal(seen["loss"], 1)
    np.testing.assert_allclose(seen["drift"][:, 0], move)
    assert np.isnan(seen["drift"][:, 1:]).all()  # too few steps for longer moves
    assert watch(network) == {}  # two still steps
    np.testing.assert_allclose(watch(network)["drift"][:, 0], move / 3)
    watch.n_moves = 3  # enough
    network.layers[2].bias += 0.1
    watch(network)
    np.testing.assert_allclose(watch(network)["drift"][:, 0], move / 3)


def test_what_goes_on_moves_far_and_what_jitters_does_not(network, monkeypatch):
    monkeypatch.setattr(MeanWatch, "lags", (1, 2))
    watches = [MeanWatch(lambda network: {}, np.eye(5), every=5) for _ in range(2)]
    network.layers[2].bias += 10  # no unit is ever silent
    jitter = copy.deepcopy(network)
    for step in range(5):
        seen = [watch(one) for watch, one in zip(watches, (network, jitter))]
        network.layers[2].bias += 0.1
        jitter.layers[2].bias += 0.1 * (-1) ** step
    on, back_and_forth = (one["drift"].T for one in seen)
    np.testing.assert_allclose(on[1], 2 * on[0])
    np.testing.assert_allclose(back_and_forth, [on[0], np.zeros(2)], atol=1e-12)


def test_drift_is_not_the_noise_of_drawing_mini_batches():
    still = experiments.run_noisy_race(1e-12, n_steps=5, n_networks=4)
    assert max(still[arm]["drift"][..., 0].max() for arm in ("without", "with")) < 1e-6
    assert still["noisy"]["drift"].shape == (1, 4, 3)
    assert still["noisy"]["drift"][..., 0].min() > 0.1  # another shift in each step


# -- learning rates, and the map --


def losses_of(**by_rate):
    """Return final losses (n_rates, 3): 3 nats where nothing else is given for a place."""
    losses = np.full((len(LEARNING_RATES), 3), 3.0)
    for place, values in by_rate.items():
        losses[int(place[1:])] = values
    return losses


def test_a_rate_trains_when_the_typical_network_does_and_the_range_is_named_by_its_ends():
    losses = losses_of(_4=[0.9, 0.8, 1.5], _5=[0.9, 1.2, np.inf], _6=[np.inf, np.inf, 0.2])
    assert np.flatnonzero(experiments.trains(losses)).tolist() == [4]
    for of_rates, text in (
        (losses, "0.1"), (losses_of(_6=0.5, _7=0.4, _8=0.4), "1 to 10"), (losses_of(_6=1), "none"),
    ):
        assert experiments.range_text(of_rates) == text


def test_a_pair_is_read_at_its_best_rates():
    pair = {
        "name": "x", "without": losses_of(_4=[0.9, 0.7, 0.8], _6=[np.inf, np.inf, 0.1]),
        "with": losses_of(_4=[0.8, 0.8, 0.8], _6=[0.4, 0.6, 0.5]),
    }
    rates = experiments.best_rates(pair)
    assert rates == {"without": 0.1, "with": 1.0}
    best = experiments.losses_at(pair, rates)
    assert best["without"].tolist() == [0.9, 0.7, 0.8] and best["with"].tolist() == [0.4, 0.6, 0.5]
    table = experiments.rates_that_train([pair])
    assert table == {"rates that train": ["x"], "without": ["0.1"], "with": ["0.1 to 1"]}


@pytest.mark.parametrize("batch_norm", [False, True])
def test_networks_are_the_same_at_every_rate_and_divergence_is_infinite(batch_norm):
    quick = dict(batch_norm=batch_norm, depth=10, init_scale=5.0, n_networks=3, n_steps=12)
    more = experiments.measure_learning_rates((0.3, 1e9), **quick)
    np.testing.assert_array_equal(experiments.measure_learning_rates([0.3], **quick)[0], more[0])
    assert more.shape == (2, 3) and (batch_norm or np.isinf(more[1]).all())


def test_the_map_names_its_settings():
    rate_map = experiments.load_learning_rate_map()
    pair = experiments.pair_of(rate_map, "tanh", 10, 0.2)
    np.testing.assert_array_equal((pair["without"], pair["with"]), rate_map[1, 2, 0])
    assert pair["name"] == "tanh, depth 10, initial weights × 0.2"
    with pytest.raises(ValueError, match="depth must be one of 3, 5, 10, got 4"):
        experiments.pair_of(rate_map, "relu", 4, 1.0)


def test_the_score_counts_more_as_many_and_fewer():
    losses = np.full((3, 3, 3, 2, 10, 1), 2.0)  # nothing trains
    losses[0, 0, 0, 1, 0], losses[1, 1, 1, 0], losses[2, 2, 2] = 0.5, 0.5, 0.5
    assert experiments.score(losses) == (1, 25, 1)


# -- around an update --


@pytest.mark.parametrize("batch_norm", [False, True])
def test_a_look_meets_the_update_with_its_mini_batch_in_any_epoch(batch_norm):
    seen, data = [], load_fashion_mnist(n_train=200, n_networks=2, seed=0)

    def look(before, after, *batch):
        seen.append((before, after, batch))
        loss, gradient = loss_and_gradient(copy.deepcopy(before), *batch)
        return {"loss": loss, "length": experiments.length(gradient)}

    batches = dict(batch_size=50, seed=0)
    runs = train_arms(
        {"a": {}, "b": {}}, data, hidden=[16] * 3, n_steps=6, learning_rate=0.1, momentum=0.0,
        look=AroundUpdates(look, data, at=[2, 6], **batches), every=1, activation="tanh",
        batch_norm=batch_norm, **batches,
    )
    assert runs["a"].steps.tolist() == [2, 6]
    np.testing.assert_allclose(runs["a"]["loss"], runs["a"].losses[[1, 5]], rtol=1e-12)
    np.testing.assert_array_equal(runs["a"]["loss"], runs["b"]["loss"])
    for before, after, batch in seen:
        loss, gradient = loss_and_gradient(before, *batch)
        stepped = experiments.step_down(before, 0.1)
        for one, other in zip(stepped.layers, after.layers, strict=True):
            for name in one.parameters:
                np.testing.assert_allclose(getattr(one, name), getattr(other, name))
        near, _ = loss_and_gradient(experiments.step_down(before, 1e-6), *batch)
        np.testing.assert_allclose(near - loss, -1e-6 * (gradient**2).sum(axis=-1), rtol=1e-3)
        # layer 3's gradient shifts only when layers below have moved
        third = experiments.third_gradient(before, *batch)
        assert third.shape == (2, 16 * 16)
        mixed = experiments.third_gradient(experiments.with_layers_below(before, after), *batch)
        assert (np.abs(mixed - third).max(axis=-1) > 1e-6).all()
        same = experiments.third_gradient(experiments.with_layers_below(before, before), *batch)
        np.testing.assert_array_equal(same, third)
    with pytest.raises(ValueError, match="a number in at must be at least 2"):
        AroundUpdates(None, data, at=[1], **batches)


# -- single units --


def test_only_units_that_tell_something_cost_accuracy():
    rng = np.random.default_rng(0)
    network = multilayer_perceptron(
        [2, 3, 2], rng=rng, batch_norm=False, n_networks=2, dtype=np.float64
    )
    first, last = network.layers[0], network.layers[-1]
    # Unit 0 hands on x[0], unit 1 a constant, unit 2 is not listened to.
    first.weights[...] = [[1, 0, 1], [0, 0, 1]]
    first.bias[...] = [0, 5, 0]
    last.weights[...] = [[-1, 1], [1, 0], [0, 0]]
    last.bias[...] = [-4.5, 0]
    inputs = np.abs(rng.standard_normal((40, 2)))
    targets = (inputs[:, 0] > 0.25).astype(int)
    before = network.forward(inputs, training=False)
    lost = experiments.silence_units(network, inputs, targets)
    np.testing.assert_allclose(lost[0], 100 * (targets == 0).mean())  # its mean is above 0.25
    np.testing.assert_array_equal(lost[1:], np.zeros((2, 2)))
    np.testing.assert_array_equal(network.forward(inputs, training=False), before)


# -- a learner changes a line of notebook 05 --

FEW = {"n_networks=16": "n_networks=3", "n_train=2000": "n_train=300"}
RACE = ("setup", "s2-data", "s2-run")
QUICK_RACE = {**FEW, "n_steps=160": "n_steps=45"}


def test_a_learner_adds_an_arm_to_the_race_and_takes_another_rate_and_depth():
    cells = *RACE, "s2-drift", "s2-table", "s2-better", "s2-fast-bet", "s2-figure"
    changed = run_cells("05", cells, {
        **QUICK_RACE, '"relu, learning rate 0.02": 0.02': '"slow": 0.03', "[48] * 5": "[24] * 3",
        'activation="relu"': 'activation="tanh"',
        "arms = {": 'arms = {\n    "groups": dict(group_size=32),',
    })
    run = changed.names["races"]["slow"]["groups"]
    assert run["loss"].shape == (9, 3) and run.steps.tolist() == [*range(5, 46, 5)]
    assert "without at 0.03 minus noisy at 0.1: " in changed.printed
    assert "slow: a median of" in changed.said and ">= 45 without batch norm" in changed.said


@pytest.mark.thorough
@pytest.mark.parametrize("max_shift", [1.0, 2.0])
def test_the_folded_answer_to_louder_noise_is_true(max_shift):
    changed = run_cells("05", RACE, {
        ', "relu, learning rate 0.02": 0.02': "", "max_shift=0.5": f"max_shift={max_shift}",
    })
    (race,) = changed.names["races"].values()
    steps = {arm: first_below(0.5, run) for arm, run in race.items()}
    further = [
        paired_interval(*pair).low > 0
        for pair in zip(race["noisy"]["drift"][-1].T, race["without"]["drift"][-1].T)
    ]
    if max_shift == 1.0:  # further in a step and in ten; the gain is gone
        assert further[:2] == [True, True]
        gain = paired_interval(steps["without"], steps["noisy"])
        assert gain.low < 0 < gain.high and gain.mean < 0
    else:
        assert all(further) and never_below(0.5, race["noisy"]).all()


class NoisePerImage(StepNoise):
    """The same noise, drawn anew for each image, so that means hardly move; never held."""

    def forward(self, inputs, *, training):
        self._n_images = inputs.shape[-2]
        return super().forward(inputs, training=training)

    def held(self):
        return self

    def _draw(self, dtype):
        size = 2, self._n_images, self.n_features
        shift, log_scale = np.stack([one.uniform(-1, 1, size) for one in self.rng], axis=1)
        self._shift = (self.max_shift * shift).astype(dtype)
        self._scale = np.exp(np.log(self.max_scale) * log_scale).astype(dtype)


@pytest.mark.thorough
@pytest.mark.parametrize("rate", [0.1, 0.02])
def test_noise_that_moves_no_mean_costs_more(rate, monkeypatch):
    race = experiments.run_noisy_race(rate)
    monkeypatch.setattr(experiments, "StepNoise", NoisePerImage)
    per_image = first_below(0.5, experiments.run_noisy_race(rate)["noisy"])
    assert paired_interval(per_image, first_below(0.5, race["noisy"])).low > 0
    assert paired_interval(per_image, first_below(0.5, race["with"])).low > 0
    if rate == 0.02:  # it takes the gain, too
        assert paired_interval(per_image, first_below(0.5, race["without"])).low > 0


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"[48] * 5": "[48]"}, ValueError, "hidden must name at least 2 layers, got 1"),
        ({"max_scale=1.5": "max_scale=0.5"}, ValueError, "max_scale must be a finite number in"),
        ({"max_shift=0.5": "max_shift=-1"}, ValueError, "max_shift must be a finite number in"),
        ({"max_scale=1.5": "noise=2"}, TypeError, "arm 'noisy' does not know the option noise"),
        ({"every=5": "every=1"}, ValueError, "every must be at least 2, got 1"),
    ],
)
def test_an_impossible_change_names_the_option_and_what_is_allowed(change, error, message):
    with pytest.raises(error, match=message):
        run_cells("05", RACE, {**QUICK_RACE, **change})


def test_a_learner_walks_in_other_networks_and_at_other_places():
    cells = ("setup", "s2-data", "s3-live", "smooth-look", "smooth-run", "smooth-figure",
             "smooth-table", "deeper-shift-look", "deeper-shift-run")
    changed = run_cells("05", cells, {
        **FEW, "n_train=1000": "n_train=200", "n_steps=100": "n_steps=10",
        "at=[6, 16, 26]": "at=[3, 5]", "n_steps=26": "n_steps=5",
        '"tanh": dict(activation="tanh")': '"sigmoid": dict(activation="sigmoid")',
        "at=[30, 40]": "at=[3, 5, 6]", "n_steps=40": "n_steps=6", "[64] * 3": "[16] * 4",
    })
    assert changed.names["walks"]["sigmoid"]["with"]["beta"].shape == (2, 3)
    assert changed.names["shifts"]["tanh, rate 0.02"]["with"]["shift"].shape == (3, 3)
    assert "sigmoid: the loss changes by" in changed.said


def test_the_board_has_the_race_that_the_notebook_prints():
    """Its cells, with four of their sixteen networks."""
    few = {"n_networks=16": "n_networks=4", "n_steps=160": "n_steps=45"}
    races, lecture = run_cells("05", RACE, few).names["races"], load_lecture()
    for place, rate in enumerate(lecture.races):
        runs = races[f"relu, learning rate {rate:g}"]
        for arm, run in runs.items():
            stored = lecture.races[rate][arm]["loss"][:9, :4]
            np.testing.assert_allclose(run["loss"], stored, rtol=1e-6)
        drifts = [run["drift"][-1, :, 0] for run in runs.values()]
        stored = lecture.arrays["race_drift"][place][:, :4]
        np.testing.assert_allclose(drifts, stored, rtol=1e-6)
