"""Arms: kinds of networks trained on the same data from the same seed, watched and compared.

All arms of a comparison are paired: network k of each meets the same examples, first weights and
mini-batches. What differs is named in the arm; what is measured is said by `look`, from outside.
"""

import copy
import inspect
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

import numpy as np

from helpers.arithmetic import give_back_memory
from helpers.checks import as_array, check_axes, check_flag, check_has, check_integer, check_number
from helpers.long_work import finish
from helpers.network import Network, multilayer_perceptron, one_blas_thread
from helpers.randomness import spawn_streams
from helpers.training import train

STEPS_AT_ONCE = 5  # of each arm, before there is something to tell


@dataclass(frozen=True, eq=False)
class Run:
    """One arm as far as it has come; run["loss"] is what its look calls "loss".

    steps: (n_looks,), updates done at each look.
    seen: {name: (n_looks, n_networks, ...)}.
    losses: (n_steps, n_networks), of each mini-batch before its update.
    network: the networks in lock-step, as they are now.
    """

    steps: np.ndarray
    seen: dict
    losses: np.ndarray
    network: Network

    def __getitem__(self, name):
        if name not in self.seen:
            names = ", ".join(map(repr, self.seen)) or "nothing"
            raise KeyError(f"look must return {name!r} for this, but it returned {names}")
        return self.seen[name]


def train_arms(arms, data, **settings):
    """Train every arm and return {name: Run}; arguments and errors are those of `watch_arms`."""
    return finish(watch_arms(arms, data, **settings))


def watch_arms(arms, data, **settings):
    """Return an iterator over (share done, {name: Run so far}, or None where nothing new was seen).

    Stop iterating to cancel. The arms train side by side, on as many cores as there are; the
    results do not depend on it. Everything is checked at the call: raises ValueError or TypeError.

    arms: {name: options}, what is special in each. settings: options that all have in common.
    data: the training set: `data.train_inputs`, (n_samples, features) or (n_networks, n_samples,
    features), `data.train_targets`, and the names of the classes, `data.class_names`.

    Options: seed, from which alone first weights, order of the examples and dropout come. hidden,
    the widths of the hidden layers, such as [64, 64]. n_steps, batch_size, learning_rate,
    momentum, weight_decay, sample_weights: as in `training.train`. batch_norm, dropout, activation,
    group_size, init_scale, eps: as in `network.multilayer_perceptron`; memory: batch norm's
    momentum; dtype: float64 unless given; build: what makes the networks instead, with the same
    arguments and more, if it has more. n_networks: as many as there are training sets, to be named
    where all networks share one. data: another training set.

    look: network -> {name: array, networks first}, called every `every` steps and after the last;
    look_first: before the first, too. {} is no look. Each arm has a shallow copy of its own of a
    look that remembers: what it assigns to itself is its own, lists and closures are shared.
    disturb: (network, rng) -> None, called after each step, before any look; rng: the dropout
    streams of the seed.
    """
    if not isinstance(arms, dict) or not arms or not all(isinstance(arms[o], dict) for o in arms):
        raise TypeError(f"arms must be {{name: dict of options}} with one or more, got {arms!r}")
    started = {name: _start(name, {"data": data, **settings, **arms[name]}) for name in arms}

    def runs():
        return {name: arm.run for name, arm in started.items()}

    def walk():
        n_steps = sum(arm.n_steps for arm in started.values())
        going, n_cores = list(started.values()), os.cpu_count() or 1
        if any(len(run.steps) for run in runs().values()):
            yield 0, runs()
        pool = ThreadPoolExecutor(min(len(going), n_cores))
        try:
            while going:
                # Three arms on two cores: without a second turn one of them is often idle.
                turns = going if len(going) <= n_cores else 2 * going
                # Set anew at each step, two BLAS threads are slower than one.
                looked = one_blas_thread(lambda turns: list(pool.map(_Arm.go_on, turns)), turns)
                going = [arm for arm in going if arm.n_done < arm.n_steps]
                share = sum(arm.n_done for arm in started.values()) / n_steps
                yield share, runs() if any(looked) else None
        finally:
            try:
                pool.shutdown(cancel_futures=True)
            except KeyboardInterrupt:  # no thread shall train on; a `with` would not come back
                pool.shutdown(cancel_futures=True)
                raise

    return walk()


def _start(name, options):
    """Return the _Arm of these options; an error names the arm."""
    for role in ("build", "look", "disturb"):
        function = options.get(role, multilayer_perceptron)
        if not callable(function) and (function is not None or role == "build"):
            raise TypeError(f"{role} must be a function, got {function!r} in arm {name!r}")
    functions = _Arm, multilayer_perceptron, options.get("build", multilayer_perceptron)
    known = set().union(*(inspect.signature(one).parameters for one in functions))
    if unknown := [one for one in options if one not in known]:
        raise TypeError(f"arm {name!r} does not know the option {', '.join(unknown)}")
    try:
        return _Arm(**options)
    except Exception as error:
        error.add_note(f"(in arm {name!r})")
        raise


