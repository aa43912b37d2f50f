"""Pictures that can be dyed: drawn faces and photographed clothes, in black and in full colour.

Coats and cloth are the same for people whatever their colour; a network learns from pixels. They
are painted when they are asked for: sixteen sets of 500 faces take 25 MB in each colour.
"""

from dataclasses import dataclass, replace
from itertools import chain
from weakref import WeakValueDictionary

import numpy as np

from helpers.checks import as_array, check_finite, check_has, check_integer
from helpers.datasets import load_fashion_mnist
from helpers.faces import CAT, KINDS, coat_colours, draw_faces, sample_kinds
from helpers.randomness import one_per_network


@dataclass(frozen=True, eq=False)
class Recoloured:
    """The pictures of each network before they are painted: `coat_map * coat + rest`.

    targets: (n_networks, n_pictures), 0 or 1. coat_map: (n_networks, n_pictures, n_pixels), how
    strongly a pixel shows the coat; rest: (n_networks, n_pictures, 3 * n_pixels), what else it
    shows in red, green and blue. black, bright: (n_networks, n_pictures, 3), the coats at both
    ends. Without `n_networks` they all lack the axis in front.
    """

    targets: np.ndarray
    coat_map: np.ndarray
    rest: np.ndarray
    black: np.ndarray
    bright: np.ndarray

    def in_coats(self, colourfulness):
        """Return RGB pixels from 0 to 1, float32, shaped as `rest`.

        colourfulness: from black (0) to bright (1), for all pictures or for each of them, shaped
        as `targets`. Raises ValueError for others.
        """
        share = self.check_share("colourfulness", colourfulness)[..., None]
        coats = (1 - share) * self.black + share * self.bright
        pictures = np.einsum("...p,...c->...pc", self.coat_map, coats).reshape(self.rest.shape)
        pictures += self.rest
        return np.clip(pictures, 0, 1, out=pictures)

    def check_share(self, name, values):
        """Return `values` between 0 and 1, one or as many as `targets`, else raise."""
        share = as_array(name, values)
        share = check_finite(name, share.astype(int) if share.dtype == bool else share)
        if share.shape not in ((), self.targets.shape):
            raise ValueError(f"{name} must have shape {self.targets.shape}, got {share.shape}")
        if not (share.min() >= 0 and share.max() <= 1):
            raise ValueError(f"{name} must lie in [0, 1], got {values!r}")
        return share.astype(np.float32)


def draw_animals(n_faces=500, image_size=16, *, n_networks=None, rng):
    """Return Recoloured faces, class 1 the cats, one half on average.

    n_networks=None leaves out the networks axis. rng: one generator, or a list with one for each
    network. Raises TypeError or ValueError.
    """
    image_size = check_integer("image_size", image_size, 12, 64)  # before anything is drawn
    return _join(n_networks, (
        _draw_faces(sample_kinds(n_faces, one), image_size, one)
        for one in one_per_network(rng, n_networks)
    ))


def draw_shown(n_cats=10, *, image_size=48):
    """Return Recoloured faces to look at: `n_cats` cats, then as many other animals.

    Pixels: (n_shown, image_size, image_size, 3). The same animals at any size, large for people
    and small for networks.
    """
    n_cats = check_integer("n_cats", n_cats)
    others = 1 + np.arange(n_cats) % (len(KINDS) - 1)  # 0 is the cat
    kinds = np.concatenate([np.full(n_cats, CAT), others])
    shown = _draw_faces(kinds, image_size, np.random.default_rng(1))
    return replace(shown, rest=shown.rest.reshape(len(kinds), image_size, image_size, 3))


def _draw_faces(kinds, image_size, rng):
    faces, n_faces = draw_faces(kinds, image_size, rng), len(kinds)
    (coat_rng,) = rng.spawn(1)
    coat_map, rest = (one.reshape(n_faces, -1) for one in faces)
    is_cat = (kinds == CAT).astype(np.int64)
    return Recoloured(is_cat, coat_map, rest, *coat_colours(n_faces, coat_rng))


