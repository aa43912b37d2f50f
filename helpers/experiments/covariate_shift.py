"""Notebook 01: a detector of black cats meets coloured ones; can old data stand in for new?"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from helpers.checks import check_choice, check_number
from helpers.datasets import shifted_regions
from helpers.experiments.arm import N_SEEDS, train_arm
from helpers.faces import CAT, KINDS, draw_faces
from helpers.layer_statistics import layer_places, record, with_statistics
from helpers.layers import Dense
from helpers.network import inference_accuracy
from helpers.randomness import spawn_streams
from helpers.recoloured import (
    IMAGE_SIZE,
    Recoloured,
    black_and_bright,
    blend,
    draw_animals,
    draw_clothes,
    pixel_mean_and_sd,
)
from helpers.shift import domain_auc, effective_sample_size, importance_weights
from helpers.sweep import side_by_side

COATS = tuple(step / 10 for step in range(11))  # from black (0) to full colour (1)

# -- the detectors --


@dataclass(frozen=True, eq=False)
class Detector:
    """Networks trained in one way, and how they do in each of the story's test coats.

    Arrays (n_coats, n_networks): the share of all, of the cats and of the other animals that are
    recognised. train_accuracy: (n_networks,). verdicts: (n_coats, n_shown), whether network 0
    takes the shown faces for cats.
    """

    accuracy: np.ndarray
    cat_recall: np.ndarray
    other_recall: np.ndarray
    train_accuracy: np.ndarray
    verdicts: np.ndarray


@dataclass(frozen=True, eq=False)
class Shown:
    """The faces that pictures show: large ones for people, the same at the networks' size.

    is_cat: (n_shown,). black, bright: (n_shown, height, width, 3); small: Recoloured, one network.
    """

    is_cat: np.ndarray
    black: np.ndarray
    bright: np.ndarray
    small: Recoloured

    def in_coats(self, colourfulness):
        """Return the large pictures in coats between black (0) and bright (1)."""
        return blend(self.black, self.bright, colourfulness)


@dataclass(frozen=True, eq=False)
class CoatStory:
    """Five ways to train a cat detector, on the same faces from the same initial weights.

    plain: trained on black coats. batch_norm: the same with batch norm, whose stored statistics
    are the exact moments of the black training faces; batch_norm_faster at its own learning rate.
    reference: trained on coloured coats. shortcut: trained on black cats among coloured animals.
    Those that were not asked for are None. coats: (n_coats,), from black (0) to full colour (1).
    """

    coats: np.ndarray
    plain: Detector | None
    batch_norm: Detector | None
    batch_norm_faster: Detector | None
    reference: Detector | None
    shortcut: Detector | None
    shown: Shown


DETECTORS = ("plain", "batch_norm", "batch_norm_faster", "reference", "shortcut")


def measure_coats(
    *, n_networks=N_SEEDS, n_faces=500, n_steps=120, batch_size=64, learning_rate=0.03,
    faster=0.1, image_size=IMAGE_SIZE, coats=COATS, detectors=DETECTORS, seed=0, on_step=None,
):
    """Return the CoatStory; calls `on_step()` n_steps times for each of the `detectors`.

    Each network has one hidden layer of 32 ReLU units and draws its own training and test faces.
    Raises ValueError unless `detectors` are of DETECTORS.
    """
    for name in detectors:
        check_choice("detectors", name, DETECTORS)
    rng = spawn_streams(seed, n_networks).data
    train_animals, test_animals = (
        draw_animals(n_faces, image_size, n_networks=n_networks, rng=rng) for _ in range(2)
    )
    test_pixels = {coat: test_animals.in_coats(coat) for coat in coats}
    shown = draw_shown(image_size=image_size)
    settings = dict(
        seed=seed, n_networks=n_networks, n_steps=n_steps, batch_size=batch_size, on_step=on_step
    )

    def detector(pixels, *, batch_norm=False, rate=learning_rate):
        targets = train_animals.targets
        predict = train_detector(
            pixels, targets, batch_norm=batch_norm, learning_rate=rate, **settings
        )
        train_accuracy = (predict(pixels) == targets).mean(axis=-1)
        return _judge(predict, train_accuracy, test_animals.targets, test_pixels, shown)

    black, bright = train_animals.black, train_animals.bright
    ways = {
        "plain": lambda: detector(black),
        "batch_norm": lambda: detector(black, batch_norm=True),
        "batch_norm_faster": lambda: detector(black, batch_norm=True, rate=faster),
        "reference": lambda: detector(bright),
        "shortcut": lambda: detector(train_animals.only_targets_black()),
    }
    found = side_by_side(lambda name: ways[name](), [dict(name=name) for name in detectors])
    trained = dict(zip(detectors, found))
    return CoatStory(np.array(coats), **dict.fromkeys(DETECTORS) | trained, shown=shown)


def train_detector(pixels, targets, *, batch_norm, **settings):
    """Return a function from pixels (n_networks, n, features) to predicted classes.

    Each network standardises all pixels with one mean and one standard deviation, those of its
    training pixels; batch norm stores the exact statistics of the training pictures. settings: as
    in `train_arm`.
    """
    mean, sd = pixel_mean_and_sd(pixels)
    inputs = (pixels - mean) / sd
    network, _ = train_arm(
        inputs, targets, [pixels.shape[-1], 32, 2], batch_norm=batch_norm, **settings
    )
    if batch_norm:
        network = with_statistics(network, inputs)

    def predict(new_pixels):
        return network.forward((new_pixels - mean) / sd, training=False).argmax(axis=-1)

    return predict


def _judge(predict, train_accuracy, targets, test_pixels, shown):
    is_cat = targets == 1
    right = [predict(pixels) == targets for pixels in test_pixels.values()]
    verdicts = [predict(shown.small.in_coats(coat)[0])[0] == 1 for coat in test_pixels]
    return Detector(
        accuracy=np.array([one.mean(axis=-1) for one in right]),
        cat_recall=np.array([_share(one, is_cat) for one in right]),
        other_recall=np.array([_share(one, ~is_cat) for one in right]),
        train_accuracy=train_accuracy,
        verdicts=np.array(verdicts),
    )


def _share(right, members):
    return (right & members).sum(axis=-1) / members.sum(axis=-1)


def draw_shown(n_cats=10, *, image_size=IMAGE_SIZE, large=48, seed=1):
    """Return the Shown faces: as many other animals behind `n_cats` cats."""
    others = [kind for kind in range(len(KINDS)) if kind != CAT]
    kinds = np.array([CAT] * n_cats + [others[i % len(others)] for i in range(n_cats)])
    pictures = []
    for size in (large, image_size):  # the same seed: the same animals, larger or smaller
        rng = np.random.default_rng(seed)
        faces = draw_faces(kinds, size, rng)
        pictures.append(black_and_bright(faces, rng))
    (black, bright), small = pictures
    small = [pixels.reshape(1, len(kinds), -1) for pixels in small]
    return Shown(faces.is_cat == 1, black, bright, Recoloured(faces.is_cat[None], *small))


@dataclass(frozen=True, eq=False)
class CoatView:
    """One place in the CoatStory: how a detector does while the shown faces wear these coats.

    place: index into `coats`. pictures: (n_shown, height, width, 3). says_cat: (n_shown,), the
    verdicts of network 0. reference: accuracies of the reference nets in full colour, or None.
    """

    coats: np.ndarray
    place: int
    detector: Detector
    is_cat: np.ndarray
    pictures: np.ndarray
    says_cat: np.ndarray
    reference: np.ndarray | None


def view_coats(story, coat, *, shortcut=False, with_reference=False):
    """Return the CoatView of the coats nearest to `coat` (0 black, 1 full colour).

    shortcut: the detector that learned from black cats among coloured animals.
    """
    place = int(np.abs(story.coats - check_number("coat", coat, 0, 1)).argmin())
    detector, shown = (story.shortcut if shortcut else story.plain), story.shown
    return CoatView(
        story.coats, place, detector, shown.is_cat, shown.in_coats(story.coats[place]),
        detector.verdicts[place], story.reference.accuracy[-1] if with_reference else None,
    )


# -- two dimensions: one rule, another region --


@dataclass(frozen=True, eq=False)
class RegionResult:
    """Linear classifiers of one region, tested `distances` standard deviations away.

    plain, reweighted, reference: accuracies (n_distances, n_networks); reference is trained in
    the test region. recentred: accuracies of plain when the test points are moved so that their
    mean is that of the training points. commoner: accuracies of always naming the class that is
    commoner among the test points. auc, effective: (n_distances, n_networks), how well the regions
    can be told apart and what n_train reweighted examples count as; exact_effective: what they
    count as with the weights that the two densities give.
    """

    distances: np.ndarray
    n_train: int
    plain: np.ndarray
    reweighted: np.ndarray
    reference: np.ndarray
    recentred: np.ndarray
    commoner: np.ndarray
    auc: np.ndarray
    effective: np.ndarray
    exact_effective: np.ndarray


LINE = dict(sizes=[2, 2], n_steps=150, learning_rate=0.3)
CURVE = dict(sizes=[2, 16, 2], n_steps=300, learning_rate=0.1)


def measure_regions(
    distances=(0, 1, 2, 3, 4), *, n_networks=N_SEEDS, n_train=300, n_test=1000, seed=0,
    on_step=None,
):
    """Return the RegionResult; calls `on_step()` once for each distance."""
    settings = dict(seed=seed, n_networks=n_networks, **LINE)
    source, _, _ = _regions(0, n_networks, n_train, n_test, seed)  # the same at any distance
    plain = _fit(*source, **settings)
    columns = []
    for distance in distances:
        _, target, test = _regions(distance, n_networks, n_train, n_test, seed)
        pairs = list(zip(source[0], target[0]))
        weights = np.array([importance_weights(*pair) for pair in pairs])
        reweighted, reference = _fit(*source, weights, **settings), _fit(*target, **settings)
        move = source[0].mean(axis=-2, keepdims=True) - test[0].mean(axis=-2, keepdims=True)
        columns.append(
            [inference_accuracy(one, *test) for one in (plain, reweighted, reference)]
            + [inference_accuracy(plain, test[0] + move, test[1])]
            + [_commoner_share(test[1])]
            + [[domain_auc(*pair) for pair in pairs]]
            + [[effective_sample_size(one) for one in weights]]
            + [[effective_sample_size(exact_weights(one, distance)) for one in source[0]]]
        )
        if on_step is not None:
            on_step()
    return RegionResult(np.array(distances), n_train, *np.array(columns).swapaxes(0, 1))


def exact_weights(inputs, distance):
    """Return the density ratio of the region at `distance` to that of `inputs`, (n,) with mean 1.

    inputs: (n, 2), points of `shifted_regions` at 0. Both regions are normal, one standard
    deviation apart for each unit of `distance`, which makes the log of the ratio linear.
    """
    sds_from_mean = (inputs[:, 0] + 1) / 0.5
    log_ratio = distance * sds_from_mean - distance**2 / 2
    weights = np.exp(log_ratio - log_ratio.max())
    return weights / weights.mean()


def measure_flexible(distance=4, *, n_networks=N_SEEDS, n_train=300, n_test=1000, seed=0):
    """Return the accuracies, (n_networks,) each, of a net of 16 tanh units: plain, reweighted."""
    source, target, test = _regions(distance, n_networks, n_train, n_test, seed)
    weights = np.array([importance_weights(*pair) for pair in zip(source[0], target[0])])
    settings = dict(seed=seed, n_networks=n_networks, **CURVE)
    plain, reweighted = _fit(*source, **settings), _fit(*source, weights, **settings)
    return inference_accuracy(plain, *test), inference_accuracy(reweighted, *test)


def _regions(distance, n_networks, n_train, n_test, seed):
    """Return (inputs, targets) of the source, of the target region and of its test points."""
    rng = spawn_streams(seed, n_networks).data
    return [
        shifted_regions(away, n_points, n_networks=n_networks, rng=rng)
        for away, n_points in ((0, n_train), (distance, n_train), (distance, n_test))
    ]


def _fit(inputs, targets, sample_weights=None, *, sizes, **settings):
    network, _ = train_arm(
        inputs, targets, sizes, batch_size=inputs.shape[-2], batch_norm=False, activation="tanh",
        sample_weights=sample_weights, **settings,
    )
    return network


def _commoner_share(targets):
    share = targets.mean(axis=-1)
    return np.maximum(share, 1 - share)


@dataclass(frozen=True, eq=False)
class RegionView:
    """One linear classifier, its points and its line, for a picture.

    source, target: (n_train, 2). weights: (n_train,), mean 1. mistaken: (n_train,), which target
    points it gets wrong. line: (a, b, c), it answers 1 where a x1 + b x2 + c > 0. accuracy: on
    new points of the target region.
    """

    distance: float
    reweighted: bool
    source: np.ndarray
    target: np.ndarray
    weights: np.ndarray
    mistaken: np.ndarray
    line: tuple
    accuracy: float
    auc: float
    effective: float


def view_regions(distance, reweighted, *, n_train=300, n_test=1000, seed=0):
    """Return the RegionView of one training set."""
    source, target, test = _regions(distance, None, n_train, n_test, seed)
    if reweighted:
        weights = importance_weights(source[0], target[0])
        network = _fit(*source, weights, seed=seed, n_networks=None, **LINE)
    else:
        weights, network = np.ones(n_train), _plain_line(n_train, seed)
    (layer,) = network.layers
    a, b = layer.weights[:, 1] - layer.weights[:, 0]
    guesses = network.forward(target[0], training=False).argmax(axis=-1)
    return RegionView(
        distance, reweighted, source[0], target[0], weights, guesses != target[1],
        (a, b, layer.bias[1] - layer.bias[0]), float(inference_accuracy(network, *test)),
        domain_auc(source[0], target[0]), effective_sample_size(weights),
    )


@lru_cache(maxsize=1)  # the training points are the same wherever the test region lies
def _plain_line(n_train, seed):
    source, _, _ = _regions(0, None, n_train, 1, seed)
    return _fit(*source, seed=seed, n_networks=None, **LINE)


# -- inside a network: the data set of layer 3 --


@dataclass(frozen=True, eq=False)
class MovingInputs:
    """Can a classifier tell what layer 3 receives now from what it received before?

    steps: training steps at which it was looked at. auc: (n_steps, n_networks), the AUC between
    what layer 3 receives at that step and `later` steps on, from different faces, of a classifier
    that is linear in these values. still: the same for different faces at one and the same step.
    """

    steps: np.ndarray
    later: int
    auc: np.ndarray
    still: np.ndarray


def watch_layer_three(
    steps=(10, 40), *, later=20, n_networks=N_SEEDS, n_faces=500, batch_size=64,
    learning_rate=0.03, seed=0, on_step=None,
):
    """Return the MovingInputs of a black-cat detector with two hidden layers of 32 units.

    Calls `on_step()` once for each AUC, 2 * len(steps) * n_networks times.
    """
    rng = spawn_streams(seed, n_networks).data
    animals = draw_animals(n_faces, n_networks=n_networks, rng=rng)
    mean, sd = pixel_mean_and_sd(animals.black)
    inputs = (animals.black - mean) / sd
    moments = sorted({*steps, *(step + later for step in steps)})
    seen = {}

    def look(step, network):
        if step.index + 1 in moments:
            third = layer_places(network, Dense)[2]
            seen[step.index + 1] = record(network, inputs)[third]

    train_arm(
        inputs, animals.targets, [inputs.shape[-1], 32, 32, 2], seed=seed, n_networks=n_networks,
        n_steps=moments[-1], batch_size=batch_size, learning_rate=learning_rate, batch_norm=False,
        after_step=look,
    )
    auc = [_auc_of_halves(seen[step], seen[step + later], on_step) for step in steps]
    still = [_auc_of_halves(seen[step], seen[step], on_step) for step in steps]
    return MovingInputs(np.array(steps), later, np.array(auc), np.array(still))


def _auc_of_halves(before, after, on_step):
    half, scores = before.shape[-2] // 2, []
    for one, two in zip(before, after):
        scores.append(domain_auc(one[:half], two[half:], squares=False))
        if on_step is not None:
            on_step()
    return scores


# -- going deeper --


@dataclass(frozen=True, eq=False)
class FaceReweighting:
    """Reweighting a cat detector whose training set holds a few coloured animals.

    overlap: the coloured share of the training animals. All others (n_networks,): AUC and
    effective sample size from six colour summaries; accuracies on coloured faces.
    """

    overlap: float
    n_train: int
    auc: np.ndarray
    effective: np.ndarray
    plain: np.ndarray
    reweighted: np.ndarray


def measure_face_reweighting(
    overlap, *, n_networks=N_SEEDS, n_faces=500, n_steps=120, batch_size=64, learning_rate=0.03,
    image_size=IMAGE_SIZE, seed=0, on_step=None,
):
    """Return the FaceReweighting; calls `on_step()` 2 * n_steps times."""
    overlap = check_number("overlap", overlap, 0, 1)
    rng = spawn_streams(seed, n_networks).data
    train_animals, target, test = (
        draw_animals(n_faces, image_size, n_networks=n_networks, rng=rng) for _ in range(3)
    )
    is_coloured = np.array([one.random((n_faces, 1)) < overlap for one in rng])
    pixels = np.where(is_coloured, train_animals.bright, train_animals.black)
    domains = list(zip(*(_colour_summaries(one, image_size) for one in (pixels, target.bright))))
    # No more than 50 times the average weight: one face must not be the whole training set.
    weights = np.array([np.minimum(importance_weights(*two, squares=False), 50) for two in domains])
    weights /= weights.mean(axis=-1, keepdims=True)
    shared = dict(
        pixels=pixels, targets=train_animals.targets, batch_norm=False, seed=seed,
        n_networks=n_networks, n_steps=n_steps, batch_size=batch_size,
        learning_rate=learning_rate, on_step=on_step,
    )
    predictors = side_by_side(
        train_detector, [dict(sample_weights=one, **shared) for one in (None, weights)]
    )
    accuracies = [(one(test.bright) == test.targets).mean(axis=-1) for one in predictors]
    auc = np.array([domain_auc(*two, squares=False) for two in domains])
    effective = np.array([effective_sample_size(one) for one in weights])
    return FaceReweighting(overlap, n_faces, auc, effective, *accuracies)


def _colour_summaries(pixels, image_size):
    """Return mean and standard deviation of red, green and blue in the middle of each face."""
    images = pixels.reshape(*pixels.shape[:-1], image_size, image_size, 3)
    low, high = int(0.3 * image_size), int(0.75 * image_size)
    middle = images[..., low:high, low:high, :].astype(np.float64)
    return np.concatenate([middle.mean(axis=(-3, -2)), middle.std(axis=(-3, -2))], axis=-1)


@dataclass(frozen=True, eq=False)
class TintedPair:
    """Two kinds of clothes, learned in dark grey, tested in colour.

    colourfulness: (n_tints,). plain, batch_norm: accuracies (n_tints, n_networks), batch norm
    with the stored statistics of the dark training pictures. reference: (n_networks,), trained
    and tested in full colour.
    """

    class_names: tuple
    colourfulness: np.ndarray
    plain: np.ndarray
    batch_norm: np.ndarray
    reference: np.ndarray


def measure_tinted_pair(
    classes=("Trouser", "Bag"), tints=(0, 0.25, 0.5, 0.75, 1), *, n_networks=N_SEEDS, n_train=500,
    n_steps=120, batch_size=64, learning_rate=0.03, seed=0, on_step=None,
):
    """Return the TintedPair, all arms at one learning rate; calls `on_step()` 3 * n_steps times."""
    rng = spawn_streams(seed, n_networks).data
    clothes, test = draw_clothes(classes, n_train=n_train, n_networks=n_networks, rng=rng)
    settings = dict(
        targets=clothes.targets, seed=seed, n_networks=n_networks, n_steps=n_steps,
        batch_size=batch_size, learning_rate=learning_rate, on_step=on_step,
    )
    arms = (clothes.black, False), (clothes.black, True), (clothes.bright, False)
    plain, batch_norm, reference = side_by_side(
        train_detector, [dict(pixels=one, batch_norm=norm, **settings) for one, norm in arms]
    )

    def score(predict, tint):
        return (predict(test.in_coats(tint)) == test.targets).mean(axis=-1)

    curves = [np.array([score(predict, tint) for tint in tints]) for predict in (plain, batch_norm)]
    return TintedPair(tuple(classes), np.array(tints), *curves, score(reference, 1))
