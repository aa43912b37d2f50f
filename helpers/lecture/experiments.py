"""The instructor's board: what notebooks 01 to 05 measure, computed beforehand for a fast start.

MEASURES run the notebooks' own experiments with their own settings and keep one value per network;
`load_lecture` reads them from data/. So the board says what the notebooks print.
"""

from functools import partial
from types import SimpleNamespace

import numpy as np

from helpers.arms import Run, train_arms
from helpers.batch_norm_mechanics.experiments import insert_batch_norm, watch_averages
from helpers.covariate_shift.experiments import measure_coats
from helpers.datasets import DATA_FOLDER, read_arrays
from helpers.hidden_layer_stability import experiments as stability
from helpers.hidden_layer_stability.experiments import ARMS, DRIVES
from helpers.layer_statistics import predict_with_batch_statistics, with_statistics
from helpers.long_work import finish, remember
from helpers.minibatch_noise import experiments as noise
from helpers.minibatch_noise.experiments import LIVE_ARMS
from helpers.network import accuracy, inference_accuracy, predict
from helpers.randomness import spawn_streams
from helpers.recoloured import Dyed, draw_animals
from helpers.weighing_the_evidence.experiments import NOISY_ARMS, run_noisy_race
from helpers.weighing_the_evidence.ledger import Row, watch_ledger
from helpers.weighing_the_evidence.papers import CLAIMS

LECTURE_FILE = DATA_FOLDER / "lecture_demos.npz"
DETECTORS = ("plain", "reference", "only_cats_black")
JUDGED = ("accuracy", "cat_recall", "other_recall", "train_accuracy", "verdicts")
MEMORIES = (0.9, 0.999)
KICKS, KICK_SIZES = ("scale", "random"), (0.0, 0.2, 0.5, 1.0, 2.0)
PARTS = ("claimed", "beyond")  # of a row of the ledger
RACE_RATES, RACE_STEPS = (0.1, 0.02), np.arange(5, 161, 5)
SWEEP_SIZES, SWEEP_STEPS = (16, 64, 512), np.array([[1280], [320], [40]])


# -- what takes a minute: one function for each notebook, each returns some arrays --


def measure_notebook_01():
    """Return three ways to train a cat detector."""
    story = measure_coats(DETECTORS)
    detectors = {name: np.array([story[one][name] for one in DETECTORS]) for name in JUDGED}
    return {"coats": story["plain"]["coats"], **detectors}


def measure_notebook_02():
    """Return the test accuracies of the same weights, with several kinds of statistics."""
    found = [finish(watch_averages(64, memory)) for memory in MEMORIES]
    fixed = [found[0][kind] for kind in ("own batch", "population")]
    averages = np.array([*fixed, *(one["running"] for one in found)])
    rng = spawn_streams(seed=0, n_networks=16).data
    faces = Dyed(*(draw_animals(500, n_networks=16, rng=rng) for _ in ("training", "test")))
    settings = dict(hidden=[32], n_steps=120, batch_size=100, learning_rate=0.03, seed=0)
    without, with_norm = (run.network for run in train_arms(ARMS, faces, **settings).values())
    old, new = faces.train_inputs, faces.test_inputs
    networks = (
        without, with_statistics(with_norm, old), with_statistics(with_norm, new),
        with_statistics(insert_batch_norm(without, old), new),
    )
    repair = [100 * inference_accuracy(one, new, faces.test_targets) for one in networks]
    return {"averages": averages, "repair": np.array(repair)}


def measure_notebook_03():
    """Return what both arms get right when they are kicked, and the moving target."""
    clothes = stability.load_clothes()
    pair = finish(stability.watch_drift(clothes))
    kicks = [[right_after(pair, clothes, kind, size) for size in KICK_SIZES] for kind in KICKS]
    late = [stability.late_losses(clothes, drive) for drive in DRIVES]
    return {
        "kicks": np.array(kicks),
        "late_losses": np.array([list(one.values()) for one in late]),
    }


def right_after(pair, data, kind, size):
    """Return the accuracies in % after a kick, (3, n_networks), in the order of `stability.HURT`.

    pair: {"without": Run, "with": Run}. Means over three kicks.
    """
    inputs, right = data.test_inputs, []
    for number in range(3):
        plain, normed = (
            stability.kick(pair[arm].network, kind, size, inputs, seed=[0, number]) for arm in ARMS
        )
        fresh = predict_with_batch_statistics(normed, inputs)
        logits = predict(plain, inputs), fresh, predict(normed, inputs)
        right.append([100 * accuracy(one, data.test_targets) for one in logits])
    return np.mean(right, axis=0)


