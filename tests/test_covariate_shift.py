"""Notebook 01: dyes are affine, arms are paired, main effects have their sign, pictures hold."""

import numpy as np
import pytest
from test_picture import check_picture

from helpers.datasets import region_rule, shifted_regions
from helpers.demos.covariate_shift import (
    coat_bet,
    coat_demo,
    region_demo,
    repair_bet,
    shortcut_bet,
)
from helpers.demos.prediction import NO_BET
from helpers.experiments import covariate_shift as experiment
from helpers.experiments.covariate_shift import (
    draw_animals,
    draw_clothes,
    draw_shown,
    exact_weights,
    measure_coats,
    measure_face_reweighting,
    measure_flexible,
    measure_regions,
    measure_tinted_pair,
    tint,
    train_detector,
    view_coats,
    view_regions,
    watch_layer_three,
)
from helpers.figures.covariate_shift import (
    BatchNormBarsPicture,
    CoatPicture,
    CoatSliderPicture,
    DropPicture,
    RegionPicture,
    ReweightingPicture,
    ShortcutPicture,
    TintedPicture,
)
from helpers.intervals import mean_interval, paired_interval
from helpers.randomness import spawn_streams

N_NETWORKS = 3


@pytest.fixture(scope="module")
def story():
    return measure_coats(n_networks=N_NETWORKS, n_faces=300, n_steps=80)


@pytest.fixture(scope="module")
def another_story():
    return measure_coats(n_networks=4, n_faces=200, n_steps=20, seed=1)


@pytest.fixture(scope="module")
def regions():
    return measure_regions((0, 4), n_networks=N_NETWORKS, n_test=300)


def data_streams(n_networks=2, seed=0):
    return spawn_streams(seed, n_networks).data


# -- pictures that can be dyed --


def test_animals_of_a_network_depend_on_its_own_stream_only():
    two, three = (draw_animals(20, n_networks=n, rng=data_streams(n)) for n in (2, 3))
    np.testing.assert_array_equal(two.bright, three.bright[:2])
    np.testing.assert_array_equal(two.targets, three.targets[:2])
    assert not np.array_equal(two.bright[0], two.bright[1])


def test_animals_take_one_generator_or_one_for_each_network():
    alone, first = (draw_animals(20, n_networks=n, rng=data_streams(n)) for n in (None, 1))
    assert alone.targets.shape == (20,) and alone.black.shape == (20, 16 * 16 * 3)
    np.testing.assert_array_equal(alone.bright, first.bright[0])
    spawned = draw_animals(20, n_networks=3, rng=np.random.default_rng(0))
    assert spawned.bright.shape == (3, 20, 16 * 16 * 3)
    with pytest.raises(ValueError, match="rng must hold 3 generators, got 2"):
        draw_animals(20, n_networks=3, rng=data_streams(2))


def test_dyed_animals_blend_from_black_to_bright():
    animals = draw_animals(20, n_networks=2, rng=data_streams())
    assert animals.black.shape == animals.bright.shape == (2, 20, 16 * 16 * 3)
    np.testing.assert_array_equal(animals.in_coats(0), animals.black)
    np.testing.assert_allclose(animals.in_coats(1), animals.bright, atol=1e-6)
    half = (animals.black + animals.bright) / 2
    np.testing.assert_allclose(animals.in_coats(0.5), half, atol=1e-6)
    with pytest.raises(ValueError, match=r"colourfulness must be .* got 1.5"):
        animals.in_coats(1.5)


def test_only_cats_stay_black_in_the_shortcut_training_set():
    animals = draw_animals(20, n_networks=2, rng=data_streams())
    is_cat = animals.targets == 1
    assert is_cat.any() and not is_cat.all()
    pixels = animals.only_targets_black()
    np.testing.assert_array_equal(pixels[is_cat], animals.black[is_cat])
    np.testing.assert_array_equal(pixels[~is_cat], animals.bright[~is_cat])


