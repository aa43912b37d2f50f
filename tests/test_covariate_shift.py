"""Notebook 01: detectors fall as told, arms are paired, what a learner changes shows."""

import runpy

import numpy as np
import pytest
from changed_cells import run_cells
from test_picture import check_drawn, check_picture

from helpers.arms import train_arms
from helpers.covariate_shift import experiments, pictures
from helpers.datasets import region_rule, shifted_regions
from helpers.execute import ROOT
from helpers.intervals import mean_interval
from helpers.lecture.experiments import load_lecture
from helpers.network import inference_accuracy, predict
from helpers.randomness import spawn_streams
from helpers.recoloured import Dyed, draw_animals, draw_shown
from helpers.shift import importance_weights

DETECTORS = ("plain", "reference", "only_cats_black", "with")
N_NETWORKS = 3


@pytest.fixture(scope="module")
def judged():
    return experiments.measure_coats(DETECTORS, n_networks=N_NETWORKS, n_faces=300, n_steps=80)


def test_with_batch_norm_coloured_faces_are_recognised_less(judged):
    with_norm, plain = judged["with"]["accuracy"], judged["plain"]["accuracy"]
    assert with_norm.shape == (11, N_NETWORKS) and (with_norm[0] > 0.9).all()
    assert (with_norm[-1] < plain[-1]).all()


def test_judging_counts_faces_of_a_known_detector():
    rng = spawn_streams(0, 2).data
    train, tests = (draw_animals(30, 12, n_networks=2, rng=rng) for _ in range(2))
    data = Dyed(train, tests)
    run = train_arms(
        {"": {}}, data, hidden=[], n_steps=1, batch_size=30, learning_rate=0.1, seed=0
    )[""]
    found = experiments.judge(run.network, data, coats=(0, 0.5))
    assert found["coats"].tolist() == [0, 0.5] and found["verdicts"].shape == (2, 20)
    guesses = predict(run.network, data.tests_in_coats(0.5)).argmax(axis=-1)
    for k in range(2):
        is_cat = tests.targets[k] == 1
        assert found["cat_recall"][1, k] == pytest.approx((guesses[k][is_cat] == 1).mean())
        assert found["other_recall"][1, k] == pytest.approx((guesses[k][~is_cat] == 0).mean())
        assert found["accuracy"][1, k] == pytest.approx((guesses[k] == is_cat).mean())
    shown = draw_shown(image_size=12).in_coats(0.5).reshape(20, -1)
    inputs = (shown - data.mean[0]) / data.sd[0]
    says_cat = predict(run.network, inputs[None].repeat(2, axis=0))[0].argmax(axis=-1) == 1
    np.testing.assert_array_equal(found["verdicts"][1], says_cat)


def test_regions_share_their_test_points_and_the_rule():
    old, new = experiments.draw_regions(3.0, n_networks=2, n_train=50, n_test=80)
    np.testing.assert_array_equal(old.test_inputs, new.test_inputs)
    for points, targets in (
        (old.train_inputs, old.train_targets), (new.train_inputs, new.train_targets),
        (old.test_inputs, old.test_targets),
    ):
        np.testing.assert_array_equal(region_rule(points), targets)
    x1 = [one[..., 0].mean() for one in (old.train_inputs, new.train_inputs, old.test_inputs)]
    assert x1 == pytest.approx([-1, 0.5, 0.5], abs=0.2)


def test_exact_weights_are_what_the_classifier_estimates():
    (old, _), (new, _) = (
        shifted_regions(away, 20_000, rng=np.random.default_rng(away)) for away in (0, 1)
    )
    exact = experiments.exact_weights(old, 1)
    assert np.corrcoef(np.log(exact), np.log(importance_weights(old, new)))[0, 1] > 0.999
    # reweighted, the old region has the mean of the new one
    np.testing.assert_allclose((exact * old[:, 0]).mean(), new[:, 0].mean(), atol=0.02)
    np.testing.assert_array_equal(experiments.exact_weights(old, 0), np.ones(len(old)))


