"""Sweeps: the same results wherever they are computed."""

import numpy as np
import pytest

from helpers.sweep import sweep, watch_sweep
from helpers.weighing_the_evidence.experiments import measure_learning_rates

SMALL = {"learning_rates": (0.1, 1.0), "n_networks": 2, "n_steps": 10, "n_train": 200}
SETTINGS = [
    {"depth": depth, "batch_norm": one, **SMALL} for depth in (2, 3) for one in (True, False)
]


@pytest.fixture(scope="module")
def expected():
    return [measure_learning_rates(**setting) for setting in SETTINGS]


@pytest.mark.parametrize("n_jobs", [1, 2, -1])
def test_the_number_of_workers_changes_no_bit(n_jobs, expected):
    pairs = list(watch_sweep(measure_learning_rates, SETTINGS, n_jobs=n_jobs))
    assert [share for share, _ in pairs] == [0.25, 0.5, 0.75, 1]
    for _, results in pairs:
        np.testing.assert_array_equal(results, expected[: len(results)])
    results = sweep(measure_learning_rates, SETTINGS, n_jobs=n_jobs)
    np.testing.assert_array_equal(results, expected)


@pytest.mark.cluster
def test_a_cluster_changes_no_bit(expected):
    import distributed
    from joblib import parallel_config

    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
    )
    with cluster, distributed.Client(cluster), parallel_config(backend="dask"):
        results = sweep(measure_learning_rates, SETTINGS)
    np.testing.assert_array_equal(results, expected)


def test_what_an_experiment_raises_is_raised():
    with pytest.raises(ValueError, match="depth must be at least 2, got 1"):
        sweep(measure_learning_rates, [{"depth": 1}], n_jobs=2)


@pytest.mark.parametrize("n_jobs, error", [(0, ValueError), (-2, ValueError), (1.5, TypeError)])
def test_a_senseless_number_of_workers_is_refused(n_jobs, error):
    with pytest.raises(error, match="n_jobs"):
        sweep(measure_learning_rates, SETTINGS, n_jobs=n_jobs)