def test_shown_faces_are_the_same_animals_for_people_and_for_networks():
    shown = draw_shown(4, image_size=16, large=48)
    assert shown.is_cat.tolist() == [True] * 4 + [False] * 4
    blocks = shown.bright.reshape(8, 16, 3, 16, 3, 3).mean(axis=(2, 4)).reshape(8, -1)
    small = shown.small.bright[0]
    likeness = np.corrcoef(blocks, small)[:8, 8:]
    assert (likeness.argmax(axis=1) == np.arange(8)).all() and (np.diag(likeness) > 0.8).all()


def test_tint_dyes_the_thing_and_leaves_the_background():
    grey = np.zeros((3, 4), np.float32)
    grey[:, 0] = 1
    dark, bright = (
        tint(grey, colour, np.random.default_rng(0)).reshape(3, 4, 3) for colour in (0, 1)
    )
    np.testing.assert_array_equal(dark[:, 1:], bright[:, 1:])
    assert dark[:, 0].max() < 0.45 < bright[:, 0].max(axis=-1).min()
    assert dark[:, 0].std(axis=-1).max() < 0.1 < bright[:, 0].std(axis=-1).min()


@pytest.mark.parametrize(
    ("grey", "colourfulness", "message"),
    [
        (np.full((2, 4), 1.5), 0, "grey must hold"),
        (np.full((2, 4), -0.5), 0, "grey must hold"),
        (np.zeros(4), 0, "grey must hold"),
        (np.full((2, 4), np.nan), 0, "grey must be finite"),
        (np.zeros((2, 4)), 2, "colourfulness must be"),
    ],
)
def test_tint_refuses_bad_input(grey, colourfulness, message):
    with pytest.raises(ValueError, match=message):
        tint(grey, colourfulness, np.random.default_rng(0))


def test_clothes_are_dyed_in_pairs_and_tested_on_the_same_pictures():
    train, test = draw_clothes(n_train=30, n_test=20, n_networks=2, rng=data_streams())
    assert train.black.shape == train.bright.shape == (2, 30, 588)
    assert test.black.shape == (2, 20, 588)
    np.testing.assert_array_equal(test.targets[0], test.targets[1])
    assert not np.array_equal(test.bright[0], test.bright[1])
    assert train.black.min() >= 0 and train.bright.max() <= 1
    more, _ = draw_clothes(n_train=30, n_test=20, n_networks=3, rng=data_streams(3))
    np.testing.assert_array_equal(train.bright, more.bright[:2])
    alone, _ = draw_clothes(n_train=30, n_test=20, rng=data_streams(None))
    np.testing.assert_array_equal(train.bright[0], alone.bright)


# -- what the notebook claims, with few networks --


def test_detector_falls_with_the_coats_and_half_of_it_is_not_shift(story):
    assert story.plain.accuracy.shape == (11, N_NETWORKS)
    black, coloured = story.plain.accuracy[0], story.plain.accuracy[-1]
    reference = story.reference.accuracy[-1]
    assert (black > 0.9).all() and (coloured < 0.8).all()
    assert (coloured + 0.03 < reference).all() and (reference + 0.03 < black).all()


def test_recalls_make_up_the_accuracy(story):
    assert (story.plain.cat_recall[-1] < story.plain.cat_recall[0] - 0.2).all()
    low = np.minimum(story.plain.cat_recall, story.plain.other_recall)
    high = np.maximum(story.plain.cat_recall, story.plain.other_recall)
    assert ((low <= story.plain.accuracy) & (story.plain.accuracy <= high)).all()


def test_more_colour_means_more_missed_cats_for_both_detectors(story):
    for detector in (story.plain, story.shortcut):
        assert (np.diff(detector.cat_recall.mean(axis=1)) < 0.01).all()


