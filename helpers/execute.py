"""Run notebooks in place and store what they print, in a form that changes only when they do.

    python -m helpers.execute                                   all notebooks of the course
    python -m helpers.execute notebooks/04_minibatch_noise.ipynb      only this one

Each notebook runs from top to bottom in a new kernel of this Python, in its own folder, with this
checkout's `helpers` and one BLAS thread. What depends on the run or the machine is then taken out
(widget views, timings, versions), so that a second execution gives the same bytes, and each
picture gets its sentence as alternative text. A cell that raises makes the command fail and leaves
the file as it was.

Needs nbclient and nbformat, which `jupyter` brings.
"""

import argparse
import asyncio
import hashlib
import json
import os
import signal
import sys
import tempfile
import time
import warnings
from pathlib import Path

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from helpers.files import write_whole

ROOT = Path(__file__).resolve().parent.parent
CELL_TIMEOUT = 600  # seconds, the same as for nbval in pyproject.toml

# Batches are small: a second BLAS thread costs more than it brings, and may change the last digits.
ONE_THREAD = dict.fromkeys([
    "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS",
], "1")
# ipykernel loads a debugger, which otherwise warns on stderr about Python's frozen modules.
QUIET_KERNEL = {"PYDEVD_DISABLE_FILE_VALIDATION": "1"}

NOTEBOOK_METADATA = {
    "kernelspec": {
        "display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3",
    },
    "language_info": {
        "codemirror_mode": {"name": "ipython", "version": 3},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
    },
}
CELL_METADATA = {"slideshow", "tags"}
OUTPUT_METADATA = {"asks", "replies to"}  # of a bet
WIDGET_TYPES = "application/vnd.jupyter.widget-"


class NotebookError(Exception):
    """A path is not a notebook, or one of its cells did not run. The message says which."""


def read_notebook(path):
    """Return the notebook at `path`; raise NotebookError if there is none."""
    path = Path(path)
    if not path.is_file():
        raise NotebookError(f"{path}: there is no such file")
    if path.suffix != ".ipynb":
        raise NotebookError(f"{path}: not a notebook, its name does not end in .ipynb")
    try:
        text = path.read_text(encoding="utf-8")
        content = json.loads(text)
    except ValueError as error:
        raise NotebookError(f"{path}: not a notebook, it is not valid JSON ({error})") from None
    if not isinstance(content, dict) or content.get("nbformat") != 4 or "cells" not in content:
        raise NotebookError(f"{path}: not a notebook of format 4")
    return nbformat.v4.reads(text)


def run(notebook, folder, on_cell=None):
    """Run all cells of `notebook` in `folder` in a new kernel; its outputs are replaced.

    `on_cell(cell=, cell_index=)` is called before each code cell is run.
    """
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    # Without folders to look in: a "python3" installed for the user may be another Python.
    of_this_python = KernelSpecManager(kernel_dirs=[])
    python_path = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {
        **os.environ, **ONE_THREAD, **QUIET_KERNEL, "PYTHONPATH": os.pathsep.join(python_path),
    }
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as ipython_dir:
        environment["IPYTHONDIR"] = ipython_dir  # no start-up files or settings of the user
        client = NotebookClient(
            notebook,
            km=AsyncKernelManager(kernel_spec_manager=of_this_python),
            timeout=CELL_TIMEOUT,
            resources={"metadata": {"path": str(folder)}},
            force_raise_errors=True,
            skip_cells_with_tag="",
            record_timing=False,
            store_widget_state=False,
            on_cell_execute=on_cell,
            extra_arguments=["--log-level=CRITICAL"],  # no talk of local TCP, nor of its end
        )
        with asyncio.Runner(loop_factory=_LoopWithoutSignals) as runner:
            runner.run(client.async_execute(env=environment, cleanup_kc=True))
    return notebook


def normalise(notebook):
    """Take out of `notebook`, in place, what depends on the run or on the machine."""
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    notebook.metadata = nbformat.from_dict(NOTEBOOK_METADATA)
    _give_missing_ids(notebook.cells)
    for cell in notebook.cells:
        cell.source = cell.source.rstrip()
        cell.metadata = nbformat.from_dict(
            {key: value for key, value in cell.metadata.items() if key in CELL_METADATA}
        )
        if cell.cell_type == "code":
            cell.outputs = _lasting(cell.outputs)
    _fold_answers(notebook.cells)
    return notebook