def test_halves_of_one_recording_look_alike_and_those_of_a_moved_one_do_not():
    rng = np.random.default_rng(0)
    before = rng.standard_normal((2, 200, 3))
    still, moved = (experiments.auc_of_halves(before, before + step) for step in (0, 5))
    assert still.shape == (2,) and (abs(still - 0.5) < 0.15).all() and (moved > 0.99).all()


def test_colour_summaries_look_at_the_middle_of_the_face():
    images = np.zeros((2, 10, 10, 3), np.float32)
    images[:, 3:7, 3:7] = [0.2, 0.4, 0.8]
    images[0, 3:5, 3:7, 0] = 0.6  # half of the middle
    found = experiments.colour_summaries(images.reshape(2, -1))
    np.testing.assert_allclose(found[1], [0.2, 0.4, 0.8, 0, 0, 0], atol=1e-6)
    np.testing.assert_allclose(found[0], [0.4, 0.4, 0.8, 0.2, 0, 0], atol=1e-6)


# -- pictures --


def test_pictures_of_the_detectors(judged):
    few = dict(n_networks=4, n_faces=200, n_steps=20, learning_rate=0.02, seed=1)
    others = experiments.measure_coats(DETECTORS, **few)
    readme = runpy.run_path(str(ROOT / "docs" / "draw_readme_picture.py"))["draw"](judged)
    arms = ["plain", "with", "my own arm"]
    more = judged | {"my own arm": judged["only_cats_black"]}
    check_drawn(readme, *(pictures.draw_repair(arms[:n], more) for n in (2, 3)))
    for draw in (
        lambda all_of: pictures.draw_repair(arms[:2], all_of),
        lambda all_of: pictures.draw_kinds(all_of["only_cats_black"]),
        lambda all_of: pictures.draw_drop(
            *all_of["plain"]["accuracy"][[0, -1]], all_of["reference"]["accuracy"][-1]
        ),
    ):
        check_drawn(draw(judged), draw(others))


def test_coat_slider_picture_crosses_what_is_wrong_and_has_room_for_a_bet(judged):
    shown, picture = draw_shown(), pictures.CoatSliderPicture()
    views = [experiments.view_coats(judged, shown, coat, with_reference=True) for coat in (0, 1)]
    frames = {picture.show(views[0]).png()}
    for bet in (0.0, 1.0):
        picture.set_ghost(bet)
        check_picture(picture, *views)
        frames.add(picture.png())
    assert len(frames) == 3
    n_wrong = (judged["plain"]["verdicts"][0] != (shown.targets == 1)).sum()
    assert f"gets {n_wrong} wrong" in picture.sentence


def test_pictures_of_curves_have_room_for_any_arm():
    scores = {
        distance: {"plain": np.array([0.9, 0.8]) - distance / 10, "reference": np.array([0.9, 1])}
        for distance in (0, 2, 5)
    }
    check_drawn(*(pictures.draw_reweighting(one) for one in (scores, {0: scores[0], 2: scores[2]})))
    tints = np.array([0.0, 0.5, 1.0])
    values = np.array([[0.98, 0.99], [0.95, 0.93], [0.7, 0.62]])
    curves = {"plain": (tints, values), "reference": ([1], np.array([[0.94, 0.95]]))}
    mine = curves | {"my own arm": (tints, values - 0.08)}
    few, more = (pictures.draw_tinted(("Sneaker", "Ankle boot"), one) for one in (curves, mine))
    check_drawn(few, more)
    assert f"{mean_interval(values[-1] - 0.08)} my own arm" in more.sentence


# -- a learner changes one line --

FEW = {"n_networks=16": "n_networks=2"}
SMALL = {"draw_animals(500": "draw_animals(80", "n_steps=120": "n_steps=10"}
SECTION_1 = ["setup", "s1-bet", "s1-data", "s1-train", "s1-one-coat", "s1-table", "s1-demo"]
SECTION_2 = [*SECTION_1, "s2-split", "s2-figure"]


def coloured_of(run):
    return str(mean_interval(run.names["judged"]["plain"]["accuracy"][-1]))


