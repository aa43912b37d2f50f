"""Notebook 01: detectors fall as told, arms are paired, what a learner changes shows."""

import runpy

import numpy as np
import pytest
from changed_cells import run_cells
from test_picture import check_drawn, check_picture

from helpers.arms import train_arms
from helpers.covariate_shift import experiments, pictures
from helpers.covariate_shift.demos import coat_demo, non_cats_bet, region_demo, repair_bet
from helpers.datasets import region_rule, shifted_regions
from helpers.execute import ROOT
from helpers.intervals import mean_interval, paired_interval
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


@pytest.fixture(scope="module")
def others():
    """Another result of the same form."""
    return experiments.measure_coats(
        DETECTORS, n_networks=4, n_faces=200, n_steps=20, learning_rate=0.02, seed=1
    )


def test_detectors_fall_as_the_notebook_says(judged):
    plain, shortcut = judged["plain"], judged["only_cats_black"]
    assert plain["accuracy"].shape == (11, N_NETWORKS)
    black, coloured = plain["accuracy"][[0, -1]]
    reference = judged["reference"]["accuracy"][-1]
    assert (black > 0.9).all() and (coloured < 0.8).all()
    assert (coloured + 0.03 < reference).all() and (reference + 0.03 < black).all()
    for one in (plain, shortcut):
        assert (np.diff(one["cat_recall"].mean(axis=1)) < 0.01).all()
    cats, animals = shortcut["cat_recall"], shortcut["other_recall"]
    assert (shortcut["train_accuracy"] > 0.99).all()
    assert (cats[0] > 0.95).all() and (animals[-1] > 0.95).all()
    assert (cats[-1] < 0.1).all() and (animals[0] < 0.1).all()
    assert (judged["with"]["accuracy"][0] > 0.9).all()
    assert (judged["with"]["accuracy"][-1] < coloured).all()
    assert non_cats_bet().answer_of(mean_interval(cats[-1])) == "hardly any"
    lost = paired_interval(judged["with"]["accuracy"][-1], coloured)
    assert repair_bet().answer_of(lost).startswith("worse")


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
    x1 = [one.train_inputs[..., 0].mean() for one in (old, new)]
    assert x1[0] == pytest.approx(-1, abs=0.2) and x1[1] == pytest.approx(0.5, abs=0.2)


def measure_lines(distance=4, *, n_networks=16, seed=0):
    """Return {"plain", "reweighted": (n_networks,)}, how right lines are at this distance."""
    old, new = experiments.draw_regions(distance, n_networks=n_networks, seed=seed)
    pairs = zip(old.train_inputs, new.train_inputs)
    weights = np.array([importance_weights(*pair) for pair in pairs])
    arms = {"plain": {}, "reweighted": dict(sample_weights=weights)}
    runs = train_arms(arms, old, batch_size=weights.shape[-1], seed=seed, **experiments.LINE)
    return {
        name: inference_accuracy(run.network, old.test_inputs, old.test_targets)
        for name, run in runs.items()
    }


def test_reweighting_turns_the_line_where_the_regions_are_apart():
    far, near = (measure_lines(distance, n_networks=N_NETWORKS) for distance in (4, 0))
    assert (far["plain"] < 0.6).all() and (far["reweighted"] > 0.75).all()
    np.testing.assert_allclose(near["reweighted"], near["plain"], atol=0.04)


def test_exact_weights_are_what_the_classifier_estimates():
    (old, _), (new, _) = (
        shifted_regions(away, 20_000, rng=np.random.default_rng(away)) for away in (0, 1)
    )
    exact = experiments.exact_weights(old, 1)
    assert np.corrcoef(np.log(exact), np.log(importance_weights(old, new)))[0, 1] > 0.999
    # reweighted, the old region has the mean of the new one
    np.testing.assert_allclose((exact * old[:, 0]).mean(), new[:, 0].mean(), atol=0.02)
    np.testing.assert_array_equal(experiments.exact_weights(old, 0), np.ones(len(old)))


@pytest.mark.parametrize("reweighted", [False, True])
def test_view_of_one_region_shows_its_own_line(reweighted):
    view = experiments.view_regions(2.0, reweighted)
    a, b, c = view["line"]
    says_one = a * view["target"][:, 0] + b * view["target"][:, 1] + c > 0
    np.testing.assert_array_equal(view["mistaken"], says_one != region_rule(view["target"]))
    assert (view["effective"] == len(view["weights"]) == 300) is not reweighted
    row = measure_lines(2.0, n_networks=2)["reweighted" if reweighted else "plain"]
    assert view["accuracy"] == pytest.approx(row[0], abs=0.002)  # of the solver's tolerance


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


