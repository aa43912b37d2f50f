"""One experiment at many settings, on all cores or on a cluster: `joblib` decides where."""

from helpers.checks import check_integer


def sweep(function, settings, *, n_jobs=-1, on_done=None):
    """Return [function(**setting) for setting in settings], computed by joblib's workers.

    function: of a module, since workers import it by its name. It takes its randomness from seeds
    in its settings, so the results are the same, to the last bit, whatever the number of workers.
    n_jobs: workers; -1 is one for each core, or for each worker of the cluster that
    `joblib.parallel_config(backend="dask")` names. `on_done()` is called once for each setting, in
    their order, and moves a progress bar. Raises what `function` raises, and TypeError or
    ValueError for n_jobs.
    """
    if check_integer("n_jobs", n_jobs, -1) == 0:
        raise ValueError("n_jobs must be -1 or at least 1, got 0")
    from joblib import Parallel, delayed  # 0.2 s that training alone does not need

    jobs = (delayed(function)(**setting) for setting in settings)
    results = []
    for result in Parallel(n_jobs=n_jobs, return_as="generator")(jobs):
        results.append(result)
        if on_done is not None:
            on_done()
    return results
