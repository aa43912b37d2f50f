"""The instructor's board: what notebooks 01 to 05 measure, computed beforehand for a fast start.

MEASURES run the notebooks' own experiments with their own settings and keep one value per network;
`load_lecture` reads them from data/. So the board says what the notebooks print.
"""

from dataclasses import dataclass

import numpy as np

from helpers.arms import Run
from helpers.batch_norm_mechanics.experiments import compare_averages
from helpers.covariate_shift.experiments import measure_coats, measure_lines
from helpers.datasets import FASHION_MNIST_FILE, make_read_only, read_arrays
from helpers.hidden_layer_stability.experiments import (
    ARMS,
    DRIVES,
    HURT,
    late_losses,
    load_clothes,
    run_kick,
    watch_drift,
)
from helpers.long_work import finish, remember
from helpers.minibatch_noise.experiments import (
    LIVE_ARMS,
    measure_noise,
    pre_activations,
    sweep_batch_sizes,
    watch_live,
)
from helpers.weighing_the_evidence.experiments import NOISY_ARMS, run_noisy_race

LECTURE_FILE = FASHION_MNIST_FILE.with_name("lecture_demos.npz")
DETECTORS = ("plain", "reference", "shortcut")
JUDGED = ("accuracy", "cat_recall", "other_recall", "train_accuracy", "verdicts")
MEMORIES = (0.9, 0.999)
KICKS = (("scale", 2.0), ("random", 1.0))
NOISE_SIZES = (64, 512)
RACE_RATES = (0.1, 0.02)
RACE_STEPS = np.arange(5, 161, 5)
SWEEP_SIZES, SWEEP_STEPS = (16, 64, 512), (1280, 320, 40)

# The last axis holds the networks (of `coats` the coats, of `verdicts` the faces shown).
SHAPES = {
    "coats": (11,),
    "accuracy": (len(DETECTORS), 11, 16),
    "cat_recall": (len(DETECTORS), 11, 16),
    "other_recall": (len(DETECTORS), 11, 16),
    "train_accuracy": (len(DETECTORS), 16),
    "verdicts": (len(DETECTORS), 11, 20),
    "regions": (2, 16),  # as it is, reweighted
    "averages": (4, 16),  # in %: own batch, population, then MEMORIES
    "ranking": (2, 16),  # without batch norm, with it
    "kicks": (len(KICKS), 3, 16),
    "late_losses": (len(DRIVES), 2, 16),
    "noise": (len(NOISE_SIZES), 16),
    "sweep_train_losses": (2, len(SWEEP_SIZES), 16),  # with batch norm, without it
    "sweep_test_losses": (2, len(SWEEP_SIZES), 16),
    "best_test_losses": (len(LIVE_ARMS), 16),
    "race_losses": (len(RACE_RATES), len(NOISY_ARMS), len(RACE_STEPS), 16),
    "race_drift": (len(RACE_RATES), len(NOISY_ARMS), 16),
}


# -- what takes a minute: one function for each notebook, each returns some arrays of SHAPES --


def measure_notebook_01():
    """Return three ways to train a cat detector, and lines in the region 4 sd away."""
    story, lines = measure_coats(DETECTORS), measure_lines(distance=4)
    detectors = {name: np.array([story[one][name] for one in DETECTORS]) for name in JUDGED}
    regions = np.array([lines["plain"], lines["reweighted"]])
    return {"coats": story["plain"]["coats"], **detectors, "regions": regions}


def measure_notebook_02():
    """Return the test accuracies of the same weights with four kinds of statistics."""
    found = [compare_averages(64, memory) for memory in MEMORIES]
    fixed = [found[0][kind] for kind in ("own batch", "population")]
    return {"averages": np.array([*fixed, *(one["running"] for one in found)])}


def measure_notebook_03():
    """Return the ranking drift of both arms, two kicks of theirs, and the moving target."""
    clothes = load_clothes()
    pair = finish(watch_drift(clothes))
    kicks = [run_kick(pair, clothes, *one) for one in KICKS]
    late = [late_losses(clothes, drive) for drive in DRIVES]
    return {
        "ranking": np.array([run["ranking at z2"].mean(axis=0) for run in pair.values()]),
        "kicks": np.array([[one[name] for name in HURT] for one in kicks]),
        "late_losses": np.array([list(one.values()) for one in late]),
    }


