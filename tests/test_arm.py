"""Arms in parts, and long runs that somebody else goes on with."""

import threading

import numpy as np
import pytest

from helpers.experiments.arm import Resumable, start_arm, train_arm


def test_an_arm_without_its_first_networks_is_the_rest_of_the_arm():
    rng = np.random.default_rng(0)
    inputs, targets = rng.standard_normal((4, 20, 3)), rng.integers(2, size=(4, 20))
    settings = dict(seed=1, n_steps=5, batch_size=10, learning_rate=0.1, dropout=0.2)
    _, losses = train_arm(inputs, targets, [3, 8, 2], n_networks=4, **settings)
    _, steps = start_arm(inputs[1:], targets[1:], [3, 8, 2], n_networks=3, skip=1, **settings)
    np.testing.assert_allclose([step.losses for step in steps], losses[:, 1:], rtol=1e-10)


def pairs_up_to(n):
    return [(k / n, None if k == 2 else k) for k in range(1, n + 1)]


def test_whoever_comes_later_starts_with_the_latest_and_goes_on():
    calls = []
    run = Resumable(calls.append(pair) or pair for pair in pairs_up_to(4))
    first = iter(run)
    assert [next(first), next(first)] == [(0.25, 1), (0.5, None)]
    assert list(run) == [(0.25, 1), (0.75, 3), (1.0, 4)]
    assert list(first) == [(1.0, 4)]  # what others took is not lost
    assert list(run) == [(1.0, 4)]
    assert calls == pairs_up_to(4)


def test_threads_share_one_run_and_all_end_with_its_end():
    run, ends = Resumable(iter(pairs_up_to(500))), []
    threads = [threading.Thread(target=lambda: ends.append(list(run)[-1])) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert ends == 4 * [(1.0, 500)]


def test_an_error_is_raised_where_the_run_was_wanted():
    def failing():
        yield 0.5, "half"
        raise ValueError("it diverged")

    run = Resumable(failing())
    with pytest.raises(ValueError, match="it diverged"):
        list(run)
