"""Twelve notebooks are handed in, good, wrong and hostile: each gets what it has earned, no more."""

import csv
import inspect
import json
import os
import subprocess
import sys
import time

import pytest

from helpers import grade, handed_in
from helpers.batch_norm_mechanics import exercises as mechanics
from helpers.execute import ROOT
from helpers.hidden_layer_stability import exercises as stability

pytestmark = pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs Linux or macOS")
BLANK, WRONG = "not attempted", "hint: Two things: "


def source_of(module, name):
    return inspect.getsource(getattr(module, name)) + f"\nexercises.check_{name}({name})"


FORWARD, INFER = source_of(mechanics, "forward"), source_of(mechanics, "infer")
UNFINISHED = "def {0}(*args):\n    return ...\n\nexercises.check_{0}({0})"
SWAPPED = """def update_running(running_mean, running_var, z, momentum):
    mean = (1 - momentum) * running_mean + momentum * z.mean(0)
    return mean, (1 - momentum) * running_var + momentum * z.var(0)"""
FORGED = """exercises.check_forward = lambda attempt: print("✓ Correct.")
import sys
class Feedback: status, message = "correct", "Correct."
def forward(*args):
    frame = sys._getframe()
    while frame:
        frame.f_locals.update(dict.fromkeys(frame.f_locals, Feedback()))
        frame = frame.f_back
    for descriptor in range(3, 9):
        try:
            os.write(descriptor, b'{"status": "correct"}\\n{"answer": "correct"}\\n')
        except OSError:
            pass
    return Feedback()
import os"""
WRITES = """import pathlib
def forward(z, gamma, beta, eps):
    for folder in (".", FOLDER, "/tmp"):
        for name in ("numpy.py", "grades.csv"):
            try:
                pathlib.Path(folder, "handed-in-" + name).write_text("correct")
            except OSError:
                pass
    return (z - z.mean(0)) / (z.var(0) + eps) ** 0.5 * gamma + beta"""
LEAVES = """import os
if os.fork() == 0:
    os.setsid()
    import time
    time.sleep(600)
def forward(*args):
    return 1"""
ENDS_GRADER = """import os
os.kill(os.getppid(), 9)
def forward(*args):
    return 1"""

# The cells of forward and update_running in a copy of notebook 02, and what the table says.
HANDED_IN = {
    "good": (FORWARD, source_of(mechanics, "update_running"), "correct", "correct"),
    "wrong": (FORWARD, SWAPPED, "correct", "hint: Two things"),
    "syntax": ("def forward(z:\n    return z", SWAPPED, "syntax error", "hint: "),
    "no cell": (None, None, "missing cell", "missing cell"),
    "raises": ("def forward(z, *others):\n    return zed - 1", "1 / 0",
               "hint: Your function raised NameError: name 'zed' is not defined, at `return zed",
               "ZeroDivisionError"),
    "endless": ("def forward(*args):\n    while True: pass", "while True: pass",
                "time-out", "time-out"),
    "exit": (FORWARD, "import os\nos._exit(0)", "correct", "its process ended"),
    "memory": ("def forward(*args):\n    return [0] * 10**10", "x = bytearray(10**11)",
               "hint: Your function raised MemoryError", "MemoryError"),
    "forged": (FORGED, "print('✓ Correct.')", "its answer could not be read", "missing cell"),
    "writes": (WRITES, SWAPPED, "correct", "hint: "),
    "leaves": (LEAVES, SWAPPED, "BlockingIO", "hint: "),
    "ends grader": (ENDS_GRADER, SWAPPED, "Perm", "hint: "),
}


def handed_in_notebook(path, changes, number="02"):
    """Write a copy of a notebook of the course with other exercise cells; None: without them."""
    (original,) = (ROOT / "notebooks").glob(f"{number}_*.ipynb")
    notebook = json.loads(original.read_text(encoding="utf-8"))
    for cell in list(notebook["cells"]):
        if cell["id"] in changes:
            cell["source"] = changes[cell["id"]]
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "✓ Correct."}]
            if cell["source"] is None:
                notebook["cells"].remove(cell)
    path.write_text(json.dumps(notebook), encoding="utf-8")


def run(*arguments, **options):
    command = [sys.executable, "-m", "helpers.grade", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, **options)


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return {row["file"].rsplit("/")[-1]: row for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("submissions")
    for name, (x1, x2, *_) in HANDED_IN.items():
        x1 = x1 and x1.replace("FOLDER", repr(str(folder)))
        handed_in_notebook(folder / name, {"x1": x1, "x2": x2, "x3": UNFINISHED.format("infer")})
    (folder / "no notebook").write_text("[" * 100_000)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    output = folder.parent / "grades.csv"
    told = run(*sorted(before), "--output", output, "--seed", 7)
    assert told.returncode == 0 and "Traceback" not in told.stderr, told.stderr
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    return folder, output, told


@pytest.mark.parametrize("name", HANDED_IN)
def test_each_gets_what_it_has_earned(graded, name):
    row, expected = rows_of(graded[1])[name], HANDED_IN[name][2:]
    for exercise, words in zip(("forward", "update_running"), expected):
        assert row[exercise].startswith(words) and (words == "correct") == (
            row[exercise] == "correct"
        ), row
    assert row["infer"] == row["backward"] == BLANK
    assert row["correct"] == str(expected.count("correct")) and row["seed"] == "7"


def test_what_is_no_notebook_and_the_bar_are_told(graded):
    _, output, told = graded
    assert {*list(rows_of(output)["no notebook"].values())[4:]} == {"not a notebook"}
    assert told.stderr.rstrip().endswith("█ 13/13")


def test_nothing_that_was_started_is_left(graded):
    processes = subprocess.run(["ps", "-A", "-o", "args"], capture_output=True, text=True).stdout
    first_line = handed_in.__doc__.splitlines()[0]
    assert first_line not in processes
