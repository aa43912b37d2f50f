"""Compare the numbers of two editions of the course. Deleted when the redesign is done.

    python tests/compare_editions.py OLD_TREE                  notebooks 01 to 05 and the ledger
    python tests/compare_editions.py OLD_TREE 02 04            two notebooks
    python tests/compare_editions.py OLD_TREE ledger --seeds 0 1 2

OLD_TREE is a checkout of the first edition; the new tree is the one that holds this file.
Compared are the text that the old notebooks store with what the new ones print, the arrays that
either makes intervals of, and the ledger's rows. What is no longer printed, or has no equal among
the new arrays, makes the exit status 1; what is new, and another spacing, do not. The old tree is
run once: its records are kept in the system's folder for temporary files.
"""

import argparse
import hashlib
import importlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from contextvars import ContextVar
from functools import wraps
from multiprocessing.dummy import DummyProcess
from pathlib import Path

import numpy as np
from scipy import special

NEW_TREE = Path(__file__).resolve().parent.parent
PARTS = ("01", "02", "03", "04", "05", "ledger")
TOLERANCES = {"main": 1e-9, "demo": 1e-4}  # relative to numbers above 1
CELL_TIMEOUT = 1800  # seconds; other work may be going on
LEDGERS = (
    "helpers.weighing_the_evidence.ledger",
    "helpers.weighing_the_evidence.ledger",
    "helpers.weighing_the_evidence.experiments",
    "helpers.weighing_the_evidence",
)
FIRST_CELL = """import sys as _sys
_sys.path.insert(0, {tests!r})
from compare_editions import Recorder as _Recorder
_sys.path.pop(0)
_recorder = _Recorder({tree!r})"""
LAST_CELL = "import json as _json\nprint(_json.dumps(_recorder.arrays))"

# -- recording, in a process that has the helpers of one tree --


class Recorder:
    """Keeps the rows of which intervals are made, each once, from its creation on.

    They all go through `mean_intervals`; the other two are listened to since they make float64 of
    float32. What demos train, in float32 or in threads of their own, is kept apart.
    """

    def __init__(self, tree):
        from helpers import intervals

        if Path(tree) not in Path(intervals.__file__).resolve().parents:
            raise RuntimeError(f"{intervals.__file__} is not of {tree}")
        self._found = {kind: set() for kind in TOLERANCES}
        self._kind = ContextVar("kind", default=None)
        loaded = [module for name, module in sys.modules.items() if name.startswith("helpers")]
        for name in ("mean_intervals", "mean_interval", "paired_interval"):
            original = getattr(intervals, name)
            for module in loaded:  # others will import what stands in `intervals` then
                if getattr(module, name, None) is original:
                    setattr(module, name, self._listening(original))

    def _listening(self, function):
        @wraps(function)
        def call(*arguments, **settings):
            given = [np.asarray(one) for one in (*arguments, *settings.values())]
            token = self._kind.set(self._kind.get() or kind_of(given))
            try:
                if function.__name__ == "mean_intervals":
                    rows = given[0].astype(np.float64).tolist()
                    self._found[self._kind.get()].update(map(tuple, rows))
                return function(*arguments, **settings)
            finally:
                self._kind.reset(token)

        return call

    @property
    def arrays(self):
        """Return {"main": rows, "demo": rows}, as sorted lists."""
        return {kind: sorted(rows) for kind, rows in self._found.items()}


def kind_of(arrays):
    """Return "demo" for float32 and for what a thread computes that is not of `side_by_side`."""
    thread = threading.current_thread()
    is_aside = thread is not threading.main_thread() and not isinstance(thread, DummyProcess)
    return "demo" if is_aside or any(one.dtype == np.float32 for one in arrays) else "main"


def record_notebook(tree, number):
    """Run a notebook; return what it stores and prints now, as lines, and its arrays."""
    from nbformat.v4 import new_code_cell

    from helpers import execute

    execute.CELL_TIMEOUT = CELL_TIMEOUT
    (path,) = (tree / "notebooks").glob(f"{number}_*.ipynb")
    notebook = execute.read_notebook(path)
    stored = printed_lines(notebook.cells)
    first = FIRST_CELL.format(tests=str(Path(__file__).parent), tree=str(tree))
    notebook.cells = [new_code_cell(first), *notebook.cells, new_code_cell(LAST_CELL)]
    execute.run(notebook, path.parent)
    *cells, last = execute.normalise(notebook).cells
    arrays = json.loads(last.outputs[0].text)
    return {"stored": stored, "printed": printed_lines(cells), "numbers": {}, **arrays}


def printed_lines(cells):
    """Return the lines that the code cells print, and those that stand for what they show."""
    outputs = [one for cell in cells for one in cell.get("outputs", [])]
    texts = [
        one.text if one.get("name") == "stdout" else one.get("data", {}).get("text/plain", "")
        for one in outputs
    ]
    return [line.rstrip() for text in texts for line in text.splitlines() if line.strip()]


def record_ledger(tree, seed):
    """Return the ledger's statements and verdicts as lines, its intervals and all arrays."""
    recorder, lines, numbers = Recorder(tree), [], {}
    for place, row in enumerate(ledger_rows(seed), start=1):
        lines.append(f"{place}. {row.claim.name}: {row.verdict}")
        for effect in row.effects:
            words = f"{row.claim.name}, {effect.words}"
            lines.append(f"{words}: {effect.verdict}, margin {effect.margin!r}")
            if effect.interval is not None:
                numbers[words] = [effect.interval.mean, effect.interval.half_width]
    return {"stored": lines, "printed": lines, "numbers": numbers, **recorder.arrays}


