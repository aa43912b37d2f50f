"""The command that executes the notebooks, on small scratch notebooks."""

import ast
import base64
import os
import re
import signal
import stat
import subprocess
import sys
import time

import psutil
import pytest
from nbformat import v4

import helpers.execute
from helpers.execute import NOTEBOOK_METADATA, ROOT, execute_notebook, main, normalise

# Other tools would let a cell with this tag fail, or not run one with that: here all must run.
TAGS = ["raises-exception", "skip-execution"]
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
PIXEL = base64.b64encode(b"stands for a picture").decode()

DEMO = f"""\
import ipywidgets
class Demo:
    def _repr_mimebundle_(self, **options):
        live = ipywidgets.IntSlider()._repr_mimebundle_()
        return {{**live, "image/png": "{PIXEL}", "text/plain": "A line that rises."}}
Demo()"""
PROGRESS_BAR = f"""\
from IPython.display import display
bar = ipywidgets.IntProgress()
display({{"{WIDGET_VIEW}": bar._repr_mimebundle_()["{WIDGET_VIEW}"]}}, raw=True)
bar.close()"""
PRINTS_IN_PIECES = """\
import sys, time
for step in range(3):
    print("step", step)
    sys.stdout.flush()
    time.sleep(0.02)"""
WHERE_AM_I = """\
import os, sys
import numpy
from pathlib import Path
from threadpoolctl import threadpool_info
print(Path.cwd().name, Path("scratch.ipynb").exists())
print({pool["num_threads"] for pool in threadpool_info()} <= {1}, os.environ["OMP_NUM_THREADS"])
import helpers.layers
sys.executable, helpers.layers.__file__"""


def save(path, *sources, **metadata):
    """Write a notebook as an editor might: half executed, with metadata of all kinds."""
    cells = [v4.new_markdown_cell("# A scratch notebook")]
    for source in sources:
        cell = v4.new_code_cell(source, execution_count=77)
        cell.metadata.update(tags=TAGS, execution={"iopub.status.busy": "now"}, trusted=True)
        cell.metadata["slideshow"] = {"slide_type": "skip"}
        cells.append(cell)
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"
    notebook = v4.new_notebook(cells=cells, metadata={"widgets": {}, **metadata})
    path.write_text(v4.writes(notebook), encoding="utf-8")
    return path


def load(path):
    return v4.reads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """Return the path of a notebook that was executed twice, and its bytes after the first time."""
    folder = tmp_path_factory.mktemp("course")
    path = save(
        folder / "scratch.ipynb", WHERE_AM_I, DEMO, PROGRESS_BAR, PRINTS_IN_PIECES, "x = 1\n\n"
    )
    path.chmod(0o640)
    seconds, size = execute_notebook(path)
    assert seconds > 0 and size == path.stat().st_size
    once = path.read_bytes()
    assert main([str(path)]) == 0
    return path, once


def test_a_second_execution_gives_the_same_bytes_and_leaves_nothing_else(executed):
    path, once = executed
    assert path.read_bytes() == once
    assert once.endswith(b"}\n") and not once.endswith(b"\n\n") and b"\r" not in once
    assert [*path.parent.iterdir()] == [path]
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_the_kernel_has_one_thread_the_right_folder_and_these_helpers(executed):
    printed, value = load(executed[0]).cells[1].outputs
    assert printed.text.splitlines() == [f"{executed[0].parent.name} True", "True 1"]
    checkout = str(ROOT / "helpers" / "layers.py")
    assert ast.literal_eval(value.data["text/plain"]) == (sys.executable, checkout)


def test_what_a_notebook_stores_of_its_cells_and_their_outputs(executed):
    notebook = load(executed[0])
    assert [cell.id for cell in notebook.cells] == [f"cell-{number}" for number in range(6)]
    codes = notebook.cells[1:]
    assert [cell.execution_count for cell in codes] == [1, 2, 3, 4, 5]
    assert [cell.metadata["tags"] for cell in codes] == [TAGS] * 5
    assert all(set(cell.metadata) == {"tags", "slideshow"} for cell in codes)
    assert notebook.metadata == NOTEBOOK_METADATA
    _, (demo,), of_a_bar, (pieces,), _ = (cell.outputs for cell in codes)
    assert demo.data == {"image/png": PIXEL, "text/plain": "A line that rises."}
    assert of_a_bar == [] and pieces.text == "step 0\nstep 1\nstep 2\n"
    assert codes[-1].source == "x = 1"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("x = 1\nundefined_name", ["raised NameError", "undefined_name", "'x = 1'"]),
        ("import os\nos._exit(1)", ["killed the kernel", "'import os'"]),
        ("import time\ntime.sleep(60)", ["ran for more than 3 s", "'import time'"]),
    ],
)
def test_a_cell_that_fails_leaves_the_file_as_it_was(tmp_path, capsys, monkeypatch, source, words):
    if "sleep" in source:
        monkeypatch.setattr(helpers.execute, "CELL_TIMEOUT", 3)
    path = save(tmp_path / "fails.ipynb", "print('fine')", source)
    before = path.read_bytes()
    assert main([str(path)]) == 1
    message = capsys.readouterr().err
    for word in ["fails.ipynb: code cell 2 (cell 3 of the notebook", "left as it was", *words]:
        assert word in message
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["fails.ipynb"]


