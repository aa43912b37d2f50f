"""The instructor's board: what notebooks 01 to 05 measure, computed beforehand for a fast start.

MEASURES run the notebooks' own experiments with their own settings and keep one value per network;
`load_lecture` reads them from data/. So the board says what the notebooks print.
"""

from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np

from helpers.arms import Run
from helpers.datasets import FASHION_MNIST_FILE, make_read_only, read_arrays
from helpers.experiments.batch_norm_mechanics import compare_averages
from helpers.experiments.covariate_shift import (
    CoatStory,
    Detector,
    draw_shown,
    measure_coats,
    measure_regions,
)
from helpers.experiments.hidden_layer_stability import (
    DRIVES,
    KickResult,
    MovingTarget,
    run_drift,
    run_kick,
    run_moving_target,
)
from helpers.experiments.minibatch_noise import (
    LIVE_ARMS,
    NaiveSweep,
    naive_sweep,
    noise_by_batch_size,
    train_arms,
)
from helpers.experiments.other_suspects import NOISY_ARMS, run_noisy_race

LECTURE_FILE = FASHION_MNIST_FILE.with_name("lecture_demos.npz")
DETECTORS = ("plain", "reference", "shortcut")
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
    story, regions = measure_coats(detectors=DETECTORS), measure_regions((4,))
    detectors = {
        field.name: np.array([getattr(getattr(story, one), field.name) for one in DETECTORS])
        for field in fields(Detector)
    }
    lines = np.concatenate([regions.plain, regions.reweighted])
    return {"coats": story.coats, **detectors, "regions": lines}


def measure_notebook_02():
    """Return the test accuracies of the same weights with four kinds of statistics."""
    found = [compare_averages(64, memory) for memory in MEMORIES]
    fixed = [found[0][kind] for kind in ("own batch", "population")]
    return {"averages": np.array([*fixed, *(one["running"] for one in found)])}


def measure_notebook_03():
    """Return the ranking drift of both arms, two kicks of theirs, and the moving target."""
    pair, target = run_drift(), run_moving_target()
    return {
        "ranking": np.array([arm.mean_drift("z2", "ranking") for arm in pair.arms]),
        "kicks": np.array([run_kick(pair, *one).damage for one in KICKS]),
        "late_losses": np.array([target.late_loss[drive] for drive in DRIVES]),
    }


def measure_notebook_04():
    """Return the noise of batch norm, both naive sweeps, and the arms that differ in noise."""
    noise, sweeps = noise_by_batch_size(), [naive_sweep(one) for one in (True, False)]
    return {
        "noise": noise.total[[noise.batch_sizes.index(size) for size in NOISE_SIZES]],
        "sweep_train_losses": np.array([one.train_losses for one in sweeps]),
        "sweep_test_losses": np.array([one.test_losses for one in sweeps]),
        "best_test_losses": np.array([run.best_test_loss for run in train_arms().values()]),
    }


def measure_notebook_05():
    """Return the races without batch norm, with it, and with noise behind it, and their drift."""
    races = [run_noisy_race(rate).values() for rate in RACE_RATES]
    drifts = [run_noisy_race(rate, drift=True, n_steps=41).values() for rate in RACE_RATES]
    return {
        "race_losses": np.array([[run["loss"] for run in race] for race in races]),
        "race_drift": np.array([[run["drift"].mean(axis=0) for run in one] for one in drifts]),
    }


MEASURES = (
    measure_notebook_01, measure_notebook_02, measure_notebook_03, measure_notebook_04,
    measure_notebook_05,
)


# -- the same, as results that pictures show --


@dataclass(frozen=True, eq=False)
class Lecture:
    """What the lecture shows.

    arrays: as in SHAPES. story: notebook 01's, without the two detectors with batch norm.
    averages: {memory: {name: (16,)}}, in %. kicks: {kind: KickResult}, means over three
    kicks. sweeps: with batch norm, without it. races: {learning rate: {arm: Run}}, with a "loss".
    best_test_losses: {arm: (16,)}.
    """

    arrays: dict
    story: CoatStory
    averages: dict
    kicks: dict
    target: MovingTarget
    sweeps: tuple
    best_test_losses: dict
    races: dict


@lru_cache(maxsize=1)
def load_lecture(path=LECTURE_FILE):
    """Return the Lecture in data/, which `python -m helpers.experiments.precompute` writes.

    Raises FileNotFoundError when the file is missing, ValueError when it is damaged or its arrays
    have other shapes.
    """
    restore = (
        f"Restore it with `git checkout -- data/{path.name}` or compute it anew, in a minute, with "
        "`python -m helpers.experiments.precompute lecture`."
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
            kind: KickResult(kind, size, damage)
            for (kind, size), damage in zip(KICKS, arrays["kicks"])
        },
        target=MovingTarget(dict(zip(DRIVES, arrays["late_losses"]))),
        sweeps=tuple(
            NaiveSweep(batch_norm, SWEEP_SIZES, SWEEP_STEPS, *losses)
            for batch_norm, *losses in zip(
                (True, False), arrays["sweep_train_losses"], arrays["sweep_test_losses"]
            )
        ),
        best_test_losses=dict(zip(LIVE_ARMS, arrays["best_test_losses"])),
        races=dict(zip(RACE_RATES, map(_race, arrays["race_losses"]))),
    )


def _story(arrays):
    detectors = {
        name: Detector(*(arrays[field.name][place] for field in fields(Detector)))
        for place, name in enumerate(DETECTORS)
    }
    without = dict.fromkeys(("batch_norm", "batch_norm_faster"))
    return CoatStory(arrays["coats"], **detectors, **without, shown=draw_shown())


def _race(losses):
    return {arm: Run(RACE_STEPS, {"loss": one}, None, None) for arm, one in zip(NOISY_ARMS, losses)}
