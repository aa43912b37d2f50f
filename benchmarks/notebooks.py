"""Where the time and the memory of the notebooks go.

    python benchmarks/notebooks.py [notebooks/04_minibatch_noise.ipynb ...]

Each notebook runs in a new kernel, as by `python -m helpers.execute`, but no file is changed.
Printed: seconds in total and of the first cell, which imports; the slowest cells; the memory that
the kernel and its children hold together, at its peak and after the first cell. Pages that several
processes share count once (Linux; elsewhere they count for each).
"""

import argparse
import threading
from pathlib import Path
from time import perf_counter

import psutil

from helpers.execute import ROOT, read_notebook, run

SECONDS_BETWEEN_LOOKS = 0.05  # at the memory


class MemoryOfChildren:
    """Within the block, `peak` is the largest number of bytes that our children have held."""

    def __enter__(self):
        self.peak, self._is_over = 0, threading.Event()
        self._watcher = threading.Thread(target=self._watch)
        self._watcher.start()
        return self

    def __exit__(self, *exception):
        self._is_over.set()
        self._watcher.join()

    def _watch(self):
        while not self._is_over.wait(SECONDS_BETWEEN_LOOKS):
            children = psutil.Process().children(recursive=True)
            self.peak = max(self.peak, sum(map(held_by, children)))


def held_by(process):
    try:
        memory = process.memory_full_info()
    except psutil.Error:  # it has just ended
        return 0
    return getattr(memory, "pss", memory.rss)


def time_notebook(path):
    """Return [(seconds, first line)] of each code cell, and the peak bytes after each."""
    notebook, begun, peaks = read_notebook(path), [], []

    def note(cell, cell_index):
        begun.append((perf_counter(), cell.source.splitlines()[0]))
        peaks.append(memory.peak)

    with MemoryOfChildren() as memory:
        run(notebook, path.resolve().parent, note)
    ends = [moment for moment, _ in begun[1:]] + [perf_counter()]
    cells = [(end - moment, line) for (moment, line), end in zip(begun, ends)]
    return cells, [*peaks[1:], memory.peak]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: all of notebooks/*.ipynb")
    chosen = parser.parse_args().notebooks or sorted((ROOT / "notebooks").glob("*.ipynb"))
    for path in chosen:
        cells, peaks = time_notebook(path)
        first, last = (peaks[place] / 2**20 for place in (0, -1))
        seconds = sum(taken for taken, _ in cells)
        print(
            f"{path.stem}: {seconds:.1f} s in {len(cells)} code cells, {cells[0][0]:.1f} s in the "
            f"first; peak memory {last:.0f} MiB, {first:.0f} MiB with the imports"
        )
        for taken, first_line in sorted(cells, reverse=True)[:5]:
            print(f"    {taken:5.1f} s  {first_line[:80]}", flush=True)


if __name__ == "__main__":
    main()
