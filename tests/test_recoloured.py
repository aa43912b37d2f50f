"""Pictures that can be dyed: dyes are affine, streams are kept apart, inputs are standardised."""

import numpy as np
import pytest

from helpers.arms import train_arms
from helpers.randomness import spawn_streams
from helpers.recoloured import (
    Recoloured,
    black_then_coloured,
    draw_animals,
    draw_clothes,
    draw_shown,
    learn_from,
    tint,
)


def data_streams(n_networks=2, seed=0):
    return spawn_streams(seed, n_networks).data


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
    shown, small = draw_shown(4, image_size=48), draw_shown(4, image_size=16)
    assert shown.targets.tolist() == [1] * 4 + [0] * 4 == small.targets.tolist()
    blocks = shown.bright.reshape(8, 16, 3, 16, 3, 3).mean(axis=(2, 4)).reshape(8, -1)
    likeness = np.corrcoef(blocks, small.bright.reshape(8, -1))[:8, 8:]
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


# -- what networks learn from --


def test_all_pixels_are_standardised_by_the_training_pixels_of_their_network():
    train, tests = (draw_animals(20, n_networks=2, rng=data_streams(seed=n)) for n in (0, 1))
    data = learn_from(train.black, train, tests)
    for inputs in data.train_inputs:
        assert inputs.mean() == pytest.approx(0, abs=1e-4)
        assert inputs.std() == pytest.approx(1, abs=1e-4)
    for k in range(2):
        mean, sd = train.black[k].mean(), train.black[k].std()
        by_hand = (tests.bright[k] - mean) / sd
        np.testing.assert_allclose(data.test_inputs[k], by_hand, atol=1e-4)
        np.testing.assert_allclose(data.tests_in_coats(1)[k], by_hand, atol=1e-4)
        by_hand = (tests.black[k] - mean) / sd
        np.testing.assert_allclose(data.tests_in_coats(0)[k], by_hand, atol=1e-4)
    np.testing.assert_array_equal(data.test_targets, tests.targets)
    again = black_then_coloured(train, tests)
    np.testing.assert_array_equal(again.train_inputs, data.train_inputs)
    assert again.class_names == ("other", "cat")


def test_pictures_for_all_networks_are_standardised_for_each():
    pixels = np.arange(12, dtype=np.float32).reshape(2, 3, 2)
    pictures = Recoloured(np.array([[0, 1, 0]] * 2), pixels, pixels)
    data = learn_from(pixels, pictures, pictures)
    shared = data.standardise(pixels[0])
    assert shared.shape == (2, 3, 2)
    np.testing.assert_array_equal(shared[0], data.train_inputs[0])
    assert not np.allclose(shared[1], data.train_inputs[0])


def test_a_network_of_the_row_is_the_one_trained_alone():
    found = []
    for n_networks in (1, 3):
        train, tests = (
            draw_animals(40, n_networks=n_networks, rng=data_streams(n_networks, seed))
            for seed in (0, 1)
        )
        data = learn_from(train.black, train, tests)
        run = train_arms(
            {"with": dict(batch_norm=True)}, data, hidden=[8], n_steps=5, batch_size=20,
            learning_rate=0.1, seed=0,
        )["with"]
        found.append(run.network.forward(data.test_inputs, training=False)[0])
    np.testing.assert_allclose(*found, rtol=1e-10)
