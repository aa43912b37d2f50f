"""Notebook 04: the noise is what theory says, arms differ in what they should, pictures hold."""

import re

import numpy as np
import pytest
from changed_cells import run_cells
from test_notebooks import FOLDER, printed_text, read
from test_picture import check_drawn, check_picture

from helpers.datasets import load_fashion_mnist
from helpers.intervals import mean_interval, paired_interval
from helpers.layer_statistics import with_statistics
from helpers.layers import BatchNorm
from helpers.lecture.experiments import load_lecture
from helpers.long_work import finish
from helpers.minibatch_noise import demos, experiments, pictures
from helpers.minibatch_noise.experiments import (
    LIVE,
    LIVE_ARMS,
    draw_batches,
    draw_ranks,
    dropout_sd,
    microscope,
)
from helpers.network import mean_loss, predict
from helpers.page.panel import Panel
from helpers.page.prediction import NO_BET

# Few networks and steps: enough for the sign of a large effect, not for the course's numbers.
QUICK = {"n_networks": 4, "n_steps": 20, "n_test": 200}


@pytest.fixture(scope="module")
def values():
    return experiments.pre_activations(n_units=8)


# -- the microscope --


def test_drawn_values_are_those_of_batch_norm(values):
    example = 3
    ranks = draw_ranks(5, len(values), example, np.random.default_rng(0))
    # In units of the population's sd eps weighs differently, by less than this tolerance.
    for rank, x_hat in zip(ranks, draw_batches(values, example, 16, ranks)):
        rows = np.argsort(rank)[:16]
        assert rows[0] == example
        expected = BatchNorm(8, dtype=np.float64).forward(values[rows], training=True)[0]
        np.testing.assert_allclose(x_hat, expected, rtol=1e-4, atol=1e-4)


def test_every_row_of_ranks_is_a_permutation_led_by_the_example():
    ranks = draw_ranks(20, 50, 7, np.random.default_rng(0))
    assert (np.sort(ranks, axis=1) == np.arange(50)).all()
    assert (ranks[:, 7] == 0).all()
    assert len(np.unique(ranks, axis=0)) == 20


