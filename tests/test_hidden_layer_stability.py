"""Notebook 03's experiments, pictures and demos: right definitions, right signs, few seeds."""

import dataclasses

import numpy as np
import pytest
from test_picture import check_picture

from helpers.demos import hidden_layer_stability as demos
from helpers.demos.prediction import NO_BET
from helpers.experiments import hidden_layer_stability as experiments
from helpers.experiments.hidden_layer_stability import (
    kick,
    kick_table,
    listen,
    ridges_at,
    run_drift,
    run_kick,
    run_moving_target,
)
from helpers.figures import hidden_layer_stability as figures
from helpers.intervals import paired_interval
from helpers.layers import BatchNorm, Dense
from helpers.network import multilayer_perceptron
from helpers.shift import measure_drift

SMALL = dict(n_steps=60, batch_size=128, n_train=512, n_probe=128, n_networks=4)


@pytest.fixture(scope="module")
def pair():
    return run_drift(0.02, **SMALL)


@pytest.fixture(scope="module")
def target():
    return run_moving_target(n_steps=60, n_train=512, batch_size=64, n_networks=4)


@pytest.mark.parametrize("batch_norm", [False, True])
def test_stations_are_what_activation_2_and_dense_3_receive(batch_norm):
    network = multilayer_perceptron(
        [6, 5, 4, 3, 2], rng=np.random.default_rng(0), batch_norm=batch_norm, dtype=np.float64
    )
    probe = np.random.default_rng(1).standard_normal((50, 6))
    heard = listen(network, probe)
    denses = [layer for layer in network.layers if isinstance(layer, Dense)]
    values = probe
    for dense in denses[:2]:
        z = values @ dense.weights + getattr(dense, "bias", 0)
        if batch_norm:
            z = (z - z.mean(axis=0)) / np.sqrt(z.var(axis=0) + 1e-5)
        values = np.maximum(z, 0)
    np.testing.assert_allclose(heard["z2"], z, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(heard["h2"], values, rtol=1e-10, atol=1e-12)


def test_arms_are_paired_and_start_alike(pair):
    without, with_norm = (
        next(experiments._checkpoints(
            experiments._load(512, 128, 4, 0), batch_norm=one, activation="relu",
            learning_rate=0.02, batch_size=128, n_steps=1, every=1, n_networks=4, seed=0, losses=[],
        ))[0]
        for one in (False, True)
    )
    np.testing.assert_array_equal(without.layers[0].weights, with_norm.layers[0].weights)
    alone = run_drift(0.02, **{**SMALL, "n_networks": 1})
    for arm, arm_alone in zip(pair.arms, alone.arms):
        np.testing.assert_allclose(arm.losses[:, :1], arm_alone.losses, rtol=1e-8)


def test_drift_is_measured_from_one_checkpoint_to_the_next(pair):
    for arm in pair.arms:
        for station in experiments.STATIONS:
            for quantity in experiments.QUANTITIES:
                assert arm.drift[station][quantity].shape == (6, 4)
                assert arm.total[station][quantity].shape == (4,)
    data = experiments._load(512, 128, 4, 0)
    heard = [
        recording["z2"]
        for _, _, recording in experiments._checkpoints(
            data, batch_norm=True, activation="relu", learning_rate=0.02, batch_size=128,
            n_steps=60, every=10, n_networks=4, seed=0, losses=[],
        )
    ]
    expected = np.nanmedian(measure_drift(heard[1], heard[2]).ranking, axis=-1)
    np.testing.assert_allclose(pair.with_norm.drift["z2"]["ranking"][1], expected)
    expected = np.nanmedian(measure_drift(heard[0], heard[-1]).mean, axis=-1)
    np.testing.assert_allclose(pair.with_norm.total["z2"]["mean"], expected)


def test_batch_norm_pins_the_moments_but_not_the_ranking(pair):
    without, with_norm = pair.arms
    for quantity in ("mean", "scale"):
        ratio = with_norm.mean_drift("z2", quantity) / without.mean_drift("z2", quantity)
        assert ratio.max() < 0.2
    ratio = with_norm.mean_drift("z2", "ranking") / without.mean_drift("z2", "ranking")
    assert 0.3 < ratio.mean() < 1.5


def test_images_are_loaded_once_for_a_run_and_cannot_be_changed():
    experiments._load.cache_clear()
    tiny = run_drift(0.02, **{**SMALL, "n_steps": 1, "every": 1})
    assert experiments._load.cache_info().misses == 1
    data = experiments._load(SMALL["n_train"], SMALL["n_probe"], SMALL["n_networks"], 0)
    assert data.test_inputs is tiny.probe_inputs
    kept = experiments.record_arms(0.02, 16)[0][0]
    for array in (data.train_inputs, data.train_targets, tiny.probe_targets, *kept.values()):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_smaller_batches_drift_more(pair):
    small = run_drift(0.02, **{**SMALL, "batch_size": 8})
    for arm, small_arm in zip(pair.arms, small.arms):
        assert small_arm.mean_drift("z2", "mean").mean() > arm.mean_drift("z2", "mean").mean()


def test_a_kick_is_as_long_as_asked_and_spares_the_original(pair):
    network = pair.with_norm.network
    before = [np.array(layer.weights) for layer in network.layers if isinstance(layer, Dense)]
    for kind in experiments.KICKS:
        twin = kick(network, kind, 0.5, pair.probe_inputs, rng=np.random.default_rng(0))
        after = [layer.weights for layer in twin.layers if isinstance(layer, Dense)]
        for old, new in zip(before[:2], after[:2]):
            lengths = [np.linalg.norm(each, axis=(-2, -1)) for each in (new - old, old)]
            np.testing.assert_allclose(lengths[0] / lengths[1], 0.5, rtol=0.05)
        for old, new in zip(before[2:], after[2:]):
            np.testing.assert_array_equal(old, new)
    for old, layer in zip(before, (one for one in network.layers if isinstance(one, Dense))):
        np.testing.assert_array_equal(old, layer.weights)


def test_who_is_hurt_by_which_kick(pair):
    none, fresh, stored = run_kick(pair, "scale", 2.0).damage
    assert np.abs(fresh).max() < 1e-3 < none.min()
    assert (stored > 0.1).all()
    none, fresh, _ = run_kick(pair, "common direction", 0.5).damage
    assert (fresh < none).all()
    _, fresh, stored = run_kick(pair, "random", 1.0).damage
    assert (fresh > 0.05).all() and stored.mean() > fresh.mean()
    assert not run_kick(pair, "random", 0.0).damage.any()


def test_a_kick_leaves_the_stored_statistics_alone(pair):
    network = pair.with_norm.network
    stored = [np.array(one.running_mean) for one in network.layers if isinstance(one, BatchNorm)]
    run_kick(pair, "random", 1.0)
    norms = [one for one in network.layers if isinstance(one, BatchNorm)]
    for old, norm in zip(stored, norms, strict=True):
        np.testing.assert_array_equal(old, norm.running_mean)


def test_bad_kicks_are_refused(pair):
    with pytest.raises(ValueError, match="kind must be one of 'scale'"):
        run_kick(pair, "sideways")
    with pytest.raises(ValueError, match="size"):
        run_kick(pair, "scale", -1.0)


def test_kicks_need_a_networks_axis():
    network = multilayer_perceptron([6, 5, 4, 3, 2], rng=np.random.default_rng(0), n_networks=None)
    probe = np.random.default_rng(1).standard_normal((9, 6))
    with pytest.raises(ValueError, match="network must have a networks axis"):
        kick(network, "random", 1.0, probe, rng=np.random.default_rng(2))


@pytest.mark.parametrize(
    "run, settings, message",
    [
        (run_drift, {"every": 5, "n_steps": 2}, r"every must be between 1 and 2 \(n_steps\)"),
        (run_drift, {"every": 0}, "every must be between 1 and 200"),
        (run_drift, {"n_steps": 0}, "n_steps must be at least 1"),
        (run_moving_target, {"drives": ("bogus",)}, "drives must be one of 'none', 'rotation'"),
        (run_moving_target, {"drives": ("growth",)}, "drives must contain 'none'"),
        (run_moving_target, {"n_steps": 3}, "n_steps must be at least 4"),
    ],
)
def test_impossible_runs_are_refused(run, settings, message):
    with pytest.raises(ValueError, match=message):
        run(**settings)


def test_measured_afresh_every_kick_is_softened(pair):
    for kind in experiments.KICKS:  # at settings of the demo's sliders
        for size in (0.2, 0.5, 1.0, 2.0):
            none, fresh, _ = run_kick(pair, kind, size, n_kicks=1).damage.mean(axis=1)
            assert fresh < none, (kind, size)


@pytest.mark.parametrize(("kind", "size"), [("scale", 0.2), ("random", 0.1)])
def test_a_tenth_of_the_kick_leaves_all_bars_nearly_level(pair, kind, size):
    assert np.abs(run_kick(pair, kind, size, n_kicks=1).damage.mean(axis=1)).max() < 0.2


@pytest.mark.thorough
def test_with_other_seeds_rotation_is_softened_less_and_not_always_clearly():
    differences = []
    for seed in (0, 1, 2, 3):
        without, with_norm = run_moving_target(("none", "rotation"), seed=seed).damage("rotation")
        differences.append(paired_interval(with_norm, without))
    course, *others = differences
    assert all(course.mean < other.mean for other in others)
    assert course.high < 0 < max(other.high for other in others)


def test_with_other_seeds_rotation_is_softened_no_more_than_with_the_course_s():
    differences = []
    for seed in (1, 2, 3):
        target = run_moving_target(("none", "rotation"), n_networks=6, seed=seed)
        without, with_norm = target.damage("rotation")
        differences.append(with_norm - without)
    assert -0.05 < np.mean(differences) < 0.02 and without.mean() > 0.3


def test_growth_is_cancelled_and_rotation_is_not(target):
    without, with_norm = target.damage("growth")
    assert without.mean() > 0.2 and np.abs(with_norm).max() < 0.01
    without, with_norm = target.damage("rotation")
    assert with_norm.mean() > 0.5 * without.mean() > 0


def test_driving_keeps_length_or_grows_it():
    weights = np.random.default_rng(0).standard_normal((2, 30, 20))
    generators = np.random.default_rng(1).spawn(2)
    rotated, grown, still = weights.copy(), weights.copy(), weights.copy()
    experiments._drive(rotated, "rotation", generators)
    experiments._drive(grown, "growth", generators)
    experiments._drive(still, "none", generators)
    lengths = [np.linalg.norm(each, axis=(-2, -1)) for each in (weights, rotated, grown)]
    np.testing.assert_allclose(lengths[1], lengths[0])
    np.testing.assert_allclose(lengths[2], 1.02 * lengths[0])
    assert not np.array_equal(rotated, weights) and np.array_equal(still, weights)


def test_ridges_are_distributions_and_the_scrubber_only_looks_up():
    first, last = final_ridges(0, "z2", 0.02, 16), final_ridges(200, "z2", 0.02, 16)
    width = np.diff(experiments.RIDGE_GRID[:2])
    for arm in last.arms:
        np.testing.assert_allclose(arm.density.sum(axis=-1) * width, 1, atol=0.02)
        assert arm.drift["ranking"] > 0
    np.testing.assert_array_equal(first.without.density, last.without.start_density)
    with pytest.raises(ValueError, match="step must be one of 0, 10"):
        final_ridges(7)


def final_ridges(*setting):
    *_, (_, ridges) = ridges_at(*setting)
    return ridges


def test_the_ridges_move_on_while_the_networks_train_and_then_are_looked_up():
    experiments._recordings.cache_clear()
    pairs = list(ridges_at(30, "z2", 0.02, 32))
    assert [ridges.step for _, ridges in pairs] == [0, 10, 20, 30]
    assert [share for share, _ in pairs] == pytest.approx([0, 1 / 3, 2 / 3, 1])
    ((share, again),) = ridges_at(30, "z2", 0.02, 32)
    assert share == 1
    np.testing.assert_array_equal(again.with_norm.density, pairs[-1][1].with_norm.density)
    on_the_way = [ridges.step for _, ridges in ridges_at(50, "h2", 0.02, 32)]
    assert on_the_way == [30, 40, 50]  # it goes on from where it stands
    assert max(experiments.record_arms(0.02, 32)[0]) == 200


def test_pictures(pair, target):
    views = [final_ridges(0, "z2", 0.02, 16), final_ridges(150, "h2", 0.02, 16)]
    check_picture(figures.RidgePicture(), *views)
    check_picture(figures.DriftPicture(), pair, dataclasses.replace(pair, without=pair.with_norm))
    kicks = [run_kick(pair, "scale", 2.0), run_kick(pair, "common direction", 2.0)]
    check_picture(figures.KickPicture(), *kicks)
    other = dataclasses.replace(
        target, late_loss={drive: 1.1 * loss for drive, loss in target.late_loss.items()}
    )
    check_picture(figures.MovingTargetPicture(), target, other)


def test_drift_picture_leaves_out_only_the_intervals_of_what_batch_norm_sets(
    pair, monkeypatch
):
    monkeypatch.setattr(figures.DriftPicture, "tops", (1, 1))  # nothing is cut off
    picture = figures.DriftPicture().show(pair)
    spans = {
        place: np.array([np.ptp(segment[:, 1]) for segment in bars.intervals.get_segments()])
        for place, bars in picture.bars.items()
    }
    # The mean without and with batch norm, then the width.
    np.testing.assert_array_equal(spans["z2", 0] > 0, [True, False, True, False])
    for place in (("z2", 1), ("h2", 0), ("h2", 1)):
        assert (spans[place] > 0).all()


def test_the_kick_picture_marks_what_it_cuts_off(pair):
    result = run_kick(pair, "common direction", 2.0)
    result = dataclasses.replace(result, damage=result.damage + np.array([[50.0], [0], [0]]))
    picture = figures.KickPicture().show(result)
    assert picture.bars.bars[0].get_height() == picture.top
    assert picture.bars.texts[0].get_text().endswith("↑")


def test_kick_table_prints_no_interval_where_the_answer_is_zero_by_construction(pair):
    row = kick_table([run_kick(pair, "scale", 2.0)]).splitlines()[1]
    assert " 0.00 " in row and "e-" not in row
    assert run_kick(pair, "random", 0.0).texts == 3 * ["0.00"]
    measured = experiments.KickResult("random", 0.5, np.full((3, 4), 0.001 * np.arange(4)))
    assert all("±" in text for text in measured.texts)  # narrow, and yet measured


def test_the_demos_follow_their_controls(pair):
    demo = demos.kick_demo(pair)
    first = demo.caption.value
    demo.controls["kind"].value = "random"
    assert demo.error is None and demo.caption.value != first
    demo = demos.ridge_demo()
    demo.controls["batch_size"].value = 16
    demo.controls["station"].value = "h2"
    demo.controls["step"].value = 200
    demo.wait()
    assert demo.error is None
    for word in ("Step 200", "h2", "batch size 16"):
        assert word in demo.caption.value


def test_the_bet_stands_beside_the_bar_and_only_at_its_own_kick(pair):
    bet = demos.kick_bet()
    demo = demos.kick_demo(pair, bet)
    ghost, axes = demo.picture.ghost, demo.picture.figure.axes[0]
    empty = demo.image.value
    for nats in (-1.0, 0.0, 5.0):
        bet.control.value = nats
        (x,), (y,) = ghost.marker.get_data()
        assert 1 < x < 1.5 and y == nats and demo.image.value != empty
        boxes = [text.get_window_extent() for text in (ghost.text, *demo.picture.bars.texts)]
        assert axes.bbox.y0 < boxes[0].y0 and boxes[0].y1 < axes.bbox.y1
        assert not any(boxes[0].overlaps(other) for other in boxes[1:])
    demo.controls["size"].value = 1.0
    assert not len(ghost.marker.get_xdata()) and not ghost.text.get_text()
    demo.controls["size"].value = 2.0
    assert list(ghost.marker.get_ydata()) == [5.0]
    bet.control.value = NO_BET
    assert demo.image.value == empty
