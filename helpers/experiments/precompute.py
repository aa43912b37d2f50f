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
    LearningRateMap,
    measure_learning_rates,
)
from helpers.sweep import sweep


def compute_learning_rate_map(axes=MAP_AXES, *, n_jobs=-1, on_cell=print, **settings):
    """Return the LearningRateMap over `axes`; settings: those of `measure_learning_rates`.

    Calls `on_cell(text)` after each combination; n_jobs: as in `sweep`.
    """
    cells = [dict(zip(axes, cell)) for cell in itertools.product(*axes.values())]
    numbers = itertools.count(1)

    def on_done():
        number = next(numbers)
        setting = ", ".join(f"{name} {value}" for name, value in cells[number - 1].items())
        on_cell(f"{number} of {len(cells)}: {setting}")

    jobs = [{**cell, **settings} for cell in cells]
    results = sweep(measure_learning_rates, jobs, n_jobs=n_jobs, on_done=on_done)
    final_losses = np.array([result.final_losses for result in results])
    rates = np.array(settings.get("learning_rates", LEARNING_RATES))
    shape = [len(values) for values in axes.values()]
    return LearningRateMap(rates, final_losses.reshape(*shape, *final_losses.shape[1:]))


def save_learning_rate_map(rate_map, path=MAP_FILE, *, axes=MAP_AXES):
    """Write the map and its axes to `path`."""
    of_axes = {name: np.array(values) for name, values in axes.items()}
    save_arrays(path, {**of_axes, **vars(rate_map)})


def compute_lecture(measures=MEASURES, *, on_part=print):
    """Return the arrays of the instructor's board; calls `on_part(text)` before each of them."""
    arrays = {}
    for number, measure in enumerate(measures, start=1):
        on_part(f"{number} of {len(measures)}: {measure.__name__.replace('_', ' ')}")
        arrays |= measure()
    return arrays


def save_arrays(path, arrays):
    """Write `path` at once or not at all, so that an interruption leaves the old file whole."""
    unfinished = path.with_name(path.name + ".part")
    try:
        with open(unfinished, "wb") as file:
            np.savez_compressed(file, **arrays)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m helpers.experiments.precompute")
    parser.add_argument("what", nargs="*", help="map, lecture; both if nothing is named")
    what = parser.parse_args(arguments).what or ["map", "lecture"]
    for one in what:
        if one not in ("map", "lecture"):
            parser.error(f"what must be map or lecture, got {one}")
    if "map" in what:
        save_learning_rate_map(compute_learning_rate_map())
        print(f"wrote {MAP_FILE}")
    if "lecture" in what:
        save_arrays(LECTURE_FILE, compute_lecture())
        print(f"wrote {LECTURE_FILE}")


if __name__ == "__main__":
    main()
