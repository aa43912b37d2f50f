"""Interrupts: wherever Kernel > Interrupt strikes, the next cell finds everything as it was.

Python looks for signals at the first line of a function and behind a call into C; from there comes
a KeyboardInterrupt. A profiler raises one at the n-th such place of our code: so each run meets the
same ones, and among them the few dangerous ones, which a clock hits once in thousands of times.
Places inside other libraries are left to the clock.
"""

import _thread
import functools
import signal
import sys
import threading
import time
import traceback
import warnings

import matplotlib as mpl
import numpy as np
import pytest
import threadpoolctl
from test_arms import DATA, PAIR, SETTINGS
from test_exercise import check_spread, spread

from helpers.arms import watch_arms
from helpers.execute import ROOT
from helpers.layers import ReLU, divergence_allowed
from helpers.long_work import holding
from helpers.network import multilayer_perceptron
from helpers.page import panel as panel_module
from helpers.page.panel import Panel, steps_slider
from helpers.page.picture import ONE_AT_A_TIME, Picture
from helpers.page.progress import with_progress
from helpers.randomness import spawn_streams
from helpers.training import train

OURS = str(ROOT / "helpers")
PATIENCE = 60  # seconds, for a thread to end the step that it is in
SIGNALS = [getattr(signal, name, signal.SIGINT) for name in ("SIGINT", "SIGALRM")]


# -- what is interrupted: each returns what can be compared


def train_one():
    streams = spawn_streams(0, None)
    network = multilayer_perceptron([5, 8, 2], rng=streams.weights)
    steps = train(
        network, DATA.train_inputs[0], DATA.train_targets[0], n_steps=4, batch_size=8,
        learning_rate=0.1, rng=streams.order,
    )
    return [step.losses.tobytes() for step in steps]


def train_both():
    runs = with_progress("Training", watch_arms(PAIR, DATA, **SETTINGS))
    return {name: run.losses.tobytes() for name, run in runs.items()}


def check_exercise():
    answers = (spread, lambda values: spread(values)[::-1], lambda values: values[0] / 0)
    return [repr(check_spread(one)) for one in answers]


class Losses(Picture):
    def __init__(self):
        super().__init__(2, 1)
        (line,) = self.figure.subplots().plot(SETTINGS["n_steps"] * [1.0])
        self.line = self.moves(line)

    def show(self, losses):
        self.line.set_data(np.arange(len(losses)), losses)
        self.sentence = losses.tobytes().hex()
        return self


def watch_losses(group_size):
    if group_size == 4:  # the other one, which need not be trained
        yield 1, np.ones(SETTINGS["n_steps"])
    arms, look = {"a": dict(group_size=group_size)}, {"look": lambda network: {"a": [0]}}
    for share, runs in watch_arms(arms, DATA, **SETTINGS, **look, every=1):
        yield share, runs and runs["a"].losses.mean(axis=1)


@functools.lru_cache
def panel():
    slider = steps_slider([4, 8], 4, "group size")
    return Panel({"group_size": slider}, watch_losses, Losses(), "About.")


def train_demo():
    panel().forget()
    for group_size in (4, 8):
        panel().controls["group_size"].value = group_size
    panel().wait(PATIENCE)
    return panel().caption.value


# -- how


class InterruptAt:
    """Raises a KeyboardInterrupt at the `place`-th place where Python may do so in our code."""

    def __init__(self, place):
        self.place, self.n_met = place, 0

    def __call__(self, frame, event, _argument):
        caller = frame.f_back if event == "call" else None
        ours = [one for one in (frame, caller) if one and one.f_code.co_filename.startswith(OURS)]
        if event not in ("call", "c_return") or not ours:
            return
        self.n_met += 1
        if self.n_met == self.place:
            raise KeyboardInterrupt


def interrupt(act, profiler):
    """Return the KeyboardInterrupt that ends `act`, None if there is none."""
    sys.setprofile(profiler)
    try:
        act()
    except KeyboardInterrupt as error:
        return error  # with all frames, as IPython keeps it
    finally:
        sys.setprofile(None)


def interrupt_after(act, seconds):
    """Return the KeyboardInterrupt of a signal that comes after some seconds, as `interrupt`."""

    def strike():
        time.sleep(seconds)
        _thread.interrupt_main()

    try:
        thread = threading.Thread(target=strike)
        thread.start()
        act()
        thread.join()
        time.sleep(0.01)  # it is on its way, at the latest here
    except KeyboardInterrupt as error:
        return error


