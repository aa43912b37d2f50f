"""How long one training step takes, next to its matrix products alone and to other libraries.

    pip install -e ".[bench]" && python benchmarks/training_step.py

All contenders of a row run in one process on one processor core, one thread each, in turns; a time
is the median over the rounds. Before a row is timed, each contender must follow our losses over
20 steps from the same weights and mini-batches. What is not installed is left out, with a line
that says so.
"""

import os
import platform
import re
from dataclasses import replace
from datetime import date
from importlib import metadata
from pathlib import Path
from time import perf_counter

from helpers.execute import ONE_THREAD

if __name__ == "__main__":
    # Before NumPy and the others start their thread pools, which look at both.
    os.environ.update(ONE_THREAD)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})

import numpy as np
from contenders import CONTENDERS, Ours, Problem, Products, Setting, Skipped
from threadpoolctl import threadpool_info

N_CHECKED = 20  # steps over which the losses must agree
N_ROUNDS = 7  # turns of each contender
TOLERANCE = {"float32": 2e-3, "float64": 1e-9}
LIVE = Setting((49, 32, 32, 10), 32, 512)


def all_settings():
    """Return the rows of the full table."""
    fashion, full_size = (196, 64, 64, 64, 10), (784, 100, 100, 100, 10)
    plain = [Setting(fashion, k, m) for k in (1, 16, 64) for m in (8, 64, 512)]
    plain += [Setting(full_size, k, m) for k in (1, 8) for m in (64, 128)]
    plain += [LIVE, Setting((64, 32, 32, 10), 16, 64)]
    rows = [replace(row, batch_norm=with_norm) for row in plain for with_norm in (True, False)]
    return rows + [replace(LIVE, group_size=size) for size in (8, 64)]


def follows(contender, reference, tolerance):
    """Return the largest relative difference over 20 steps; raise Skipped above `tolerance`."""
    losses = np.array([contender.losses(contender.step()) for _ in range(N_CHECKED)])
    worst = float(np.max(np.abs(losses - reference) / np.abs(reference)))
    if not worst <= tolerance:
        raise Skipped(f"its losses differ from ours by {worst:.1e}")
    return worst


def prepare(setting, kinds=CONTENDERS):
    """Return ({name: contender}, {name: reason}) of those that follow our losses, and not."""
    ours = Ours(Problem(setting))
    reference = np.array([ours.losses(ours.step()) for _ in range(N_CHECKED)])
    ready, skipped = {}, {}
    for kind in kinds:
        try:
            if kind is not Products:
                follows(kind(Problem(setting)), reference, TOLERANCE[setting.dtype])
            ready[kind.name] = kind(Problem(setting))
        except Skipped as reason:
            skipped[kind.name] = str(reason)
    return ready, skipped


def time_in_turns(contenders, seconds=0.04):
    """Return {name: median seconds per step}; each turn lasts about `seconds`."""
    n_steps = {}
    for name, contender in contenders.items():
        for _ in range(3):
            contender.step()
        start = perf_counter()
        contender.step()
        n_steps[name] = max(1, round(seconds / (perf_counter() - start)))
    times = {name: [] for name in contenders}
    for turn in range(N_ROUNDS):
        names = list(contenders)
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            step, n = contenders[name].step, n_steps[name]
            start = perf_counter()
            for _ in range(n):
                step()
            times[name].append((perf_counter() - start) / n)
    return {name: float(np.median(values)) for name, values in times.items()}


HEAD = "{:18}{:>4}{:>6}  {:<16}{:>7}{:>9}"  # then a column for each library


def table(settings):
    """Print the table, row by row as it is measured."""
    others = [kind.name for kind in CONTENDERS if kind not in (Ours, Products)]
    print("ms: our step; products: that over its matrix products alone; then others over ours:")
    print("PyTorch eager and stacked (bmm), JAX jit(vmap), scikit-learn")
    head = HEAD.format("layers", "nets", "batch", "batch norm", "ms", "products")
    print(head + "".join(f"{name:>8}" for name in others))
    told = set()
    for setting in settings:
        contenders, skipped = prepare(setting)
        times = time_in_turns(contenders)
        ours = times[Ours.name]
        norm = "yes" if setting.batch_norm else "no"
        line = HEAD.format(
            "-".join(map(str, setting.sizes)), setting.n_networks, setting.batch_size,
            f"groups of {setting.group_size}" if setting.group_size else norm,
            f"{1e3 * ours:.2f}", f"{ours / times[Products.name]:.1f}",
        )
        for name in others:
            line += f"{times[name] / ours:8.2f}" if name in times else f"{'-':>8}"
        print(line, flush=True)
        for name in sorted(skipped.keys() - told):
            print(f"    {name}: {skipped[name]}")
            told.add(name)


def machine():
    """Return the processor's name, the versions that matter and NumPy's kernels for products."""
    processor, cpus = platform.processor() or platform.machine(), Path("/proc/cpuinfo")
    if cpus.exists() and (found := re.search(r"model name\s*: (.*)", cpus.read_text())):
        processor = found[1]
    versions = [f"Python {platform.python_version()}"]
    for name in ("numpy", "torch", "jax", "scikit-learn"):
        try:
            versions.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            pass
    # OpenBLAS chooses by the processor, unless OPENBLAS_CORETYPE says otherwise: up to 2x.
    kernels = {
        f"{library['internal_api']} {library.get('architecture')}"
        for library in threadpool_info() if library["user_api"] == "blas"
    }
    return (
        f"{processor}, one core, {platform.system()}; {', '.join(sorted(kernels))}\n"
        f"{', '.join(versions)}"
    )


if __name__ == "__main__":
    print(f"{date.today():%d %B %Y}; float32, wall time; {machine()}")
    table(all_settings())
