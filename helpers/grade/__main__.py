"""Grade handed-in notebooks: one row of a table for each, whatever is in them.

    python -m helpers.grade submissions/*.ipynb --output grades.csv
    python -m helpers.grade submissions/*.ipynb --output grades.csv --seed 2026

Only the cells tagged `exercise` are run, each notebook's in a process of its own
(handed_in), with limits of time and memory. That process gets arguments and returns
answers; this one draws the cases and judges, with the checks that students saw. Stored outputs
count for nothing. Files that have a row already are left out, so that a run that was ended goes on
where it was. docs/homework.md says what the limits do not stop. Needs Linux.
"""

import argparse
import csv
import importlib
import io
import json
import os
import re
import secrets
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from helpers.execute import ROOT
from helpers.files import write_whole
from helpers.grade.process import GradingError, NoAnswerError, Process

LARGEST_FILE = 20_000_000  # bytes
FIRST_COLUMNS = ["file", "notebook", "seed", "correct"]


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
    process = Process([source for _, source in cells])
    try:
        for name, check in checks.items():
            try:
                process.begin()
                feedback = check(process.function(name))
                is_hint = feedback.status == "hint"
                found[name] = f"hint: {feedback.message}" if is_hint else feedback.status
            except NoAnswerError as reason:
                errors = [
                    process.errors[number] for number, (id_, source) in enumerate(cells)
                    if id_ == exercises[name] or _holds(name, source)
                ]
                found[name] = next(filter(None, errors), str(reason))
    finally:
        process.end()
    return found


def _holds(name, source):
    return re.search(rf"\b(def |check_){name}\b", source) is not None


def _notebook_of(cells, course):
    """Return the notebook of the course most of whose exercises are in `cells`, None for none."""
    text = "\n".join(source for _, source in cells or [])
    counts = {one: sum(_holds(name, text) for name in course[one]) for one in course}
    return max(counts, key=counts.get) if any(counts.values()) else None


class _Table:
    """A CSV file that gets row after row; what is in it stays."""

    def __init__(self, path, columns, seed):
        self._path, self._columns = path, columns
        text = path.read_bytes() if path.exists() else b""
        whole = text[: text.rfind(b"\n") + 1]  # half a row is none
        rows = list(csv.reader(io.StringIO(whole.decode("utf-8", "replace"))))
        grades = [row for row in rows[1:] if len(row) == len(columns) and row[2].isdecimal()]
        if text and rows != [columns, *grades]:
            told = "holds something else than grades of these exercises; choose another --output"
            raise GradingError(f"{path} {told}, or move it away")
        fresh = secrets.randbelow(2**32) if seed is None else seed
        self.seed = int(grades[0][2]) if grades else fresh
        if seed not in (None, self.seed):
            raise GradingError(f"{path} was begun with --seed {self.seed}, not {seed}")
        self.files = {row[0] for row in grades}
        self._content = whole or _line(columns)
        if self._content != text:
            write_whole(path, self._content)

    def add(self, file, notebook, results):
        """Append the row of one file; exercises of other notebooks stay empty."""
        n_correct = sum(result == "correct" for result in results.values())
        row = dict(zip(FIRST_COLUMNS, (file, notebook, self.seed, n_correct))) | results
        cells = [" ".join(str(row.get(name, "")).split()) for name in self._columns[1:]]
        self._content += _line([file, *cells])
        write_whole(self._path, self._content)


def _line(row):
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(row)
    return line.getvalue().encode("utf-8", "backslashreplace")


def _grade_all(paths, output, seed):
    course, work = course_exercises(), {}
    for path in dict.fromkeys(paths):
        if not path.exists():
            raise GradingError(f"{path}: there is no such file")
        file = re.sub(r"[\r\n\t]", " ", str(path).encode("utf-8", "replace").decode())
        file = f"./{file}" if file.lstrip()[:1] in ("=", "+", "-", "@") else file  # no formula
        if file in work:
            raise GradingError(f"{path}: another file has this name in the table")
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
            raise GradingError("needs Linux, on Windows the one that WSL brings")
        if chosen.seed is not None and chosen.seed < 0:
            raise GradingError(f"--seed must be 0 or more, got {chosen.seed}")
        _grade_all(chosen.submissions, chosen.output, chosen.seed)
    except GradingError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"error: {error.filename or chosen.output}: {error.strerror}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on from here", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
