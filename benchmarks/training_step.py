"""How long one training step takes, next to its matrix products alone and to other libraries.

    pip install -e ".[bench]" && python benchmarks/training_step.py [--quick]

All contenders of a row run in one process on one processor core, one thread each, in turns; a time
is the median over the rounds. Before a row is timed, each contender must follow our losses over
20 steps from the same weights and mini-batches; rows with dropout are compared with dropout off,
as the libraries draw other masks. Then come the facts about our own step alone: its parts, what
ghost groups cost, time against networks x batch, memory, and a saturated network. What is not
installed is left out, with a line that says so.
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
import tracemalloc  # noqa: E402
from time import perf_counter, process_time  # noqa: E402
from unittest.mock import patch  # noqa: E402

import numpy as np  # noqa: E402
from contenders import CONTENDERS, Ours, Problem, Products, Setting, Skipped  # noqa: E402
from threadpoolctl import threadpool_info  # noqa: E402

from helpers import training  # noqa: E402
from helpers.network import multilayer_perceptron  # noqa: E402
from helpers.randomness import spawn_streams  # noqa: E402
from helpers.training import SGD  # noqa: E402

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
    rows += [replace(LIVE, group_size=size) for size in (8, 64)]
    return rows + [Setting(fashion, 16, 64, dropout=0.5)]


def quick_settings():
    """Return one row of each kind."""
    fashion = Setting((196, 64, 64, 64, 10), 1, 8)
    return [
        fashion, replace(fashion, batch_norm=False), replace(fashion, n_networks=16, batch_size=64),
        replace(LIVE, group_size=8), Setting((784, 100, 100, 100, 10), 8, 128),
    ]


# --- the table -----------------------------------------------------------------------------------


def follows(contender, reference, tolerance):
    """Return the largest relative difference over 20 steps; raise Skipped above `tolerance`."""
    losses = np.array([contender.losses(contender.step()) for _ in range(N_CHECKED)])
    worst = float(np.max(np.abs(losses - reference) / np.abs(reference)))
    if not worst <= tolerance:
        raise Skipped(f"its losses differ from ours by {worst:.1e}")
    return worst


def prepare(setting, kinds=CONTENDERS):
    """Return ({name: contender}, {name: reason}) of those that follow our losses, and not."""
    without_dropout = replace(setting, dropout=0.0)
    ours = Ours(Problem(without_dropout))
    reference = np.array([ours.losses(ours.step()) for _ in range(N_CHECKED)])
    ready, skipped = {}, {}
    for kind in kinds:
        try:
            if kind is not Products:
                follows(kind(Problem(without_dropout)), reference, TOLERANCE[setting.dtype])
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


def table(settings, n_rounds, kinds=CONTENDERS):
    """Print the table, row by row as it is measured."""
    others = [kind.name for kind in kinds if kind not in (Ours, Products)]
    print("ms: our step; products: that over its matrix products alone; then others over ours:")
    print("PyTorch eager, stacked (bmm) and compiled, JAX jit(vmap), scikit-learn")
    head = HEAD.format("layers", "nets", "batch", "batch norm", "ms", "products")
    print(head + "".join(f"{name:>8}" for name in others))
    told = set()
    for setting in settings:
        contenders, skipped = prepare(setting, kinds)
        times = time_in_turns(contenders, n_rounds)
        ours = times[Ours.name]
        line = HEAD.format(
            setting.label, setting.n_networks, setting.batch_size, norm_label(setting),
            f"{1e3 * ours:.2f}",
            f"{ours / times[Products.name]:.1f}" if Products.name in times else "-",
        )
        for name in others:
            line += f"{times[name] / ours:8.2f}" if name in times else f"{'-':>8}"
        print(line, flush=True)
        for name in sorted(skipped.keys() - told):
            print(f"    {name}: {skipped[name]}")
            told.add(name)


def norm_label(setting):
    """Return what a row says about batch norm, groups and dropout."""
    groups = f"groups of {setting.group_size}" if setting.group_size else "yes"
    dropout = f", dropout {setting.dropout:g}" if setting.dropout else ""
    return (groups if setting.batch_norm else "no") + dropout


# --- facts about our own step --------------------------------------------------------------------


def where_the_time_goes():
    """Print the parts of a step in rows that are far above their matrix products."""
    print("\nWhere the time of a step goes:")
    fashion = (196, 64, 64, 64, 10)
    for setting in (
        Setting(fashion, 1, 8), Setting(fashion, 64, 8), LIVE, replace(LIVE, group_size=8),
    ):
        shares = ", ".join(f"{name} {share:.0%}" for name, share in parts_of_step(setting).items())
        print(
            f"    {setting.label} x {setting.n_networks}, batch {setting.batch_size}, batch norm "
            f"{norm_label(setting)}: {shares}"
        )


def parts_of_step(setting, n_steps=200):
    """Return {part: its share of a step's time}, largest first; together 1."""
    problem = Problem(setting)
    products, ours = Products(problem), Ours(problem)
    seconds = dict.fromkeys(("products", "Dense", "rest"), 0.0)

    def timed(name, function):
        def call(*args, **kwargs):
            start = clock()
            result = function(*args, **kwargs)
            seconds[name] = seconds.get(name, 0.0) + clock() - start
            return result

        return call

    for layer in problem.network.layers:
        for way in ("forward", "backward"):
            setattr(layer, way, timed(type(layer).__name__, getattr(layer, way)))
    with (
        patch.object(SGD, "step", timed("SGD", SGD.step)),
        patch.object(training, "loss_and_gradient", timed("loss", training.loss_and_gradient)),
    ):
        for _ in range(n_steps):
            timed("all", ours.step)()
            timed("products", products.step)()
    total = seconds.pop("all")
    seconds["Dense"] -= seconds["products"]
    seconds["rest"] = total - sum(seconds.values())
    named = {"Dense beside them" if name == "Dense" else name: one for name, one in seconds.items()}
    return {name: named[name] / total for name in sorted(named, key=named.get, reverse=True)}


def ghost_groups(n_rounds):
    """Print what statistics groups cost over plain batch norm in the LIVE configuration."""
    settings = {f"groups of {g}": replace(LIVE, group_size=g) for g in (4, 8, 64)}
    contenders = {name: Ours(Problem(row)) for name, row in settings.items()}
    times = time_in_turns({"plain": Ours(Problem(LIVE)), **contenders}, 3 * n_rounds)
    extra = ", ".join(f"{name} {times[name] / times['plain'] - 1:+.0%}" for name in settings)
    print(f"\nGhost groups, over plain batch norm ({1e3 * times['plain']:.2f} ms): {extra}")


def linear_time(n_rounds):
    """Print how time grows with networks x batch: a straight line fitted to relative errors."""
    rows = [
        Setting((196, 64, 64, 64, 10), k, m) for k in (1, 4, 16, 64) for m in (8, 32, 128, 512)
    ]
    times = time_in_turns({(r.n_networks, r.batch_size): Ours(Problem(r)) for r in rows}, n_rounds)
    networks, batch = np.array(list(times)).T
    seconds = np.array(list(times.values()))
    terms = np.stack([np.ones(len(rows)), networks, networks * batch]) / seconds
    fixed, each_network, each_row = np.linalg.lstsq(terms.T, np.ones(len(rows)))[0]
    fitted = fixed + each_network * networks + each_row * networks * batch
    print(
        f"\nTime, 196-64-64-64-10 = {1e6 * fixed:.0f} us + {1e6 * each_network:.1f} us x networks "
        f"+ {1e6 * each_row:.3f} us x networks x batch; measured / fitted:"
    )
    for k in np.unique(networks):
        ratios = [
            f"batch {m} {ratio:.2f}"
            for n, m, ratio in zip(networks, batch, seconds / fitted) if n == k
        ]
        print(f"    {k:2d} networks: " + ", ".join(ratios))


def memory(settings):
    """Print the peak memory of a step over that of parameters plus activations."""
    print("\nPeak memory of training steps, over parameters plus activations (3 allowed):")
    for setting in settings:
        problem = Problem(setting)
        n_bytes = parameter_bytes(problem.network) + activation_bytes(problem)
        tracemalloc.start()
        ours = Ours(problem)
        for _ in range(3):
            ours.step()
        # The optimiser counts and so do the parameters, which were there before; the data do not.
        peak = tracemalloc.get_traced_memory()[1] + parameter_bytes(problem.network)
        tracemalloc.stop()
        print(
            f"    {setting.label} x {setting.n_networks}, batch {setting.batch_size}, batch norm "
            f"{norm_label(setting)}: {peak / 2**20:.1f} MiB / {n_bytes / 2**20:.1f} MiB = "
            f"{peak / n_bytes:.2f}"
        )


def parameter_bytes(network):
    return sum(getattr(la, name).nbytes for la in network.layers for name in la.parameters)


def activation_bytes(problem):
    """Return the bytes of the mini-batch and of what every layer puts out."""
    setting = problem.setting
    widths = [setting.sizes[0]]
    for layer in problem.network.layers:
        widths.append(getattr(layer, "n_outputs", widths[-1]))
    return sum(widths) * setting.n_networks * setting.batch_size * np.dtype(setting.dtype).itemsize


def saturated(n_steps=2000, n_windows=20):
    """Print the step time of a saturated network at the end of training over that at the start.

    A saturated unit's velocity shrinks to denormal numbers, on which many processors are slow.
    """
    streams, rng = spawn_streams(0, 8), np.random.default_rng(0)
    network = multilayer_perceptron(
        [64] * 7 + [10], rng=streams.weights, n_networks=8, batch_norm=False,
        activation="tanh", init_scale=30.0,
    )
    inputs, targets = rng.standard_normal((256, 64)), rng.integers(0, 10, 256)
    steps = training.train(
        network, inputs, targets, n_steps=n_steps, batch_size=32, learning_rate=1.0,
        rng=streams.order,
    )
    ticks = [clock() for _ in steps]
    seconds = np.diff(ticks)
    size = len(seconds) // n_windows
    start, end = np.median(seconds[:size]), np.median(seconds[-size:])
    print(
        f"\nSaturated network, {n_steps:,} steps: {1e3 * start:.3f} ms at the start, "
        f"{1e3 * end:.3f} ms at the end, ratio {end / start:.2f} (1.5 allowed)"
    )


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
    parser.add_argument("--only", nargs="+", metavar="NAME", help="only these contenders")
    parser.add_argument("--part", choices=("table", "facts"), help="only this part")
    arguments = parser.parse_args()
    global clock
    clock = CLOCKS[arguments.clock]
    kinds = [
        kind for kind in CONTENDERS
        if arguments.only is None or kind is Ours or kind.name in arguments.only
    ]
    settings = quick_settings() if arguments.quick else all_settings()
    settings = [replace(setting, dtype=arguments.dtype) for setting in settings]
    print(f"{date.today():%d %B %Y}; {arguments.dtype}, {arguments.clock} time; {machine()}")
    if arguments.part != "facts":
        table(settings, arguments.rounds, kinds)
    if arguments.part != "table":
        where_the_time_goes()
        ghost_groups(arguments.rounds)
        linear_time(arguments.rounds)
        memory([row for row in settings if row.batch_size >= 64 and not row.dropout])
        saturated()


if __name__ == "__main__":
    main()
