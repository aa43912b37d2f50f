"""Compute what takes minutes, once: `python -m helpers.experiments.precompute` writes into data/.

Notebook 05's map of the learning rates that train (`... precompute map`), and what the
instructor's board shows (`... precompute lecture`). The same arrays come out of every run on one
machine; another machine's matrix products round differently, which shows where training is
chaotic or diverges.
"""

import argparse
import itertools
import os

import numpy as np

from helpers.experiments.lecture_demos import LECTURE_FILE, MEASURES
from helpers.experiments.other_suspects import (
    LEARNING_RATES,
    MAP_AXES,
    MAP_FILE,
    measure_learning_rates,
)
from helpers.sweep import watch_sweep


def watch_learning_rate_map(axes=MAP_AXES, rates=LEARNING_RATES, *, n_jobs=-1, **settings):
    """Yield (share done, arrays of the map or None); settings: those of `measure_learning_rates`.

    n_jobs: as in `watch_sweep`.
    """
    combinations = itertools.product(*axes.values())
    jobs = [dict(zip(axes, one), learning_rates=rates, **settings) for one in combinations]
    of_axes = {name: np.array(values) for name, values in axes.items()}
    for share, results in watch_sweep(measure_learning_rates, jobs, n_jobs=n_jobs):
        if len(results) < len(jobs):
            yield share, None
        else:
            losses = np.reshape(results, (*map(len, axes.values()), len(rates), -1))
            yield share, {**of_axes, "learning_rates": np.array(rates), "final_losses": losses}


def watch_lecture(measures=MEASURES):
    """Yield (share done, arrays of the instructor's board so far)."""
    arrays = {}
    for number, measure in enumerate(measures, start=1):
        arrays = {**arrays, **measure()}
        yield number / len(measures), arrays


def save_arrays(path, arrays):
    """Write `path` at once or not at all, so that an interruption leaves the old file whole."""
    unfinished = path.with_name(path.name + ".part")
    try:
        with open(unfinished, "wb") as file:
            np.savez_compressed(file, **arrays)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


WORKS = {"map": (MAP_FILE, watch_learning_rate_map), "lecture": (LECTURE_FILE, watch_lecture)}


def main(arguments=None, works=WORKS):
    parser = argparse.ArgumentParser(prog="python -m helpers.experiments.precompute")
    parser.add_argument("what", nargs="*", help="map, lecture; both if nothing is named")
    what = parser.parse_args(arguments).what or list(works)
    for one in what:
        if one not in works:
            parser.error(f"what must be {' or '.join(works)}, got {one}")
    for path, watch in map(works.get, what):
        arrays = None
        for share, latest in watch():
            arrays = latest
            print(f"{path.name}: {share:.0%}")
        save_arrays(path, arrays)
        print(f"wrote {path}")


if __name__ == "__main__":
    main()
