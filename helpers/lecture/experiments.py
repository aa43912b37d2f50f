"""The instructor's board: what notebooks 01 to 05 measure, computed beforehand for a fast start.

MEASURES run the notebooks' own experiments with their own settings and keep one value per network;
`load_lecture` reads them from data/. So the board says what the notebooks print.
"""

import numpy as np

from helpers.arms import Run
from helpers.batch_norm_mechanics.experiments import compare_averages
from helpers.covariate_shift.experiments import measure_coats, measure_lines
from helpers.datasets import FASHION_MNIST_FILE, make_read_only, read_arrays
from helpers.hidden_layer_stability import experiments as stability
from helpers.hidden_layer_stability.experiments import ARMS, DRIVES, HURT
from helpers.long_work import finish, remember
from helpers.minibatch_noise import experiments as noise
from helpers.minibatch_noise.experiments import LIVE_ARMS
from helpers.weighing_the_evidence.experiments import NOISY_ARMS, run_noisy_race

LECTURE_FILE = FASHION_MNIST_FILE.with_name("lecture_demos.npz")
DETECTORS = ("plain", "reference", "only_cats_black")
JUDGED = ("accuracy", "cat_recall", "other_recall", "train_accuracy", "verdicts")
MEMORIES = (0.9, 0.999)
KICKS = (("scale", 2.0), ("random", 1.0))
NOISE_SIZES = (64, 512)
RACE_RATES, RACE_STEPS = (0.1, 0.02), np.arange(5, 161, 5)
SWEEP_SIZES, SWEEP_STEPS = (16, 64, 512), np.array([[1280], [320], [40]])

# The last axis holds the networks (of `coats` the coats, of `verdicts` the faces shown).
SHAPES = {
    "coats": (11,),
    **dict.fromkeys(("accuracy", "cat_recall", "other_recall"), (len(DETECTORS), 11, 16)),
    "train_accuracy": (len(DETECTORS), 16),
    "verdicts": (len(DETECTORS), 11, 20),
    "regions": (2, 16),  # as it is, reweighted
    "averages": (4, 16),  # in %: own batch, population, then MEMORIES
    "ranking": (2, 16),  # without batch norm, with it
    "kicks": (len(KICKS), 3, 16),
    "late_losses": (len(DRIVES), 2, 16),
    "noise": (len(NOISE_SIZES), 16),
    **dict.fromkeys(("sweep_train_losses", "sweep_test_losses"), (2, len(SWEEP_SIZES), 16)),
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
    clothes = stability.load_clothes()
    pair = finish(stability.watch_drift(clothes))
    kicks = [stability.run_kick(pair, clothes, *one) for one in KICKS]
    late = [stability.late_losses(clothes, drive) for drive in DRIVES]
    return {
        "ranking": np.array([run["ranking at z2"].mean(axis=0) for run in pair.values()]),
        "kicks": np.array([[one[name] for name in HURT] for one in kicks]),
        "late_losses": np.array([list(one.values()) for one in late]),
    }


def measure_notebook_04():
    """Return the noise of batch norm, both naive sweeps, and the arms that differ in noise."""
    values = noise.pre_activations(n_units=16, n_networks=16, seed=0)
    sweeps = [noise.sweep_batch_sizes(one, SWEEP_SIZES) for one in (True, False)]
    live = finish(noise.watch_live()).values()
    return {
        "noise": noise.measure_noise(values, NOISE_SIZES, seed=0)["total"],
        "sweep_train_losses": np.array([_at_the_end(runs, "training loss") for runs in sweeps]),
        "sweep_test_losses": np.array([_at_the_end(runs, "test loss") for runs in sweeps]),
        "best_test_losses": np.array([run["test loss"].min(axis=0) for run in live]),
    }


def measure_notebook_05():
    """Return the races without batch norm, with it, and with noise behind it, and their drift."""
    races = [run_noisy_race(rate) for rate in RACE_RATES]
    return {
        "race_losses": np.array([[run["loss"] for run in race.values()] for race in races]),
        "race_drift": np.array([_at_the_end(race, "drift") for race in races]),
    }


def _at_the_end(runs, name):
    return [run[name][-1] for run in runs.values()]


MEASURES = (
    measure_notebook_01, measure_notebook_02, measure_notebook_03, measure_notebook_04,
    measure_notebook_05,
)


# -- the same, as results that pictures show --


class Lecture:
    """What the lecture shows, views of `arrays`, {name: array} as in SHAPES.

    story: {detector: what notebook 01's `judge` returns}, without batch norm. averages: {memory:
    {name: (16,)}}, in %. kicks: {kind: a result of `run_kick`}, means over three kicks. damages:
    {drive: {arm: (16,)}}, extra losses in nats. sweeps: {arm: {batch size: Run}} that know their
    gaps. races: {learning rate: {arm: Run}} with a "loss". best_test_losses: {arm: (16,)}.
    """

    def __init__(self, arrays):
        self.arrays = arrays
        self.story = {
            detector: {"coats": arrays["coats"], **{name: arrays[name][place] for name in JUDGED}}
            for place, detector in enumerate(DETECTORS)
        }
        own_batch, population, *running = arrays["averages"]
        self.averages = {
            memory: {"own batch": own_batch, "population": population, "running": one}
            for memory, one in zip(MEMORIES, running)
        }
        self.kicks = {
            kind: {"kind": kind, "size": size, **dict(zip(HURT, damage))}
            for (kind, size), damage in zip(KICKS, arrays["kicks"])
        }
        damages = arrays["late_losses"] - arrays["late_losses"][0]  # of the drive "none"
        self.damages = {drive: dict(zip(ARMS, one)) for drive, one in zip(DRIVES, damages)}
        del self.damages["none"]
        gaps = arrays["sweep_test_losses"] - arrays["sweep_train_losses"]
        self.sweeps = {
            arm: {m: _run(n, gap=gap[None]) for m, n, gap in zip(SWEEP_SIZES, SWEEP_STEPS, one)}
            for arm, one in zip(("with", "without"), gaps)
        }
        self.races = {
            rate: {arm: _run(RACE_STEPS, loss=loss) for arm, loss in zip(NOISY_ARMS, losses)}
            for rate, losses in zip(RACE_RATES, arrays["race_losses"])
        }
        self.best_test_losses = dict(zip(LIVE_ARMS, arrays["best_test_losses"]))


def _run(steps, **seen):
    return Run(steps, seen, losses=None, network=None)


@remember(maxsize=1)
def load_lecture(path=LECTURE_FILE):
    """Return the Lecture in data/, which `python -m helpers.lecture.precompute` writes.

    Raises FileNotFoundError when the file is missing, ValueError when it is damaged or altered.
    """
    restore = (
        f"Restore it with `git checkout -- data/{path.name}` or compute it anew, in a minute, with "
        "`python -m helpers.lecture.precompute lecture`."
    )
    arrays = read_arrays(path, SHAPES, restore)
    for name, shape in SHAPES.items():
        if (found := arrays[name].shape) != shape:
            raise ValueError(f"{path} is altered: {name} must be {shape}, got {found}. {restore}")
    make_read_only(*arrays.values())
    return Lecture(arrays)
