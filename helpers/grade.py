"""Grade handed-in notebooks: one row of a table for each, whatever is in them.

    python -m helpers.grade submissions/*.ipynb --output grades.csv
    python -m helpers.grade submissions/*.ipynb --output grades.csv --seed 2026

Only the cells tagged `exercise` are run, each notebook's in a process of its own
(helpers.handed_in), with limits of time and memory. That process gets arguments and returns
answers; this one draws the cases and judges, with the checks that students saw. Stored outputs
count for nothing. Files that have a row already are left out, so that a run that was ended goes on
where it was. docs/homework.md says what the limits do not stop. Needs Linux or macOS.
"""

import argparse
import csv
import importlib
import io
import json
import os
import re
import secrets
import select
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from pathlib import Path

import numpy as np

from helpers import handed_in
from helpers.execute import ONE_THREAD, ROOT
from helpers.handed_in import decode, encode
from helpers.page.exercise import SECONDS

SECONDS_A_FILE = 60  # of which one cell, and all calls of one check, get SECONDS
LARGEST_FILE, LARGEST_ANSWER = 20_000_000, 10_000_000  # bytes
FIRST_COLUMNS = ["file", "notebook", "seed", "correct"]


class GradingError(Exception):
    """Nothing can be graded like this; the message says why."""


class _NoAnswer(BaseException):  # so that it passes through a check
    """The message stands in the table."""


def exercise_cells(path):
    """Return [(id, source)] of the cells tagged `exercise`, or None if that is not a notebook."""
    try:
        if not path.is_file() or path.stat().st_size > LARGEST_FILE:
            return None
        cells = json.loads(path.read_bytes())["cells"]
        return [
            (cell.get("id"), "".join(cell["source"]))
            for cell in cells
            if cell["cell_type"] == "code" and "exercise" in cell["metadata"].get("tags", [])
        ]
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


def course_exercises():
    """Return {notebook: {exercise: id of its cell}} of the course, from its own notebooks."""
    return {
        path.stem: {re.search(r"\.check_(\w+)\(", source)[1]: id_ for id_, source in cells}
        for path in sorted((ROOT / "notebooks").glob("*.ipynb"))
        if (cells := exercise_cells(path))
    }


def grade(cells, exercises, checks):
    """Return {exercise: what the table says of it} for [(id, source)] of one notebook, or None.

    exercises: {name: id of its cell}. checks: {name: Exercise}, used by nobody else meanwhile.
    """
    if cells is None:
        return dict.fromkeys(exercises, "not a notebook")
    found = dict.fromkeys(exercises, "missing cell")
    process = _Process([source for _, source in cells])
    try:
        for name, check in checks.items():
            try:
                process.begin()
                feedback = check(process.function(name))
                is_hint = feedback.status == "hint"
                found[name] = f"hint: {feedback.message}" if is_hint else feedback.status
            except _NoAnswer as reason:
                errors = [
                    process.errors[number] for number, (id_, source) in enumerate(cells)
                    if id_ == exercises[name] or _holds(name, source)
                ]
                found[name] = next(filter(None, errors), str(reason))
    finally:
        process.end()
    return found


