"""Notebooks are handed in, good, wrong and hostile: each gets what it has earned, no more."""

import csv
import inspect
import json
import os
import platform
import re
import resource
import subprocess
import sys
import time
from importlib import import_module

import pytest

from helpers.batch_norm_mechanics import exercises as mechanics
from helpers.execute import ROOT
from helpers.grade import handed_in
from helpers.grade.__main__ import course_exercises, exercise_cells

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits are tested on Linux only")


def source_of(module, name):
    return inspect.getsource(getattr(module, name)) + f"\nexercises.check_{name}({name})"


FORWARD, INFER = source_of(mechanics, "forward"), source_of(mechanics, "infer")
UNFINISHED = "def infer(*args):\n    return ...\n\nexercises.check_infer(infer)"
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
FORGED_CELL = """print('✓ Correct.')
for descriptor in range(3, 9):
    try:
        os.write(descriptor, b'{"error": "correct"}\\n')
    except OSError:
        pass
# def update_running"""
FLOODS = """import os, sys
def forward(*args):
    frame = sys._getframe(1)
    while True:
        frame.f_locals["self"]._say({"ask": 0, "arguments": []})"""
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
    "syntax": ("def forward(z:\n    return z", SWAPPED, "error: syntax error", "hint: "),
    "no cell": (None, None, "missing cell", "missing cell"),
    "raises": ("def forward(z, *others):\n    return zed - 1", "1 / 0",
               "hint: Your function raised NameError: name 'zed' is not defined, at `return zed",
               "error: ZeroDivisionError"),
    "endless": ("def forward(*args):\n    while True: pass", "while True: pass",
                "time-out", "time-out"),
    "exit": (FORWARD, "import os\nos._exit(0)", "correct", "its process ended"),
    "memory": ("def forward(*args):\n    return [0] * 10**10", "x = bytearray(10**11)",
               "hint: Your function raised MemoryError", "error: MemoryError"),
    "forged": (FORGED, FORGED_CELL, "its answer could not be read", "error: correct"),
    "writes": (WRITES, SWAPPED, "correct", "hint: "),
    "floods": (FLOODS, SWAPPED, ("too large an answer", "time-out"), "hint: "),
    "leaves": (LEAVES, SWAPPED, "error: BlockingIO", "hint: "),
    "ends grader": (ENDS_GRADER, SWAPPED, "error: Perm", "hint: "),
}

LINUX = tuple(map(int, re.findall(r"\d+", platform.release())[:2]))
if LINUX < (6, 12) and getattr(os, "geteuid", int)():
    del HANDED_IN["ends grader"]  # older ones refuse that only to others than the grader's account


def hand_in(path, notebook, changes):
    """Write a copy of a notebook of the course with other exercise cells; None: without them."""
    content = json.loads((ROOT / "notebooks" / f"{notebook}.ipynb").read_text(encoding="utf-8"))
    for cell in content["cells"]:
        cell["source"] = changes.get(cell["id"], cell["source"])
        cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "✓ Correct."}]
    content["cells"] = [cell for cell in content["cells"] if cell["source"] is not None]
    path.write_text(json.dumps(content), encoding="utf-8")


def command(*arguments):
    return [sys.executable, "-m", "helpers.grade", *map(str, arguments)]


def run(*arguments):
    return subprocess.run(command(*arguments), capture_output=True, text=True, cwd=ROOT)


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return {row["file"].rsplit("/")[-1]: row for row in csv.DictReader(file)}


def left_over():
    run = subprocess.run(["ps", "-A", "-ww", "-o", "args"], capture_output=True, text=True)
    return run.stdout.count(handed_in.__doc__.splitlines()[0])


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("submissions")
    for name, (x1, x2, *_) in HANDED_IN.items():
        x1 = x1 and x1.replace("FOLDER", repr(str(folder)))
        changes = {"x1": x1, "x2": x2, "x3": UNFINISHED}
        hand_in(folder / name, "02_batch_norm_mechanics", changes)
    (folder / "no notebook").write_text("[" * 100_000)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    output = folder.parent / "grades.csv"
    told = run(*sorted(before), "--output", output, "--seed", 7)
    assert told.returncode == 0 and "Traceback" not in told.stderr, told.stderr
    assert told.stderr.rstrip().endswith(f"█ {len(before)}/{len(before)}")
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    assert not left_over()
    return output