# -- pictures and demos --


def test_pictures_of_the_detectors(judged, others):
    repairs = ["plain", "with"]
    check_drawn(pictures.draw_repair(repairs, judged), pictures.draw_repair(repairs, others))
    check_drawn(*(
        pictures.draw_drop(*one["plain"]["accuracy"][[0, -1]], one["reference"]["accuracy"][-1])
        for one in (judged, others)
    ))
    check_drawn(*(pictures.draw_kinds(one["only_cats_black"]) for one in (judged, others)))
    more = judged | {"with, slower": judged["only_cats_black"]}
    picture = pictures.draw_repair([*repairs, "with, slower"], more)
    check_drawn(picture)
    labels = [one.get_text() for one in picture.figure.axes[0].get_xticklabels()]
    assert len(labels) == 3 and labels[-1] == "with, slower"
    readme = runpy.run_path(str(ROOT / "docs" / "draw_readme_picture.py"))["draw"](judged)
    check_drawn(readme)


def test_coat_slider_picture(judged):
    shown = draw_shown()
    views = [
        experiments.view_coats(judged, shown, 0.0),
        experiments.view_coats(judged, shown, 1.0, only_cats_black=True, with_reference=True),
        experiments.view_coats(judged, shown, 0.6, with_reference=True),
    ]
    picture = pictures.CoatSliderPicture()
    check_picture(picture, *views)
    assert "Coats at 0.0" in picture.sentence
    n_wrong = (judged["plain"]["verdicts"][0] != (shown.targets == 1)).sum()
    assert f"gets {n_wrong} wrong" in picture.sentence
    for bet in (0.0, 0.55, 1.0):
        picture.set_ghost(bet)
        check_picture(picture, *views)


def test_region_picture():
    views = (experiments.view_regions(*one) for one in ((2.0, True), (4.0, False)))
    check_picture(pictures.RegionPicture(), *views)


def test_reweighting_picture():
    scores = {
        distance: {"plain": np.array([0.9, 0.8]) - distance / 10, "reference": np.array([0.9, 1])}
        for distance in (0, 2, 5)
    }
    picture = pictures.draw_reweighting(scores)
    check_drawn(picture, pictures.draw_reweighting({one: scores[one] for one in (0, 2)}))
    assert "Accuracy at 5 standard deviations: 0.35 as it is" in picture.sentence


def test_tinted_picture_has_room_for_any_arm():
    tints = np.array([0.0, 0.5, 1.0])
    values = np.array([[0.98, 0.99], [0.95, 0.93], [0.7, 0.62]])
    curves = {"plain": (tints, values), "reference": ([1], np.array([[0.94, 0.95]]))}
    mine = curves | {"my own arm": (tints, values - 0.08)}
    few, more = (pictures.draw_tinted(("Sneaker", "Ankle boot"), one) for one in (curves, mine))
    check_drawn(few, more)
    assert few.sentence.startswith("Sneaker against Ankle boot in full colour: 0.")
    assert f"{mean_interval(values[-1] - 0.08)} my own arm" in more.sentence


def test_coat_demo_follows_its_controls(judged):
    panel = coat_demo(judged)
    panel.controls["coat"].value = 1.0
    before = panel.caption.value
    panel.controls["only_cats_black"].value = True
    panel.controls["with_reference"].value = True
    assert panel.error is None and "Coats at 1.0" in before
    assert panel.caption.value != before


def test_region_demo_follows_its_controls():
    panel = region_demo()
    panel.controls["distance"].value = 4.0
    panel.controls["reweighted"].value = True
    assert panel.error is None
    assert "Test points 4 sd away" in panel.caption.value
    assert "examples count as" in panel.caption.value


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


def test_the_board_has_the_lines_of_the_notebook():
    cells = ["setup", "s4-numpy", "s4-regions", "s4-measure"]
    run = run_cells("01", cells, FEW | {"[0, 1, 2, 3, 4]": "[4]"})
    learned, _ = run.names["regions"][4]
    lines = measure_lines(4, n_networks=2)
    for name, again in lines.items():
        network = run.names["lines"][4][name].network
        found = inference_accuracy(network, learned.test_inputs, learned.test_targets)
        np.testing.assert_array_equal(found, again)
