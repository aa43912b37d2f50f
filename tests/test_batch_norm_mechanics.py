"""Notebook 02: its experiments, pictures and demos, at small settings."""

import numpy as np
import pytest
from changed_cells import run_cells
from test_notebooks import FOLDER, printed_text, read
from test_picture import check_picture

from helpers.arms import Run, first_below, train_arms
from helpers.batch_norm_mechanics import experiments
from helpers.batch_norm_mechanics import pictures as figures
from helpers.intervals import mean_interval
from helpers.layer_statistics import layer_places, record, with_statistics
from helpers.layers import BatchNorm, ReLU
from helpers.lecture.experiments import load_lecture
from helpers.long_work import finish
from helpers.network import Network, multilayer_perceptron, predict
from helpers.randomness import spawn_streams

FEW = {"n_networks": 4}


@pytest.fixture(scope="module")
def data():
    return experiments.load_shuffled(n_networks=4)


@pytest.fixture(scope="module")
def trained(data):
    settings = {**experiments.AVERAGES, "batch_size": 64, "look": experiments.last_statistics}
    return train_arms({"": {}}, data, **settings)[""]


def race_of(*losses):
    """Return {arm: Run} with these losses, (n_looks, n_networks) each."""
    names = ("without", "with", "with, more", "noisy")
    return {
        name: Run(5 * np.arange(1, len(one) + 1), {"loss": np.array(one)}, None, None)
        for name, one in zip(names, losses)
    }


RACE = race_of(
    [[2, 1, 3], [1, 0.6, 2], [0.3, 0.4, 0.7]], [[2, 0.4, 2], [0.4, 0.3, 1], [0.2, 0.1, 0.8]]
)


def test_arrivals_count_steps_saved_pairs_won_and_who_was_late():
    table = experiments.arrivals({"relu": RACE}, threshold=0.5)
    assert table["without"] == ["15"] and table["with"] == ["10"] and table["late"] == [1]
    assert table["won, level, lost"] == ["2, 1, 0"]
    assert table["steps saved"][0].mean == pytest.approx(5)
    censored = race_of([[2, 1]] * 3, [[0.4, 2]] * 3)
    table = experiments.arrivals({"relu": censored}, threshold=0.5)
    assert table["without"] == [">= 15"] and table["late"] == [2] and table["with"] == [">= 10"]
    three_arms = race_of([[1, 1]] * 2, [[0.4, 0.4]] * 2, [[1, 1], [0.4, 0.4]])
    table = experiments.arrivals({"relu": three_arms}, threshold=0.5)
    assert [one.mean for one in table["steps saved, with, more"]] == [0]
    assert table["with, more"] == ["10"] and table["won, level, lost, with"] == ["2, 0, 0"]


@pytest.mark.parametrize("batch_size", [2, 3, 16])
def test_one_batch_is_what_the_layer_computes(batch_size):
    norm = BatchNorm(1, dtype=np.float64)
    norm.gamma[...], norm.beta[...] = 1.5, -2.0
    result = experiments.normalise_one_batch(batch_size, gamma=1.5, beta=-2.0, push=3.0)
    expected = norm.forward(result["before"][:, None], training=True)[:, 0]
    np.testing.assert_allclose(result["after"], expected, rtol=1e-12)


def test_a_batch_of_one_gives_beta_and_of_two_only_the_sign():
    one = experiments.normalise_one_batch(1, gamma=1.5, beta=0.5, push=4.0)
    np.testing.assert_array_equal(one["after"], [0.5])
    two = experiments.normalise_one_batch(2, gamma=1.5, beta=0.5, push=4.0)
    np.testing.assert_allclose(sorted(two["after"]), [-1.0, 2.0], atol=1e-4)


def test_nudging_measures_the_gradient_and_leaves_the_layer_alone():
    inputs = experiments.hidden_values(6)
    upstream = np.random.default_rng(0).standard_normal(inputs.shape)
    norm = BatchNorm(3, dtype=np.float64)
    norm.forward(inputs, training=True)
    running = norm.running_mean.copy()
    measured = experiments.nudge_inputs(norm, inputs, upstream)
    np.testing.assert_allclose(measured, norm.backward(upstream), atol=1e-8)
    np.testing.assert_array_equal(norm.running_mean, running)
    of_the_sum = experiments.nudge_inputs(norm, inputs, np.ones_like(inputs))
    np.testing.assert_allclose(of_the_sum, 0, atol=1e-8)


