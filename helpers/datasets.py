"""The pictures and points that the networks learn from: a Fashion-MNIST subset and a 2-D toy.

Everything comes from the data folder or from a random generator; nothing is ever downloaded.
Fashion-MNIST is by Xiao, Rasul & Vollgraf (2017), arXiv:1708.07747; data/README.md tells more.
"""

import hashlib
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from helpers.checks import check_choice, check_integer, check_number
from helpers.files import write_whole
from helpers.randomness import one_per_network, spawn_streams

DATA_FOLDER = Path(__file__).resolve().parents[1] / "data"
FASHION_MNIST_FILE = DATA_FOLDER / "fashion_mnist.npz"
# Of the arrays in each file of the data folder, see `checksum`. Whoever computes one anew and keeps
# it changes its line.
SHA256 = {
    "fashion_mnist.npz": "00f602a25deaa44869ab97e4f5512140bdca0deb12b7672f5380f9c50c526e0d",
    "hidden_rates.npz": "9b53f9adba480837989fd25d4d844a9e691ab299db25bc492e716e69d338e03a",
    "learning_rate_map.npz": "4398dfc85a0ee5e4177c63ac6d3c8bc3e1bf97b76f004484ad495fa3dc9877ab",
    "lecture_demos.npz": "0229db36f58ca1c5538a15fdd2d529b616243f9cd56ba2c50c0ca7d4e152bd4b",
}
CLASS_NAMES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)
IMAGE_SIZES = (28, 14, 7)


@dataclass(frozen=True, eq=False)
class Examples:
    """What networks learn from, and what they are tested on.

    For pictures `inputs * sd + mean` gives the grey levels back, from 0 (black) to 1 (white).
    """

    train_inputs: np.ndarray  # (n_train, d), or (n_networks, n_train, d): a set for each network
    train_targets: np.ndarray  # integers (n_train,) or (n_networks, n_train)
    test_inputs: np.ndarray
    test_targets: np.ndarray
    class_names: tuple[str, ...]  # class_names[target] is the name of a target
    mean: float = 0.0
    sd: float = 1.0