def ledger_rows(seed):
    """Return the rows, wherever `ledger` is and whether it returns them or yields them so far."""
    for name in LEDGERS:
        try:
            ledger = getattr(importlib.import_module(name), "ledger", None)
        except ModuleNotFoundError as error:
            if not name.startswith(error.name):
                raise
            continue
        if callable(ledger):
            found = ledger(seed)
            return found if isinstance(found, list | tuple) else list(found)[-1][1]
    raise SystemExit(f"there is no function ledger in any of {', '.join(LEDGERS)}")


def record_of(tree, part, folder):
    """Return the record of `part`, from `folder` if it is there, else by running `tree`."""
    path = folder / f"{part}.json"
    if not path.is_file():
        finished = subprocess.run(
            [sys.executable, __file__, str(tree), part, "--record", str(path)],
            cwd=tree, env={**os.environ, "PYTHONPATH": str(tree), "OPENBLAS_NUM_THREADS": "1"},
            capture_output=True, text=True, encoding="utf-8",
        )
        if finished.returncode:
            raise SystemExit(f"{part} of {tree} did not run:\n{finished.stderr}")
    return json.loads(path.read_text(encoding="utf-8"))


def folder_of(tree):
    """Return the folder for the records of `tree`, named by its commit and by this file."""
    git = ["git", "-C", str(tree)]
    if subprocess.check_output([*git, "status", "--porcelain", "--untracked-files=no"]):
        raise SystemExit(f"{tree} is not as it was committed")
    commit = subprocess.check_output([*git, "rev-parse", "--short=12", "HEAD"], text=True).strip()
    version = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:8]
    folder = Path(tempfile.gettempdir(), f"edition-{commit}-{version}")
    folder.mkdir(exist_ok=True)
    return folder


# -- comparing --


def compare(old, new):
    """Print how two records differ; return whether all of the old one is in the new one."""
    arrays = new["main"] + new["demo"]
    results = [compare_lines(old["stored"], new["printed"])]
    results += [compare_arrays(kind, old[kind], arrays) for kind in TOLERANCES]
    for name, pair in old["numbers"].items():
        now = new["numbers"].get(name)
        if now is None or distance_to_nearest(pair, [now]) > TOLERANCES["main"]:
            print(f"    differs {name}: mean and half-width {pair}, now {now}")
            results.append(False)
    return all(results)


def compare_lines(old, new):
    plain_old, plain_new = ({" ".join(line.split()): line for line in one} for one in (old, new))
    gone = [line for plain, line in plain_old.items() if plain not in plain_new]
    added = [line for plain, line in plain_new.items() if plain not in plain_old]
    spaced = [line for line in old if line not in new and " ".join(line.split()) in plain_new]
    print(f"  text: {len(plain_old)} lines, {len(gone)} gone, {len(added)} new")
    for label, lines in (("gone", gone), ("new", added), ("spacing", spaced)):
        print(*(f"    {label:8}{line}\n" for line in lines), sep="", end="")
    return not gone


def compare_arrays(kind, old, candidates):
    nearest = [
        distance_to_nearest(one, [two for two in candidates if len(two) == len(one)])
        for one in old
    ]
    matched = [distance for distance in nearest if distance <= TOLERANCES[kind]]
    worst = max(matched, default=0)
    print(f"  {kind} arrays: {len(old)}, {len(matched)} matched, largest difference {worst:.2g}")
    for row, distance in zip(old, nearest):
        if distance > TOLERANCES[kind]:
            half = special.stdtrit(len(row) - 1, 0.975) * np.std(row, ddof=1) / len(row) ** 0.5
            print(
                f"    missing {np.mean(row):.6g} ± {half:.2g} ({len(row)} values), "
                f"the nearest differs by {distance:.2g}"
            )
    return len(matched) == len(old)


def distance_to_nearest(one, others):
    """Return the largest difference between `one` and the nearest of `others`, relative above 1."""
    if not others:
        return np.inf
    return (np.abs(np.subtract(others, one)) / np.maximum(1, np.abs(one))).max(axis=1).min()


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python tests/compare_editions.py")
    parser.add_argument("old_tree", type=Path)
    parser.add_argument("parts", nargs="*", help="notebook numbers, ledger; default: all")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1], help="of the ledger")
    parser.add_argument("--record", help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    tree, results = chosen.old_tree.resolve(), []
    if chosen.record:
        kind, _, seed = chosen.parts[0].partition("-")
        found = record_ledger(tree, int(seed)) if seed else record_notebook(tree, kind)
        Path(chosen.record).write_text(json.dumps(found), encoding="utf-8")
        return 0
    kept = folder_of(tree)
    with tempfile.TemporaryDirectory() as scratch:
        for part in chosen.parts or PARTS:
            for name in [f"ledger-{n}" for n in chosen.seeds] if part == "ledger" else [part]:
                print(name, flush=True)
                old = record_of(tree, name, kept)
                results.append(compare(old, record_of(NEW_TREE, name, Path(scratch))))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