def test_shortcut_reads_the_coat_and_not_the_face(story):
    shortcut = story.shortcut
    assert (shortcut.train_accuracy > 0.99).all()
    assert (shortcut.cat_recall[0] > 0.95).all() and (shortcut.other_recall[-1] > 0.95).all()
    assert (shortcut.cat_recall[-1] < 0.1).all() and (shortcut.other_recall[0] < 0.1).all()


def test_batch_norm_with_stored_statistics_falls_further(story):
    for detector in (story.batch_norm, story.batch_norm_faster):
        assert (detector.accuracy[0] > 0.9).all()
        assert (detector.accuracy[-1] < story.plain.accuracy[-1]).all()


def test_detector_trained_alone_is_the_one_trained_in_lock_step():
    settings = dict(batch_norm=True, seed=0, n_steps=5, batch_size=20, learning_rate=0.1)
    predictions = []
    for n_networks in (1, 3):
        animals = draw_animals(40, n_networks=n_networks, rng=data_streams(n_networks))
        predict = train_detector(
            animals.black, animals.targets, n_networks=n_networks, **settings
        )
        predictions.append(predict(animals.bright)[0])
    np.testing.assert_array_equal(*predictions)


def test_coats_move_the_progress_bar_once_a_step():
    calls = []
    measure_coats(
        n_networks=2, n_faces=20, n_steps=3, batch_size=10, on_step=lambda: calls.append(1)
    )
    assert len(calls) == 5 * 3


def test_reweighting_turns_the_line_where_the_regions_are_apart(regions):
    assert (regions.plain[1] < 0.6).all() and (regions.reweighted[1] > 0.75).all()
    np.testing.assert_allclose(regions.reweighted[0], regions.plain[0], atol=0.04)
    assert (regions.effective[0] > 250).all() and (regions.effective[1] < 50).all()
    assert (abs(regions.auc[0] - 0.5) < 0.1).all() and (regions.auc[1] > 0.98).all()
    assert (regions.recentred[1] < 0.65).all()
    assert (regions.exact_effective[0] == 300).all()
    assert (regions.exact_effective[1] < regions.effective[1]).all()
    assert (regions.plain[1] < regions.commoner[1]).all() and (regions.commoner >= 0.5).all()


def test_exact_weights_are_what_the_classifier_estimates():
    (old, _), (new, _) = (
        shifted_regions(away, 20_000, rng=np.random.default_rng(away)) for away in (0, 1)
    )
    exact = exact_weights(old, 1)
    estimated = experiment.importance_weights(old, new)
    assert np.corrcoef(np.log(exact), np.log(estimated))[0, 1] > 0.999
    # reweighted, the old region has the mean of the new one
    np.testing.assert_allclose((exact * old[:, 0]).mean(), new[:, 0].mean(), atol=0.02)


def test_reweighting_rescues_a_flexible_net_too():
    plain, reweighted = measure_flexible(n_networks=N_NETWORKS)
    assert reweighted.mean() > plain.mean()


def test_view_of_one_region_shows_its_own_line():
    view = view_regions(2.0, False)
    a, b, c = view.line
    says_one = a * view.target[:, 0] + b * view.target[:, 1] + c > 0
    np.testing.assert_array_equal(view.mistaken, says_one != region_rule(view.target))
    assert view.effective == len(view.weights) == 300


def test_layer_three_receives_other_inputs_later():
    seen = watch_layer_three((10,), n_networks=2, n_faces=200)
    assert (seen.auc > 0.9).all() and (abs(seen.still - 0.5) < 0.15).all()


def test_watching_moves_the_progress_bar_once_for_each_auc():
    calls = []
    watch_layer_three(
        (1, 2), later=1, n_networks=2, n_faces=40, batch_size=10, on_step=lambda: calls.append(1)
    )
    assert len(calls) == 2 * 2 * 2


FEW_FACES = dict(n_networks=2, n_faces=200, n_steps=40, batch_size=50)


