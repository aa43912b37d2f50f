"""Drawn faces: affine in the coat, inside [0, 1], whole, told apart, repainted smoothly."""

import colorsys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from helpers.faces import (
    KINDS,
    coat_colours,
    draw_faces,
    sample_kinds,
)

SIZES = (12, 16, 24, 37, 64)
CORNERS = np.array(list(np.ndindex(2, 2, 2)), np.float32)  # the eight purest coat colours


def generator(seed=0):
    return np.random.default_rng(seed)


def some_faces(n_each=10, image_size=24, seed=0):
    return draw_faces(np.repeat(np.arange(len(KINDS)), n_each), image_size, generator(seed))


# -- every picture is affine in its coat colour and never needs clipping --


@pytest.mark.parametrize("image_size", SIZES)
def test_shapes_and_types(image_size):
    faces = some_faces(3, image_size)
    images = faces.paint(np.full((12, 3), 0.5))
    assert faces.kinds.shape == (12,)
    assert faces.coat_map.shape == (12, image_size, image_size)
    assert faces.rest.shape == images.shape == (12, image_size, image_size, 3)
    assert faces.coat_map.dtype == faces.rest.dtype == images.dtype == np.float32


@pytest.mark.parametrize("image_size", SIZES)
def test_every_coat_gives_colours_between_0_and_1(image_size):
    faces = some_faces(8, image_size)
    for coat in CORNERS:
        images = faces.paint(np.tile(coat, (32, 1)))
        assert images.min() >= 0 and images.max() <= 1
    assert faces.coat_map.min() >= 0 and faces.coat_map.max() <= 0.95


@settings(max_examples=20, deadline=None)
@given(image_size=st.integers(12, 64), seed=st.integers(0, 2**32 - 1), share=st.floats(0, 1))
def test_blending_coats_blends_pictures(image_size, seed, share):
    rng = generator(seed)
    faces = draw_faces(sample_kinds(6, rng), image_size, rng)
    first, second = rng.random((2, 6, 3))
    blended = faces.paint((1 - share) * first + share * second)
    expected = (1 - share) * faces.paint(first) + share * faces.paint(second)
    np.testing.assert_allclose(blended, expected, rtol=0, atol=1e-6)
    assert blended.min() >= 0 and blended.max() <= 1


def test_a_picture_is_its_coat_map_times_the_coat_plus_the_rest():
    faces = some_faces()
    coats = coat_colours(40, 1, generator(5))
    expected = faces.coat_map[..., None] * coats[:, None, None, :] + faces.rest
    np.testing.assert_array_equal(faces.paint(coats), expected)


# -- drawing --


def test_the_same_generator_state_draws_the_same_faces():
    first, again, other = some_faces(seed=1), some_faces(seed=1), some_faces(seed=2)
    np.testing.assert_array_equal(first.coat_map, again.coat_map)
    np.testing.assert_array_equal(first.rest, again.rest)
    assert np.abs(first.coat_map - other.coat_map).max() > 0.5


def test_a_face_depends_on_its_own_kind_only():
    # Neighbours of other kinds move it to another block of the canvas: nothing may change.
    kinds = sample_kinds(200, generator(3))
    others = np.where(np.arange(200) % 2, (kinds + 1) % 4, kinds)
    faces, beside_others = (draw_faces(k, 16, generator(4)) for k in (kinds, others))
    np.testing.assert_allclose(faces.coat_map[::2], beside_others.coat_map[::2], atol=1e-6)
    np.testing.assert_allclose(faces.rest[::2], beside_others.rest[::2], atol=1e-6)
    assert np.all(np.abs(faces.coat_map - beside_others.coat_map)[1::2].max(axis=(1, 2)) > 0.2)


def test_a_face_is_the_same_at_two_resolutions():
    small, large = some_faces(image_size=16), some_faces(image_size=64)
    pooled = large.coat_map.reshape(40, 16, 4, 16, 4).mean(axis=(2, 4))
    assert np.abs(pooled - small.coat_map).mean() < 0.02


@pytest.mark.parametrize("image_size", SIZES)
def test_nearly_every_face_is_whole(image_size):
    coat_map = some_faces(250, image_size).coat_map
    edges = (coat_map[:, 0], coat_map[:, -1], coat_map[:, :, 0], coat_map[:, :, -1])
    cut_off = np.concatenate(edges, axis=1).max(axis=1) > 0.5
    assert cut_off.mean() < 0.02
    rows_with_fur = (coat_map.max(axis=2) > 0.3).mean(axis=1)
    assert rows_with_fur.min() > 0.4 and rows_with_fur.mean() > 0.6  # and yet faces are large


def test_black_animals_stand_out_from_their_background_and_show_their_features():
    faces = some_faces(50)
    brightness = faces.paint(coat_colours(200, 0, generator(1))).mean(axis=-1)
    coat, background = faces.coat_map > 0.85, faces.coat_map == 0
    features = ~background & (faces.coat_map < 0.3)
    for kind in range(len(KINDS)):
        ours = (faces.kinds == kind)[:, None, None]
        assert brightness[ours & coat].mean() < 0.15
        assert brightness[ours & features].mean() > 0.3
        assert brightness[ours & background].mean() > 0.55


