"""Where the time and the memory of the notebooks go, and what importing `helpers` costs.

    python benchmarks/notebooks.py [notebooks/04_minibatch_noise.ipynb ...]

Each notebook runs in a new kernel, as by `python -m helpers.execute`, but no file is changed.
Printed: seconds in total, the slowest cells, the peak memory of the kernel; then for each module
of `helpers` the seconds that its import takes in a fresh Python beyond importing NumPy.
"""

import argparse
import subprocess
import sys
from pathlib import Path
from time import perf_counter

import nbformat

from helpers.execute import ROOT, read_notebook, run

N_SLOWEST = 5
N_IMPORTS = 5  # fresh Pythons for each module; the fastest counts
PEAK_MEMORY = """\
import resource as _resource, sys as _sys
_unit = 1 if _sys.platform == "darwin" else 1024
print(_resource.getrusage(_resource.RUSAGE_SELF).ru_maxrss * _unit)"""
IMPORT_TIME = """\
import time, numpy
start = time.perf_counter()
import {module}
print(time.perf_counter() - start)"""


def time_notebook(path):
    """Return the seconds of all, [(seconds, first line)] of each code cell, and peak bytes.

    The peak is None where Python has no module `resource`, on Windows.
    """
    notebook = read_notebook(path)
    for cell in notebook.cells:
        cell.setdefault("id", "")
    if sys.platform != "win32":
        notebook.cells.append(nbformat.v4.new_code_cell(PEAK_MEMORY))
    started = []
    start = perf_counter()
    run(
        notebook, path.resolve().parent,
        lambda cell, cell_index: started.append((perf_counter(), cell)),
    )
    ends = [moment for moment, _ in started[1:]] + [perf_counter()]
    cells = [
        (end - moment, cell.source.splitlines()[0]) for (moment, cell), end in zip(started, ends)
    ]
    peak = None
    if sys.platform != "win32":
        cells.pop()
        peak = int(notebook.cells[-1].outputs[0].text)
    return perf_counter() - start, cells, peak


def import_seconds(module):
    """Return how long a fresh Python that has NumPy takes to import `module`, at best."""
    code = IMPORT_TIME.format(module=module)
    runs = [
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
        for _ in range(N_IMPORTS)
    ]
    return min(float(finished.stdout) for finished in runs)


def modules_of_helpers():
    """Return the dotted names of all modules of `helpers` that are no empty package."""
    paths = (path.relative_to(ROOT).with_suffix("") for path in (ROOT / "helpers").rglob("*.py"))
    return sorted(".".join(path.parts) for path in paths if path.name != "__init__")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: all of notebooks/*.ipynb")
    chosen = parser.parse_args().notebooks or sorted((ROOT / "notebooks").glob("*.ipynb"))
    for path in chosen:
        seconds, cells, peak = time_notebook(path)
        memory = "" if peak is None else f", peak memory {peak / 2**20:.0f} MiB"
        print(f"{path.stem}: {seconds:.1f} s in {len(cells)} code cells{memory}", flush=True)
        for taken, first_line in sorted(cells, reverse=True)[:N_SLOWEST]:
            print(f"    {taken:5.1f} s  {first_line[:80]}", flush=True)
    print("\nImport, seconds beyond NumPy:")
    for module in modules_of_helpers():
        print(f"    {import_seconds(module):.3f}  {module}", flush=True)


if __name__ == "__main__":
    main()