def what_the_next_cell_finds():
    until = time.monotonic() + PATIENCE
    while threads_in_our_code() and time.monotonic() < until:
        time.sleep(0.001)
    return {
        "warnings": (list(warnings.filters), warnings.showwarning, np.geterr()),
        "refusals": refuses_nan(),
        "BLAS threads": [one.num_threads for one in BLAS.lib_controllers],
        "signals": [signal.getsignal(one) for one in SIGNALS],
        "alarm": signal.getitimer(signal.ITIMER_REAL) if len(set(SIGNALS)) > 1 else None,
        "style": dict(mpl.rcParams),
        "lock": ONE_AT_A_TIME.acquire(timeout=PATIENCE) and ONE_AT_A_TIME.release(),
        "training": threads_in_our_code(),
    }


BLAS = threadpoolctl.ThreadpoolController().select(user_api="blas")


def refuses_nan():
    try:
        ReLU().forward(np.full((2, 2), np.nan), training=True)
    except ValueError:
        return True
    return False


def threads_in_our_code():
    """Return the functions of ours that other threads are in."""
    found = []
    for name, frame in sys._current_frames().items():
        while frame is not None and name != threading.get_ident():
            if frame.f_code.co_filename.startswith(OURS):
                found.append(frame.f_code.co_qualname)
            frame = frame.f_back
    return found


# -- the tests

# Of each function: at how many places, and after how many random times.
BY_DEFAULT = {train_one: (180, 10), train_both: (80, 10), check_exercise: (80, 10),
              train_demo: (20, 10)}
THOROUGH = {train_one: (1500, 125), train_both: (1250, 125), check_exercise: (1500, 125),
            train_demo: (250, 125)}
MOMENTS = [(act, *numbers) for act, numbers in BY_DEFAULT.items()]
MOMENTS += [pytest.param(act, *THOROUGH[act], marks=pytest.mark.thorough) for act in THOROUGH]


@pytest.fixture
def reference(monkeypatch):
    """Return a function of an act: what it gives, and what the next cell finds then."""
    monkeypatch.setattr(panel_module, "SECONDS_TO_FIRST_FRAME", 0)  # the rest: in its thread
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # pytest's workers ignore it
    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        yield lambda act: (act(), what_the_next_cell_finds())
    signal.signal(signal.SIGINT, before)


def assert_nothing_is_lost(act, reference, errors):
    """Assert it for each of the KeyboardInterrupts that `errors` gives; few may be None."""
    n_tried = n_raised = 0
    for error in errors:
        n_tried, n_raised = n_tried + 1, n_raised + (error is not None)
        where = traceback.extract_tb(error and error.__traceback__)
        found = what_the_next_cell_finds()
        for name, value in reference[1].items():
            assert found[name] == value, (name, *where)
        assert act() == reference[0], where
    # One that comes in a destructor goes no further; a clock's may be late.
    assert n_raised > n_tried / 2


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(("act", "n_places", "n_times"), MOMENTS)
class TestTheNextCellFindsAllAsItWas:
    def test_wherever_our_code_is_interrupted(self, act, n_places, n_times, reference):
        reference, counter, rng = reference(act), InterruptAt(-1), np.random.default_rng(0)
        assert interrupt(act, counter) is None
        places = rng.integers(1, counter.n_met, n_places, endpoint=True)
        errors = (interrupt(act, InterruptAt(place)) for place in places)
        assert_nothing_is_lost(act, reference, errors)

    def test_whenever_a_real_interrupt_comes(self, act, n_places, n_times, reference):
        reference, started = reference(act), time.perf_counter()
        act()
        seconds, rng = time.perf_counter() - started, np.random.default_rng(0)
        moments = rng.uniform(0, seconds, n_times)
        assert_nothing_is_lost(act, reference, (interrupt_after(act, one) for one in moments))


def test_divergence_may_be_allowed_again_where_it_is():
    def nested(depth):
        return divergence_allowed(nested, depth - 1) if depth else refuses_nan()

    assert not nested(3) and refuses_nan()


def test_no_interrupt_leaves_a_lock_locked():
    lock, counter = threading.Lock(), InterruptAt(-1)
    act = holding(lock)(lambda: sum(map(abs, range(3))))
    assert act() == 3 and not lock.locked()
    interrupt(act, counter)
    for place in range(1, counter.n_met + 1):
        assert interrupt(act, InterruptAt(place)) is not None
        assert not lock.locked(), place