def test_a_changed_detector_shows_in_table_drop_and_demo():
    usual = run_cells("01", SECTION_2, FEW | SMALL)
    changed = run_cells("01", SECTION_2, FEW | SMALL | {"hidden=[32]": "hidden=[8, 8]"})
    coloured = coloured_of(changed)
    assert coloured != coloured_of(usual)
    (row,) = (line for line in changed.printed.splitlines() if line.startswith("1.0 "))
    assert coloured in row and coloured in changed.said  # the picture of the drop
    assert f"in full colour, all faces: {coloured}" in changed.printed
    panel = next(one for one in changed.shown if hasattr(one, "controls"))
    panel.controls["coat"].value = 1.0
    assert coloured in panel.picture.sentence


def test_more_networks_and_an_arm_less_show():
    change = {'    "only_cats_black": dict(data=only_cats_black),  # for section 3\n': ""}
    run = run_cells("01", SECTION_2, {"n_networks=16": "n_networks=3"} | SMALL | change)
    assert "95% intervals over 3 networks" in run.printed
    panel = next(one for one in run.shown if hasattr(one, "controls"))
    assert "only_cats_black" not in panel.controls and "(3 networks)" in panel.picture.sentence


SECTION_4 = [
    "setup", "s1-data", "s1-train", "s3-print", "s4-numpy", "s4-regions", "s4-measure", "s4-judge",
    "s4-table", "s4-figure",
]


def test_other_distances_and_another_network_show_in_the_table_of_regions():
    few = FEW | SMALL | {"[0, 1, 2, 3, 4]": "[0, 4]"}
    usual = run_cells("01", SECTION_4, few)
    far = run_cells("01", SECTION_4, few | {"[0, 4]": "[1, 3]"})
    bent = run_cells("01", SECTION_4, few | {"hidden=[]": "hidden=[16]"})
    assert "0 sd" in usual.printed and "4 sd" in usual.printed
    assert "reweighted minus as it is, at 4 sd:" in usual.printed
    assert "reweighted minus as it is, at 3 sd:" in far.printed and "4 sd" not in far.printed
    assert "Accuracy at 3 standard deviations" in far.said
    assert bent.names["scores"][4]["plain"].tolist() != usual.names["scores"][4]["plain"].tolist()
    assert bent.said != usual.said


# -- notebook, ledger and board measure the same thing --


def test_the_demo_of_regions_shows_the_lines_of_the_notebook():
    cells = ["setup", "s4-numpy", "s4-regions", "s4-measure"]
    names = run_cells("01", cells, FEW | {"[0, 1, 2, 3, 4]": "[2]"}).names
    learned, _ = names["regions"][2]
    for arm in ("plain", "reweighted"):
        view = experiments.view_regions(2.0, arm == "reweighted")
        a, b, c = view["line"]
        says_one = a * view["target"][:, 0] + b * view["target"][:, 1] + c > 0
        np.testing.assert_array_equal(view["mistaken"], says_one != region_rule(view["target"]))
        assert (view["effective"] == len(view["weights"]) == 300) == (arm == "plain")
        network = names["lines"][2][arm].network
        first, _ = inference_accuracy(network, learned.test_inputs, learned.test_targets)
        assert view["accuracy"] == pytest.approx(first, abs=0.002)  # of the solver's tolerance


def test_the_notebook_prints_what_board_and_ledger_measure():
    cells = ["setup", "s1-data", "s1-train", "s2-split"]
    run = run_cells("01", cells, {"n_networks=16": "n_networks=3"})
    story = load_lecture().story
    for name, detector in run.names["judged"].items():
        again = experiments.measure_coats([name], coats=(0, 1), n_networks=3)[name]
        for kind in ("accuracy", "cat_recall", "other_recall"):
            np.testing.assert_allclose(detector[kind], story[name][kind][:, :3], rtol=1e-6)
            np.testing.assert_array_equal(again[kind], detector[kind][[0, -1]])
    assert experiments.COATS == tuple(run.names["judged"]["plain"]["coats"])