def test_reweighting_harms_the_faces():
    faces = measure_face_reweighting(0.05, **FEW_FACES)
    assert (faces.auc > 0.85).all() and (faces.effective < 60).all()
    assert (faces.reweighted < faces.plain).all()


def test_reweighting_faces_is_paired_with_and_without_weights(monkeypatch):
    monkeypatch.setattr(
        experiment, "importance_weights", lambda source, _target, **_options: np.ones(len(source))
    )
    faces = measure_face_reweighting(0.05, **FEW_FACES)
    np.testing.assert_array_equal(faces.reweighted, faces.plain)
    assert (faces.effective == 200).all()


@pytest.fixture(scope="module")
def pair():
    return measure_tinted_pair(n_networks=2, n_train=200, n_steps=60, batch_size=50)


def test_tinted_clothes_fall_below_the_reference(pair):
    assert (pair.plain[0] > 0.95).all()
    assert (pair.plain[-1] < pair.reference).all()


# -- pictures and demos --


def test_pictures_of_the_story(story, another_story):
    for picture in (DropPicture(), BatchNormBarsPicture(), CoatPicture()):
        check_picture(picture, story, another_story)
    check_picture(ShortcutPicture(), story.shortcut, another_story.shortcut)


def test_coat_slider_picture(story):
    views = [
        view_coats(story, 0.0),
        view_coats(story, 1.0, shortcut=True, with_reference=True),
        view_coats(story, 0.6, with_reference=True),
    ]
    picture = CoatSliderPicture()
    check_picture(picture, *views)
    assert "Coats at 0.0" in picture.sentence
    n_wrong = (views[0].says_cat != views[0].is_cat).sum()
    assert f"gets {n_wrong} wrong" in picture.sentence


def test_region_and_reweighting_pictures(regions):
    check_picture(RegionPicture(), *(view_regions(*two) for two in ((2.0, True), (4.0, False))))
    others = measure_regions((0, 2), n_networks=2, n_test=200)
    check_picture(ReweightingPicture(), regions, others)


def test_tinted_picture(pair):
    another = measure_tinted_pair(
        ("Sneaker", "Ankle boot"), n_networks=2, n_train=100, n_steps=20, batch_size=50
    )
    check_picture(TintedPicture(), pair, another)


def test_coat_demo_follows_its_controls(story):
    panel = coat_demo(story)
    panel.controls["coat"].value = 1.0
    before = panel.caption.value
    panel.controls["shortcut"].value = True
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


# -- bets --


def test_bets_are_answered_by_what_these_networks_do(story):
    assert shortcut_bet().answer_of(mean_interval(story.shortcut.cat_recall[-1])) == "hardly any"
    lost = paired_interval(story.batch_norm.accuracy[-1], story.plain.accuracy[-1])
    assert repair_bet().answer_of(lost).startswith("worse")


def test_a_bet_stays_in_the_coat_demo_at_full_colour(story):
    bet = coat_bet()
    panel = coat_demo(story, bet)
    without = panel.image.value
    bet.control.value = 0.3
    ghost = panel.picture.ghost
    assert [*ghost.marker.get_xydata()[0]] == [1, 0.3] and ghost.text.get_text() == "your bet"
    with_ghost = panel.image.value
    assert with_ghost != without
    panel.controls["coat"].value = 1.0
    assert [*ghost.marker.get_xydata()[0]] == [1, 0.3]
    panel.controls["coat"].value = 0.6
    assert panel.image.value == with_ghost
    bet.control.value = NO_BET
    assert panel.image.value == without


@pytest.mark.parametrize("number", [0.0, 0.55, 1.0])
def test_the_ghost_of_any_bet_fits_into_the_picture(story, number):
    picture = CoatSliderPicture()
    picture.set_ghost(number)
    check_picture(picture, view_coats(story, 0.6), view_coats(story, 1.0, with_reference=True))
    low, high = picture.axes.get_ylim()
    assert low + 0.03 < number < high - 0.03  # the whole marker