@pytest.mark.parametrize("batch_size, rtol", [(16, 0.2), (64, 0.1), (512, 0.05), (1024, 0)])
def test_theory_predicts_the_noise_of_every_unit(values, batch_size, rtol):
    example, _ = experiments.typical_place(values)
    ranks = draw_ranks(2000, len(values), example, np.random.default_rng(1))
    measured = draw_batches(values, example, batch_size, ranks).std(axis=0)
    theory = experiments.theory_sd(values, example, batch_size)  # of the whole population, none
    np.testing.assert_allclose(measured, theory, rtol, atol=1e-10)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: microscope(1), "batch_size must be between 2 and 1024"),
        (lambda: microscope(1025), "batch_size must be between 2 and 1024"),
        (lambda: experiments.theory_sd(np.eye(4), 0, 0), "batch_size must be between 1 and 4"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_microscope_shows_a_typical_value():
    scope = microscope(64)
    assert scope["value"] == pytest.approx(1, abs=0.01)
    assert scope["x_hat"].shape == (3000,)
    assert scope["x_hat"].std() == pytest.approx(scope["theory_sd"], rel=0.05)
    assert scope["dropout"][0.2] == pytest.approx(0.5)


# -- two kinds of noise --


@pytest.fixture(scope="module")
def noise():
    return experiments.measure_noise(experiments.pre_activations(8, 3), (8, 64), 200, seed=0)


def test_the_noise_of_batch_norm_depends_on_the_batch_size_and_on_no_other_size(noise):
    assert noise["total"].shape == (2, 3) and (noise["total"][0] > 2 * noise["total"][1]).all()
    np.testing.assert_allclose(noise["theory"][1], noise["total"][1], rtol=0.1)
    alone = experiments.measure_noise(experiments.pre_activations(8, 3), [64], 200, seed=0)
    np.testing.assert_array_equal(alone["total"][0], noise["total"][1])


# -- training runs --


@pytest.fixture(scope="module")
def runs():
    return finish(experiments.watch_live(**QUICK))


@pytest.fixture(scope="module")
def sweeps():
    quick = {"n_epochs": 8, "n_networks": 4, "n_test": 300}
    return {
        name: experiments.sweep_batch_sizes(batch_norm, (16, 64, 512), **quick)
        for name, batch_norm in (("with", True), ("without", False))
    }


def test_the_look_measures_both_losses_with_the_statistics_of_all_training_images(runs):
    data, run = load_fashion_mnist(512, 200, 7, 0.2, 4, seed=0), runs["group 8"]
    fixed = with_statistics(run.network, data.train_inputs)
    train, test = (
        mean_loss(predict(fixed, inputs), targets)
        for inputs, targets in (
            (data.train_inputs, data.train_targets), (data.test_inputs, data.test_targets)
        )
    )
    for name, found in (("training loss", train), ("test loss", test), ("gap", test - train)):
        np.testing.assert_allclose(run[name][-1], found, rtol=1e-12)


def test_the_trap_does_not_need_batch_norm(sweeps):
    for runs in sweeps.values():
        assert [run.steps.tolist() for run in runs.values()] == [[512], [128], [16]]
        assert (runs[64]["gap"][-1] > runs[512]["gap"][-1]).all()


@pytest.mark.thorough
def test_the_neighbours_of_group_8_that_the_notebook_leaves_out_are_not_better():
    runs = finish(experiments.watch_live({size: dict(group_size=size) for size in (32, 16, 8)}))
    best = {size: run["test loss"].min(axis=0) for size, run in runs.items()}
    assert all(paired_interval(best[size], best[8]).low > 0 for size in (16, 32))


# -- pictures and demos --


def measures_of(runs):
    return {
        "best test loss": {arm: run["test loss"].min(axis=0) for arm, run in runs.items()},
        "gap at the end": {arm: run["gap"][-1] for arm, run in runs.items()},
    }


def test_pictures_hold(runs, sweeps, noise):
    sizes = {"sizes": (8, 64), "dropout": {p: [dropout_sd(p)] * 2 for p in (0.1, 0.2, 0.5)}}
    with_it, measures = {"with": sweeps["with"]}, measures_of(runs)
    others = {
        name: {arm: values[:2] for arm, values in arms.items()} for name, arms in measures.items()
    }
    along = {name: (runs[name].steps, runs[name]["gap"]) for name in ("group 64", "group 4")}
    back = dict(zip(along, reversed(along.values())))
    check_drawn(pictures.draw_end_gaps(along), pictures.draw_end_gaps(back))
    measured = noise | sizes
    check_drawn(*map(pictures.draw_noise_sizes, (measured, measured | {"total": noise["theory"]})))
    for picture, *results in (  # they are built for what they show first
        (pictures.NaiveSweepPicture("with"), with_it),
        (pictures.NaiveSweepPicture("with and without"), sweeps),
        (pictures.NaiveSweepPicture("one by one", later=["without"]), with_it, sweeps),
        (pictures.DifferencesPicture(), measures, others),
    ):
        check_picture(picture.show(results[0]), *results)


def test_a_comparison_grows_and_ends_as_if_it_had_been_made_at_once():
    grey = finish(experiments.watch_group(512))
    shares, grown = zip(*experiments.watch_group(4, 0.2, grey=grey))
    np.testing.assert_allclose(shares, np.arange(1, 21) / 20)
    assert grown[1]["steps"].tolist() == [5, 10]
    at_once = finish(experiments.watch_live({"": dict(group_size=4, dropout=0.2)}, n_steps=10))[""]
    for name in ("training loss", "test loss", "gap"):  # in float32, one half beside the other
        np.testing.assert_allclose(grown[1][name], at_once[name], rtol=1e-3, atol=1e-4)
    picture = pictures.GroupCurvesPicture()
    assert "reference arm itself" in picture.show(grey | {"grey": grey}).sentence
    # on the way: against what the reference had reached by then
    first = [one["test loss"][0] for one in (grown[0], grey)]
    assert f"paired: {paired_interval(*first)}. " in picture.show(grown[0]).sentence
    assert picture.sentence.startswith("Group 4, dropout 0.2: best test loss ")
    assert f"after 5 steps {mean_interval(grown[0]['gap'][-1])}." in picture.sentence


def test_the_bet_stands_at_its_group_in_the_figure(runs):
    bet = demos.group_bet()
    panel = demos.show_differences(measures_of(runs), bet)
    ghost, empty = panel.picture.ghost, panel.image.value
    axes = panel.picture.figure.axes[0]
    places = dict(zip([text.get_text() for text in axes.get_yticklabels()], axes.get_yticks()))
    for size in demos.TRAINED_GROUPS:
        bet.control.value = size
        assert list(ghost.marker.get_ydata()) == [places[f"group {size}"]]
        assert ghost.text.get_text() == f"your bet: {size}" and panel.image.value != empty
        assert ghost.text.get_window_extent().x1 < axes.bbox.x1
    bet.control.value = NO_BET
    assert panel.image.value == empty


# -- a learner changes one line --

FEW = {"n_networks=16": "n_networks=3"}
ARMS = ("setup", "s1-layer", "s3-data", "s4-bet-group", "s4-arms", "s4-train", "s4-table")
ARMS += ("s4-figure", "s4-answer-group")


def test_other_batch_sizes_and_epochs():
    cells = "setup", "s1-layer", "s3-data", "s3-sweep", "s3-figure", "s3-control"
    changes = {"epochs = 20": "epochs = 1", "(16, 64, 512)": "(64, 256, 512)"}
    other = run_cells("04", (*cells, "s3-control-figure"), FEW | changes)
    picture = other.shown[-1]
    assert [text.get_text() for text in picture.axes.get_xticklabels()] == ["64", "256", "512"]
    notes = [text.get_text() for text in picture.notes]
    assert notes == ["16 updates", "4 updates", "2 updates"] and "at 256" in other.said
    gaps = [other.names["with_norm"][size]["gap"][-1] for size in (64, 512)]
    assert f"paired: {paired_interval(*gaps)}\n" in other.printed


@pytest.mark.thorough
def test_with_the_epochs_that_section_3_suggests_the_control_says_the_same():
    cells = {cell.id: cell.source for cell in read(FOLDER / "04_minibatch_noise.ipynb").cells}
    suggested = re.search(r"take (\d+), or (\d+),", cells["s3-change"]).groups()
    section = "setup", "s1-layer", "s3-data", "s3-sweep", "s3-bet-control", "s3-control"
    for epochs in suggested:
        changes = {"epochs = 20": f"epochs = {epochs}"}
        run = run_cells("04", (*section, "s3-answer-control"), changes)
        assert ": C, most of it, or all." in run.said


def test_other_arms_settings_and_data():
    settings = '"n_steps": 10, "hidden": [16], "learning_rate": 0.03'
    run = run_cells("04", ARMS, {
        "n_networks=16": "n_networks=5", "(512, 1000, image": "(600, 1000, image",
        "**experiments.LIVE": f"**{{**experiments.LIVE, {settings}}}",
        '"group 4": dict(group_size=4),': '"group 16": dict(group_size=16),',
        "dict(batch_norm=False),": 'dict(batch_norm=False), "tanh": dict(activation="tanh"),',
    })
    assert run.names["runs"]["group 64"].network.layers[0].weights.shape == (5, 49, 16)
    (panel,) = (one for one in run.shown if isinstance(one, Panel))
    labels = [one.get_text() for one in panel.picture.figure.axes[0].get_yticklabels()]
    assert labels == list(run.names["runs"]) and {"group 16", "tanh"} < set(labels)
    best = run.names["best"]
    for arm in ("group 16", "tanh"):
        difference = paired_interval(best[arm], best["group 512"])
        assert f"{arm} minus group 512: best test loss {difference}, gap" in run.printed
        assert f"{arm} {difference}" in run.said
    panel.picture.set_ghost(4)  # who bets on what is not shown has no ghost
    assert not panel.picture.ghost.text.get_text()


def test_other_sizes_of_mini_batches():
    cells = "setup", "s1-layer", "s1-values", "s1-table", "s2-dropout", "s2-noise", "s2-figure"
    run = run_cells("04", cells, FEW | {
        "n_batches=500": "n_batches=50", "[4, 8, 16, 64, 256, 512]": "[8, 32]",
        "(4, 16, 64, 512)": "(2, 32)", "{0.1: [], 0.2: [], 0.5: []}": "{0.3: [], 0.4: []}",
    })
    assert "batch of 2 | measured sd" in run.printed and "batch of 16 |" not in run.printed
    first, last = map(mean_interval, run.names["noise"]["total"])
    assert f"batch of 32 | noise of batch norm: {last}\n" in run.printed
    assert f"size 8 to 32 the noise of batch norm falls from {first}" in run.said
    assert "at p = 0.3" in run.said and "0.1" not in run.said


def test_a_larger_network():
    short = {"**experiments.LIVE": '**{**experiments.LIVE, "n_steps": 10}'}
    changes = FEW | short | {"n_steps=80": "n_steps=20", "hidden=[64, 64]": "hidden=[16]"}
    run = run_cells("04", (*ARMS, "deeper-train", "deeper-figure"), changes)
    assert run.names["fitted"]["group 64"].network.layers[0].weights.shape == (3, 196, 16)
    (_, (band,)) = run.shown[-1].panels[1]
    assert band.line.get_xdata().tolist() == [10, 20]


# -- the notebook, the board and the ledger say the same --


def test_the_notebook_prints_what_board_and_ledger_measure():
    text = "\n".join(map(printed_text, read(FOLDER / "04_minibatch_noise.ipynb").cells))
    names, lecture = run_cells("04", ["setup", "s4-arms"]).names, load_lecture()
    assert names["live_arms"] == LIVE_ARMS and str(LIVE) in text
    best = lecture.best_test_losses
    for arm in list(LIVE_ARMS)[1:]:
        difference = paired_interval(best[arm], best["group 512"])
        assert f"{arm} minus group 512: best test loss {difference}, gap" in text
    for runs in lecture.sweeps.values():
        gap = paired_interval(*(runs[size]["gap"][-1] for size in (64, 512)))
        assert f"gap at 64 minus gap at 512, paired: {gap}" in text
    (noise,) = experiments.measure_noise(experiments.pre_activations(16, 16), [64], seed=0)["total"]
    assert f"batch of 64 | noise of batch norm: {mean_interval(noise)}" in text
