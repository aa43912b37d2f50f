"""The data folder is whole, the loader refuses what is not, and draws are shared as promised."""

import gzip
import importlib.util
import math
import pickle
import re
import shutil
from dataclasses import FrozenInstanceError
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import datasets
from helpers.datasets import (
    CLASS_NAMES,
    FASHION_MNIST_ARRAYS,
    FASHION_MNIST_FILE,
    load_fashion_mnist,
    read_arrays,
    read_fashion_mnist,
    region_boundary,
    region_rule,
    shifted_regions,
)
from helpers.randomness import spawn_streams

DATA_FOLDER = FASHION_MNIST_FILE.parent


def load(seed=0, n_networks=None, **arguments):
    rng = spawn_streams(seed, n_networks).data
    return load_fashion_mnist(n_networks=n_networks, rng=rng, **arguments)


def points(distance, n_samples=50, seed=0, n_networks=None):
    rng = spawn_streams(seed, n_networks).data
    return shifted_regions(distance, n_samples, n_networks=n_networks, rng=rng)


# -- the file --


def test_file_is_small_and_its_arrays_are_those_of_the_readme():
    assert FASHION_MNIST_FILE.stat().st_size < 6e6
    row = re.compile(r"^\| `(\w+)` \| \(([\d, ]+)\) \| uint8 \| `([0-9a-f]{64})` \|$", re.MULTILINE)
    table = {
        name: (tuple(int(size) for size in re.findall(r"\d+", shape)), checksum)
        for name, shape, checksum in row.findall((DATA_FOLDER / "README.md").read_text("utf-8"))
    }
    assert table == FASHION_MNIST_ARRAYS
    for number, name in enumerate(CLASS_NAMES):
        assert f"{number} {name}" in (DATA_FOLDER / "README.md").read_text("utf-8")


@pytest.mark.parametrize("split", ["train", "test"])
def test_every_prefix_is_balanced(split):
    labels = getattr(read_fashion_mnist(), f"{split}_labels")
    counts = np.cumsum(labels[:, None] == np.arange(10), axis=0)
    assert (counts.max(axis=1) - counts.min(axis=1)).max() == 1
    assert len(set(counts[-1])) == 1


def test_no_image_occurs_twice():
    raw = read_fashion_mnist()
    images = np.concatenate([raw.train_images, raw.test_images])
    assert len({image.tobytes() for image in images}) == len(images) == 12_000


def test_raw_arrays_are_cached_and_read_only():
    raw = read_fashion_mnist()
    assert read_fashion_mnist() is raw
    for array in raw:
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


# -- a damaged file --


def save(path, **changes):
    arrays = read_fashion_mnist()._asdict() | changes
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})


def check_refused(path, problem):
    with pytest.raises(ValueError) as caught:
        read_fashion_mnist(path)
    message = str(caught.value)
    assert str(path) in message
    assert problem in message
    assert "git checkout -- data/fashion_mnist.npz" in message
    assert "python data/build_fashion_mnist.py" in message


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        read_fashion_mnist(tmp_path / "fashion_mnist.npz")
    message = str(caught.value)
    assert f"{tmp_path / 'fashion_mnist.npz'} is missing" in message
    assert "git checkout -- data/fashion_mnist.npz" in message
    assert "python data/build_fashion_mnist.py" in message
    assert "only editable installs (`pip install -e .`)" in message


def test_what_an_archive_lacks_is_named(tmp_path):
    path = tmp_path / "some.npz"
    np.savez(path, a=[1, 2], other=[3])
    assert read_arrays(path, ["a"], "Get it.")["a"].tolist() == [1, 2]
    with pytest.raises(ValueError, match=r"some\.npz lacks b, c, it may be .* altered\. Get it\.$"):
        read_arrays(path, ["a", "b", "c"], "Get it.")


@pytest.mark.parametrize("n_bytes", [0, 1, 4, 100, 1_000_000, -1000, -22, -1])
def test_truncated_file(tmp_path, n_bytes):
    path = tmp_path / "cut.npz"
    content = FASHION_MNIST_FILE.read_bytes()
    path.write_bytes(content[:n_bytes])
    check_refused(path, "may be truncated or altered")