def execute_notebook(path):
    """Run the notebook at `path` and replace the file, or raise NotebookError and leave it alone.

    Returns the seconds that it took and the size of the new file in bytes.
    """
    path = Path(path)
    start = time.perf_counter()
    notebook = normalise(read_notebook(path))
    for index, cell in enumerate(notebook.cells, start=1):
        if cell.cell_type == "code" and not cell.source:
            raise NotebookError(f"{path}: cell {index} is an empty code cell; delete it")
    started = []
    try:
        run(notebook, path.resolve().parent, lambda cell, cell_index: started.append(cell_index))
    except CellExecutionError as error:
        happened = f"raised {error.ename}: {error.evalue}\n{error.traceback}"
    except CellTimeoutError:
        happened = f"ran for more than {CELL_TIMEOUT} s"
    except DeadKernelError:
        happened = "killed the kernel"
    else:
        nbformat.validate(normalise(notebook))
        content = (nbformat.v4.writes(notebook).rstrip("\n") + "\n").encode()
        write_whole(path, content)
        return time.perf_counter() - start, len(content)
    first_line = notebook.cells[started[-1]].source.splitlines()[0]
    raise NotebookError(
        f"{path}: code cell {len(started)} (cell {started[-1] + 1} of the notebook, "
        f"{first_line!r}) {happened}"
    )


def main(arguments=None):
    """Execute the notebooks named in `arguments`, or all; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers.execute",
        description="Run notebooks in place and store their outputs.",
    )
    parser.add_argument("notebooks", nargs="*", help="default: all of notebooks/*.ipynb")
    chosen = parser.parse_args(arguments).notebooks
    paths = [Path(name) for name in chosen] or sorted((ROOT / "notebooks").glob("*.ipynb"))
    if not paths:
        print(f"error: there is no notebook in {ROOT / 'notebooks'}", file=sys.stderr)
        return 2
    problems = [problem for problem in map(_problem_with, paths) if problem]
    if problems:
        print(*(f"error: {problem}" for problem in problems), sep="\n", file=sys.stderr)
        return 2
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, _stop)
    try:
        return max([_execute_and_report(path) for path in paths])
    except KeyboardInterrupt:
        warnings.filterwarnings("ignore", "coroutine .* was never awaited")  # nbclient's, at exit
        print("stopped; what was running is left as it was", file=sys.stderr)
        return 130


def _execute_and_report(path):
    try:
        seconds, size = execute_notebook(path)
    except (NotebookError, OSError) as error:
        said = f"{path}: {error.strerror}" if isinstance(error, OSError) else error
        print(f"error: {said}\n{path} is left as it was", file=sys.stderr, flush=True)
        return 1
    print(f"{path.name:<40} {seconds:6.1f} s {size / 1000:6.0f} kB", flush=True)
    return 0


def _problem_with(path):
    try:
        read_notebook(path)
        for folder in (path.parent, None):  # known now, not after minutes of running; None: /tmp
            with tempfile.TemporaryFile(dir=folder) as rehearsal:
                rehearsal.write(path.read_bytes())
    except NotebookError as error:
        return str(error)
    except OSError as error:
        return f"{path}: it cannot be read, or its folder not be written to: {error.strerror}"
    return None


class _LoopWithoutSignals(asyncio.SelectorEventLoop):
    def add_signal_handler(self, *args):
        """Leave signals to `_stop`: nbclient would end its kernel, and then miss it."""

    def call_exception_handler(self, context):
        """Say nothing of the kernel that `_stop` ends."""


def _stop(*_args):  # in the place of Python's own handler asyncio would put another
    raise KeyboardInterrupt


def _give_missing_ids(cells):
    taken = set()
    for index, cell in enumerate(cells):
        if "id" not in cell or cell.id in taken:
            cell.id = hashlib.sha256(f"{index}\n{cell.source}".encode()).hexdigest()[:8]
        taken.add(cell.id)


def _lasting(outputs):
    """Return the outputs without widgets; a picture's sentence becomes its alternative text."""
    kept = []
    for output in outputs:
        if output.output_type == "stream" and kept and kept[-1].get("name") == output.name:
            kept[-1].text += output.text  # how a kernel cuts it in pieces depends on the clock
            continue
        if "data" in output:
            data = output.data
            for mime_type in [kind for kind in data if kind.startswith(WIDGET_TYPES)]:
                del data[mime_type]
            if not data:
                continue
            for key in set(output.metadata) - set(data) - OUTPUT_METADATA:
                del output.metadata[key]
            if "image/png" in data and "text/plain" in data:
                output.metadata["image/png"] = nbformat.from_dict({"alt": data["text/plain"]})
        kept.append(output)
    return kept


def _fold_answers(cells):
    """Let JupyterLab open a notebook with what its bets ask about folded, until a cell is run."""
    waiting = set()
    for cell in cells:
        marks = [output.metadata for output in cell.get("outputs", []) if "metadata" in output]
        asked = {mark["asks"] for mark in marks if "asks" in mark}
        if waiting and not asked and cell.get("outputs"):
            cell.metadata["jupyter"] = {"outputs_hidden": True}
        waiting |= asked
        waiting -= {mark["replies to"] for mark in marks if "replies to" in mark}


if __name__ == "__main__":
    sys.exit(main())