class _Process:
    """The cells of one notebook in a process; begun again without a cell that ended it."""

    def __init__(self, sources):
        self.errors = dict.fromkeys(range(len(sources)))  # number of a cell: what it raised
        self._sources, self._running = dict(enumerate(sources)), None
        self._ends_at = time.monotonic() + SECONDS_A_FILE

    def begin(self):
        """Run all cells, unless they have been run; give the next check its time."""
        while self._running is None:
            self._start()
            for number, source in list(self._sources.items()):
                try:
                    self.errors[number] = self._ask({"run": source}).get("error")
                except _NoAnswer as reason:
                    self.errors[number] = str(reason)
                    del self._sources[number]
                    break
        self._until = min(time.monotonic() + SECONDS, self._ends_at)

    def function(self, name):
        """Return the student's function, as a function here."""
        def attempt(*arguments):
            handed = [{"function": i} if callable(argument) else encode(argument)
                      for i, argument in enumerate(arguments)]
            reply = self._ask({"call": name, "arguments": handed}, self._until)
            while "ask" in reply:
                reply = self._ask(_own_answer(arguments, reply), self._until)
            if "missing" in reply:
                raise _NoAnswer("missing cell")
            if "raised" in reply:
                raise _as_error(**reply)
            try:
                for own, returned in zip(arguments, reply["arguments"]):
                    if isinstance(own, np.ndarray):
                        own[...] = decode(returned)  # the check sees what was changed in place
                return decode(reply["answer"])
            except Exception:
                self.end()  # who knows what else it has sent
                raise _NoAnswer("its answer could not be read") from None

        return attempt

    def end(self):
        if self._running is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._running.pid, 9)
            self._running.communicate()
            self._running = None

    def _start(self):
        if time.monotonic() > self._ends_at:
            raise _NoAnswer("time-out")
        code = Path(handed_in.__file__).read_text(encoding="utf-8")
        self._running = subprocess.Popen(
            [sys.executable, "-I", "-B", "-c", code], bufsize=0, start_new_session=True,
            cwd=os.sep,  # where it may not write
            env={**ONE_THREAD, "PATH": os.defpath},  # not what the account keeps there
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )
        os.set_blocking(self._running.stdin.fileno(), False)
        self._received = b""
        if not self._ask(None, time.monotonic() + 60).get("ready"):
            told = "as root, students' processes become `nobody`, who may not read this Python"
            raise GradingError(f"{told}: use another account")

    def _ask(self, message, until=None):
        """Send a message, unless it is None, and return the reply; else end the process."""
        until = until or min(time.monotonic() + SECONDS, self._ends_at)
        left = b"" if message is None else json.dumps(message).encode() + b"\n"
        write, read = self._running.stdin.fileno(), self._running.stdout.fileno()
        reason = "its process ended"
        with suppress(OSError, ValueError, TypeError, RecursionError):  # a broken pipe, no JSON
            while left or b"\n" not in self._received:
                seconds = max(0, until - time.monotonic())
                reads, writes, _ = select.select([read], [write] if left else [], [], seconds)
                if not (reads or writes):
                    reason = "time-out"
                    break
                if writes:
                    left = left[os.write(write, left) :]
                piece = os.read(read, 2**16) if reads else b""
                self._received += piece
                if (reads and not piece) or len(self._received) > LARGEST_ANSWER:
                    break
            else:
                line, _, self._received = self._received.partition(b"\n")
                return dict(json.loads(line))
        self.end()
        raise _NoAnswer(reason)


def _own_answer(arguments, reply):
    """Answer a student's function that calls one of its arguments."""
    try:
        function, given = arguments[reply["ask"]], map(decode, reply["arguments"])
        return {"answer": encode(function(*given))}
    except Exception as error:
        return {"raised": str(error)}


def _as_error(raised, message, line):
    """Return an error that a check puts into words as it does in the student's own notebook."""
    base = TypeError if raised in ("TypeError", "AttributeError") else Exception
    error = type(str(raised), (base,), {"__module__": "builtins"})(str(message))
    error.handed_in_line = str(line)
    return error


def _holds(name, source):
    return re.search(rf"\b(def |check_){name}\b", source) is not None


def _notebook_of(cells, course):
    """Return the notebook of the course most of whose exercises are in `cells`, None for none."""
    text = "\n".join(source for _, source in cells or [])
    counts = {one: sum(_holds(name, text) for name in course[one]) for one in course}
    return max(counts, key=counts.get) if any(counts.values()) else None