@pytest.mark.parametrize("memory", [0.5, 0.99])
def test_replayed_statistics_are_those_of_training_with_that_memory(data, trained, memory):
    settings = {**experiments.AVERAGES, "memory": memory, "batch_size": 64, "every": None}
    network = train_arms({"": {}}, data, **settings)[""].network
    replayed = experiments.with_memory(trained, memory)
    for one, other in zip(network.layers, replayed.layers, strict=True):
        if isinstance(one, BatchNorm):
            np.testing.assert_allclose(other.running_mean, one.running_mean, atol=1e-12)
            np.testing.assert_allclose(other.running_var, one.running_var, rtol=1e-12)


def test_shrunk_variances_are_biased_ones_and_a_warm_average_forgets_its_start(trained):
    last, warm = (experiments.with_memory(trained, one, warm=True).layers[1] for one in (0.0, 0.9))
    shrunk = experiments.with_memory(trained, 0.0, shrink=63 / 64).layers[1]
    np.testing.assert_allclose(shrunk.running_var, 63 / 64 * last.running_var)
    np.testing.assert_array_equal(shrunk.running_mean, last.running_mean)
    for moment in ("mean", "var"):
        of_batches = trained[f"{moment} 0"]
        expected = np.average(of_batches, axis=0, weights=0.9 ** np.arange(150.0)[::-1])
        np.testing.assert_allclose(getattr(warm, f"running_{moment}"), expected, rtol=1e-9)


def test_a_long_memory_costs_accuracy():
    usual, slow = (finish(experiments.watch_averages(64, one, **FEW)) for one in (0.9, 0.999))
    assert (slow["running"] < slow["population"] - 4).all()
    assert np.abs(usual["running"] - usual["population"]).mean() < 2
    np.testing.assert_array_equal(usual["population"], slow["population"])


def test_test_images_come_in_an_order_of_each_network(data):
    assert data.test_inputs.shape == (4, 1024, 196)
    counts = [np.bincount(one, minlength=10) for one in data.test_targets]
    assert all((one == counts[0]).all() for one in counts)
    assert (data.test_targets[0] != data.test_targets[1]).any()
    more = experiments.load_shuffled(n_networks=5)
    np.testing.assert_array_equal(more.test_inputs[:4], data.test_inputs)


def test_memory_is_checked(trained):
    for memory in (-0.1, 1.0, np.nan):
        with pytest.raises(ValueError, match="memory must be"):
            experiments.with_memory(trained, memory)


@pytest.mark.parametrize("n_networks", [None, 2])
def test_an_inserted_batch_norm_changes_nothing_until_its_statistics_are_fresh(n_networks):
    network = multilayer_perceptron(
        [3, 5, 4, 2], batch_norm=False, n_networks=n_networks, dtype=np.float64,
        rng=spawn_streams(0, n_networks).weights,
    )
    old, new = (np.random.default_rng(one).normal(one, 1 + one, (50, 3)) for one in (0, 1))
    twin = experiments.insert_batch_norm(network, old)
    for inputs in (old, new):
        np.testing.assert_allclose(predict(twin, inputs), predict(network, inputs), atol=1e-10)
    fresh, kinds = with_statistics(twin, new), [type(one) for one in network.layers]
    assert [type(one) for one in fresh.layers if not isinstance(one, BatchNorm)] == kinds
    behind = [1 + place for place in layer_places(fresh, BatchNorm)]
    assert len(behind) == 2
    for place in behind:  # what follows batch norm meets the old means and widths
        before, now = record(twin, old)[place], record(fresh, new)[place]
        np.testing.assert_allclose(now.mean(axis=-2), before.mean(axis=-2), atol=1e-8)
        np.testing.assert_allclose(now.std(axis=-2), before.std(axis=-2), rtol=1e-3)
    assert np.abs(predict(fresh, new) - predict(network, new)).max() > 0.1


def test_accuracies_are_counted_class_by_class():
    logits = np.zeros((1, 10, 2))
    logits[0, :6, 1] = 1  # says class 1 for the first six
    targets = np.array([[1, 1, 0, 0, 0, 0, 0, 0, 0, 0]])
    says = Network([ReLU()])  # its inputs, where they are positive
    np.testing.assert_allclose(experiments.class_accuracies(says, logits, targets), [[0.5], [1]])