def measure_notebook_04():
    """Return the noise of batch norm, both naive sweeps, and the arms that differ in noise."""
    values = pre_activations(n_units=16, n_networks=16, seed=0)
    sweeps = [sweep_batch_sizes(one, SWEEP_SIZES).values() for one in (True, False)]
    train, test = (
        np.array([[run[name][-1] for run in runs] for runs in sweeps])
        for name in ("training loss", "test loss")
    )
    return {
        "noise": measure_noise(values, NOISE_SIZES, seed=0)["total"],
        "sweep_train_losses": train,
        "sweep_test_losses": test,
        "best_test_losses": np.array([
            run["test loss"].min(axis=0) for run in finish(watch_live()).values()
        ]),
    }


def measure_notebook_05():
    """Return the races without batch norm, with it, and with noise behind it, and their drift."""
    races = [run_noisy_race(rate).values() for rate in RACE_RATES]
    return {
        "race_losses": np.array([[run["loss"] for run in race] for race in races]),
        "race_drift": np.array([[run["drift"][-1] for run in race] for race in races]),
    }


MEASURES = (
    measure_notebook_01, measure_notebook_02, measure_notebook_03, measure_notebook_04,
    measure_notebook_05,
)


# -- the same, as results that pictures show --


@dataclass(frozen=True, eq=False)
class Lecture:
    """What the lecture shows.

    arrays: as in SHAPES. story: {detector: what notebook 01's `judge` returns}, without batch norm.
    averages: {memory: {name: (16,)}}, in %. kicks: {kind: a result of `run_kick`}, means over
    three kicks. damages: {drive: {arm: (16,)}}, extra losses in nats. sweeps: {arm: {batch size:
    Run}} that know their gaps. races: {learning rate: {arm: Run}} with a "loss".
    best_test_losses: {arm: (16,)}.
    """

    arrays: dict
    story: dict
    averages: dict
    kicks: dict
    damages: dict
    sweeps: dict
    best_test_losses: dict
    races: dict


@remember(maxsize=1)
def load_lecture(path=LECTURE_FILE):
    """Return the Lecture in data/, which `python -m helpers.lecture.precompute` writes.

    Raises FileNotFoundError when the file is missing, ValueError when it is damaged or its arrays
    have other shapes.
    """
    restore = (
        f"Restore it with `git checkout -- data/{path.name}` or compute it anew, in a minute, with "
        "`python -m helpers.lecture.precompute lecture`."
    )
    arrays = read_arrays(path, SHAPES, restore)
    for name, shape in SHAPES.items():
        if arrays[name].shape != shape:
            raise ValueError(
                f"{path} is altered: {name} must be {shape}, got {arrays[name].shape}. {restore}"
            )
    make_read_only(*arrays.values())
    return as_lecture(arrays)


def as_lecture(arrays):
    """Return the Lecture of `arrays`, {name: array} as in SHAPES."""
    own_batch, population, *running = arrays["averages"]
    return Lecture(
        arrays,
        story=_story(arrays),
        averages={
            memory: {"own batch": own_batch, "population": population, "running": one}
            for memory, one in zip(MEMORIES, running)
        },
        kicks={
            kind: {"kind": kind, "size": size, **dict(zip(HURT, damage))}
            for (kind, size), damage in zip(KICKS, arrays["kicks"])
        },
        damages={
            drive: dict(zip(ARMS, losses - arrays["late_losses"][0]))
            for drive, losses in zip(DRIVES, arrays["late_losses"]) if drive != "none"
        },
        sweeps=_sweeps(arrays),
        best_test_losses=dict(zip(LIVE_ARMS, arrays["best_test_losses"])),
        races=dict(zip(RACE_RATES, map(_race, arrays["race_losses"]))),
    )


def _story(arrays):
    return {
        detector: {"coats": arrays["coats"], **{name: arrays[name][place] for name in JUDGED}}
        for place, detector in enumerate(DETECTORS)
    }


def _sweeps(arrays):
    gaps = arrays["sweep_test_losses"] - arrays["sweep_train_losses"]
    return {
        arm: {
            size: Run(np.array([n_steps]), {"gap": gap[None]}, losses=None, network=None)
            for size, n_steps, gap in zip(SWEEP_SIZES, SWEEP_STEPS, rows)
        }
        for arm, rows in zip(("with", "without"), gaps)
    }


def _race(losses):
    return {arm: Run(RACE_STEPS, {"loss": one}, None, None) for arm, one in zip(NOISY_ARMS, losses)}
