"""Sweeps: the same results wherever they are computed."""

import threading
import time

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from helpers.experiments.other_suspects import measure_learning_rates
from helpers.sweep import made_once, side_by_side, sweep

SMALL = {"learning_rates": (0.1, 1.0), "n_networks": 2, "n_steps": 10, "n_train": 200}
SETTINGS = [
    {"depth": depth, "batch_norm": one, **SMALL} for depth in (2, 3) for one in (True, False)
]


def losses(results):
    return np.array([result.final_losses for result in results])


@pytest.fixture(scope="module")
def expected():
    return losses([measure_learning_rates(**setting) for setting in SETTINGS])


@pytest.mark.parametrize("n_jobs", [1, 2, -1])
def test_the_number_of_workers_changes_no_bit(n_jobs, expected):
    done = []
    results = sweep(
        measure_learning_rates, SETTINGS, n_jobs=n_jobs, on_done=lambda: done.append(1)
    )
    np.testing.assert_array_equal(losses(results), expected)
    assert len(done) == len(SETTINGS)


@pytest.mark.cluster
def test_a_cluster_changes_no_bit(expected):
    import distributed
    from joblib import parallel_config

    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
    )
    with cluster, distributed.Client(cluster), parallel_config(backend="dask"):
        results = sweep(measure_learning_rates, SETTINGS)
    np.testing.assert_array_equal(losses(results), expected)


def test_what_an_experiment_raises_is_raised():
    with pytest.raises(ValueError, match="depth must be at least 2, got 1"):
        sweep(measure_learning_rates, [{"depth": 1}], n_jobs=2)


@pytest.mark.parametrize("n_jobs, error", [(0, ValueError), (-2, ValueError), (1.5, TypeError)])
def test_a_senseless_number_of_workers_is_refused(n_jobs, error):
    with pytest.raises(error, match="n_jobs"):
        sweep(measure_learning_rates, SETTINGS, n_jobs=n_jobs)


def test_threads_change_no_bit_and_leave_blas_as_it_was(expected):
    with threadpool_limits(2, user_api="blas"):
        before = threadpool_info()
        results = side_by_side(measure_learning_rates, SETTINGS, n_jobs=3)
        assert threadpool_info() == before
    np.testing.assert_array_equal(losses(results), expected)


def test_what_is_made_once_is_made_once():
    entered, made = threading.Barrier(3), []

    @made_once(maxsize=4)
    def make(key):
        made.append(key)
        time.sleep(0.05)
        return object()

    def ask(key):
        entered.wait(timeout=60)
        return make(key)

    one, again, other = side_by_side(ask, [{"key": key} for key in (1, 1, 2)], n_jobs=3)
    assert one is again and one is not other
    assert sorted(made) == [1, 2]


def test_side_by_side_within_side_by_side_takes_no_more_threads():
    def name(_number):
        return threading.current_thread().name

    def names(number):
        return [name(number), *side_by_side(name, [{"_number": one} for one in range(3)])]

    for outer in side_by_side(names, [{"number": one} for one in range(4)], n_jobs=2):
        assert len(set(outer)) == 1
