"""Compute what takes minutes, once: `python -m helpers.lecture.precompute` writes into data/.

Notebook 05's map of the learning rates that train (`... precompute map`), its rates of the hidden
weights (`... precompute rates`), and what the instructor's board shows (`... precompute lecture`).
The same arrays come out of every run on one machine; another machine's matrix products round
differently, which shows where training is chaotic or diverges. So tables that shall stay need their
new checksums in helpers/datasets.py; the command prints them.
"""

import argparse
from itertools import product

import numpy as np
from joblib import Parallel, delayed

from helpers.datasets import checksum, save_arrays
from helpers.lecture.experiments import LECTURE_FILE, MEASURES
from helpers.weighing_the_evidence.direction import RATES_AXES, RATES_FILE, measure_rate
from helpers.weighing_the_evidence.experiments import MAP_AXES, MAP_FILE, measure_learning_rates


def watch_learning_rate_map(axes=MAP_AXES, *, n_jobs=-1, **settings):
    """Yield (share done, arrays of the map, None before the end).

    n_jobs: of joblib; -1 is one for each core, or for each worker of the cluster that
    `joblib.parallel_config(backend="dask")` names: every result comes from its own seed, so no
    bit depends on it. settings: those of `measure_learning_rates`.
    """
    *others, rates = axes.values()
    jobs = [dict(zip(axes, one), learning_rates=rates, **settings) for one in product(*others)]
    in_parallel = Parallel(n_jobs=n_jobs, return_as="generator")
    results, arrays = [], None
    for result in in_parallel(delayed(measure_learning_rates)(**job) for job in jobs):
        results.append(result)
        if len(results) == len(jobs):
            arrays = {name: np.array(values) for name, values in axes.items()}
            arrays["final_losses"] = np.reshape(results, (*map(len, axes.values()), -1))
        yield len(results) / len(jobs), arrays


def watch_hidden_rates(axes=RATES_AXES, **settings):
    """Yield (share done, arrays of the table of hidden rates, None before the end).

    settings: those of `direction.train_at`.
    """
    found, arrays, rates = [], None, axes["hidden_rates"]
    for rate in rates:
        found.append(measure_rate(rate, arms=axes["arms"], **settings))
        if len(found) == len(rates):
            arrays = {name: np.array(values) for name, values in axes.items()}
            arrays |= {name: np.stack([one[name] for one in found], axis=1) for name in found[0]}
        yield len(found) / len(rates), arrays


def watch_lecture(measures=MEASURES):
    """Yield (share done, arrays of the instructor's board so far)."""
    arrays = {}
    for number, measure in enumerate(measures, start=1):
        arrays = {**arrays, **measure()}
        yield number / len(measures), arrays


WORKS = {
    "map": (MAP_FILE, watch_learning_rate_map), "rates": (RATES_FILE, watch_hidden_rates),
    "lecture": (LECTURE_FILE, watch_lecture),
}


def main(arguments=None, works=WORKS):
    parser = argparse.ArgumentParser(prog="python -m helpers.lecture.precompute")
    parser.add_argument("what", nargs="?", choices=list(works), help="all if nothing is named")
    what = parser.parse_args(arguments).what
    for path, watch in works.values() if what is None else [works[what]]:
        for share, arrays in watch():
            print(f"{path.name}: {share:.0%}")
            if share == 1:
                save_arrays(path, arrays)
                print(f"wrote {path}, SHA256 {checksum(arrays)}")


if __name__ == "__main__":
    main()