@pytest.mark.parametrize("name", HANDED_IN)
def test_each_gets_what_it_has_earned(graded, name):
    row, expected = rows_of(graded)[name], HANDED_IN[name][2:]
    for exercise, words in zip(("forward", "update_running"), expected):
        assert row[exercise].startswith(words), row
    assert {row["infer"], row["backward"]} <= {"not attempted", "its answer could not be read"}
    assert row["correct"] == str(expected.count("correct")) and row["seed"] == "7"


def test_what_is_no_notebook_is_told(graded):
    assert {*list(rows_of(graded)["no notebook"].values())[4:]} == {"not a notebook"}


def test_who_answers_as_the_course_does_has_all_correct(tmp_path):
    n_exercises = {}
    for notebook, ids in course_exercises().items():
        module = import_module(f"helpers.{notebook[3:]}.exercises")
        blanks = dict(exercise_cells(ROOT / "notebooks" / f"{notebook}.ipynb"))
        changes = {id_: blanks[id_].split("def ")[0] + source_of(module, name)
                   for name, id_ in ids.items()}
        hand_in(tmp_path / notebook, notebook, changes)
        n_exercises[notebook] = str(len(ids))
    output = tmp_path / "grades.csv"
    run(*(tmp_path / notebook for notebook in n_exercises), "--output", output)
    rows = rows_of(output)
    assert {name: row["correct"] for name, row in rows.items()} == n_exercises, rows
    assert {row["notebook"] for row in rows.values()} == {*n_exercises}
    assert len({row["seed"] for row in rows.values()}) == 1


def test_a_run_that_was_killed_goes_on_where_it_was(tmp_path):
    files, output = [tmp_path / f"{number}.ipynb" for number in range(12)], tmp_path / "grades.csv"
    for file in files:
        hand_in(file, "02_batch_norm_mechanics", {"x1": FORWARD})
    with subprocess.Popen(command(*files, "--output", output), cwd=ROOT) as grader:
        while not output.exists() or len(rows_of(output)) < 2:
            time.sleep(0.01)
        grader.kill()
    done = output.read_text()
    output.write_text(done + "half a ro")
    told = run(*files, "--output", output)
    assert output.read_text().startswith(done) and len(rows_of(output)) == len(files), told
    assert output.read_text().count("\n") == len(files) + 1
    assert f"{done.count(chr(10)) - 1} of 12 files have a row already" in told.stderr
    assert len({row["seed"] for row in rows_of(output).values()}) == 1 and not left_over()


def test_a_full_disk_keeps_the_rows_that_are_whole(graded, tmp_path):
    submissions, output = graded.parent / "submissions0", tmp_path / "grades.csv"
    files = [submissions / name for name in ("good", "wrong", "syntax")]
    begin = tuple(map(str, ["file,", *files]))
    lines = graded.read_text(encoding="utf-8").splitlines(keepends=True)
    whole = "".join(line for line in lines if line.startswith(begin)).encode()
    limit = len(whole) - 1, resource.RLIM_INFINITY
    told = subprocess.run(
        command(*files, "--output", output, "--seed", 7), capture_output=True, text=True, cwd=ROOT,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit),
    )
    assert told.returncode == 2 and "Traceback" not in told.stderr
    assert told.stderr.splitlines()[-1] == f"error: {output}: File too large"
    rows, expected = rows_of(output), rows_of(graded)
    assert len(rows) == 2 and all(row == expected[name] for name, row in rows.items())
    assert [*tmp_path.iterdir()] == [output] and not left_over()


def test_what_cannot_be_is_refused_and_nothing_written(graded, tmp_path):
    other, submission = tmp_path / "other.csv", graded.parent / "submissions0" / "good"
    other.write_text("name,mark\n")
    before = graded.read_bytes(), other.read_bytes()
    for words, arguments in {
        "begun with --seed 7, not 8": (submission, "--output", graded, "--seed", 8),
        "holds something else": (submission, "--output", other),
        "there is no such file": (tmp_path / "nobody.ipynb", "--output", other),
        "--seed must be 0 or more, got -1": (submission, "--output", other, "--seed", -1),
    }.items():
        told = run(*arguments)
        assert told.returncode == 2 and words in told.stderr and "Traceback" not in told.stderr
    assert (graded.read_bytes(), other.read_bytes()) == before
