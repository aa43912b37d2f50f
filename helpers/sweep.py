"""One experiment at many settings: arms on this machine's cores, sweeps wherever `joblib` says."""

import threading
from collections import defaultdict
from contextvars import ContextVar
from functools import lru_cache, wraps

from helpers.checks import check_integer
from helpers.long_work import finish
from helpers.network import one_blas_thread

_IS_BESIDE = ContextVar("_IS_BESIDE", default=False)


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


def side_by_side(function, settings, *, n_jobs=-1, on_result=None):
    """Do the same in threads of this process, -1 for one on each core: for arms of seconds.

    NumPy lets other threads run while it computes. Arms may share data and a progress bar, and
    `function` may be any. What it wants side by side in its turn comes one after the other.
    `on_result(result)` is called with each result, in their order.
    """

    def call(**setting):
        token = _IS_BESIDE.set(True)
        try:
            return function(**setting)
        finally:
            _IS_BESIDE.reset(token)

    if _IS_BESIDE.get():
        n_jobs = 1
    with one_blas_thread():  # setting it anew at each step made two threads slower than one
        return _collect(call, settings, on_result, n_jobs=n_jobs, backend="threading")


def _collect(function, settings, on_result, n_jobs, **where):
    if check_integer("n_jobs", n_jobs, -1) == 0:
        raise ValueError("n_jobs must be -1 or at least 1, got 0")
    from joblib import Parallel, delayed  # 0.2 s that training alone does not need

    jobs = (delayed(function)(**setting) for setting in settings)
    results = []
    for result in Parallel(n_jobs=n_jobs, return_as="generator", **where)(jobs):
        results.append(result)
        if on_result is not None:
            on_result(result)
    return results


def made_once(maxsize):
    """Decorate a function like `lru_cache`; a thread that wants what another makes waits for it."""

    def decorate(function):
        cached, locks = lru_cache(maxsize)(function), defaultdict(threading.Lock)

        @wraps(function)
        def look_up(*arguments):
            with locks[arguments]:
                return cached(*arguments)

        look_up.cache_clear, look_up.cache_info = cached.cache_clear, cached.cache_info
        return look_up

    return decorate
