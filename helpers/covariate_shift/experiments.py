"""Notebook 01: detectors in many coats, lines in another region, the moving inputs of layer 3."""

import numpy as np

from helpers.arms import train_arms
from helpers.datasets import Examples, shifted_regions
from helpers.layer_statistics import with_statistics
from helpers.network import inference_accuracy, predict
from helpers.randomness import spawn_streams
from helpers.recoloured import Dyed, draw_animals, draw_shown
from helpers.shift import domain_auc, effective_sample_size, importance_weights

COATS = tuple(step / 10 for step in range(11))  # from black (0) to full colour (1)
DETECTOR = dict(hidden=[32], n_steps=120, batch_size=64, learning_rate=0.03, batch_norm=False)
LINE = dict(hidden=[], n_steps=150, learning_rate=0.3, activation="tanh", batch_norm=False)


def judge(network, data, coats=COATS):
    """Return how detectors do on the test faces of `data`, a Dyed, in each of the coats.

    {"coats": (n_coats,); "accuracy", "cat_recall", "other_recall": (n_coats, n_networks), the share
    of all, of the cats and of the others that are recognised; "train_accuracy": (n_networks,);
    "verdicts": (n_coats, n_shown), whether network 0 takes the faces of `draw_shown` for cats}.
    """
    shown = draw_shown(image_size=round(data.tests.coat_map.shape[-1] ** 0.5))
    right, verdicts = [], []
    for coat in coats:
        guesses = predict(network, data.tests_in_coats(coat)).argmax(axis=-1)
        right.append(guesses == data.test_targets)
        faces = (shown.in_coats(coat).reshape(len(shown.targets), -1) - data.mean) / data.sd
        verdicts.append(predict(network, faces)[0].argmax(axis=-1) == 1)
    is_cat = data.test_targets == 1
    kinds = {"accuracy": True, "cat_recall": is_cat, "other_recall": ~is_cat}
    return {
        "coats": np.array(coats), "verdicts": np.array(verdicts),
        "train_accuracy": inference_accuracy(network, data.train_inputs, data.train_targets),
        **{name: np.mean(right, axis=-1, where=kind) for name, kind in kinds.items()},
    }


def measure_coats(detectors, *, coats=COATS, n_networks=16, n_faces=500, seed=0, **settings):
    """Return {name: what `judge` returns} for some of notebook 01's detectors, by their names.

    "plain", "reference", "only_cats_black", "with" (batch norm with the exact statistics of its
    training faces). settings: of `watch_arms`, instead of those of DETECTOR.
    """
    rng = spawn_streams(seed, n_networks).data
    train, tests = (draw_animals(n_faces, n_networks=n_networks, rng=rng) for _ in range(2))
    dyes = {"plain": 0, "with": 0, "reference": 1, "only_cats_black": train.targets == 0}
    data = {name: Dyed(train, tests, dyes[name]) for name in detectors}
    arms = {name: dict(data=data[name], batch_norm=name == "with") for name in detectors}
    runs = train_arms(arms, None, seed=seed, **{**DETECTOR, **settings})
    return {
        name: judge(with_statistics(run.network, data[name].train_inputs), data[name], coats)
        for name, run in runs.items()
    }


def view_coats(judged, shown, coat, *, only_cats_black=False, with_reference=False):
    """Return what CoatSliderPicture shows, with the test faces in the coats nearest to `coat`.

    judged: {"plain", "reference", "only_cats_black": what `judge` returns}. shown: of `draw_shown`.
    only_cats_black: the detector that learned from black cats among coloured animals.
    """
    detector = judged["only_cats_black" if only_cats_black else "plain"]
    place = int(np.abs(detector["coats"] - coat).argmin())
    return {
        **detector, "place": place, "is_cat": shown.targets == 1,
        "pictures": shown.in_coats(detector["coats"][place]),
        "reference": judged["reference"]["accuracy"][-1] if with_reference else None,
    }


def draw_regions(distance, *, n_networks=None, n_train=300, n_test=1000, seed=0):
    """Return two Examples of one rule: to learn in the training region, or in the test region.

    Both are tested in the test region, `distance` standard deviations away.
    """
    rng = spawn_streams(seed, n_networks).data
    old, new, tests = (
        shifted_regions(away, n_points, n_networks=n_networks, rng=rng)
        for away, n_points in ((0, n_train), (distance, n_train), (distance, n_test))
    )
    return [Examples(*one, *tests, ("below the curve", "above it")) for one in (old, new)]


def exact_weights(inputs, distance):
    """Return the density ratio of the region at `distance` to that of `inputs`, (n,) with mean 1.

    inputs: (n, 2), points of `shifted_regions` at 0. Both regions are normal, one standard
    deviation apart for each unit of `distance`, which makes the log of the ratio linear.
    """
    sds_from_mean = (inputs[:, 0] + 1) / 0.5
    log_ratio = distance * sds_from_mean - distance**2 / 2
    weights = np.exp(log_ratio - log_ratio.max())
    return weights / weights.mean()


def view_regions(distance, reweighted, *, n_train=300, seed=0):
    """Return one linear classifier, its points and its line, as RegionPicture shows them.

    {"distance"; "reweighted"; "source", "target": (n_train, 2); "weights": (n_train,), mean 1;
    "mistaken": (n_train,), the target points it gets wrong; "line": (a, b, c), it answers 1 where
    a x1 + b x2 + c > 0; "accuracy": on new points there; "auc"; "effective"}.
    """
    old, new = draw_regions(distance, n_train=n_train, seed=seed)
    source, target = old.train_inputs, new.train_inputs
    weights = importance_weights(source, target) if reweighted else np.ones(n_train)
    arms = {"line": dict(sample_weights=weights)}
    network = train_arms(arms, old, batch_size=n_train, seed=seed, **LINE)["line"].network
    (layer,), guesses = network.layers, predict(network, target).argmax(axis=-1)
    a, b = layer.weights[:, 1] - layer.weights[:, 0]
    return {
        "distance": distance, "reweighted": reweighted, "source": source, "target": target,
        "weights": weights, "mistaken": guesses != new.train_targets,
        "line": (a, b, layer.bias[1] - layer.bias[0]),
        "accuracy": float(inference_accuracy(network, old.test_inputs, old.test_targets)),
        "auc": domain_auc(source, target), "effective": effective_sample_size(weights),
    }


def auc_of_halves(before, after):
    """Return how well a linear classifier tells two recordings apart, AUCs (n_networks,).

    before, after: (n_networks, n_pictures, features), of the same pictures; it sees the first half
    of one and the second half of the other.
    """
    half = before.shape[-2] // 2
    return np.array([
        domain_auc(one[:half], two[half:], squares=False) for one, two in zip(before, after)
    ])


def colour_summaries(pixels):
    """Return mean and sd of red, green and blue in the middle of each face, (..., n_faces, 6)."""
    side = round((pixels.shape[-1] / 3) ** 0.5)
    images = pixels.reshape(*pixels.shape[:-1], side, side, 3)
    low, high = int(0.3 * side), int(0.75 * side)
    middle, over = images[..., low:high, low:high, :], dict(axis=(-3, -2), dtype=np.float64)
    return np.concatenate([middle.mean(**over), middle.std(**over)], axis=-1)
