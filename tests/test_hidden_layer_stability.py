"""Notebook 03's experiments, pictures and demos: right definitions, right signs, few seeds."""

import re

import numpy as np
import pytest
from changed_cells import run_cells
from test_notebooks import FOLDER, printed_text, read
from test_picture import check_drawn, check_picture

from helpers.arms import train_arms
from helpers.datasets import load_fashion_mnist
from helpers.hidden_layer_stability import demos, experiments, pictures
from helpers.hidden_layer_stability.experiments import (
    HURT,
    Drift,
    kick,
    late_losses,
    listen,
    measure_drift,
    ridges_at,
    run_kick,
)
from helpers.intervals import mean_interval, paired_interval
from helpers.layers import BatchNorm, Dense
from helpers.lecture.experiments import load_lecture
from helpers.long_work import finish
from helpers.network import accuracy, multilayer_perceptron, predict
from helpers.page.prediction import NO_BET


@pytest.fixture(scope="module")
def data():
    return load_fashion_mnist(n_train=512, n_test=128, n_networks=4, seed=0)


@pytest.fixture(scope="module")
def pair(data):
    return finish(experiments.watch_drift(data, n_steps=60))


@pytest.fixture(scope="module")
def heard(data):
    def look(network):
        return listen(network, data.test_inputs)

    return finish(experiments.watch_drift(data, n_steps=60, look=look))


@pytest.fixture(scope="module")
def damages(data):
    still, *driven = (late_losses(data, name, n_steps=60) for name in experiments.DRIVES)
    return {
        name: {arm: loss - still[arm] for arm, loss in losses.items()}
        for name, losses in zip(("rotation", "growth"), driven)
    }


def denses_of(network):
    return [layer for layer in network.layers if isinstance(layer, Dense)]


# -- stations and drift --


