"""Pictures that can be dyed: dyes are affine, streams are kept apart, inputs are standardised."""

import numpy as np
import pytest

from helpers.randomness import spawn_streams
from helpers.recoloured import Dyed, draw_animals, draw_clothes, draw_shown


def data_streams(n_networks=2, seed=0):
    return spawn_streams(seed, n_networks).data


@pytest.fixture
def animals():
    return draw_animals(20, n_networks=2, rng=data_streams())


def test_animals_of_a_network_depend_on_its_own_stream_only(animals):
    three = draw_animals(20, n_networks=3, rng=data_streams(3))
    np.testing.assert_array_equal(animals.in_coats(0.5), three.in_coats(0.5)[:2])
    np.testing.assert_array_equal(animals.targets, three.targets[:2])
    alone = draw_animals(20, rng=data_streams(None))
    assert alone.targets.shape == (20,)
    np.testing.assert_array_equal(alone.in_coats(1), animals.in_coats(1)[0])
    assert not np.array_equal(*animals.in_coats(1))


def test_coats_blend_from_black_to_bright(animals):
    black, half, bright = map(animals.in_coats, (0, 0.5, 1))
    assert black.shape == (2, 20, 16 * 16 * 3) and black.dtype == np.float32
    np.testing.assert_allclose(half, (black + bright) / 2, atol=1e-6)
    assert (bright.mean(axis=-1) > black.mean(axis=-1)).all()
    is_cat = animals.targets == 1
    assert is_cat.any() and not is_cat.all()
    only_cats_black = animals.in_coats(~is_cat)
    np.testing.assert_array_equal(only_cats_black[is_cat], black[is_cat])
    np.testing.assert_array_equal(only_cats_black[~is_cat], bright[~is_cat])


def test_shown_faces_are_the_same_animals_for_people_and_for_networks():
    shown, small = draw_shown(4, image_size=48), draw_shown(4, image_size=16)
    assert shown.targets.tolist() == [1] * 4 + [0] * 4 == small.targets.tolist()
    large, small = shown.in_coats(1), small.in_coats(1).reshape(8, -1)
    blocks = large.reshape(8, 16, 3, 16, 3, 3).mean(axis=(2, 4)).reshape(8, -1)
    likeness = np.corrcoef(blocks, small)[:8, 8:]
    assert (likeness.argmax(axis=1) == np.arange(8)).all() and (np.diag(likeness) > 0.8).all()


def test_clothes_are_dyed_in_pairs_and_tested_on_the_same_pictures():
    train, test = draw_clothes(n_train=30, n_test=20, n_networks=2, rng=data_streams())
    dark, bright = train.in_coats(0), train.in_coats(1)
    assert dark.shape == (2, 30, 588) and test.in_coats(0).shape == (2, 20, 588)
    assert min(dark.min(), bright.min()) >= 0 and max(dark.max(), bright.max()) <= 1
    background = (train.coat_map == 0).repeat(3, axis=-1)
    np.testing.assert_array_equal(dark[background], bright[background])
    thing = (train.coat_map > 0.5).repeat(3, axis=-1)
    assert dark[thing].mean() < 0.3 < 0.5 < bright[thing].mean()
    np.testing.assert_array_equal(test.targets[0], test.targets[1])
    np.testing.assert_array_equal(test.coat_map[0], test.coat_map[1])
    assert not np.array_equal(*test.in_coats(1))
    alone, _ = draw_clothes(n_train=30, n_test=20, rng=data_streams(None))
    np.testing.assert_array_equal(alone.in_coats(1), bright[0])


# -- what networks learn from --


def test_all_pixels_are_standardised_by_the_training_pixels_of_their_network(animals):
    tests = draw_animals(20, n_networks=2, rng=data_streams(seed=1))
    coats = animals.targets == 0
    data, pixels = Dyed(animals, tests, coats), animals.in_coats(coats)
    assert data.class_names == ("other", "cat")
    np.testing.assert_array_equal(data.test_targets, tests.targets)
    for k in range(2):
        mean, sd = pixels[k].mean(), pixels[k].std()
        np.testing.assert_allclose(data.train_inputs[k], (pixels[k] - mean) / sd, atol=1e-4)
        for coat in (0, 0.5):
            by_hand = (tests.in_coats(coat)[k] - mean) / sd
            np.testing.assert_allclose(data.tests_in_coats(coat)[k], by_hand, atol=1e-4)
    np.testing.assert_array_equal(data.test_inputs, data.tests_in_coats(1))


def test_who_hold_the_inputs_at_the_same_time_share_them(animals):
    data = Dyed(animals, animals)
    held = data.train_inputs
    assert data.train_inputs is held


def test_what_a_network_sees_does_not_depend_on_how_many_there_are(animals):
    alone = draw_animals(20, n_networks=1, rng=data_streams(1))
    np.testing.assert_array_equal(
        Dyed(alone, alone).train_inputs[0], Dyed(animals, animals).train_inputs[0]
    )
