"""The measured numbers that beats name, from the stored Lecture, as the notebooks print them."""

import numpy as np

from helpers.arms import first_below
from helpers.batch_norm_mechanics.experiments import median_arrivals, normalise_one_batch
from helpers.hidden_layer_stability.experiments import HURT
from helpers.intervals import mean_interval
from helpers.long_work import remember
from helpers.weighing_the_evidence import experiments as evidence
from helpers.weighing_the_evidence.direction import load_hidden_rates


@remember(maxsize=5)
def numbers_of(lecture, notebook):
    """Return {name: number, text or Interval} of one notebook, "01" to "05"; some hold a dict."""
    return _with_intervals(NUMBERS[notebook](lecture))


def _with_intervals(numbers):
    """Replace each array over networks by its Interval."""
    if isinstance(numbers, dict):
        return {name: _with_intervals(one) for name, one in numbers.items()}
    return mean_interval(numbers) if isinstance(numbers, np.ndarray) else numbers


def _of_covariate_shift(lecture):
    plain, shortcut = lecture.story["plain"], lecture.story["only_cats_black"]
    black, coloured = plain["accuracy"][[0, -1]]
    black_cats, coloured_cats = plain["cat_recall"][[0, -1]]
    reference = lecture.story["reference"]["accuracy"][-1]
    return {
        "black": black, "coloured": coloured, "bright": reference,
        "black cats": black_cats, "coloured cats": coloured_cats,
        "drop": black - coloured, "shift": reference - coloured, "harder": black - reference,
        "share": (reference - coloured).mean() / (black - coloured).mean(),
        "found": shortcut["cat_recall"][-1], "in training": shortcut["train_accuracy"],
    }


def _of_batch_norm_mechanics(lecture):
    pushed = normalise_one_batch(batch_size=8, push=6.0)
    moves = np.abs(pushed["after"] - pushed["quiet after"])[1:]
    running = {memory: one["running"] for memory, one in lecture.averages.items()}
    return {
        "moved": int((moves > 0.001).sum()), "others": len(moves), "furthest": moves.max(),
        "usual": running[0.9], "slow": running[0.999], "exact": lecture.averages[0.9]["population"],
        "repair": dict(zip(("without", "stored", "fresh", "helped"), lecture.repair)),
        "faster": _race(next(iter(lecture.races.values())), "with"),
    }


def _of_hidden_layer_stability(lecture):
    scale = dict(zip(HURT, lecture.kicks["scale"][2.0]))
    rotated, grown = (d["with"].mean() / d["without"].mean() for d in lecture.damages.values())
    return {
        "scale": scale, **lecture.damages,
        "spared": rotated - grown,  # of growth's damage more than of rotation's
    }


def _of_minibatch_noise(lecture):
    best = lecture.best_test_losses
    gains = {arm: losses - best["group 512"] for arm, losses in best.items()}
    group, dropout = mean_interval(gains["group 64"]), gains["dropout 0.2"].mean()
    return {
        "gaps": {
            arm: sizes[64]["gap"][-1] - sizes[512]["gap"][-1]
            for arm, sizes in lecture.sweeps.items()
        },
        "gains": gains,
        "times": {end: dropout / getattr(group, end) for end in ("mean", "low", "high")},
    }


def _of_weighing_the_evidence(lecture):
    numbers = {}
    for place, (name, race) in enumerate(zip(("fast", "slow"), lecture.races.values())):
        drift = dict(zip(race, lecture.arrays["race_drift"][place]))
        numbers[name] = {**_race(race, "noisy"), "drift": drift}
    deep = evidence.pair_of(evidence.load_learning_rate_map(), "relu", 10, 1.0)
    numbers["rates"] = {arm: evidence.range_text(deep[arm]) for arm in ("without", "with")}
    # As far as eps does not see the length, the same training: by construction (test_direction).
    numbers |= {"n rates": int(evidence.trains(deep["without"]).sum()), "same": 0.0}
    return {**numbers, "growth": load_hidden_rates()["free"]["growth"][-1]}


def _race(race, arm):
    """Return the median steps of all arms, as texts, of `arm` as a number, and what it saves."""
    steps, saving = (first_below(0.5, race[one]) for one in ("without", arm))
    medians = {name: text for name, (text,) in median_arrivals(0.5, [race]).items()}
    return {**medians, "median": float(np.median(saving)), "saved": steps - saving}


NUMBERS = {
    "01": _of_covariate_shift,
    "02": _of_batch_norm_mechanics,
    "03": _of_hidden_layer_stability,
    "04": _of_minibatch_noise,
    "05": _of_weighing_the_evidence,
}
