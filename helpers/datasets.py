"""The pictures and points that the networks learn from: a Fashion-MNIST subset and a 2-D toy.

Everything comes from the data folder or from a random generator; nothing is ever downloaded.
Fashion-MNIST is by Xiao, Rasul & Vollgraf (2017), arXiv:1708.07747; data/README.md tells more.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from helpers.checks import check_choice, check_finite, check_integer, check_number
from helpers.randomness import one_per_network, spawn_streams

FASHION_MNIST_FILE = Path(__file__).resolve().parents[1] / "data" / "fashion_mnist.npz"
FASHION_MNIST_ARRAYS = {  # name: shape of the uint8 array, SHA-256 of its bytes
    "train_images": (
        (10_000, 28, 28),
        "0618f95298176b9eadb18d2b85683cebb6be9cf6e0907ebd6a7ee79bb54412bd",
    ),
    "train_labels": (
        (10_000,),
        "7da08443c3bc01813b0becf17a9f2c08a3bd3cef6021c6f8dad77c5611784d3b",
    ),
    "test_images": (
        (2_000, 28, 28),
        "0b760b1d580aab0a6e77f696c3376102b2402700a5ada2de0942115f6887fb81",
    ),
    "test_labels": (
        (2_000,),
        "d03b69ba5773b0623b533415075c3b7506665eb60bd03cf4b18533c935627a8c",
    ),
}
CLASS_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
IMAGE_SIZES = (28, 14, 7)


@dataclass(frozen=True, eq=False)
class Examples:
    """What networks learn from, and what they are tested on."""

    train_inputs: np.ndarray  # (n_train, d), or (n_networks, n_train, d): a set for each network
    train_targets: np.ndarray  # integers (n_train,) or (n_networks, n_train)
    test_inputs: np.ndarray
    test_targets: np.ndarray
    class_names: tuple[str, ...]  # class_names[target] is the name of a target


@dataclass(frozen=True, eq=False)
class FashionMNIST(Examples):
    """Standardised pictures and their classes; an input is (grey - mean) / sd of its pixels.

    Inputs are float32, targets int64; test inputs (n_test, d) are shared by all networks, and test
    targets are never wrong. mean and sd are single numbers, in grey levels from 0 (black) to 1
    (white), so `inputs * sd + mean` gives the grey levels back. d = image_size ** 2.
    """

    mean: float
    sd: float


def load_fashion_mnist(
    n_train=512,
    n_test=1000,
    image_size=14,
    label_noise=0.0,
    n_networks=None,
    classes=None,
    *,
    rng=None,
    seed=None,
):
    """Return FashionMNIST data: a random training subset for each network, one test set for all.

    The training images are drawn without replacement from the 10,000 of the data folder, those
    of network k by generator k alone; the test images are the first `n_test` of its 2,000.
    Either `rng` is given, one generator or a list with one for each network, or `seed`, whose
    streams for data are taken.
    `image_size` 14 and 7 average blocks of 2 x 2 and 4 x 4 pixels. `label_noise` is the share of
    training labels replaced by one drawn uniformly from all classes, the right one included, so
    that 0.2 makes 18% of ten classes wrong. The same generator state gives the same images at
    any label_noise, and a smaller `n_train` gives the first rows of a larger one. `classes`
    keeps only these (ids or names, see CLASS_NAMES), as targets 0, 1, ... in the given order.

    Raises TypeError or ValueError for bad arguments and for a damaged data file, and
    FileNotFoundError for a missing one.
    """
    image_size = check_choice("image_size", check_integer("image_size", image_size), IMAGE_SIZES)
    label_noise = check_number("label_noise", label_noise, 0.0, 1.0)
    class_ids = _check_classes(classes)
    raw = read_fashion_mnist()
    train_rows, train_labels = _keep_classes(raw.train_labels, class_ids)
    test_rows, test_labels = _keep_classes(raw.test_labels, class_ids)
    n_train = check_integer("n_train", n_train, high=len(train_rows), high_is="the training pool")
    n_test = check_integer("n_test", n_test, high=len(test_rows), high_is="the test pool")
    if (rng is None) == (seed is None):
        raise TypeError(f"give either rng or seed, got rng={rng!r} and seed={seed!r}")
    rng = spawn_streams(seed, n_networks).data if rng is None else rng
    generators = one_per_network(rng, n_networks)

    draws = [
        _draw_examples(train_labels, n_train, len(class_ids), label_noise, generator)
        for generator in generators
    ]
    chosen, train_targets = (_join(parts, n_networks) for parts in zip(*draws))
    pixels = _pooled_pixels(image_size)
    return FashionMNIST(
        train_inputs=pixels.levels[pixels.train_sums[train_rows[chosen]]],
        train_targets=train_targets,
        test_inputs=pixels.levels[pixels.test_sums[test_rows[:n_test]]],
        test_targets=test_labels[:n_test],
        class_names=tuple(CLASS_NAMES[i] for i in class_ids),
        mean=pixels.mean,
        sd=pixels.sd,
    )


def _check_classes(classes):
    """Return `classes` as a list of distinct class ids; None stands for all of them."""
    if classes is None:
        return list(range(len(CLASS_NAMES)))
    if isinstance(classes, str) or not isinstance(classes, (Sequence, np.ndarray)):
        raise TypeError(f"classes must be a sequence of class ids or names, got {classes!r}")
    class_ids = [_check_class(one) for one in classes]
    if len(class_ids) < 2 or len(set(class_ids)) < len(class_ids):
        raise ValueError(f"classes must hold at least two, all different, got {classes!r}")
    return class_ids


def _check_class(one):
    if isinstance(one, str):
        return CLASS_NAMES.index(check_choice("a name in classes", one, CLASS_NAMES))
    return check_integer("an id in classes", one, low=0, high=len(CLASS_NAMES) - 1)


def _keep_classes(labels, class_ids):
    """Return the rows whose label is among `class_ids`, and their targets 0, 1, ... (int64)."""
    target_of_label = np.full(len(CLASS_NAMES), -1, dtype=np.int64)
    target_of_label[class_ids] = np.arange(len(class_ids))
    targets = target_of_label[labels]
    rows = np.flatnonzero(targets >= 0)
    return rows, targets[rows]


def _draw_examples(labels, n_train, n_classes, label_noise, generator):
    """Return which `n_train` of the labelled examples are drawn, and their maybe wrong labels.

    Every call takes the same numbers from the generator, whatever n_train and label_noise:
    arms that differ in one of them share all the rest.
    """
    order = generator.permutation(len(labels))
    replaced = generator.random(len(labels)) < label_noise
    noisy_labels = np.where(replaced, generator.integers(n_classes, size=len(labels)), labels)
    chosen = order[:n_train]
    return chosen, noisy_labels[chosen]


def _join(parts, n_networks):
    """Return the arrays of all networks as one with a networks axis; None means no such axis."""
    return parts[0] if n_networks is None else np.stack(parts)


# -- from the file to pooled pixels --


class RawImages(NamedTuple):
    """The arrays of the data file, uint8 and read-only: images (n, 28, 28), labels (n,)."""

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


@lru_cache
def read_fashion_mnist(path=FASHION_MNIST_FILE):
    """Return the RawImages in `path`; they are kept in memory for the next call.

    Each block of ten images shows all ten classes, so every prefix is balanced to within one.
    Raises FileNotFoundError when the file is missing, ValueError when it is damaged.
    """
    restore = (
        f"Restore it with `git checkout -- data/{FASHION_MNIST_FILE.name}` "
        "or rebuild it with `python data/build_fashion_mnist.py`."
    )
    arrays = read_arrays(path, FASHION_MNIST_ARRAYS, restore)
    if difference := find_difference(arrays):
        raise ValueError(f"{path} is altered: {difference}. {restore}")
    make_read_only(*arrays.values())
    return RawImages(**arrays)


def read_arrays(path, names, restore):
    """Return {name: array} of the .npz archive `path`, which may hold others, too.

    restore: a sentence that says how to get the file back, the end of every message. Raises
    FileNotFoundError when the file is missing, ValueError when it is damaged or lacks a name.
    Pickled objects are never loaded.
    """
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in names if name in archive.files}
    except FileNotFoundError:
        raise FileNotFoundError(
            f"{path} is missing. {restore} The data folder is looked for beside the package: "
            "only editable installs (`pip install -e .`) are supported."
        ) from None
    except Exception as error:  # damage surfaces in zipfile, zlib or NumPy, as many types
        raise ValueError(
            f"{path} cannot be read as an .npz archive, it may be truncated or altered. {restore}"
        ) from error
    if missing := [name for name in names if name not in arrays]:
        raise ValueError(
            f"{path} lacks {', '.join(missing)}, it may be truncated or altered. {restore}"
        )
    return arrays


def make_read_only(*arrays):
    """Forbid to write into arrays that are kept for the next caller."""
    for array in arrays:
        array.flags.writeable = False


def find_difference(arrays):
    """Return in words how `arrays` (name -> array) differ from the course's, None if not at all."""
    for name, (shape, checksum) in FASHION_MNIST_ARRAYS.items():
        array = arrays[name]
        if array.shape != shape or array.dtype != np.uint8:
            return f"{name} must be uint8 of shape {shape}, got {array.dtype} of {array.shape}"
        found = hashlib.sha256(array.tobytes()).hexdigest()
        if found != checksum:
            return f"{name} must have SHA-256 {checksum}, got {found}"
    return None