def load_fashion_mnist(
    n_train=512, n_test=1000, image_size=14, label_noise=0.0, n_networks=None, classes=None, *,
    rng=None, seed=None,
):
    """Return Examples: a random training subset for each network, one clean test set for all.

    Inputs are float32, rows of image_size ** 2 pixels; targets are int64. The training images are
    drawn without replacement from the 10000 of the data folder, those of network k by generator k
    alone; the test images are the first `n_test` of its 2000. Either `rng` is given, one generator
    or a list with one for each network, or `seed`, whose streams for data are taken.
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
    pool = _read_pool(image_size)
    train_rows, train_labels = _keep_classes(pool.train_targets, class_ids)
    test_rows, test_labels = _keep_classes(pool.test_targets, class_ids)
    n_train = check_integer("n_train", n_train, high=len(train_rows), high_is="the training pool")
    n_test = check_integer("n_test", n_test, high=len(test_rows), high_is="the test pool")
    if (rng is None) == (seed is None):
        raise TypeError(f"give either rng or seed, got rng={rng!r} and seed={seed!r}")
    rng = spawn_streams(seed, n_networks).data if rng is None else rng
    draws = [
        _draw_examples(train_labels, n_train, len(class_ids), label_noise, generator)
        for generator in one_per_network(rng, n_networks)
    ]
    chosen, train_targets = (_join(parts, n_networks) for parts in zip(*draws))
    return Examples(
        train_inputs=pool.train_inputs[train_rows[chosen]],
        train_targets=train_targets,
        test_inputs=pool.test_inputs[test_rows[:n_test]],
        test_targets=test_labels[:n_test],
        class_names=tuple(CLASS_NAMES[i] for i in class_ids),
        mean=pool.mean,
        sd=pool.sd,
    )


def _check_classes(classes):
    """Return `classes` as a list of distinct class ids; None stands for all of them."""
    if classes is None:
        return list(range(len(CLASS_NAMES)))
    is_row = isinstance(classes, Sequence) or np.ndim(classes) == 1
    if isinstance(classes, str) or not is_row:
        raise TypeError(f"classes must be a sequence of class ids or names, got {classes!r}")
    class_ids = [
        CLASS_NAMES.index(check_choice("a name in classes", one, CLASS_NAMES))
        if isinstance(one, str)
        else check_integer("an id in classes", one, 0, len(CLASS_NAMES) - 1)
        for one in classes
    ]
    if len(class_ids) < 2 or len(set(class_ids)) < len(class_ids):
        raise ValueError(f"classes must hold at least two, all different, got {classes!r}")
    return class_ids


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


# -- the pictures --


@lru_cache
def _read_pool(image_size):
    """Return FashionMNIST data with all images of the file, in its order."""
    # Integers add up to the same total in any order, and each float operation after that is
    # rounded as IEEE 754 demands: every machine gets the same inputs to the last bit.
    raw = read_arrays(FASHION_MNIST_FILE)  # each ten images show ten classes: so does any prefix
    train_sums = _sum_blocks(raw["train_images"], image_size)
    total = int(train_sums.sum(dtype=np.int64))
    total_of_squares = int(np.einsum("ij,ij->", train_sums, train_sums, dtype=np.int64))
    white = 255 * (28 // image_size) ** 2  # the sum of a block of white pixels
    mean = total / (train_sums.size * white)
    sd = math.sqrt(train_sums.size * total_of_squares - total**2) / (train_sums.size * white)
    levels = ((np.arange(white + 1) / white - mean) / sd).astype(np.float32)
    return Examples(
        train_inputs=levels[train_sums],
        train_targets=raw["train_labels"],
        test_inputs=levels[_sum_blocks(raw["test_images"], image_size)],
        test_targets=raw["test_labels"],
        class_names=CLASS_NAMES,
        mean=mean,
        sd=sd,
    )


def _sum_blocks(images, image_size):
    """Return the pixel sums of square blocks of (n, 28, 28) images: uint16 (n, image_size**2)."""
    width = 28 // image_size
    blocks = images.reshape(-1, image_size, width, image_size, width)
    return np.einsum("nrhcw->nrc", blocks, dtype=np.uint16).reshape(len(images), -1)


# -- the files of the data folder --


def read_arrays(path):
    """Return {name: array} of the .npz archive `path`, which must hold what SHA256 says.

    Raises FileNotFoundError when it is missing, another OSError when it may not or cannot be read,
    ValueError when it is damaged or holds anything else. Pickled objects are never loaded.
    """
    restore = (
        f"Restore it with `git checkout -- data/{path.name}` or from a new copy of the course; "
        "data/README.md says how to compute it anew."
    )
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(
            f"{path} is missing. {restore} The data folder is looked for beside the package: "
            "only editable installs (`pip install -e .`) are supported."
        ) from None
    except OSError as error:
        raise type(error)(f"{path} cannot be read: {error.strerror}. {restore}") from None
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            arrays = dict(archive)
    except Exception as error:  # damage surfaces in zipfile, zlib or NumPy, as many types
        raise ValueError(f"{path} is truncated or altered ({error}). {restore}") from error
    if checksum(arrays) != SHA256[path.name]:
        raise ValueError(f"{path} is altered: its arrays are not the course's. {restore}")
    return arrays


def save_arrays(path, arrays):
    """Write {name: array} as the .npz archive `path`, at once or not at all."""
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    write_whole(path, content.getvalue())


def checksum(arrays):
    """Return the SHA-256 of `arrays`, {name: array}: of names, types, shapes and bytes."""
    found = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        found.update(f"{name} {array.dtype} {array.shape}".encode())
        found.update(np.ascontiguousarray(array))
    return found.hexdigest()


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
    return (inputs[..., 1] > region_boundary(inputs[..., 0])).astype(np.int64)


def region_boundary(x1):
    """Return the height x2 of the curve between the two classes at `x1` (a number or array)."""
    return 0.9 * np.sin(1.6 * np.asarray(x1))