@pytest.mark.parametrize("batch_norm", [False, True])
def test_stations_are_what_activation_2_and_dense_3_receive(batch_norm):
    network = multilayer_perceptron(
        [6, 5, 4, 3, 2], rng=np.random.default_rng(0), batch_norm=batch_norm, dtype=np.float64
    )
    probe = np.random.default_rng(1).standard_normal((50, 6))
    values = probe
    for dense in denses_of(network)[:2]:
        z = values @ dense.weights + getattr(dense, "bias", 0)
        if batch_norm:
            z = (z - z.mean(axis=0)) / np.sqrt(z.var(axis=0) + 1e-5)
        values = np.maximum(z, 0)
    heard = listen(network, probe)
    np.testing.assert_allclose(heard["z2"], z, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(heard["h2"], values, rtol=1e-10, atol=1e-12)


def test_drift_is_measured_from_one_look_to_the_next(heard, pair):
    z2, run = heard["with"]["z2"], pair["with"]
    assert run.steps.tolist() == [10, 20, 30, 40, 50, 60]  # the first look has nothing to tell
    for place in range(6):
        expected = np.nanmedian(measure_drift(z2[place], z2[place + 1]).ranking, axis=-1)
        np.testing.assert_allclose(run["ranking at z2"][place], expected)
        expected = np.nanmedian(measure_drift(z2[0], z2[place + 1]).mean, axis=-1)
        np.testing.assert_allclose(run["total mean at z2"][place], expected)
    assert len(run.seen) == 2 * len(Drift.__annotations__) * len(experiments.STATIONS)


def test_the_relu_turns_a_moved_mean_and_width_into_a_changed_shape(heard):
    plain, normed = (np.array(heard[arm]["z2"]) for arm in ("without", "with"))
    mean, sd = plain.mean(axis=-2, keepdims=True), plain.std(axis=-2, keepdims=True)
    pinned = (plain - mean) / sd * sd[0] + mean[0]
    plain, normed, pinned = (
        np.nanmedian(measure_drift(h[:-1], h[1:]).shape)
        for h in (np.maximum(z2, 0) for z2 in (plain, normed, pinned))
    )
    assert pinned < 0.75 * plain and abs(pinned / normed - 1) < 0.1


# -- kicks --


def test_a_kick_is_as_long_as_asked_and_spares_the_original(data, pair):
    network = pair["with"].network
    before = [np.array(layer.weights) for layer in denses_of(network)]
    for kind in experiments.KICKS:
        twin = kick(network, kind, 0.5, data.test_inputs, seed=0)
        after = [layer.weights for layer in denses_of(twin)]
        for old, new in zip(before[:2], after[:2]):
            lengths = [np.linalg.norm(each, axis=(-2, -1)) for each in (new - old, old)]
            np.testing.assert_allclose(lengths[0] / lengths[1], 0.5, rtol=0.05)
        for old, new in zip(before[2:], after[2:]):
            np.testing.assert_array_equal(old, new)
    for old, layer in zip(before, denses_of(network)):
        np.testing.assert_array_equal(old, layer.weights)


def test_who_is_hurt_by_which_kick(data, pair):
    scaled = run_kick(pair, data, "scale", 2.0)
    assert np.abs(scaled["fresh"]).max() < 1e-3 < scaled["without"].min()
    assert (scaled["stored"] > 0.1).all()
    texts = experiments.kick_texts(scaled)  # what is zero by construction has no interval
    assert texts["fresh"] == "0.00" and "±" in texts["stored"] and "±" in texts["without"]
    pushed = run_kick(pair, data, "common direction", 0.5)
    assert (pushed["fresh"] < pushed["without"]).all()
    noise = run_kick(pair, data, "random", 1.0)
    assert (noise["fresh"] > 0.05).all() and noise["stored"].mean() > noise["fresh"].mean()
    nothing = run_kick(pair, data, "random", 0.0)
    assert not any(nothing[name].any() for name in HURT)


def test_by_a_factor_of_3_stored_widths_fall_short_3_and_about_9_times(data, pair):
    values, ratios = data.test_inputs, []
    twin = kick(pair["with"].network, "scale", 2.0, values, seed=0)
    for layer in twin.layers:
        if isinstance(layer, BatchNorm):
            true = values.std(axis=-2, keepdims=True)
            ratios.append(np.median(true / np.sqrt(layer.running_var)))
        values = layer.forward(values, training=False)
    np.testing.assert_allclose(ratios[:2], [3, 9], rtol=0.15)


def test_with_the_true_means_stored_statistics_lose_no_answer_to_a_factor(data, pair):
    twin = kick(pair["with"].network, "scale", 2.0, data.test_inputs, seed=0)

    def score(network):
        return accuracy(predict(network, data.test_inputs), data.test_targets).mean()

    before, kicked, values = score(pair["with"].network), score(twin), data.test_inputs
    for layer in twin.layers:
        if isinstance(layer, BatchNorm):
            layer.running_mean = values.mean(axis=-2, keepdims=True)
        values = layer.forward(values, training=False)
    assert kicked < before - 0.05 and abs(score(twin) - before) < 0.02


# -- a moving target --


@pytest.mark.thorough
def test_with_other_seeds_rotation_is_softened_less_and_not_always_clearly():
    differences = []
    for seed in (0, 1, 2, 3):
        clothes = experiments.load_clothes(seed=seed)
        still, turned = (late_losses(clothes, one, seed=seed) for one in ("none", "rotation"))
        with_norm, without = (turned[arm] - still[arm] for arm in ("with", "without"))
        differences.append(paired_interval(with_norm, without))
    course, *others = differences
    assert all(course.mean < other.mean for other in others)
    assert course.high < 0 < max(other.high for other in others)


def test_growth_is_cancelled_and_rotation_is_not(damages):
    assert damages["growth"]["without"].mean() > 0.2
    assert np.abs(damages["growth"]["with"]).max() < 0.01
    assert damages["rotation"]["with"].mean() > 0.5 * damages["rotation"]["without"].mean() > 0


def test_layers_1_and_2_learn_nothing_and_are_driven(data):
    drives = {"still": {}, "turned": {"rotation": 0.1}, "grown": {"growth": 0.02}}
    arms = {name: {"disturb": experiments.drive(**shares)} for name, shares in drives.items()}
    arms["start"] = dict(n_steps=1)
    runs = train_arms(
        arms, data, hidden=[20, 15, 10], n_steps=3, batch_size=64, learning_rate=0.1, seed=0,
        build=experiments.build_driven,
    )
    driven = [denses_of(run.network.layers[0]) for run in runs.values()]
    for still, turned, grown, start in zip(*driven, strict=True):
        np.testing.assert_array_equal(still.weights, start.weights)
        np.testing.assert_allclose(grown.weights, 1.02**3 * still.weights)
        lengths = [np.linalg.norm(one.weights, axis=(-2, -1)) for one in (turned, still)]
        np.testing.assert_allclose(*lengths)
        assert not np.allclose(turned.weights, still.weights)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda *it: run_kick(*it, "sideways"), "kind must be one of 'scale'"),
        (lambda *it: run_kick(*it, "scale", -1.0), "size"),
        (lambda _, data: late_losses(data, "sideways"), "name must be one of 'none', 'rotation'"),
    ],
)
def test_bad_input_is_refused(call, message, data, pair):
    with pytest.raises(ValueError, match=message):
        call(pair, data)


