"""A class at once, or a day's work: do all kernels finish, and how much memory do they take?

    python benchmarks/classroom.py
    python benchmarks/classroom.py notebooks/0[1-6]*.ipynb

Without arguments eight kernels run notebook 04 at the same time: printed are the seconds until the
last is ready, how many outputs are the stored ones, and the peak memory of the largest kernel, as
`notebooks.py` counts it. Else each notebook runs in a kernel of its own, and then each of its demos
is moved 500 times: printed is what the kernel has grown by.
"""

import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from time import perf_counter

import nbformat

from helpers import execute
from notebooks import MemoryOfChildren

execute.CELL_TIMEOUT = 3600  # seconds: it is not what is measured
N_KERNELS, FOLDER = 8, execute.ROOT / "notebooks"
MOVES = """
import gc, psutil, random
from helpers.page.panel import Panel
random.seed(0)
panels = [one for one in gc.get_objects() if isinstance(one, Panel) and one.controls]
before = psutil.Process().memory_full_info().uss
for panel in panels:
    for _ in range(500):
        control = random.choice([*panel.controls.values()])
        if hasattr(control, "index"):
            control.index = random.randrange(len(control.options))
        elif hasattr(control, "max"):
            n_steps = round((control.max - control.min) / control.step)
            control.value = control.min + random.randint(0, n_steps) * control.step
        else:
            control.value = not control.value
        panel.wait()
        assert panel.error is None, panel.error
growth = (psutil.Process().memory_full_info().uss - before) / 2**20
print(f"{len(panels)} demos moved 500 times: {growth:+.0f} MiB on {before / 2**20:.0f}")
"""


def learn(path):
    """Run a notebook; return whether it gives what is stored, and its peak memory in MiB."""
    notebook = execute.read_notebook(path)
    with MemoryOfChildren() as memory:
        execute.run(notebook, FOLDER)
    text = nbformat.v4.writes(execute.normalise(notebook)).rstrip("\n") + "\n"
    return text == path.read_text(encoding="utf-8"), memory.peak / 2**20


def class_at_once(path):
    started = perf_counter()
    with ProcessPoolExecutor(N_KERNELS) as pool:
        found, peaks = zip(*pool.map(learn, N_KERNELS * [path]))
    return (f"04 in {N_KERNELS} kernels: {perf_counter() - started:.0f} s, {sum(found)} with the "
            f"stored outputs, at most {max(peaks):.0f} MiB each")


def work_all_day(path):
    notebook = execute.read_notebook(path)
    notebook.cells.append(nbformat.v4.new_code_cell(MOVES))
    return f"{path.stem}: {execute.run(notebook, FOLDER).cells[-1].outputs[-1].text.strip()}"


if __name__ == "__main__":
    if len(sys.argv) == 1:
        print(class_at_once(FOLDER / "04_minibatch_noise.ipynb"))
    for name in sys.argv[1:]:
        print(work_all_day(Path(name)), flush=True)