class _PooledPixels(NamedTuple):
    """Block sums of pixels, exact integers, and what turns them into standardised inputs."""

    train_sums: np.ndarray  # (n, image_size ** 2)
    test_sums: np.ndarray
    mean: float  # over all training images and pixels, in grey levels from 0 to 1
    sd: float
    levels: np.ndarray  # levels[sum] is the input, float32


@lru_cache
def _pooled_pixels(image_size):
    # Integers add up to the same total in any order, and each float operation after that is
    # rounded as IEEE 754 demands: every machine gets the same inputs to the last bit.
    raw = read_fashion_mnist()
    train_sums = _sum_blocks(raw.train_images, image_size)
    test_sums = _sum_blocks(raw.test_images, image_size)
    n_sums = train_sums.size
    total = int(train_sums.sum(dtype=np.int64))
    total_of_squares = int(np.einsum("ij,ij->", train_sums, train_sums, dtype=np.int64))
    white = 255 * (28 // image_size) ** 2  # the sum of a block of white pixels
    mean = total / (n_sums * white)
    sd = math.sqrt(n_sums * total_of_squares - total**2) / (n_sums * white)
    levels = ((np.arange(white + 1) / white - mean) / sd).astype(np.float32)
    return _PooledPixels(train_sums, test_sums, mean, sd, levels)


def _sum_blocks(images, image_size):
    """Return the pixel sums of square blocks of (n, 28, 28) images: uint16 (n, image_size**2)."""
    width = 28 // image_size
    sums = np.zeros((len(images), image_size, image_size), np.uint16)
    for row in range(width):
        for column in range(width):
            sums += images[:, row::width, column::width]
    return sums.reshape(len(images), -1)


# -- the 2-D toy: one rule, seen in one region and then in another --


def shifted_regions(distance, n_samples, *, n_networks=None, rng):
    """Return inputs (n_samples, 2) and targets (n_samples,) of one rule, seen in one region.

    x1 ~ N(-1 + 0.5 distance, 0.5) and x2 ~ N(0, 0.8), the second number being the standard
    deviation: `distance` counts standard deviations of x1 from the training region at 0. The
    targets follow `region_rule` everywhere: pure covariate shift. With `n_networks` both arrays
    get a networks axis in front. The same generator state gives the same points at any distance,
    only moved. inputs are float64, targets int64. Raises TypeError or ValueError.
    """
    distance = check_number("distance", distance, low=0.0)
    n_samples = check_integer("n_samples", n_samples)
    draws = [one.standard_normal((n_samples, 2)) for one in one_per_network(rng, n_networks)]
    inputs = _join(draws, n_networks) * (0.5, 0.8) + (-1.0 + 0.5 * distance, 0.0)
    return inputs, region_rule(inputs)


def region_rule(inputs):
    """Return the targets (...,) of points (..., 2): 1 above the curve `region_boundary`, else 0."""
    inputs = check_finite("inputs", inputs)
    if inputs.ndim == 0 or inputs.shape[-1] != 2:
        raise ValueError(f"inputs must have shape (..., 2), got {inputs.shape}")
    return (inputs[..., 1] > region_boundary(inputs[..., 0])).astype(np.int64)


def region_boundary(x1):
    """Return the height x2 of the curve between the two classes at `x1` (a number or array)."""
    return 0.9 * np.sin(1.6 * check_finite("x1", x1))