def draw_clothes(classes=("Trouser", "Bag"), *, n_train=500, n_test=400, n_networks=None, rng):
    """Return Recoloured training and test pictures of two classes of Fashion-MNIST, 14 x 14.

    n_networks and rng as in `draw_animals`; a network's generator draws its training pictures, all
    dyes and backgrounds. The test pictures are the same for all networks, but for these.
    """
    rngs = one_per_network(rng, n_networks)
    data = load_fashion_mnist(n_train, n_test, n_networks=len(rngs), classes=classes, rng=rngs)
    train = zip(data.train_inputs, data.train_targets, rngs)
    test = [(data.test_inputs, data.test_targets, one) for one in rngs]
    return [
        _join(n_networks, (_dye(one * data.sd + data.mean, *others) for one, *others in part))
        for part in (train, test)
    ]


def _dye(grey, targets, rng):
    """Return Recoloured things, from grey pixels (n, n_pixels), before a light background."""
    grey, n_pictures = np.clip(grey, 0, 1), len(grey)  # rounding may have left it a hair outside
    background = rng.uniform(0.55, 0.9, (n_pictures, 1, 3)).astype(np.float32)
    grain = 0.02 * rng.standard_normal((*grey.shape, 3), dtype=np.float32)
    dark = (0.25 + 0.02 * rng.standard_normal((n_pictures, 3))).astype(np.float32)
    _, bright = coat_colours(n_pictures, rng)
    cover = np.clip(4 * grey, 0, 1)
    rest = ((1 - cover[..., None]) * background + grain).reshape(n_pictures, -1)
    return Recoloured(targets, cover * (0.4 + 0.6 * grey), rest, dark, bright)


def _join(n_networks, drawn):
    """Return what was drawn for each network as one; stacked at the end it would be there twice."""
    first = next(drawn)
    if n_networks is None:
        return first
    whole = [np.empty((n_networks, *one.shape), one.dtype) for one in vars(first).values()]
    for place, drawing in enumerate(chain([first], drawn)):
        for array, part in zip(whole, vars(drawing).values()):
            array[place] = part
    return Recoloured(*whole)


class Dyed:
    """What networks learn from, in certain coats; the tests can have any. Serves as `Examples`.

    train, tests: Recoloured, of several networks. coats: of `train`, as in `Recoloured.in_coats`.
    Inputs are (pixel - mean) / sd, (n_networks, n_pictures, features), with the mean and sd of
    each network's own training pixels, (n_networks, 1, 1).
    """

    def __init__(self, train, tests, coats=0, class_names=("other", "cat")):
        for name, one in (("train", train), ("tests", tests)):
            check_has(name, one, "targets", "in_coats")
        if not np.iterable(class_names) or [type(one) for one in class_names] != [str, str]:
            raise TypeError(f"class_names must be two names, got {class_names!r}")
        coats = train.check_share("coats", coats)
        self.train, self.tests, self.coats, self.class_names = train, tests, coats, class_names
        self.train_targets, self.test_targets = train.targets, tests.targets
        # Network by network: what one sees must not depend on how many others there are.
        moments = [(one.mean(dtype=float), one.std(dtype=float)) for one in train.in_coats(coats)]
        self.mean, self.sd = np.array(moments, np.float32).T[..., None, None]
        self._held = WeakValueDictionary()

    @property
    def train_inputs(self):
        """The inputs to learn from; arms that hold them at the same time share them."""
        inputs = self._held.get("train")
        if inputs is None:
            inputs = self._held["train"] = self._standardise(self.train.in_coats(self.coats))
        return inputs

    @property
    def test_inputs(self):
        """The inputs of the test pictures in full colour."""
        return self.tests_in_coats(1)

    def tests_in_coats(self, colourfulness):
        """Return the inputs of the test pictures in coats between black (0) and bright (1)."""
        return self._standardise(self.tests.in_coats(colourfulness))

    def _standardise(self, pixels):
        pixels -= self.mean
        pixels /= self.sd
        return pixels
