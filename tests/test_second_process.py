"""The second process: the same results as here, whatever happens to it."""

import itertools
import os
import pickle
import subprocess
import sys
import time

import numpy as np
import pytest

from helpers import second_process as module
from helpers.long_work import finish
from helpers.minibatch_noise.experiments import watch_few, watch_group
from helpers.second_process import SecondProcess
from helpers.training import minibatches

RUN = {"group_size": 8, "dropout": 0.2, "n_test": 100, "n_steps": 40, "n_networks": 2}


@pytest.fixture
def beside():
    process = SecondProcess()
    yield process
    if process._process is not None:
        module._end(process._process)


def only_here(n):
    yield from range(n)


def losses(pairs):
    return [seen["test loss"] for _, seen in pairs]


def test_two_halves_are_the_whole():
    settings = RUN | {"n_networks": 5}
    halves = list(watch_group(**settings))
    parts = finish(watch_few(**RUN)), finish(watch_few(**RUN | {"n_networks": 3}, skip=2))
    joined, whole = finish(halves), finish(watch_few(**settings))
    for name in ("training loss", "test loss"):
        np.testing.assert_array_equal(joined[name], np.hstack([one[name] for one in parts]))
        np.testing.assert_allclose(joined[name], whole[name], rtol=1e-3)  # float32
    assert [share for share, _ in halves] == [step / 40 for step in range(5, 41, 5)]
    assert [list(seen["steps"]) for _, seen in halves] == [
        list(range(5, last + 1, 5)) for last in range(5, 41, 5)
    ]


def test_results_are_computed_in_another_process(beside):
    (row,) = beside.results(os.popen, cmd="echo $PPID")
    assert int(row) == beside._process.pid


def test_the_same_process_serves_again(beside):
    first = list(beside.results(itertools.repeat, object="a", times=3))
    process = beside._process
    assert first == ["a"] * 3
    assert list(beside.results(itertools.repeat, object="b", times=2)) == ["b"] * 2
    assert beside._process is process


def test_errors_are_raised_here(beside):
    with pytest.raises(ValueError, match="batch_size must be"):
        list(beside.results(minibatches, n_samples=4, batch_size=9, rng=np.random.default_rng(0)))
    assert list(beside.results(itertools.repeat, object=1, times=1)) == [1]


def test_what_cannot_be_sent_disturbs_nothing(beside):
    before = beside.results(itertools.repeat, object="a", times=3)
    # Which of these it is, and in which words, depends on the version of Python.
    with pytest.raises((AttributeError, TypeError, pickle.PicklingError)):
        beside.results(lambda items: items, items=[1])
    assert list(before) == ["a"] * 3
    assert list(beside.results(itertools.repeat, object=1, times=1)) == [1]


def test_a_function_that_is_not_there_works_here(beside, monkeypatch):
    monkeypatch.setattr(module, "only_here", only_here, raising=False)
    monkeypatch.setattr(only_here, "__module__", module.__name__)
    assert list(beside.results(only_here, n=3)) == [0, 1, 2]


def test_what_is_printed_there_is_no_result(beside):
    with pytest.raises(TypeError, match="not iterable"):
        list(beside.results(print, end="not a pickle"))
    assert list(beside.results(itertools.repeat, object=1, times=1)) == [1]


def test_what_was_wanted_before_goes_on_here(beside):
    before = beside.results(watch_few, **RUN)
    first = next(before)
    assert list(beside.results(itertools.repeat, object=1, times=2)) == [1, 1]
    assert len(losses([first, *before])) == len(losses(watch_few(**RUN))) == 8


def test_the_latest_of_several_is_computed(beside):
    results = [beside.results(itertools.repeat, object=one, times=2) for one in range(5)]
    assert [list(one) for one in results] == [[one] * 2 for one in range(5)]


def test_when_the_process_dies_the_rest_is_computed_here(beside):
    results = beside.results(watch_few, **RUN)
    received = list(itertools.islice(results, 6))
    beside._process.kill()
    received += results
    for one, other in zip(losses(received), losses(watch_few(**RUN)), strict=True):
        np.testing.assert_array_equal(one, other)
    assert list(beside.results(itertools.repeat, object=1, times=1)) == [1]


def test_files_beside_the_notebook_are_not_taken_for_libraries(beside, tmp_path, monkeypatch):
    (tmp_path / "queue.py").write_text("raise RuntimeError('not this one')")
    monkeypatch.chdir(tmp_path)
    (row,) = beside.results(os.popen, cmd="echo $PPID")
    assert int(row) == beside._process.pid


def test_without_a_second_process_all_is_computed_here(beside, monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError("no processes here")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    assert list(beside.results(itertools.repeat, object=1, times=3)) == [1] * 3


def test_it_ends_with_the_one_that_started_it():
    script = (
        "from helpers.second_process import second_process as beside; import os, itertools\n"
        "list(beside.results(itertools.repeat, object=1, times=1))\n"
        "print(beside._process.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    pid = int(run.stdout)
    until = time.monotonic() + 20
    while _is_running(pid):
        assert time.monotonic() < until, f"process {pid} goes on"
        time.sleep(0.05)


def _is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
