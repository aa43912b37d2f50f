"""One experiment at many settings, computed wherever `joblib` says."""

from helpers.checks import check_integer
from helpers.long_work import finish


def sweep(function, settings, *, n_jobs=-1):
    """Return [function(**setting) for setting in settings], computed by joblib's workers.

    Arguments and errors are those of `watch_sweep`.
    """
    return finish(watch_sweep(function, settings, n_jobs=n_jobs))


def watch_sweep(function, settings, *, n_jobs=-1):
    """Yield (share done, results so far, in the order of the settings).

    function: of a module, since workers import it by its name. It takes its randomness from seeds
    in its settings, so the results are the same, to the last bit, whatever the number of workers.
    n_jobs: workers; -1 is one for each core, or for each worker of the cluster that
    `joblib.parallel_config(backend="dask")` names. Raises what `function` raises, and TypeError or
    ValueError for n_jobs.
    """
    if check_integer("n_jobs", n_jobs, -1) == 0:
        raise ValueError("n_jobs must be -1 or at least 1, got 0")
    from joblib import Parallel, delayed  # 0.2 s that training alone does not need

    jobs, results = [delayed(function)(**setting) for setting in settings], []
    for result in Parallel(n_jobs=n_jobs, return_as="generator")(jobs):
        results = [*results, result]
        yield len(results) / len(jobs), results
