"""Pictures that can be dyed: drawn faces and photographed clothes, in black and in full colour.

Coats and cloth are the same for people whatever their colour; a network learns from pixels.
"""

from dataclasses import dataclass

import numpy as np

from helpers.checks import check_finite, check_number
from helpers.datasets import load_fashion_mnist
from helpers.faces import CAT, KINDS, coat_colours, draw_faces, sample_kinds
from helpers.randomness import one_per_network

IMAGE_SIZE = 16


@dataclass(frozen=True, eq=False)
class Recoloured:
    """The pictures of each network, in black and in full colour.

    targets: (n_networks, n_pictures), 0 or 1. black, bright: (n_networks, n_pictures, features)
    float32, RGB pixels from 0 to 1. (Drawn for no network in particular, they lack the axis in
    front.) Every coat between the two is a blend of them, since a picture
    is affine in the colour of its coat.
    """

    targets: np.ndarray
    black: np.ndarray
    bright: np.ndarray

    def in_coats(self, colourfulness):
        """Return the pixels of all pictures in coats between black (0) and bright (1)."""
        colourfulness = check_number("colourfulness", colourfulness, 0, 1)
        return blend(self.black, self.bright, colourfulness)

    def only_targets_black(self):
        """Return the pixels with every picture of class 1 in black, every other one in colour."""
        return np.where(self.targets[..., None] == 1, self.black, self.bright)


def draw_animals(n_faces=500, image_size=IMAGE_SIZE, *, n_networks=None, rng):
    """Return Recoloured faces, class 1 the cats, one half on average.

    n_networks=None leaves out the networks axis. rng: one generator, or a list with one for each
    network. Raises TypeError or ValueError.
    """
    drawn = [_draw_animals(n_faces, image_size, one) for one in one_per_network(rng, n_networks)]
    return _join(drawn, n_networks)


def _draw_animals(n_faces, image_size, rng):
    faces = draw_faces(sample_kinds(n_faces, rng), image_size, rng)
    black, bright = _black_and_bright(faces, rng)
    return faces.is_cat, black.reshape(n_faces, -1), bright.reshape(n_faces, -1)


def draw_shown(n_cats=10, *, image_size=48, seed=1):
    """Return Recoloured faces to look at: `n_cats` cats, then as many other animals.

    targets: (n_shown,). black, bright: (n_shown, image_size, image_size, 3). A seed draws the same
    animals at any size, large for people and small for networks.
    """
    others = [kind for kind in range(len(KINDS)) if kind != CAT]
    kinds = np.array([CAT] * n_cats + [others[i % len(others)] for i in range(n_cats)])
    rng = np.random.default_rng(seed)
    faces = draw_faces(kinds, image_size, rng)
    return Recoloured(faces.is_cat, *_black_and_bright(faces, rng))


def _join(drawn, n_networks):
    """Return one Recoloured of the (targets, black, bright) that each network has drawn."""
    return Recoloured(*drawn[0] if n_networks is None else map(np.stack, zip(*drawn)))


def _black_and_bright(faces, rng):
    (coat_rng,) = rng.spawn(1)
    n_faces = len(faces.kinds)
    return _from_one_state(
        coat_rng, lambda colour: faces.paint(coat_colours(n_faces, colour, coat_rng))
    )


def _from_one_state(rng, paint):
    """Return paint(0) and paint(1), both drawing the same numbers from `rng`."""
    state = rng.bit_generator.state
    black = paint(0)
    rng.bit_generator.state = state
    return black, paint(1)


def blend(black, bright, colourfulness):
    return black + np.float32(colourfulness) * (bright - black)