def test_uneven_mixes_hold_nine_of_class_0_to_one_of_class_1():
    targets = np.stack([np.arange(100) % 2, np.arange(100) < 40]).astype(int)
    inputs = np.arange(200.0).reshape(2, 100, 1)
    chosen, chosen_targets = experiments.nine_to_one(inputs, targets)
    assert chosen.shape == (2, 50, 1)
    np.testing.assert_array_equal(chosen_targets.sum(axis=1), [5, 5])
    rows = chosen[..., 0].astype(int) - np.array([[0], [100]])
    np.testing.assert_array_equal(np.take_along_axis(targets, rows, 1), chosen_targets)


# -- pictures and demos --


def test_race_picture():
    slow = race_of([[2, 2, 2.1], [1, 1.1, 1], [1, 1, 1]], [[2, 2, 1], [2, 1, 1], [1, 1, 1]])
    picture = figures.RacePicture()
    check_picture(picture, {"relu": RACE, "tanh": slow}, {"relu": slow, "tanh": RACE})
    assert ">= 15 with batch norm" in picture.sentence
    picture = figures.RacePicture(threshold=1.5).show({"relu": RACE})
    assert "relu: a median of 10 steps to loss 1.5 without batch norm" in picture.sentence


AVERAGES = [
    {"batch_size": 64, "memory": memory, "n_steps": 150, "own batch": np.array([70.0, 72, 75]),
     "running": np.array(running), "population": np.array([78.0, 79, 80])}
    for memory, running in ((0.9, [77.0, 78, 78]), (0.999, [60.0, 66, 70]))
]


def test_averages_picture_has_room_for_a_bet():
    picture = figures.AveragesPicture()
    for bet in (10, 68, 90):
        picture.set_ghost(bet)
        check_picture(picture, *AVERAGES)
        ghost = [one.get_window_extent() for one in picture.ghost.artists]
        for text in [*picture.bars[0].texts, picture.setting]:  # it covers none
            assert not any(text.get_window_extent().overlaps(one) for one in ghost)
    heights = [bar.get_height() for bar in picture.show(AVERAGES[1]).bars[0].bars]
    np.testing.assert_allclose(heights, [72 + 1 / 3, 65 + 1 / 3, 79])


def test_one_training_serves_every_memory(monkeypatch):
    trained, watch, short = [], experiments.watch_arms, dict(n_networks=3, n_steps=10)

    def count(*args, **settings):
        trained.append(settings["batch_size"])
        return watch(*args, **settings)

    monkeypatch.setattr(experiments, "watch_arms", count)
    seen = [
        [one["n_steps"] for _, one in experiments.watch_averages(*setting, **short) if one]
        for setting in ((64, 0.999), (64, 0.9), (4, 0.9))
    ]
    assert trained == [64, 4] and seen == [[5, 10], [10], [5, 10]]


# -- a learner changes one line --

def test_a_changed_race_shows_what_was_changed():
    run = run_cells("02", ["setup", "s1-data", "s1-run", "s1-table", "s1-figure"], {
        "n_train=2000, n_networks=16": "n_train=400, n_networks=3", "n_steps=160": "n_steps=5",
        '"with": dict(batch_norm=True)': '"with, dropout": dict(dropout=0.1)',
    })
    assert "with, dropout" in run.printed and "with, dropout." in run.said
    assert ">= 5 steps to loss 0.5 without batch norm" in run.said
    assert "with batch norm" not in run.said


@pytest.mark.parametrize("hidden", ["[48] * 7", "[48]"])
def test_races_of_the_depths_that_the_notebook_names_have_their_picture(hidden):
    change = {"hidden=[48] * 5": f"hidden={hidden}", "n_networks=16": "n_networks=4"}
    run = run_cells("02", ["setup", "s1-data", "s1-run", "s1-figure", "s1-table"], change)
    for setting, race in run.names["races"].items():
        plain, with_norm = (np.median(first_below(0.5, race[one])) for one in ("without", "with"))
        assert (with_norm < plain) == (hidden == "[48] * 7"), setting  # one layer: it loses
        assert f"{setting}: a median of" in run.said


def test_the_board_says_what_the_notebook_prints():
    cells = read(FOLDER / "02_batch_norm_mechanics.ipynb").cells
    printed, lecture = {cell.id: printed_text(cell) for cell in cells}, load_lecture()
    (row,) = (line for line in printed["s3-table"].splitlines() if line.startswith("64 "))
    usual, slow = lecture.averages[0.9], lecture.averages[0.999]
    wanted = usual["own batch"], usual["running"], slow["running"], usual["population"]
    assert row.split()[1:] == " ".join(str(mean_interval(one)) for one in wanted).split()
    faces = figures.draw_adaptation({"faces (cats and others)": lecture.repair})
    assert printed["s4-figure"].startswith(faces.sentence)
