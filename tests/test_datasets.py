"""The data folder is whole, the loader refuses what is not, and draws are shared as promised."""

import gzip
import pickle
import re
import runpy
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.datasets import (
    CLASS_NAMES,
    DATA_FOLDER,
    FASHION_MNIST_FILE,
    SHA256,
    load_fashion_mnist,
    read_arrays,
    shifted_regions,
)
from helpers.lecture import experiments as lecture
from helpers.randomness import spawn_streams
from helpers.weighing_the_evidence import direction
from helpers.weighing_the_evidence import experiments as evidence

RAW = read_arrays(FASHION_MNIST_FILE)


def load(seed=0, n_networks=None, **arguments):
    rng = spawn_streams(seed, n_networks).data
    return load_fashion_mnist(n_networks=n_networks, rng=rng, **arguments)


def points(distance, n_samples=50, seed=0, n_networks=None):
    rng = spawn_streams(seed, n_networks).data
    return shifted_regions(distance, n_samples, n_networks=n_networks, rng=rng)


# -- the files --

FILES = {
    FASHION_MNIST_FILE: read_arrays,
    evidence.MAP_FILE: evidence.load_learning_rate_map,
    direction.RATES_FILE: direction.load_hidden_rates,
    lecture.LECTURE_FILE: lecture.load_lecture,
}
TABLES = [*FILES][1:]