def tint(grey, colourfulness, rng):
    """Return grey pictures (n, pixels) as RGB pictures (n, 3 * pixels), float32 in [0, 1].

    grey: from 0 (background) to 1. The thing on the picture is dyed between dark grey
    (colourfulness 0) and bright (1) and put before a light background with a little grain.
    Generators in the same state give the same backgrounds and hues. Raises ValueError for
    another shape and for values outside [0, 1].
    """
    grey = check_finite("grey", grey, dtype=np.float32)
    colourfulness = check_number("colourfulness", colourfulness, 0, 1)
    if grey.ndim != 2 or not grey.size or grey.min() < 0 or grey.max() > 1:
        raise ValueError(f"grey must hold (n, pixels) values in [0, 1], got shape {grey.shape}")
    n_pictures = len(grey)
    background = rng.uniform(0.55, 0.9, (n_pictures, 1, 3)).astype(np.float32)
    grain = 0.02 * rng.standard_normal((*grey.shape, 3), dtype=np.float32)
    dark = 0.25 + 0.02 * rng.standard_normal((n_pictures, 3))
    bright = coat_colours(n_pictures, 1, rng)
    dye = blend(dark.astype(np.float32), bright, colourfulness)[:, None, :]
    cover = np.clip(4 * grey, 0, 1)[..., None]
    shade = (0.4 + 0.6 * grey)[..., None]
    pictures = (1 - cover) * background + cover * shade * dye
    return np.clip(pictures + grain, 0, 1).reshape(n_pictures, -1)


def draw_clothes(classes=("Trouser", "Bag"), *, n_train=500, n_test=400, n_networks=None, rng):
    """Return Recoloured training and test pictures of two classes of Fashion-MNIST, 14 x 14.

    n_networks and rng as in `draw_animals`; a network's generator draws its training pictures and
    all its tints. The test pictures are the same for all networks, but for the tint.
    """
    rngs = one_per_network(rng, n_networks)
    data = load_fashion_mnist(n_train, n_test, n_networks=len(rngs), classes=classes, rng=rngs)
    train = zip(data.train_inputs, data.train_targets)
    test = [(data.test_inputs, data.test_targets)] * len(rngs)
    parts = []
    for part in (train, test):
        drawn = [
            (targets, *_dark_and_bright(inputs * data.sd + data.mean, one))
            for (inputs, targets), one in zip(part, rngs)
        ]
        parts.append(_join(drawn, n_networks))
    return parts


def _dark_and_bright(grey, rng):
    grey = np.clip(grey, 0, 1)  # rounding may have left it a hair outside
    return _from_one_state(rng, lambda colour: tint(grey, colour, rng))


@dataclass(frozen=True, eq=False)
class Dyed:
    """What networks learn from in one dye; the tests can have any. Serves as `Examples`.

    An input is (pixel - mean) / sd. train_inputs: (n_networks, n_train, features). mean, sd:
    (n_networks, 1, 1), those of each network's own training pixels. tests: Recoloured.
    """

    train_inputs: np.ndarray
    train_targets: np.ndarray
    class_names: tuple[str, ...]
    mean: np.ndarray
    sd: np.ndarray
    tests: Recoloured

    def standardise(self, pixels):
        """Return the inputs of pixels (..., n_pictures, features), one set for each network."""
        return (pixels - self.mean) / self.sd

    def tests_in_coats(self, colourfulness):
        """Return the inputs of the test pictures in coats between black (0) and bright (1)."""
        return self.standardise(self.tests.in_coats(colourfulness))

    @property
    def test_inputs(self):
        """The inputs of the test pictures in full colour."""
        return self.standardise(self.tests.bright)

    @property
    def test_targets(self):
        return self.tests.targets


def learn_from(pixels, train, tests, class_names=("other", "cat")):
    """Return Dyed: the pictures of `train` as these `pixels`, such as train.black, and the tests.

    train, tests: Recoloured, of several networks.
    """
    mean, sd = pixel_mean_and_sd(pixels)
    return Dyed((pixels - mean) / sd, train.targets, tuple(class_names), mean, sd, tests)


def black_then_coloured(train, tests, class_names=("other", "cat")):
    """Return Dyed data to learn from the black pictures of `train`; tests are in full colour."""
    return learn_from(train.black, train, tests, class_names)


def pixel_mean_and_sd(pixels):
    """Return mean and standard deviation of each network's pixels, float32 (n_networks, 1, 1).

    pixels: (n_networks, n_pictures, features). One mean for all pixels of a network, and never
    one for all networks: what network k sees must not depend on how many others there are.
    """
    over = dict(axis=(-2, -1), keepdims=True, dtype=np.float64)
    return pixels.mean(**over).astype(np.float32), pixels.std(**over).astype(np.float32)