# -- ridges --


def test_ridges_are_distributions_and_begin_where_they_began():
    first, last = (finish(ridges_at(step, "z2", 0.02, 16)) for step in (0, 200))
    width = np.diff(pictures.GRID[:2])
    for arm in experiments.ARMS:
        density = np.nansum(pictures.density(last[arm]["now"]), axis=-1)
        np.testing.assert_allclose(density * width, 1, atol=0.02)
        assert last[arm]["mean"] > 0
        np.testing.assert_array_equal(first[arm]["now"], last[arm]["start"])


def test_the_ridges_move_on_while_the_networks_train_and_then_are_looked_up():
    experiments.watch_stations.forget()
    pairs = list(ridges_at(30, "z2", 0.02, 32))
    assert [ridges["step"] for _, ridges in pairs] == [0, 10, 20, 30]
    assert [share for share, _ in pairs] == pytest.approx([0, 1 / 3, 2 / 3, 1])
    ((share, again),) = ridges_at(30, "z2", 0.02, 32)
    assert share == 1
    np.testing.assert_array_equal(again["with"]["now"], pairs[-1][1]["with"]["now"])
    on_the_way = [ridges["step"] for _, ridges in ridges_at(50, "h2", 0.02, 32)]
    assert on_the_way == [30, 40, 50]  # it goes on from where it stands


# -- pictures and demos --


def test_pictures(data, pair, damages):
    others = {**pair, "without": pair["with"]}
    check_drawn(pictures.draw_drift(pair), pictures.draw_drift(others))
    other = {name: {arm: 1.1 * one[arm] for arm in one} for name, one in damages.items()}
    check_picture(pictures.MovingTargetPicture(), damages, other)


def test_the_bet_stands_beside_the_bar_and_only_at_its_own_kick(data, pair):
    bet = demos.kick_bet()
    demo = demos.kick_demo(pair, data, bet)
    ghost, empty = demo.picture.ghost, demo.image.value
    for nats in (-1.0, 0.0, 5.0):
        bet.control.value = nats
        (x,), (y,) = ghost.marker.get_data()
        assert 1 < x < 1.5 and y == nats and demo.image.value != empty
        of_bet = ghost.text.get_window_extent()
        bars = demo.picture.bars[0].texts
        assert not any(of_bet.overlaps(text.get_window_extent()) for text in bars)
    for size, shown in ((1.0, []), (2.0, [5.0])):
        demo.controls["size"].value = size
        assert list(ghost.marker.get_ydata()) == shown and bool(ghost.text.get_text()) == len(shown)
    bet.control.value = NO_BET
    assert demo.image.value == empty


# -- a learner changes one line --

TINY = {"n_networks=16": "n_networks=3", "n_train=2000": "n_train=300", "n_steps=200": "n_steps=20"}
DRIFT = ("setup", "s1-data", "s1-run", "s1-table", "s2-figure", "s2-run", "s2-table", "s2-halves")