@pytest.mark.parametrize("position", [0, 2, 80, 200, 100_000, 3_000_000, -1500, -30, -10])
def test_one_byte_altered(tmp_path, position):
    path = tmp_path / "altered.npz"
    content = bytearray(FASHION_MNIST_FILE.read_bytes())
    content[position] ^= 0xFF
    path.write_bytes(content)
    check_refused(path, "may be truncated or altered")


def test_one_pixel_altered_in_an_intact_archive(tmp_path):
    images = read_fashion_mnist().train_images.copy()
    images[1234, 5, 6] ^= 1
    save(tmp_path / "pixel.npz", train_images=images)
    check_refused(tmp_path / "pixel.npz", "is altered: train_images must have SHA-256 0618f9")


@pytest.mark.parametrize(
    "name, change, problem",
    [
        ("train_images", lambda a: a[:-1], "train_images must be uint8 of shape (10000, 28, 28)"),
        ("test_images", lambda a: a.reshape(2000, 784), "got uint8 of (2000, 784)"),
        ("train_labels", lambda a: a.astype(np.int64), "got int64 of (10000,)"),
        ("test_labels", lambda a: a.astype(np.int8), "test_labels must be uint8 of shape (2000,)"),
        ("train_images", np.transpose, "got uint8 of (28, 28, 10000)"),
        ("test_images", lambda a: a[::-1], "test_images must have SHA-256 0b760b"),
        ("test_labels", lambda a: None, "other.npz lacks test_labels, it may be"),
    ],
)
def test_wrong_arrays(tmp_path, name, change, problem):
    path = tmp_path / "other.npz"
    save(path, **{name: change(getattr(read_fashion_mnist(), name))})
    check_refused(path, problem)