class _Arm:
    """Networks on their way through a training run; the options are those of `watch_arms`."""

    def __init__(
        self, data, *, seed, hidden, n_steps, batch_size, learning_rate, momentum=0.9,
        weight_decay=0.0, sample_weights=None, n_networks=None, look=None, every=None,
        look_first=False, disturb=None, memory=0.9, dtype=np.float64, build=multilayer_perceptron,
        **options,
    ):
        if not isinstance(hidden, (list, tuple)):
            raise TypeError(f"hidden must be a list of widths such as [64, 64], got {hidden!r}")
        hidden = [check_integer(f"hidden[{place}]", one) for place, one in enumerate(hidden)]
        memory = check_number("memory", memory, 0, 1, high_open=True)
        self.n_steps = check_integer("n_steps", n_steps)
        every = n_steps if every is None else every
        self._every = check_integer("every", every, 1, n_steps, high_is="n_steps")
        check_has("data", data, "train_targets", "class_names")
        # Once, for they may be painted when they are asked for.
        inputs = as_array("data.train_inputs", data.train_inputs)
        check_axes(inputs, name="data.train_inputs")
        if n_networks is None and inputs.ndim == 3:
            n_networks = len(inputs)
        streams = spawn_streams(seed, n_networks)
        self._network = build(
            [inputs.shape[-1], *hidden, len(data.class_names)], rng=streams.weights,
            dropout_rng=streams.dropout, n_networks=n_networks, momentum=memory, dtype=dtype,
            **options,
        )
        self._training = train(
            self._network, inputs, data.train_targets, n_steps=n_steps, batch_size=batch_size,
            learning_rate=learning_rate, momentum=momentum, weight_decay=weight_decay,
            rng=streams.order, sample_weights=sample_weights,
        )
        self._look, self._disturb, self._rng = copy.copy(look), disturb, streams.dropout
        self._example, self._lock = inputs[..., :1, :].copy(), threading.Lock()
        of_networks = () if n_networks is None else (n_networks,)
        self._losses = np.empty((n_steps, *of_networks), self._network.dtype)
        self.n_done, self._steps, self._seen = 0, [], {}
        if check_flag("look_first", look_first):
            self._look_around()

    def go_on(self):
        """Take the next few steps, with the looks that are due; return whether one was."""
        with self._lock:  # the turn before may still be going on
            looked = False
            for step in islice(self._training, STEPS_AT_ONCE):
                self._losses[step.index] = step.losses
                self.n_done = step.index + 1
                if self._disturb is not None:
                    self._disturb(self._network, self._rng)
                if self.n_done % self._every == 0 or self.n_done == self.n_steps:
                    self._look_around()
                    looked = True
            if self.n_done == self.n_steps:
                self._training = iter(())  # the optimiser is not needed any more
            # Layers remember their last inputs: 30 MB an arm, while others have their turn.
            self._network.forward(self._example, training=False)
            for layer in self._network.layers:
                for name in layer.parameters:
                    vars(layer).pop("grad_" + name, None)
            if self.n_done == self.n_steps:
                give_back_memory()  # else the arms' threads keep 100 MB in a notebook
            return looked

    def _look_around(self):
        seen = {} if self._look is None else self._look(self._network)
        if not isinstance(seen, dict):
            raise TypeError(f"look must return {{name: array}}, got {type(seen).__name__}")
        if not seen:
            return
        seen = {name: np.asarray(values) for name, values in seen.items()}
        if not self._steps:  # room for all looks, since a Run so far must cost nothing
            n_looks = 2 + self.n_steps // self._every
            self._seen = {
                name: np.empty((n_looks, *values.shape), values.dtype)
                for name, values in seen.items()
            }
        before = {name: (kept.shape[1:], str(kept.dtype)) for name, kept in self._seen.items()}
        now = {name: (values.shape, str(values.dtype)) for name, values in seen.items()}
        if now != before:
            raise ValueError(f"look must return the same arrays each time: {before}, then {now}")
        for name, values in seen.items():
            self._seen[name][len(self._steps)] = values
        self._steps.append(self.n_done)

    @property
    def run(self):
        """The Run so far."""
        seen = {name: kept[: len(self._steps)] for name, kept in self._seen.items()}
        return Run(np.array(self._steps), seen, self._losses[: self.n_done], self._network)


def first_below(threshold, run):
    """Return the first step at which each network's loss was below `threshold`, (n_networks,).

    The last step that was looked at, where it never was: `never_below` tells.
    """
    below = _is_below(threshold, run)
    return run.steps[np.where(below.any(axis=0), below.argmax(axis=0), len(run.steps) - 1)]


def never_below(threshold, run):
    """Return for each network whether its loss was never seen below `threshold`."""
    return ~_is_below(threshold, run).any(axis=0)


def _is_below(threshold, run):
    if not isinstance(run, Run):
        raise TypeError(f"run must be a Run, got {type(run).__name__}")
    return run["loss"] < check_number("threshold", threshold)