class _Table:
    """A CSV file to which whole rows are appended; what is in it stays."""

    def __init__(self, path, columns, seed):
        self._path, self._columns = path, columns
        text = path.read_bytes() if path.exists() else b""
        whole = text[: text.rfind(b"\n") + 1]  # a run that was killed may leave half a row
        rows = list(csv.reader(io.StringIO(whole.decode("utf-8", "replace"))))
        if text and (not rows or rows[0] != columns):
            told = "holds something else than grades of these exercises; choose another --output"
            raise GradingError(f"{path} {told}, or move it away")
        seeds = {int(row[columns.index("seed")]) for row in rows[1:]}
        self.seed = next(iter(seeds), secrets.randbelow(2**32) if seed is None else seed)
        if seed not in (None, self.seed):
            raise GradingError(f"{path} was begun with --seed {self.seed}, not {seed}")
        self.files = {row[0] for row in rows[1:]}
        if text != whole:
            os.truncate(path, len(whole))
        if not rows:
            self._append(columns)

    def add(self, file, notebook, results):
        """Append the row of one file; exercises of other notebooks stay empty."""
        n_correct = sum(result == "correct" for result in results.values())
        row = dict(zip(FIRST_COLUMNS, (file, notebook, self.seed, n_correct))) | results
        self._append([" ".join(str(row.get(name, "")).split()) for name in self._columns])

    def _append(self, row):
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow(row)
        with self._path.open("ab", buffering=0) as file:  # one write, so a whole row or none
            file.write(line.getvalue().encode("utf-8", "backslashreplace"))


def _grade_all(paths, output, seed):
    course, work = course_exercises(), {}
    for path in dict.fromkeys(paths):
        if not path.exists():
            raise GradingError(f"{path}: there is no such file")
        file = str(path).encode("utf-8", "replace").decode()
        file = f"./{file}" if file[0] in "=+-@" else file  # no formula, for a spreadsheet
        work[file] = exercise_cells(path)
    notebooks = {file: _notebook_of(cells, course) for file, cells in work.items()}
    seen = sorted({*notebooks.values()} & {*course} or {*course})
    columns = {name: id_ for one in seen for name, id_ in course[one].items()}
    modules = {one: importlib.import_module(f"helpers.{one[3:]}.exercises") for one in seen}
    table = _Table(output, [*FIRST_COLUMNS, *columns], seed)
    todo = [file for file in work if file not in table.files]
    print(f"{len(work) - len(todo)} of {len(work)} files have a row already", file=sys.stderr)
    pool, rows = ThreadPoolExecutor(os.cpu_count()), {}
    try:
        for file in todo:
            notebook = notebooks[file]
            # Drawn here, one after the other, and for each file anew: cases may have a state.
            checks = {name: getattr(modules[notebook], f"check_{name}").drawn_from(table.seed)
                      for name in course.get(notebook, {})}
            rows[pool.submit(grade, work[file], course.get(notebook, columns), checks)] = file
        for done, row in enumerate(as_completed(rows), start=1):
            table.add(rows[row], notebooks[rows[row]] or "", row.result())
            bar = "█" * (40 * done // len(rows))
            print(f"\r{bar:·<40} {done}/{len(rows)}", end="", file=sys.stderr, flush=True)
    finally:
        pool.shutdown(cancel_futures=True)
        print(file=sys.stderr)


def main(arguments=None):
    """Grade the notebooks named in `arguments`; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers.grade", description="Grade handed-in notebooks."
    )
    parser.add_argument("submissions", nargs="+", type=Path)
    parser.add_argument("--output", type=Path, required=True, help="the table, a CSV file")
    parser.add_argument("--seed", type=int, help="of the cases; default: a secret one")
    chosen = parser.parse_args(arguments)
    try:
        if not hasattr(os, "killpg"):
            raise GradingError("needs Linux or macOS; on Windows, the Linux that WSL brings")
        if chosen.seed is not None and chosen.seed < 0:
            raise GradingError(f"--seed must be 0 or more, got {chosen.seed}")
        _grade_all(chosen.submissions, chosen.output, chosen.seed)
    except (GradingError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on from here", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