def measure_notebook_04():
    """Return both naive sweeps, and the arms that differ in noise."""
    sweeps = [noise.sweep_batch_sizes(one, SWEEP_SIZES) for one in (True, False)]
    live = finish(noise.watch_live()).values()
    return {
        "sweep_train_losses": np.array([_at_the_end(runs, "training loss") for runs in sweeps]),
        "sweep_test_losses": np.array([_at_the_end(runs, "test loss") for runs in sweeps]),
        "best_test_losses": np.array([run["test loss"].min(axis=0) for run in live]),
    }


def measure_notebook_05():
    """Return the races without batch norm, with it, with noise behind it, and the ledger."""
    races = [run_noisy_race(rate) for rate in RACE_RATES]
    return {
        "race_losses": np.array([[run["loss"] for run in race.values()] for race in races]),
        "race_drift": np.array([_at_the_end(race, "drift") for race in races])[..., 0],  # a step
        "ledger": np.array([
            (row.claim.name, part, one.sentence, one.verdict)
            for row in finish(watch_ledger())
            for part, effects in zip(PARTS, (row.effects, row.beyond)) for one in effects
        ]),
    }


def _at_the_end(runs, name):
    return [run[name][-1] for run in runs.values()]


MEASURES = (
    measure_notebook_01, measure_notebook_02, measure_notebook_03, measure_notebook_04,
    measure_notebook_05,
)


# -- the same, as results that pictures show --


_zip = partial(zip, strict=True)  # what was computed for other settings shall not be cut to fit


class Lecture:
    """What the lecture shows, views of `arrays`, {name: array} as in data/README.md.

    story: {detector: what notebook 01's `judge` returns}, without batch norm. averages: {memory:
    {name: (16,)}}, in %. repair: (4, 16). kicks: {kind: {size: what `right_after` returns}}.
    damages: {drive: {arm: (16,)}}, extra losses in nats. sweeps: {arm: {batch size: Run}} that know
    their gaps. races: {learning rate: {arm: Run}} with a "loss". best_test_losses: {arm: (16,)}.
    ledger: Rows whose effects know their sentence and their verdict.
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
            for memory, one in _zip(MEMORIES, running)
        }
        self.repair = arrays["repair"]
        self.kicks = {
            kind: dict(_zip(KICK_SIZES, right)) for kind, right in _zip(KICKS, arrays["kicks"])
        }
        damages = arrays["late_losses"] - arrays["late_losses"][0]  # of the drive "none"
        self.damages = {drive: dict(_zip(ARMS, one)) for drive, one in _zip(DRIVES, damages)}
        del self.damages["none"]
        gaps = arrays["sweep_test_losses"] - arrays["sweep_train_losses"]
        self.sweeps = {
            arm: {m: _run(n, gap=gap[None]) for m, n, gap in _zip(SWEEP_SIZES, SWEEP_STEPS, one)}
            for arm, one in _zip(("with", "without"), gaps)
        }
        self.races = {
            rate: {arm: _run(RACE_STEPS, loss=loss) for arm, loss in _zip(NOISY_ARMS, losses)}
            for rate, losses in _zip(RACE_RATES, arrays["race_losses"])
        }
        self.best_test_losses = dict(_zip(LIVE_ARMS, arrays["best_test_losses"]))
        self.ledger = [
            Row(claim, *(tuple(
                SimpleNamespace(sentence=str(sentence), verdict=str(verdict))
                for *place, sentence, verdict in arrays["ledger"] if place == [claim.name, part]
            ) for part in PARTS))
            for claim in CLAIMS
        ]


def _run(steps, **seen):
    return Run(steps, seen, losses=None, network=None)


@remember(maxsize=1)
def load_lecture(path=LECTURE_FILE):
    """Return the Lecture in data/, which `python -m helpers.lecture.precompute` writes.

    Raises OSError or ValueError as `read_arrays`.
    """
    arrays = read_arrays(path)
    for array in arrays.values():  # kept for the next caller
        array.flags.writeable = False
    return Lecture(arrays)