class Bomb:
    """Touches a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_pickled_objects_are_never_loaded(tmp_path):
    trace = tmp_path / "exploded"
    labels = np.full(10_000, None)
    labels[0] = Bomb(trace)
    save(tmp_path / "objects.npz", train_labels=labels)
    check_refused(tmp_path / "objects.npz", "cannot be read as an .npz archive")
    (tmp_path / "pickle.npz").write_bytes(pickle.dumps(Bomb(trace)))
    check_refused(tmp_path / "pickle.npz", "cannot be read as an .npz archive")
    assert not trace.exists()


def test_a_failed_reading_is_not_remembered(tmp_path):
    path = tmp_path / "later.npz"
    with pytest.raises(FileNotFoundError):
        read_fashion_mnist(path)
    shutil.copy(FASHION_MNIST_FILE, path)
    assert np.array_equal(read_fashion_mnist(path).test_labels, read_fashion_mnist().test_labels)


# -- rebuilding it --


@pytest.fixture(scope="module")
def script():
    location = DATA_FOLDER / "build_fashion_mnist.py"
    spec = importlib.util.spec_from_file_location("build_fashion_mnist", location)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write_idx(path, array, magic=None):
    header = [0x0800 + array.ndim if magic is None else magic, *array.shape]
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


def fail(script, folder, capsys, output):
    """Return what the script says when it refuses; check that it left `output` alone."""
    output.write_text("as before")
    with pytest.raises(SystemExit) as caught:
        script.main([str(folder), "--output", str(output)])
    assert output.read_text() == "as before"
    assert sorted(output.parent.glob("*.part")) == []
    assert capsys.readouterr().out == ""
    return caught.value.code


def test_rebuild_equals_the_shipped_file(script, tmp_path, capsys):
    if not script.DEBIAN_FOLDER.is_dir():
        pytest.skip("the originals (Debian package dataset-fashion-mnist) are not on this machine")
    output = tmp_path / "rebuilt.npz"
    script.main([str(script.DEBIAN_FOLDER), "--output", str(output)])
    assert all(map(np.array_equal, read_fashion_mnist(output), read_fashion_mnist()))
    assert f"wrote {output}, " in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["rebuilt.npz"]


def test_rebuild_names_a_missing_original(script, originals, tmp_path, capsys):
    (originals / "t10k-labels-idx1-ubyte.gz").unlink()
    message = fail(script, originals, capsys, tmp_path / "out.npz")
    assert f"{originals / 't10k-labels-idx1-ubyte.gz'} is missing" in message
    assert "dataset-fashion-mnist" in message


def test_rebuild_refuses_other_images(script, originals, tmp_path, capsys):
    message = fail(script, originals, capsys, tmp_path / "out.npz")
    assert f"{originals} holds other images: train_images must be uint8" in message


def test_rebuild_refuses_counts_that_differ(script, originals, tmp_path, capsys):
    write_idx(originals / "train-labels-idx1-ubyte.gz", np.zeros(7, np.uint8))
    message = fail(script, originals, capsys, tmp_path / "out.npz")
    assert "120 train images, 7 labels" in message


@pytest.mark.parametrize(
    "spoil, problem",
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-9]), "truncated or altered"),
        (lambda path: path.write_bytes(b"no gzip at all"), "truncated or altered"),
        (lambda path: path.write_bytes(gzip.compress(b"\0\0")), "not an IDX file"),
        (lambda path: path.write_bytes(gzip.compress(b"")), "not an IDX file"),
        (lambda path: write_idx(path, np.zeros((2, 28, 28), np.uint8), magic=0x0D03), "not an IDX"),
        (lambda path: write_idx(path, np.zeros(9, np.uint8)), "not an IDX file"),
        (
            lambda path: path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:-1])),
            "must hold 94080 bytes for (120, 28, 28), got 94079",
        ),
    ],
)
def test_rebuild_names_a_damaged_original(script, originals, tmp_path, capsys, spoil, problem):
    path = originals / "train-images-idx3-ubyte.gz"
    spoil(path)
    message = fail(script, originals, capsys, tmp_path / "out.npz")
    assert str(path) in message
    assert problem in message


def test_an_interrupted_rebuild_leaves_the_old_file(script, tmp_path, monkeypatch):
    def save_half(file, **arrays):
        file.write(b"half")
        raise OSError("no space left")

    monkeypatch.setattr(script.np, "savez_compressed", save_half)
    output = tmp_path / "fashion_mnist.npz"
    output.write_text("as before")
    with pytest.raises(OSError, match="no space left"):
        script.write_atomically({}, output)
    assert [path.name for path in tmp_path.iterdir()] == ["fashion_mnist.npz"]
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
    with pytest.raises(FrozenInstanceError):
        data.mean = 0.0


def test_whole_pool_is_each_image_once_and_standardised():
    data = load(n_train=10_000, n_test=2000, image_size=7)
    assert np.array_equal(np.bincount(data.train_targets), np.full(10, 1000))
    assert len(np.unique(data.train_inputs, axis=0)) > 9_990
    assert data.train_inputs.mean(dtype=np.float64) == pytest.approx(0, abs=1e-7)
    assert data.train_inputs.std(dtype=np.float64) == pytest.approx(1, abs=1e-7)


@pytest.mark.parametrize("image_size", [28, 14, 7])
def test_pooling_is_the_plain_mean_and_one_scalar_standardises(image_size):
    width = 28 // image_size
    raw = read_fashion_mnist()
    data = load(n_test=2000, image_size=image_size)

    def pool(images):
        blocks = images.reshape(-1, image_size, width, image_size, width) / 255
        return blocks.mean(axis=(2, 4)).reshape(len(images), -1)

    train = pool(raw.train_images)
    assert data.mean == pytest.approx(train.mean(), rel=1e-12)
    assert data.sd == pytest.approx(train.std(), rel=1e-12)
    expected = (pool(raw.test_images) - train.mean()) / train.std()
    np.testing.assert_allclose(data.test_inputs, expected, rtol=1e-6, atol=1e-7)
    assert np.array_equal(data.test_targets, raw.test_labels)


@pytest.mark.parametrize("image_size", [28, 14, 7])
def test_mean_and_sd_are_those_of_exact_fractions(image_size):
    pixels = datasets._pooled_pixels(image_size)
    counts = np.bincount(pixels.train_sums.ravel()).tolist()
    white = 255 * (28 // image_size) ** 2
    grey = [Fraction(level, white) for level in range(len(counts))]
    mean = sum(n * g for n, g in zip(counts, grey)) / sum(counts)
    variance = sum(n * g * g for n, g in zip(counts, grey)) / sum(counts) - mean**2
    assert pixels.mean == float(mean)
    assert pixels.sd == pytest.approx(math.sqrt(variance), rel=1e-15)


def test_train_inputs_belong_to_their_targets():
    raw = read_fashion_mnist()
    data = load(n_train=200, image_size=28, n_networks=2)
    pixels = np.rint((data.train_inputs * data.sd + data.mean) * 255).astype(np.uint8)
    label_of = {image.tobytes(): label for image, label in zip(raw.train_images, raw.train_labels)}
    for images, targets in zip(pixels, data.train_targets):
        assert [label_of[image.tobytes()] for image in images] == targets.tolist()


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
    assert np.array_equal(noisy.test_targets, read_fashion_mnist().test_labels[:300])


def test_a_result_can_be_changed_without_harm():
    before = load(n_test=10)
    kept = before.test_inputs.copy()
    before.test_inputs[:] = 0
    before.test_targets[:] = 0
    after = load(n_test=10)
    assert np.array_equal(after.test_inputs, kept)
    assert np.array_equal(after.test_targets, read_fashion_mnist().test_labels[:10])


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


def test_label_noise_of_one_is_pure_chance():
    options = {"n_train": 10_000, "n_test": 10, "image_size": 7}
    agreement = load(label_noise=1.0, **options).train_targets == load(**options).train_targets
    assert agreement.mean() == pytest.approx(0.1, abs=0.01)


def test_a_smaller_training_set_is_a_prefix():
    large = load(n_train=500, label_noise=0.2, n_networks=2)
    small = load(n_train=64, label_noise=0.2, n_networks=2)
    assert np.array_equal(small.train_inputs, large.train_inputs[:, :64])
    assert np.array_equal(small.train_targets, large.train_targets[:, :64])


def test_classes_are_relabelled_in_the_given_order():
    raw = read_fashion_mnist()
    options = {"n_train": 3000, "n_test": 600, "image_size": 7}
    data = load(classes=["Bag", 9, "Trouser"], **options)
    assert data.class_names == ("Bag", "Ankle boot", "Trouser")
    assert np.array_equal(np.bincount(data.train_targets), [1000, 1000, 1000])
    kept = raw.test_labels[np.isin(raw.test_labels, [8, 9, 1])]
    assert np.array_equal(np.array([8, 9, 1])[data.test_targets], kept)
    whole = load(n_test=2000, image_size=7)
    assert (data.mean, data.sd) == (whole.mean, whole.sd)
    rows = np.isin(raw.test_labels, [8, 9, 1])
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
        ({"n_train": 10_001}, ValueError, r"n_train must be between 1 and 10000"),
        ({"n_train": 5.0}, TypeError, "n_train must be an integer, got 5.0"),
        ({"n_test": 0}, ValueError, r"n_test must be between 1 and 2000 \(the test pool\), got 0"),
        ({"n_test": 2001}, ValueError, "n_test must be between 1 and 2000"),
        ({"n_test": None}, TypeError, "n_test must be an integer, got None"),
        ({"n_test": 401, "classes": (1, 8)}, ValueError, "n_test must be between 1 and 400"),
        ({"n_train": 2001, "classes": (1, 8)}, ValueError, "n_train must be between 1 and 2000"),
        ({"image_size": 10}, ValueError, "image_size must be one of 28, 14, 7, got 10"),
        ({"image_size": 14.0}, TypeError, "image_size must be an integer, got 14.0"),
        ({"label_noise": -0.1}, ValueError, r"label_noise .* \[0, 1\], got -0.1"),
        ({"label_noise": 20}, ValueError, r"label_noise .* \[0, 1\], got 20"),
        ({"label_noise": math.nan}, ValueError, "label_noise must be a finite number"),
        ({"label_noise": "0.2"}, TypeError, "label_noise must be a number, got '0.2'"),
        ({"n_networks": 0}, ValueError, "n_networks must be at least 1, got 0"),
        ({"n_networks": True}, TypeError, "n_networks must be an integer, got True"),
        ({"classes": "Bag"}, TypeError, "classes must be a sequence of class ids or names"),
        ({"classes": {1, 2}}, TypeError, "classes must be a sequence of class ids or names"),
        ({"classes": 3}, TypeError, "classes must be a sequence of class ids or names, got 3"),
        ({"classes": ()}, ValueError, "classes must hold at least two"),
        ({"classes": [4]}, ValueError, r"classes must hold at least two, .* got \[4\]"),
        ({"classes": (8, "Bag")}, ValueError, "classes .* all different"),
        ({"classes": (0, 10)}, ValueError, "an id in classes must be between 0 and 9, got 10"),
        ({"classes": (-1, 0)}, ValueError, "an id in classes must be between 0 and 9, got -1"),
        ({"classes": (0, 1.0)}, TypeError, "an id in classes must be an integer, got 1.0"),
        ({"classes": ("Bag", "Cat")}, ValueError, "a name in classes must be one of .* got 'Cat'"),
        ({"rng": 0}, TypeError, "rng must be a numpy.random.Generator or a list"),
        ({"rng": [np.random.default_rng(0)] * 2, "n_networks": 3}, ValueError, "rng must hold 3"),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_drawn(arguments, error, message):
    rng = np.random.default_rng(0)
    with pytest.raises(error, match=message):
        load_fashion_mnist(**{"rng": rng, **arguments})
    assert rng.bit_generator.state == np.random.default_rng(0).bit_generator.state


# -- the 2-D toy --


@pytest.mark.parametrize("n_networks", [None, 1, 4])
def test_shifted_regions_shapes(n_networks):
    inputs, targets = points(2, n_samples=7, n_networks=n_networks)
    networks = () if n_networks is None else (n_networks,)
    assert (inputs.shape, inputs.dtype) == ((*networks, 7, 2), np.float64)
    assert (targets.shape, targets.dtype) == ((*networks, 7), np.int64)


@pytest.mark.parametrize("distance", [0, 2.5, 6])
def test_shifted_regions_have_the_stated_moments_and_rule(distance):
    inputs, targets = points(distance, n_samples=40_000)
    assert inputs.mean(axis=0) == pytest.approx([-1 + 0.5 * distance, 0], abs=0.02)
    assert inputs.std(axis=0) == pytest.approx([0.5, 0.8], abs=0.01)
    x1, x2 = inputs.T
    assert np.array_equal(targets, x2 > 0.9 * np.sin(1.6 * x1))


def test_other_distances_move_the_same_points():
    near, _ = points(0, n_networks=3)
    far, _ = points(4, n_networks=3)
    np.testing.assert_allclose(far - near, np.broadcast_to([2.0, 0.0], near.shape), atol=1e-12)


def test_points_of_a_network_depend_on_its_generator_only():
    many, labels = points(1, n_networks=16)
    few, _ = points(1, n_networks=4)
    alone, alone_labels = points(1)
    assert np.array_equal(many[:4], few)
    assert np.array_equal(many[0], alone)
    assert np.array_equal(labels[0], alone_labels)
    assert not np.array_equal(many[0], many[1])
    assert np.array_equal(points(1, n_samples=20)[0], alone[:20])


def test_region_boundary_separates_the_classes():
    x1 = np.linspace(-3, 3, 25)
    height = region_boundary(x1)
    assert region_rule(np.stack([x1, height + 1e-9], axis=-1)).all()
    assert not region_rule(np.stack([x1, height], axis=-1)).any()
    assert region_boundary(0) == 0
    assert region_rule([0.0, 0.1]) == 1


@pytest.mark.parametrize(
    "arguments, error, message",
    [
        ({"distance": -1}, ValueError, "distance must be a finite number"),
        ({"distance": math.inf}, ValueError, "distance must be a finite number"),
        ({"distance": "far"}, TypeError, "distance must be a number, got 'far'"),
        ({"n_samples": 0}, ValueError, "n_samples must be at least 1, got 0"),
        ({"n_samples": 2.0}, TypeError, "n_samples must be an integer, got 2.0"),
        ({"n_networks": 0}, ValueError, "n_networks must be at least 1, got 0"),
        ({"rng": None}, TypeError, "rng must be a numpy.random.Generator or a list"),
    ],
)
def test_shifted_regions_bad_arguments(arguments, error, message):
    good = {"distance": 1, "n_samples": 5, "rng": np.random.default_rng(0)}
    with pytest.raises(error, match=message):
        shifted_regions(**{**good, **arguments})


def test_region_rule_bad_arguments():
    with pytest.raises(ValueError, match=r"inputs must have shape \(..., 2\), got \(4, 3\)"):
        region_rule(np.zeros((4, 3)))
    with pytest.raises(ValueError, match=r"inputs must have shape \(..., 2\), got \(\)"):
        region_rule(1.0)
    with pytest.raises(ValueError, match="inputs must be finite"):
        region_rule([[0.0, math.nan]])
    with pytest.raises(TypeError, match="x1 must be an array of real numbers"):
        region_boundary("left")