def test_all_files_have_a_checksum_and_the_readme_names_their_arrays():
    others = DATA_FOLDER / "README.md", DATA_FOLDER / "build_fashion_mnist.py"
    assert {*filter(Path.is_file, DATA_FOLDER.iterdir())} - {*others} == {*FILES}
    assert [file.name for file in sorted(FILES)] == [*SHA256]
    assert FASHION_MNIST_FILE.stat().st_size < 6e6
    readme = (DATA_FOLDER / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| (`.*`) \| (\(.*?\)) \|", readme, re.MULTILINE)
    told = {(name, shape) for names, shape in rows for name in re.findall(r"`(\w+)`", names)}
    for file in FILES:
        for name, array in read_arrays(file).items():
            assert (name, str(array.shape)) in told
    for number, name in enumerate(CLASS_NAMES):
        assert f"{number} {name}" in readme


def test_every_prefix_is_balanced_and_no_image_occurs_twice():
    for labels in (RAW["train_labels"], RAW["test_labels"]):
        counts = np.cumsum(labels[:, None] == np.arange(10), axis=0)
        assert np.ptp(counts, axis=1).max() == 1 and np.ptp(counts[-1]) == 0
    images = np.concatenate([RAW["train_images"], RAW["test_images"]])
    assert len({image.tobytes() for image in images}) == len(images) == 12_000


class Bomb:
    """Touches a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def content(change):
    return lambda path, file: path.write_bytes(change(file.read_bytes()))


def flipped(position):
    def flip(content):
        content = bytearray(content)
        content[int(position * len(content))] ^= 0xFF
        return content

    return content(flip)


def saved(change):
    """Save the largest array otherwise: `change` returns what takes its place."""

    def spoil(path, file):
        arrays = read_arrays(file)
        name = max(arrays, key=lambda one: arrays[one].size)
        array = arrays.pop(name)
        np.savez(path, **arrays, **change(name, array))

    return spoil


def with_value(value):
    def change(name, array):
        array.flat[len(array) // 2] = value
        return {name: array}

    return saved(change)


ALTERED, UNREADABLE = "is altered: its arrays", "is truncated or altered"
DAMAGES = {
    "missing": (lambda path, file: None, r"is missing.*only editable inst"),
    "folder": (lambda path, file: path.mkdir(), "cannot be read: "),
    "unreadable": (lambda path, file: path.symlink_to(path), "cannot be read: "),
    **{f"cut at {n}": (content(lambda all, n=n: all[:n]), UNREADABLE) for n in (0, 9_000, -1)},
    **{f"flipped at {at}": (flipped(at), UNREADABLE) for at in (0, 0.5)},
    "swapped": (lambda path, file: path.write_bytes(OTHER[file].read_bytes()), ALTERED),
    "without": (saved(lambda name, array: {}), ALTERED),
    "one more": (saved(lambda name, array: {name: array, "more": array}), ALTERED),
    "shape": (saved(lambda name, array: {name: array[None]}), ALTERED),
    "type": (saved(lambda name, array: {name: array.astype(complex)}), ALTERED),
    "zeros": (saved(lambda name, array: {name: np.zeros_like(array)}), ALTERED),
    "another value": (with_value(17), ALTERED),
    "bombs": (saved(lambda name, array: {name: np.array([Bomb("exploded")])}), UNREADABLE),
    "a bomb": (content(lambda all: pickle.dumps(Bomb("exploded"))), UNREADABLE),
}
OTHER = dict(zip(FILES, [*TABLES, FASHION_MNIST_FILE]))


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_damaged_file_is_refused_and_the_error_tells_how_to_restore_it(
    tmp_path, monkeypatch, file, damage
):
    monkeypatch.chdir(tmp_path)
    path, (spoil, problem) = tmp_path / file.name, DAMAGES[damage]
    spoil(path, file)
    with pytest.raises((OSError, ValueError), match=problem) as caught:
        FILES[file](path)
    message = str(caught.value)
    assert message.startswith(f"{path} ") and f"`git checkout -- data/{file.name}`" in message
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize("file", TABLES, ids=lambda file: file.stem)
def test_a_flipped_byte_never_gives_other_numbers(tmp_path, file):
    for position in np.random.default_rng(0).random(200):
        flipped(position)(tmp_path / file.name, file)
        try:
            read_arrays(tmp_path / file.name)  # some bytes, such as dates, mean nothing
        except ValueError as error:
            assert "git checkout" in str(error)


# -- rebuilding it --


SCRIPT = runpy.run_path(DATA_FOLDER / "build_fashion_mnist.py")


def write_idx(path, array):
    header = [0x0800 + array.ndim, *array.shape]
    path.write_bytes(gzip.compress(np.array(header, ">u4").tobytes() + array.tobytes(), 1))


@pytest.fixture
def originals(tmp_path):
    """A folder of well-formed files, with 12 black images of each class, not the real ones."""
    folder = tmp_path / "originals"
    folder.mkdir()
    for prefix in ("train", "t10k"):
        labels = np.repeat(np.arange(10, dtype=np.uint8), 12)
        write_idx(folder / f"{prefix}-labels-idx1-ubyte.gz", labels)
        write_idx(folder / f"{prefix}-images-idx3-ubyte.gz", np.zeros((120, 28, 28), np.uint8))
    return folder


def test_rebuild_equals_the_shipped_file(tmp_path):
    if not SCRIPT["DEBIAN_FOLDER"].is_dir():
        pytest.skip("the originals (Debian package dataset-fashion-mnist) are not on this machine")
    output = tmp_path / FASHION_MNIST_FILE.name
    SCRIPT["main"]([str(SCRIPT["DEBIAN_FOLDER"]), "--output", str(output)])
    np.testing.assert_equal(read_arrays(output), RAW)
    assert [*tmp_path.iterdir()] == [output]


@pytest.mark.parametrize(
    ("name", "spoil", "problem"),
    [
        ("images-idx3", lambda path: path.unlink(), "is missing"),
        ("images-idx3", lambda path: path.write_bytes(path.read_bytes()[:-9]), "truncated"),
        ("labels-idx1", lambda path: write_idx(path, np.zeros(7, np.uint8)), "images, 7 labels"),
        ("images-idx3", lambda path: None, "holds other images"),
    ],
)
def test_rebuild_refuses_other_originals_and_leaves_the_old_file(
    originals, tmp_path, name, spoil, problem
):
    output = tmp_path / "out.npz"
    output.write_text("as before")
    spoil(originals / f"train-{name}-ubyte.gz")
    with pytest.raises(SystemExit) as caught:
        SCRIPT["main"]([str(originals), "--output", str(output)])
    assert str(originals) in caught.value.code and problem in caught.value.code
    assert output.read_text() == "as before"


# -- the loader --


@pytest.mark.parametrize("image_size", [28, 14, 7])
@pytest.mark.parametrize("n_networks", [None, 1, 3])
def test_shapes_and_types(image_size, n_networks):
    data = load(n_train=20, n_test=30, image_size=image_size, n_networks=n_networks)
    networks = () if n_networks is None else (n_networks,)
    expected = {
        "train_inputs": ((*networks, 20, image_size**2), np.float32),
        "train_targets": ((*networks, 20), np.int64),
        "test_inputs": ((30, image_size**2), np.float32),
        "test_targets": ((30,), np.int64),
    }
    for name, (shape, dtype) in expected.items():
        array = getattr(data, name)
        assert (array.shape, array.dtype) == (shape, dtype), name
        assert array.flags.c_contiguous
    assert data.class_names == CLASS_NAMES


@pytest.mark.parametrize("image_size", [28, 14, 7])
def test_pooling_is_the_plain_mean_and_one_scalar_standardises(image_size):
    width = 28 // image_size
    data = load(n_test=2000, image_size=image_size)

    def pool(images):
        blocks = images.reshape(-1, image_size, width, image_size, width) / 255
        return blocks.mean(axis=(2, 4)).reshape(len(images), -1)

    train = pool(RAW["train_images"])
    assert data.mean == pytest.approx(train.mean(), rel=1e-12)
    assert data.sd == pytest.approx(train.std(), rel=1e-12)
    expected = (pool(RAW["test_images"]) - train.mean()) / train.std()
    np.testing.assert_allclose(data.test_inputs, expected, rtol=1e-6, atol=1e-7)
    assert np.array_equal(data.test_targets, RAW["test_labels"])


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 2**32), label_noise=st.sampled_from([0.0, 0.3]))
def test_networks_do_not_depend_on_their_neighbours(seed, label_noise):
    options = {"n_train": 40, "n_test": 5, "image_size": 7, "label_noise": label_noise}
    many = load(seed, 16, **options)
    few = load(seed, 4, **options)
    alone = load(seed, **options)
    third = load_fashion_mnist(rng=spawn_streams(seed, 16).data[2], **options)
    for name in ("train_inputs", "train_targets"):
        array = getattr(many, name)
        assert np.array_equal(array[:4], getattr(few, name))
        assert np.array_equal(array[0], getattr(alone, name))
        assert np.array_equal(array[2], getattr(third, name))
        assert not np.array_equal(array[0], array[1])
    assert np.array_equal(many.test_inputs, alone.test_inputs)


def test_test_arrays_are_the_first_images_and_clean():
    noisy = load(seed=1, n_test=300, label_noise=1.0)
    clean = load(seed=2, n_test=2000)
    assert np.array_equal(noisy.test_inputs, clean.test_inputs[:300])
    assert np.array_equal(noisy.test_targets, RAW["test_labels"][:300])


def test_a_result_can_be_changed_without_harm():
    before = load(n_test=10)
    kept = before.test_inputs.copy()
    before.test_inputs[:] = 0
    before.test_targets[:] = 0
    after = load(n_test=10)
    assert np.array_equal(after.test_inputs, kept)
    assert np.array_equal(after.test_targets, RAW["test_labels"][:10])


def test_label_noise_changes_labels_at_the_promised_rate_and_no_images():
    options = {"n_train": 5000, "n_test": 10, "image_size": 7, "n_networks": 4}
    clean = load(label_noise=0.0, **options)
    noisy = load(label_noise=0.2, **options)
    noisier = load(label_noise=0.5, **options)
    assert np.array_equal(clean.train_inputs, noisy.train_inputs)
    changed = noisy.train_targets != clean.train_targets
    # 20,000 labels: the standard error of the rate is 0.0027
    assert changed.mean() == pytest.approx(0.18, abs=0.01)
    assert np.bincount(noisy.train_targets[changed]) == pytest.approx(360, abs=90)
    assert np.array_equal(noisier.train_targets[changed], noisy.train_targets[changed])
    assert np.array_equal(clean.test_targets, noisy.test_targets)


def test_a_smaller_training_set_is_a_prefix():
    large = load(n_train=500, label_noise=0.2, n_networks=2)
    small = load(n_train=64, label_noise=0.2, n_networks=2)
    assert np.array_equal(small.train_inputs, large.train_inputs[:, :64])
    assert np.array_equal(small.train_targets, large.train_targets[:, :64])


def test_classes_are_relabelled_in_the_given_order():
    options = {"n_train": 3000, "n_test": 600, "image_size": 7}
    data = load(classes=["Bag", 9, "Trouser"], **options)
    assert data.class_names == ("Bag", "Ankle boot", "Trouser")
    assert np.array_equal(np.bincount(data.train_targets), [1000, 1000, 1000])
    kept = RAW["test_labels"][np.isin(RAW["test_labels"], [8, 9, 1])]
    assert np.array_equal(np.array([8, 9, 1])[data.test_targets], kept)
    whole = load(n_train=10_000, n_test=2000, image_size=7)
    for target, label in enumerate([8, 9, 1]):
        ours = data.train_inputs[data.train_targets == target].mean(axis=-1)
        theirs = whole.train_inputs[whole.train_targets == label].mean(axis=-1)
        assert np.array_equal(np.sort(ours), np.sort(theirs))
    assert (data.mean, data.sd) == (whole.mean, whole.sd)
    rows = np.isin(RAW["test_labels"], [8, 9, 1])
    assert np.array_equal(data.test_inputs, whole.test_inputs[rows])
    for same in (np.array([8, 9, 1]), (8, "Ankle boot", 1)):
        assert np.array_equal(load(classes=same, **options).train_inputs, data.train_inputs)


def test_wrong_labels_stay_within_the_classes():
    data = load(classes=(7, 9), n_train=2000, n_test=400, image_size=7, label_noise=1.0)
    assert np.bincount(data.train_targets) == pytest.approx(1000, abs=100)
    assert set(data.train_targets) == {0, 1}


@pytest.mark.parametrize(
    "arguments, error, message",
    [
        ({"n_train": 0}, ValueError, r"n_train .* between 1 and 10000 \(the training pool\), got"),
        ({"n_test": 0}, ValueError, r"n_test must be between 1 and 2000 \(the test pool\), got 0"),
        ({"n_test": 401, "classes": (1, 8)}, ValueError, "n_test must be between 1 and 400"),
        ({"n_train": 2001, "classes": (1, 8)}, ValueError, "n_train must be between 1 and 2000"),
        ({"image_size": 10}, ValueError, "image_size must be one of 28, 14, 7, got 10"),
        ({"label_noise": -0.1}, ValueError, r"label_noise .* \[0, 1\], got -0.1"),
        ({"classes": "Bag"}, TypeError, "classes must be a sequence of class ids or names"),
        ({"classes": 3}, TypeError, "classes must be a sequence of class ids or names, got 3"),
        ({"classes": [4]}, ValueError, r"classes must hold at least two, .* got \[4\]"),
        ({"classes": (8, "Bag")}, ValueError, "classes .* all different"),
        ({"classes": (0, 10)}, ValueError, "an id in classes must be between 0 and 9, got 10"),
        ({"classes": (-1, 0)}, ValueError, "an id in classes must be between 0 and 9, got -1"),
        ({"classes": (0, 1.0)}, TypeError, "an id in classes must be an integer, got 1.0"),
        ({"classes": ("Bag", "Cat")}, ValueError, "a name in classes must be one of .* got 'Cat'"),
        ({"rng": [np.random.default_rng(0)] * 2, "n_networks": 3}, ValueError, "rng must hold 3"),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_drawn(arguments, error, message):
    rng = np.random.default_rng(0)
    with pytest.raises(error, match=message):
        load_fashion_mnist(**{"rng": rng, **arguments})
    assert rng.bit_generator.state == np.random.default_rng(0).bit_generator.state


# -- the 2-D toy --


@pytest.mark.parametrize("distance", [0, 2.5, 6])
def test_shifted_regions_have_the_stated_moments_and_rule(distance):
    inputs, targets = points(distance, n_samples=40_000)
    assert inputs.mean(axis=0) == pytest.approx([-1 + 0.5 * distance, 0], abs=0.02)
    assert inputs.std(axis=0) == pytest.approx([0.5, 0.8], abs=0.01)
    x1, x2 = inputs.T
    assert np.array_equal(targets, x2 > 0.9 * np.sin(1.6 * x1))


def test_points_of_a_network_depend_on_its_generator_only():
    many, labels = points(1, n_networks=16)
    few, _ = points(1, n_networks=4)
    alone, alone_labels = points(1)
    assert np.array_equal(many[:4], few)
    assert np.array_equal(many[0], alone)
    assert np.array_equal(labels[0], alone_labels)
    assert not np.array_equal(many[0], many[1])
    assert np.array_equal(points(1, n_samples=20)[0], alone[:20])


def test_a_distance_below_0_is_refused():
    with pytest.raises(ValueError, match="distance must be a finite number"):
        points(-1)
