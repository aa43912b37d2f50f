"""Compare the numbers of two editions of the course. Deleted when the redesign is done.

    python tests/compare_editions.py OLD_TREE                  notebooks 01 to 05 and the ledger
    python tests/compare_editions.py OLD_TREE 02 04            two notebooks
    python tests/compare_editions.py OLD_TREE ledger --seeds 0 1 2

OLD_TREE is a checkout of the first edition, the new tree the one that holds this file. Compared
are the text that the old notebooks store with what the new ones print when they are run; the
arrays behind it, which are whatever `intervals.mean_intervals` is given, in both trees; and the
ledger's rows. What is no longer printed, or has no equal among the new arrays, makes the exit
status 1; new lines, new arrays and another spacing do not. Pictures and what nobody makes an
interval of are compared by their text only. The old tree is run once: its records are kept in the
system's folder for temporary files.
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
from collections import defaultdict
from functools import wraps
from multiprocessing.dummy import DummyProcess
from pathlib import Path

import numpy as np
from scipy import special

NEW_TREE = Path(__file__).resolve().parent.parent
NOTEBOOKS = ("01", "02", "03", "04", "05")
TOLERANCES = {"main": 1e-9, "demo": 1e-4}  # relative to numbers above 1
CELL_TIMEOUT = 1800  # seconds; other work may be going on
LEDGERS = (
    "helpers.experiments.weighing_the_evidence",
    "helpers.weighing_the_evidence.ledger",
    "helpers.weighing_the_evidence.experiments",
    "helpers.weighing_the_evidence",
)

# -- recording, in a process that has the helpers of one tree --


class Recorder:
    """Keeps the rows of which intervals are made, each once, from its creation on."""

    def __init__(self):
        from helpers import intervals

        self._rows = {name: set() for name in TOLERANCES}
        original = intervals.mean_intervals

        @wraps(original)
        def mean_intervals(values, *arguments, **settings):
            found = original(values, *arguments, **settings)
            self._keep(np.asarray(values))
            return found

        for module in [module for name, module in sys.modules.items() if "helpers" in name]:
            if getattr(module, "mean_intervals", None) is original:
                module.mean_intervals = mean_intervals

    def _keep(self, values):
        """Keep the rows; those of demos apart, which train in float32 and in threads."""
        thread = threading.current_thread()
        # `side_by_side` computes the ledger in workers of a pool, which are no demos.
        is_aside = thread is not threading.main_thread() and not isinstance(thread, DummyProcess)
        kept = self._rows["demo" if is_aside or values.dtype == np.float32 else "main"]
        kept.update(map(tuple, values.astype(np.float64).tolist()))

    @property
    def rows(self):
        """Return {"main": arrays, "demo": arrays}, as sorted lists."""
        return {name: sorted(rows) for name, rows in self._rows.items()}


def record(part, target):
    """Run a notebook, or the ledger of a seed, of this process's tree; write it to `target`."""
    kind, _, seed = part.partition("-")
    found = record_ledger(int(seed)) if kind == "ledger" else record_notebook(part, target)
    Path(target).write_text(json.dumps(found), encoding="utf-8")


def record_notebook(number, target):
    """Return what the notebook stores and prints now, as lines, and its arrays."""
    from nbformat.v4 import new_code_cell

    from helpers import execute

    execute.CELL_TIMEOUT = CELL_TIMEOUT
    (path,) = (execute.ROOT / "notebooks").glob(f"{number}_*.ipynb")
    notebook = execute.read_notebook(path)
    stored = printed_lines(notebook.cells)
    first = new_code_cell(
        f"import sys\nsys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from compare_editions import Recorder as _Recorder\n"
        "sys.path.pop(0)\n_recorder = _Recorder()\ndel sys"
    )
    last = new_code_cell(
        f"import helpers, json, pathlib\nassert helpers.__file__.startswith({str(execute.ROOT)!r})"
        f"\npathlib.Path({target!r}).write_text(json.dumps(_recorder.rows))"
    )
    notebook.cells = [first, *notebook.cells, last]
    execute.run(notebook, path.parent)
    arrays = json.loads(Path(target).read_text(encoding="utf-8"))
    printed = printed_lines(execute.normalise(notebook).cells[1:-1])
    return {"stored": stored, "printed": printed, "numbers": {}, **arrays}


def printed_lines(cells):
    """Return the lines that the code cells print, and those that stand for what they show."""
    outputs = [one for cell in cells for one in cell.get("outputs", [])]
    texts = [
        one.text if one.get("name") == "stdout" else one.get("data", {}).get("text/plain", "")
        for one in outputs
    ]
    return [line.rstrip() for text in texts for line in text.splitlines() if line.strip()]


def record_ledger(seed):
    """Return the ledger's statements and verdicts as lines, its intervals and all arrays."""
    recorder = Recorder()
    lines, numbers = [], {}
    for place, row in enumerate(ledger_rows(seed), start=1):
        lines.append(f"{place}. {row.claim.name}: {row.verdict}")
        for effect in row.effects:
            words = f"{row.claim.name}, {effect.words}"
            lines.append(f"{words}: {effect.verdict}, margin {effect.margin!r}")
            if effect.interval is not None:
                numbers[words] = [effect.interval.mean, effect.interval.half_width]
    return {"stored": lines, "printed": lines, "numbers": numbers, **recorder.rows}


