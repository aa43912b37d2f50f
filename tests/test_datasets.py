"""The data folder is whole, the loader refuses what is not, and draws are shared as promised."""

import gzip
import io
import pickle
import re
import runpy

import numpy as np
import pytest

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

LOADERS = {
    evidence.MAP_FILE: evidence.load_learning_rate_map,
    direction.RATES_FILE: direction.load_hidden_rates,
    lecture.LECTURE_FILE: lecture.load_lecture,
}
FILES = [FASHION_MNIST_FILE, *LOADERS]
TABLE = direction.RATES_FILE
CONTENT, ARRAYS = TABLE.read_bytes(), read_arrays(TABLE)


def test_all_files_have_a_checksum_and_the_readme_names_their_arrays():
    assert {*DATA_FOLDER.glob("*.npz")} == {*FILES}
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


def flipped(position):
    content = bytearray(CONTENT)
    content[int(position * len(content))] ^= 0xFF
    return bytes(content)


def packed(**changed):
    file = io.BytesIO()
    np.savez(file, **{**ARRAYS, **changed})
    return file.getvalue()


GROWTH = ARRAYS["growth"]
ALTERED, UNREADABLE = "is altered: its arrays", "is truncated or altered"
DAMAGES = {  # what is written, or what else is done to the path
    "missing": (lambda path: None, r"is missing.*only editable inst"),
    "folder": (lambda path: path.mkdir(), "cannot be read: "),
    "unreadable": (lambda path: path.symlink_to(path), "cannot be read: "),
    "empty": (b"", UNREADABLE),
    "cut": (CONTENT[:-1], UNREADABLE),
    "flipped": (flipped(0.5), UNREADABLE),
    "another": (FASHION_MNIST_FILE.read_bytes(), ALTERED),
    "one more": (packed(more=GROWTH), ALTERED),
    "shape": (packed(growth=GROWTH[None]), ALTERED),
    "type": (packed(growth=GROWTH.view(np.int64)), ALTERED),
    "another value": (packed(growth=np.where(np.arange(16) == 3, 17, GROWTH)), ALTERED),
    "bombs": (packed(growth=np.array([Bomb("exploded")])), UNREADABLE),
    "a bomb": (pickle.dumps(Bomb("exploded")), UNREADABLE),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_refused_and_the_error_tells_how_to_restore_it(
    tmp_path, monkeypatch, damage
):
    monkeypatch.chdir(tmp_path)
    path, (spoiled, problem) = tmp_path / TABLE.name, DAMAGES[damage]
    path.write_bytes(spoiled) if isinstance(spoiled, bytes) else spoiled(path)
    with pytest.raises((OSError, ValueError), match=problem) as caught:
        read_arrays(path)
    message = str(caught.value)
    assert message.startswith(f"{path} ") and f"`git checkout -- data/{path.name}`" in message
    assert not (tmp_path / "exploded").exists()


def test_a_flipped_byte_never_gives_other_numbers(tmp_path):
    path = tmp_path / TABLE.name
    for position in np.random.default_rng(0).random(200):
        path.write_bytes(flipped(position))
        try:
            read_arrays(path)  # some bytes, such as dates, mean nothing
        except ValueError as error:
            assert "git checkout" in str(error)


@pytest.mark.parametrize("file", LOADERS, ids=lambda file: file.stem)
def test_no_loader_takes_other_arrays(tmp_path, file):
    np.savez(tmp_path / file.name, **{**read_arrays(file), "more": 1})
    with pytest.raises(ValueError, match=ALTERED):
        LOADERS[file](tmp_path / file.name)


# -- rebuilding it --


SCRIPT = runpy.run_path(DATA_FOLDER / "build_fashion_mnist.py")


def write_idx(path, array):
    header = [0x0800 + array.ndim, *array.shape]
    path.write_bytes(gzip.compress(np.array(header, ">u4").tobytes() + array.tobytes(), 1))


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
def test_rebuild_refuses_other_originals_and_leaves_the_old_file(tmp_path, name, spoil, problem):
    for prefix in ("train", "t10k"):  # well-formed, with 12 black images of each class
        labels = np.repeat(np.arange(10, dtype=np.uint8), 12)
        write_idx(tmp_path / f"{prefix}-labels-idx1-ubyte.gz", labels)
        write_idx(tmp_path / f"{prefix}-images-idx3-ubyte.gz", np.zeros((120, 28, 28), np.uint8))
    spoil(tmp_path / f"train-{name}-ubyte.gz")
    output = tmp_path / "out.npz"
    output.write_text("as before")
    with pytest.raises(SystemExit) as caught:
        SCRIPT["main"]([str(tmp_path), "--output", str(output)])
    assert str(tmp_path) in caught.value.code and problem in caught.value.code
    assert output.read_text() == "as before"


# -- the loader --


@pytest.mark.parametrize("n_networks", [None, 1, 3])
def test_shapes_and_types(n_networks):
    data = load(n_train=20, n_test=30, n_networks=n_networks)
    networks = () if n_networks is None else (n_networks,)
    shapes = [(*networks, 20, 196), (*networks, 20), (30, 196), (30,)]
    arrays = data.train_inputs, data.train_targets, data.test_inputs, data.test_targets
    assert [array.shape for array in arrays] == shapes
    assert [array.dtype for array in arrays] == [np.float32, np.int64] * 2
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


@pytest.mark.parametrize("label_noise", [0.0, 0.3])
def test_networks_do_not_depend_on_their_neighbours(label_noise):
    options = {"n_train": 40, "n_test": 5, "image_size": 7, "label_noise": label_noise}
    many, first = load(1, 3, **options), load(1, **options)
    for k, rng in enumerate(spawn_streams(1, 3).data):
        alone = load_fashion_mnist(rng=rng, **options)
        for name in ("train_inputs", "train_targets"):
            assert np.array_equal(getattr(many, name)[k], getattr(alone, name))
            assert np.array_equal(getattr(first, name), getattr(alone, name)) == (k == 0)


def test_test_arrays_are_the_first_images_clean_and_the_callers_own():
    noisy = load(seed=1, n_test=300, label_noise=1.0)
    assert np.array_equal(noisy.test_inputs, load(seed=2, n_test=2000).test_inputs[:300])
    assert np.array_equal(noisy.test_targets, RAW["test_labels"][:300])
    kept = noisy.test_inputs.copy()
    noisy.test_inputs[:] = noisy.test_targets[:] = 0  # harms nobody
    again = load(seed=1, n_test=300)
    assert np.array_equal(again.test_inputs, kept)
    assert np.array_equal(again.test_targets, RAW["test_labels"][:300])


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


def test_a_smaller_training_set_is_a_prefix():
    large = load(n_train=500, label_noise=0.2, n_networks=2)
    small = load(n_train=64, label_noise=0.2, n_networks=2)
    assert np.array_equal(small.train_inputs, large.train_inputs[:, :64])
    assert np.array_equal(small.train_targets, large.train_targets[:, :64])


def test_classes_are_relabelled_in_the_given_order():
    options = {"n_train": 3000, "n_test": 600, "image_size": 7}
    data = load(classes=["Bag", 9, "Trouser"], **options)
    whole = load(n_train=10_000, n_test=2000, image_size=7)
    assert data.class_names == ("Bag", "Ankle boot", "Trouser")
    rows = np.isin(RAW["test_labels"], [8, 9, 1])
    assert np.array_equal(np.array([8, 9, 1])[data.test_targets], RAW["test_labels"][rows])
    assert np.array_equal(data.test_inputs, whole.test_inputs[rows])
    assert (data.mean, data.sd) == (whole.mean, whole.sd)
    for target, label in enumerate([8, 9, 1]):
        ours = data.train_inputs[data.train_targets == target].mean(axis=-1)
        theirs = whole.train_inputs[whole.train_targets == label].mean(axis=-1)
        assert np.array_equal(np.sort(ours), np.sort(theirs))
    for same in (np.array([8, 9, 1]), (8, "Ankle boot", 1)):
        assert np.array_equal(load(classes=same, **options).train_inputs, data.train_inputs)


def test_wrong_labels_stay_within_the_classes():
    data = load(classes=(7, 9), n_train=2000, n_test=400, image_size=7, label_noise=1.0)
    assert np.bincount(data.train_targets) == pytest.approx(1000, abs=100)
    assert set(data.train_targets) == {0, 1}


def test_bad_arguments_are_refused_before_anything_is_drawn():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="n_train must be"):
        load_fashion_mnist(n_train=0, rng=rng)
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
    many, labels = points(1, n_networks=3)
    alone, alone_labels = points(1)
    assert np.array_equal(many[0], alone) and np.array_equal(labels[0], alone_labels)
    assert not np.array_equal(many[0], many[1])
    assert np.array_equal(points(1, n_samples=20)[0], alone[:20])
