"""Drawn faces: inside [0, 1] in every coat, whole, told apart, alone on their backgrounds."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from helpers.faces import KINDS, coat_colours, draw_faces, sample_kinds

SIZES = (12, 16, 24, 37, 64)


def generator(seed=0):
    return np.random.default_rng(seed)


def some_faces(n_each=10, image_size=24, seed=0):
    """Return the coat map and the rest of some faces of each kind, one kind after the other."""
    return draw_faces(np.repeat(np.arange(len(KINDS)), n_each), image_size, generator(seed))


def paint(faces, coats):
    coat_map, rest = faces
    return coat_map[..., None] * np.float32(coats)[:, None, None, :] + rest


@pytest.mark.parametrize("image_size", SIZES)
def test_every_coat_gives_colours_between_0_and_1(image_size):
    faces = some_faces(50, image_size)
    for coat in np.ndindex(2, 2, 2):  # the eight purest; all others lie between them
        images = paint(faces, np.tile(coat, (200, 1)))
        assert images.shape == (200, image_size, image_size, 3)
        assert images.min() >= 0 and images.max() <= 1
    assert faces[0].dtype == faces[1].dtype == np.float32
    assert faces[0].min() >= 0 and faces[0].max() <= 0.95


# -- drawing --


def test_a_face_depends_on_its_own_kind_only():
    # Neighbours of other kinds move it to another block of the canvas: nothing may change.
    kinds = sample_kinds(200, generator(3))
    others = np.where(np.arange(200) % 2, (kinds + 1) % 4, kinds)
    faces, beside_others = (draw_faces(k, 16, generator(4)) for k in (kinds, others))
    for one, other in zip(faces, beside_others):
        np.testing.assert_allclose(one[::2], other[::2], atol=1e-6)
    assert np.all(np.abs(faces[0] - beside_others[0])[1::2].max(axis=(1, 2)) > 0.2)


def test_a_face_is_the_same_at_two_resolutions():
    (small, _), (large, _) = some_faces(image_size=16), some_faces(image_size=64)
    pooled = large.reshape(40, 16, 4, 16, 4).mean(axis=(2, 4))
    assert np.abs(pooled - small).mean() < 0.02


@pytest.mark.parametrize("image_size", SIZES)
def test_nearly_every_face_is_whole(image_size):
    coat_map, _ = some_faces(250, image_size)
    edges = np.hstack([coat_map[:, 0], coat_map[:, -1], coat_map[:, :, 0], coat_map[:, :, -1]])
    assert (edges.max(axis=1) > 0.5).mean() < 0.02
    rows_with_fur = (coat_map.max(axis=2) > 0.3).mean(axis=1)
    assert rows_with_fur.min() > 0.4 and rows_with_fur.mean() > 0.6  # and yet faces are large


def test_black_animals_stand_out_from_their_background_and_show_their_features():
    coat_map, rest = some_faces(50)
    black, _ = coat_colours(200, generator(1))
    brightness = paint((coat_map, rest), black).mean(axis=-1)
    coat, background = coat_map > 0.85, coat_map == 0
    features = ~background & (coat_map < 0.3)
    for kind in range(len(KINDS)):
        ours = np.repeat(np.arange(len(KINDS)) == kind, 50)[:, None, None]
        assert brightness[ours & coat].mean() < 0.15
        assert brightness[ours & features].mean() > 0.3
        assert brightness[ours & background].mean() > 0.55


def test_kinds_are_told_apart_by_where_the_coat_is():
    kinds = np.arange(1800) % len(KINDS)
    coat_map = draw_faces(kinds, 24, generator(6))[0].reshape(1800, -1)
    model = LogisticRegression(max_iter=1000).fit(coat_map[:1200], kinds[:1200])
    is_right = model.predict(coat_map[1200:]) == kinds[1200:]
    assert is_right.reshape(-1, len(KINDS)).mean(axis=0).min() > 0.8


def test_backgrounds_do_not_give_the_kind_away():
    _, rest = some_faces(1000, 12)
    corner = rest[:, :2, :2].mean(axis=(1, 2)).reshape(4, 1000, 3)
    assert np.ptp(corner.mean(axis=1), axis=0).max() < 0.02


# -- kinds and coats --


def test_one_half_are_cats_and_the_others_equally_often():
    shares = np.bincount(sample_kinds(20000, generator())) / 20000
    np.testing.assert_allclose(shares, [1 / 2, 1 / 6, 1 / 6, 1 / 6], atol=0.015)


def test_coats_go_from_black_to_bright():
    black, bright = coat_colours(1000, generator())
    assert black.dtype == bright.dtype == np.float32
    assert black.max() < 0.2 and black.std() > 0.01
    assert bright.max(axis=1).min() > 0.8 and np.ptp(bright, axis=1).min() > 0.2
    assert np.all(np.bincount(bright.argmax(axis=1)) > 250)  # red, green and blue hues