def ledger_rows(seed):
    """Return the rows, wherever `ledger` is and whether it returns them or yields them so far."""
    for name in LEDGERS:
        try:
            ledger = importlib.import_module(name).ledger
        except (ImportError, AttributeError):
            continue
        found = ledger(seed)
        if isinstance(found, list | tuple):
            return found
        *_, (_share, rows) = found
        return rows
    raise SystemExit(f"there is no function ledger in any of {', '.join(LEDGERS)}")


def record_of(tree, part, folder):
    """Return the record of `part`, from `folder` if it is there, else by running `tree`."""
    path = folder / f"{part}.json"
    if not path.is_file():
        unfinished = path.with_suffix(".part")
        finished = subprocess.run(
            [sys.executable, __file__, str(tree), part, "--record", str(unfinished)],
            cwd=tree, env={**os.environ, "PYTHONPATH": str(tree), "OPENBLAS_NUM_THREADS": "1"},
            capture_output=True, text=True, encoding="utf-8",
        )
        if finished.returncode:
            raise SystemExit(f"{part} of {tree} did not run:\n{finished.stderr}")
        unfinished.replace(path)
    return json.loads(path.read_text(encoding="utf-8"))


def folder_of(tree):
    """Return the folder for the records of `tree`, named by its commit and by this file."""
    def git(*words):
        return subprocess.run(
            ["git", "-C", str(tree), *words], capture_output=True, text=True, check=True
        ).stdout.strip()

    if git("status", "--porcelain", "--untracked-files=no"):
        raise SystemExit(f"{tree} is not as it was committed")
    version = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:8]
    folder = Path(tempfile.gettempdir(), f"edition-{git('rev-parse', 'HEAD')[:12]}-{version}")
    folder.mkdir(exist_ok=True)
    return folder


# -- comparing --


def compare(old, new):
    """Print how two records differ; return whether all of the old one is in the new one."""
    results = [compare_lines(old["stored"], new["printed"])]
    results.append(compare_numbers(old["numbers"], new["numbers"]))
    results += [compare_arrays(name, old[name], new[name]) for name in TOLERANCES]
    return all(results)


def compare_lines(old, new):
    plain_old, plain_new = ({" ".join(line.split()): line for line in one} for one in (old, new))
    gone = [line for plain, line in plain_old.items() if plain not in plain_new]
    added = [line for plain, line in plain_new.items() if plain not in plain_old]
    spaced = [line for plain, line in plain_old.items() if plain in plain_new and line not in new]
    print(
        f"  text: {len(plain_old)} lines, {len(gone)} gone, {len(added)} new, "
        f"{len(spaced)} with another spacing"
    )
    for label, lines in (("gone", gone), ("new", added), ("spacing", spaced)):
        print(*(f"    {label:8}{line}\n" for line in lines), sep="", end="")
    return not gone


def compare_numbers(old, new):
    """Compare the ledger's means and half-widths, which have names."""
    is_same = True
    for name, pair in old.items():
        distance = max(distances(np.array(pair), np.array([new[name]]))) if name in new else None
        if distance is None or distance > TOLERANCES["main"]:
            print(f"    differs  {name}: {pair} before, {new.get(name)} now")
            is_same = False
    return is_same


def compare_arrays(kind, old, new):
    by_length = defaultdict(list)
    for one in new:
        by_length[len(one)].append(one)
    candidates = {length: np.array(rows) for length, rows in by_length.items()}
    nearest = [
        distances(np.array(one), candidates[len(one)]).min() if len(one) in candidates else np.inf
        for one in old
    ]
    matched = [distance for distance in nearest if distance <= TOLERANCES[kind]]
    print(
        f"  {kind} arrays: {len(old)}, {len(matched)} matched, "
        f"largest difference {max(matched, default=0):.2g}; {len(new)} in the new tree"
    )
    for one, distance in zip(old, nearest):
        if distance > TOLERANCES[kind]:
            print(f"    missing {described(one)}, the nearest differs by {distance:.2g}")
    return len(matched) == len(old)


def distances(one, others):
    """Return the largest difference between `one` and each of `others`, relative above 1."""
    return (np.abs(others - one) / np.maximum(1, np.abs(one))).max(axis=1)


def described(row):
    half_width = special.stdtrit(len(row) - 1, 0.975) * np.std(row, ddof=1) / np.sqrt(len(row))
    return f"{np.mean(row):.6g} ± {half_width:.2g} ({len(row)} values)"


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python tests/compare_editions.py")
    parser.add_argument("old_tree", type=Path)
    parser.add_argument("parts", nargs="*", help="notebook numbers, ledger; default: all")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1], help="of the ledger")
    parser.add_argument("--record", help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.record:
        return record(chosen.parts[0], chosen.record)
    parts = list(chosen.parts or (*NOTEBOOKS, "ledger"))
    if "ledger" in parts:
        parts.remove("ledger")
        parts += [f"ledger-{seed}" for seed in chosen.seeds]
    old_tree, results = chosen.old_tree.resolve(), []
    kept = folder_of(old_tree)
    with tempfile.TemporaryDirectory() as scratch:
        for part in parts:
            print(part, flush=True)
            old = record_of(old_tree, part, kept)
            results.append(compare(old, record_of(NEW_TREE, part, Path(scratch))))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