def test_an_arm_more_in_deeper_networks_and_other_settings_are_in_tables_and_pictures():
    ran = run_cells("03", DRIFT, {
        **TINY, "[64] * 3": "[32] * 6", "(0.02, 16)": "(0.02, 64)", "every=10": "every=5",
        "fast_rate = 0.1": "fast_rate = 0.05", '"with": dict(batch_norm=True)}':
        '"with": dict(batch_norm=True), "dropout 0.2": dict(batch_norm=False, dropout=0.2)}',
    })
    first, second = ran.names["pairs"].values()
    assert first["with"].steps.tolist() == [5, 10, 15, 20]  # the first look tells nothing
    assert len(first["with"].network.layers) == 6 * 3 + 1
    assert str(mean_interval(second["without"]["mean at h2"].mean(axis=0))) in ran.printed
    assert "dropout 0.2 - without" in ran.printed and "rate 0.05 " in ran.printed
    assert ran.said.startswith("Per 5 steps at z2")
    assert "with batch norm and dropout 0.2: the mean moves by" in ran.said
    assert all(len(bars.bars) == 6 for bars in ran.shown[0].bars)


def test_another_kick_is_a_row_of_the_table():
    one_more = {'("scale", 2.0)': '("scale", 2.0), ("random", 0.3)'}
    ran = run_cells("03", (*DRIFT[:5], "s3-bet", "s3-demo", "s3-table"), {**TINY, **one_more})
    row = ran.printed.splitlines()[-3]
    assert row.split()[:2] == ["random", "0.3"]
    assert str(mean_interval(ran.names["results"][1]["stored"])) in row


def test_another_drive_and_an_arm_more_are_in_table_and_picture():
    growth = '    "growth": (slow, experiments.drive(growth=0.02)),\n'
    more = growth + '    "both": (slow, experiments.drive(rotation=0.1, growth=0.02)),\n'
    arms = 'arms = {"without": dict(batch_norm=False), "with": dict(batch_norm=True)}\nslow'
    one_more = arms.replace("}\nslow", ', "dropout": dict(batch_norm=True, dropout=0.2)}\nslow')
    cells = "setup", "s1-data", "s1-run", "s4-run", "s4-damage", "s4-figure", "s4-table"
    changes = {"n_steps=120": "n_steps=40", growth: more, arms: one_more}
    ran = run_cells("03", cells, {**TINY, **changes})
    rows = [line.split()[0] for line in ran.printed.splitlines()[-4:]]
    assert rows == ["rotation", "growth", "both", "Standing"]
    assert "dropout - without" in ran.printed and len(ran.shown[0].bars[0].bars) == 9
    both = ran.names["damages"]["both"]
    assert f"by {paired_interval(both['with'], both['without'])} nats with both." in ran.said


@pytest.mark.thorough
def test_the_learning_rates_that_section_2_suggests_do_not_diverge():
    notebook = read(FOLDER / "03_hidden_layer_stability.ipynb")
    cells = {cell.id: cell.source for cell in notebook.cells}
    rates = re.findall(r"0\.\d+", cells["s2-change"])
    assert len(rates) == 3
    for rate in rates:
        ran = run_cells("03", ("setup", "s1-data", "s1-run", "s2-run"), {
            "(0.02, 16)": "(0.02, 128)", "fast_rate = 0.1": f"fast_rate = {rate}",
        })
        assert all(np.isfinite(run.losses).all() for run in ran.names["fast"].values())


def test_the_notebook_prints_what_the_board_says():
    cells = read(FOLDER / "03_hidden_layer_stability.ipynb").cells
    printed, lecture = {cell.id: printed_text(cell) for cell in cells}, load_lecture()
    for kind, size in (("scale", 0.0), ("scale", 2.0), ("random", 1.0)):
        accuracies = "  +".join(str(mean_interval(one)) for one in lecture.kicks[kind][size])
        assert re.search(f"{kind} {size} +{accuracies}", printed["s3-accuracy"])
    said = pictures.MovingTargetPicture().show(lecture.damages).sentence
    assert printed["s4-figure"] == said
