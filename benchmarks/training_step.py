"""How long one training step takes, next to its matrix products alone and to other libraries.

    pip install -e ".[bench]" && python benchmarks/training_step.py [--quick]

All contenders of a row run in one process on one processor core, one thread each, in turns; a time
is the median over the rounds. Before a row is timed, each contender must follow our losses over
20 steps from the same weights and mini-batches. What is not installed is left out, with a line
that says so.
"""

import argparse
import os
import sys
from dataclasses import replace
from datetime import date
from importlib import metadata
from pathlib import Path

ONE_THREAD = {name: "1" for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")}
if __name__ == "__main__":
    # Before NumPy and the others start their thread pools, which look at both.
    os.environ.update(ONE_THREAD)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
sys.path.insert(0, str(Path(__file__).parent))

import platform  # noqa: E402
from time import perf_counter, process_time  # noqa: E402

import numpy as np  # noqa: E402
from contenders import CONTENDERS, Ours, Problem, Products, Setting, Skipped  # noqa: E402
from threadpoolctl import threadpool_info  # noqa: E402

N_CHECKED = 20  # steps over which the losses must agree
TOLERANCE = {"float32": 2e-3, "float64": 1e-9}
CLOCKS = {"wall": perf_counter, "processor": process_time}
clock = perf_counter  # what main() chooses
LIVE = Setting((49, 32, 32, 10), 32, 512)


def all_settings():
    """Return the rows of the full table."""
    fashion, full_size = (196, 64, 64, 64, 10), (784, 100, 100, 100, 10)
    plain = [Setting(fashion, k, m) for k in (1, 16, 64) for m in (8, 64, 512)]
    plain += [Setting(full_size, k, m) for k in (1, 8) for m in (64, 128)]
    plain += [LIVE, Setting((64, 32, 32, 10), 16, 64)]
    rows = [replace(row, batch_norm=with_norm) for row in plain for with_norm in (True, False)]
    return rows + [replace(LIVE, group_size=size) for size in (8, 64)]


def quick_settings():
    """Return one row of each kind."""
    fashion = Setting((196, 64, 64, 64, 10), 1, 8)
    return [
        fashion, replace(fashion, batch_norm=False), replace(fashion, n_networks=16, batch_size=64),
        replace(LIVE, group_size=8), Setting((784, 100, 100, 100, 10), 8, 128),
    ]


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


def time_in_turns(contenders, n_rounds, seconds=0.04):
    """Return {name: median seconds per step}; each turn lasts about `seconds`."""
    n_steps = {}
    for name, contender in contenders.items():
        for _ in range(3):
            contender.step()
        start = clock()
        contender.step()
        n_steps[name] = max(1, round(seconds / (clock() - start)))
    times = {name: [] for name in contenders}
    for turn in range(n_rounds):
        names = list(contenders)
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            step, n = contenders[name].step, n_steps[name]
            start = clock()
            for _ in range(n):
                step()
            times[name].append((clock() - start) / n)
    return {name: float(np.median(values)) for name, values in times.items()}


HEAD = "{:18}{:>4}{:>6}  {:<16}{:>7}{:>9}"  # then a column for each library


def table(settings, n_rounds):
    """Print the table, row by row as it is measured."""
    others = [kind.name for kind in CONTENDERS if kind not in (Ours, Products)]
    print("ms: our step; products: that over its matrix products alone; then others over ours:")
    print("PyTorch eager and stacked (bmm), JAX jit(vmap), scikit-learn")
    head = HEAD.format("layers", "nets", "batch", "batch norm", "ms", "products")
    print(head + "".join(f"{name:>8}" for name in others))
    told = set()
    for setting in settings:
        contenders, skipped = prepare(setting)
        times = time_in_turns(contenders, n_rounds)
        ours = times[Ours.name]
        norm = "yes" if setting.batch_norm else "no"
        line = HEAD.format(
            setting.label, setting.n_networks, setting.batch_size,
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
    processor = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                processor = line.split(":")[1].strip()
                break
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


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rows")
    parser.add_argument("--rounds", type=int, default=7, help="turns of each contender (7)")
    parser.add_argument("--dtype", choices=tuple(TOLERANCE), default="float32")
    parser.add_argument(
        "--clock", choices=tuple(CLOCKS), default="wall",
        help="processor: time of this process alone, for a machine that others use too",
    )
    arguments = parser.parse_args()
    global clock
    clock = CLOCKS[arguments.clock]
    settings = quick_settings() if arguments.quick else all_settings()
    settings = [replace(setting, dtype=arguments.dtype) for setting in settings]
    print(f"{date.today():%d %B %Y}; {arguments.dtype}, {arguments.clock} time; {machine()}")
    table(settings, arguments.rounds)


if __name__ == "__main__":
    main()