def test_kinds_are_told_apart_by_where_the_coat_is():
    rng = generator(6)
    train, test = (draw_faces(sample_kinds(n, rng, 0.25), 24, rng) for n in (1200, 600))
    model = LogisticRegression(max_iter=1000).fit(train.coat_map.reshape(1200, -1), train.kinds)
    predicted = model.predict(test.coat_map.reshape(600, -1))
    for kind in range(len(KINDS)):
        assert (predicted == kind)[test.kinds == kind].mean() > 0.8


def test_backgrounds_do_not_give_the_kind_away():
    faces = some_faces(1000, 12)
    corner = faces.rest[:, :2, :2].mean(axis=(1, 2)).reshape(4, 1000, 3)
    assert np.ptp(corner.mean(axis=1), axis=0).max() < 0.02


def test_is_cat():
    faces = draw_faces([0, 1, 2, 3, 0], 12, generator())
    assert faces.is_cat.dtype == np.int64
    np.testing.assert_array_equal(faces.is_cat, [1, 0, 0, 0, 1])


# -- kinds and coats --


def test_sampled_kinds_have_the_wanted_frequencies():
    kinds = sample_kinds(20000, generator(), cat_fraction=0.4)
    np.testing.assert_allclose(np.bincount(kinds) / 20000, [0.4, 0.2, 0.2, 0.2], atol=0.015)
    assert set(sample_kinds(100, generator(), cat_fraction=1)) == {0}
    assert set(sample_kinds(100, generator(), cat_fraction=0)) == {1, 2, 3}


def test_coats_go_from_black_to_bright():
    black, bright = (coat_colours(1000, t, generator()) for t in (0, 1))
    assert black.dtype == bright.dtype == np.float32
    assert black.max() < 0.2 and black.std() > 0.01
    assert bright.max(axis=1).min() > 0.8 and np.ptp(bright, axis=1).min() > 0.2
    assert np.all(np.bincount(bright.argmax(axis=1)) > 250)  # red, green and blue hues


@given(t=st.floats(0, 1))
def test_the_slider_repaints_the_same_animals(t):
    black, between, bright = (coat_colours(20, c, generator(7)) for c in (0, t, 1))
    np.testing.assert_allclose(between, (1 - t) * black + t * bright, rtol=0, atol=1e-6)


def test_one_hue_for_all_keeps_saturation_and_brightness():
    any_hue, ginger = (coat_colours(50, 1, generator(8), hue=h) for h in (None, 0.08))
    any_hue, ginger = (
        np.array([colorsys.rgb_to_hsv(*coat) for coat in coats.astype(float)])
        for coats in (any_hue, ginger)
    )
    np.testing.assert_allclose(ginger[:, 0], 0.08, atol=1e-5)
    np.testing.assert_allclose(ginger[:, 1:], any_hue[:, 1:], atol=1e-5)
    assert any_hue[:, 0].min() < 0.1 and any_hue[:, 0].max() > 0.9


# -- bad input --


@pytest.mark.parametrize(
    ("kinds", "image_size", "error", "message"),
    [
        ([0, 1], 11, ValueError, "image_size must be between 12 and 64, got 11"),
        ([0, 1], 65, ValueError, "image_size must be between 12 and 64, got 65"),
        ([0, 1], 16.0, TypeError, "image_size must be an integer"),
        ([0, 4], 16, ValueError, "kinds must lie between 0 and 3, got 4"),
        ([-1, 0], 16, ValueError, "kinds must lie between 0 and 3, got -1"),
        ([0.0, 1.0], 16, TypeError, "kinds must be integer"),
        ([[0, 1]], 16, ValueError, r"kinds must have shape \(n_faces,\).*got \(1, 2\)"),
        (np.zeros(0, int), 16, ValueError, r"kinds must have shape .*got \(0,\)"),
    ],
)
def test_draw_faces_refuses(kinds, image_size, error, message):
    rng = generator()
    before = rng.bit_generator.state
    with pytest.raises(error, match=message):
        draw_faces(kinds, image_size, rng)
    assert rng.bit_generator.state == before


@pytest.mark.parametrize(
    ("coats", "error", "message"),
    [
        (np.zeros((3, 3)), ValueError, r"coats must have shape \(4, 3\), got \(3, 3\)"),
        (np.full((4, 3), 1.01), ValueError, "coats must lie between 0 and 1, got 1.01 to 1.01"),
        (np.full((4, 3), np.nan), ValueError, "coats must be finite"),
        ([["red"] * 3] * 4, TypeError, "coats must be an array of real numbers"),
    ],
)
def test_paint_refuses(coats, error, message):
    with pytest.raises(error, match=message):
        some_faces(1, 12).paint(coats)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((0, 0.5), ValueError, "n_faces must be at least 1, got 0"),
        ((2, 1.5), ValueError, r"colourfulness must be a finite number in \[0, 1\], got 1.5"),
        ((2, "red"), TypeError, "colourfulness must be a number, got 'red'"),
    ],
)
def test_coat_colours_refuses(arguments, error, message):
    with pytest.raises(error, match=message):
        coat_colours(*arguments, generator())


@pytest.mark.parametrize(
    "call",
    [
        lambda rng: sample_kinds(5, rng),
        lambda rng: coat_colours(5, 1, rng),
        lambda rng: draw_faces([0], 12, rng),
    ],
)
def test_a_seed_is_not_a_generator(call):
    with pytest.raises(TypeError, match=r"rng must be a numpy\.random\.Generator"):
        call(0)