@pytest.mark.parametrize(("size", "status"), [(100, 2), (5_000, 1)])  # cannot begin; cannot end
def test_a_full_disk_leaves_the_file_as_it_was(tmp_path, capsys, size, status):
    resource = pytest.importorskip("resource")
    path = save(tmp_path / "large.ipynb", "print('x' * 10_000)")
    before, limits = path.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))  # no file grows beyond
    try:
        assert main([str(path)]) == status
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)  # or pytest cannot write its own log
    told = capsys.readouterr().err
    assert re.fullmatch(f"error: {path}: .*File too large\n(.* is left as it was\n)?", told)
    assert path.read_bytes() == before and [*tmp_path.iterdir()] == [path]


def test_a_folder_that_cannot_be_written_to_is_refused_before_anything_runs(tmp_path, capfd):
    path = save(tmp_path / "one.ipynb", "open('ran', 'w')")
    tmp_path.chmod(0o500)
    try:
        if os.access(tmp_path, os.W_OK):
            pytest.skip("root may write anywhere")
        assert main([str(path)]) == 2
    finally:
        tmp_path.chmod(0o700)
    (line,) = capfd.readouterr().err.splitlines()
    assert re.match(f"error: {path}: .*its folder not be written to: Permission denied", line)
    assert [*tmp_path.iterdir()] == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="ends a process as POSIX does")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGKILL"])
def test_who_ends_the_command_keeps_the_file_and_no_kernel(tmp_path, name):
    started = tmp_path / "started"
    source = "import os, pathlib, time\npathlib.Path('started').write_text(str(os.getpid()))"
    path = save(tmp_path / "slow.ipynb", f"{source}\ntime.sleep(100)")
    before = path.read_bytes()
    command = [sys.executable, "-m", "helpers.execute", str(path)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        while not (started.exists() and started.read_text()):
            time.sleep(0.01)
        process.send_signal(getattr(signal, name))
        _, told = process.communicate()
    kernel = int(started.read_text())
    while psutil.pid_exists(kernel) and psutil.Process(kernel).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.1)
    stopped = 130, "stopped; what was running is left as it was\n"
    assert (process.returncode, told) == ((-9, "") if name == "SIGKILL" else stopped)
    assert path.read_bytes() == before and {*tmp_path.iterdir()} == {path, started}


def test_an_empty_code_cell_is_refused(tmp_path, capsys):
    assert main([str(save(tmp_path / "empty.ipynb", "  \n"))]) == 1
    assert "empty.ipynb: cell 2 is an empty code cell" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("missing.ipynb", None, "there is no such file"),
        ("script.py", "print(1)", "does not end in .ipynb"),
        ("broken.ipynb", "{not json", "not valid JSON"),
        ("list.ipynb", "[]", "not a notebook of format 4"),
        ("old.ipynb", '{"nbformat": 3, "worksheets": []}', "not a notebook of format 4"),
    ],
)
def test_what_is_not_a_notebook_is_refused_before_anything_runs(
    tmp_path, capsys, name, content, words
):
    good = save(tmp_path / "good.ipynb", "x = 1")
    before = good.read_bytes()
    if content is not None:
        (tmp_path / name).write_text(content, encoding="utf-8")
    assert main([str(good), str(tmp_path / name)]) == 2
    message = capsys.readouterr().err
    assert name in message and words in message
    assert good.read_bytes() == before


def test_without_arguments_it_takes_all_notebooks_of_the_course(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(helpers.execute, "ROOT", tmp_path)
    assert main([]) == 2
    assert "there is no notebook" in capsys.readouterr().err
    (tmp_path / "notebooks").mkdir()
    for name in ["02_second", "01_first"]:
        save(tmp_path / "notebooks" / f"{name}.ipynb", "x = 1")
    monkeypatch.setattr(helpers.execute, "execute_notebook", lambda path: (1, 2000))
    assert main([]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [
        "01_first.ipynb", "02_second.ipynb",
    ]


def test_cells_without_an_id_get_one_that_is_the_same_each_time():
    def ids():
        notebook = v4.new_notebook(cells=[v4.new_markdown_cell("a") for _ in range(3)])
        del notebook.cells[0]["id"]
        notebook.cells[1].id = notebook.cells[2].id = "mine"
        return [cell.id for cell in normalise(notebook).cells]

    assert ids() == ids() and len({*ids()}) == 3 and ids()[1] == "mine"
