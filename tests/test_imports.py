"""Imports point one way: core -> page -> a notebook's room -> the ledger's room -> the lecture.

Imports are read from the sources, those inside functions included; nothing is run. A last test
sees what a fresh Python has loaded.
"""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter

import pytest

from helpers.execute import ROOT

COMMANDS = {"execute", "grade", "slides"}  # apart: no other module imports them
CORE = {path.stem for path in (ROOT / "helpers").glob("[!_]*.py")} - COMMANDS
# Each folder may import from those below it and from itself; all others are rooms, at ROOM.
PAGE, ROOM = 1, 2
HEIGHTS = {**dict.fromkeys(CORE, 0), "page": PAGE, "weighing_the_evidence": 3, "lecture": 4}

DRAWING, INTERACTION = {"matplotlib", "mpl_toolkits", "PIL"}, {"ipywidgets", "IPython"}
# Pictures draw what an experiment found; they do not find out.
COMPUTING = {"layers", "network", "training", "layer_statistics", "shift", "randomness"}
PICTURES = {"pictures", "picture", "parts", "charts", "drawing"}
# From what is computed to what is shown; others: 2.
COMPUTED = (None, "experiments", "direction", "exercises", "claims", "papers", "ledger")
PURPOSES = {**dict.fromkeys(COMPUTED, 0), "pictures": 1}


def imported_names(source):
    """Return the dotted names that `source` imports: `from a import b` gives a and a.b."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            names |= {module} | {f"{module}.{alias.name}" for alias in node.names}
    return names


MODULES = {}  # dotted name of each module of the package: dotted names that it imports
for path in sorted((ROOT / "helpers").rglob("*.py")):
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    MODULES[name] = imported_names(path.read_text(encoding="utf-8"))


def is_allowed(module, imported):
    _, unit, purpose, *_ = [*module.split("."), None, None]
    library, other, other_purpose, *_ = [*imported.split("."), None, None]
    if library != "helpers":
        if unit in COMMANDS:
            return True
        if unit in CORE or PURPOSES.get(purpose) == 0:
            return library not in DRAWING | INTERACTION
        return purpose not in PICTURES or library not in INTERACTION
    if other is None:
        return True  # `from helpers import x` also names helpers.x
    if unit in COMMANDS or other in COMMANDS:
        return other == "files" or (unit == "grade" and other in ("grade", "execute", "page"))
    if unit == other:
        return PURPOSES.get(purpose, 2) >= PURPOSES.get(other_purpose, 2)
    if purpose == "pictures" and other in COMPUTING:
        return False
    height, other_height = (HEIGHTS.get(one, ROOM) for one in (unit, other))
    return other_height < height or (unit in CORE and other in CORE)


def test_imports_point_one_way():
    wrong = [
        f"{module} imports {name}"
        for module, names in MODULES.items()
        for name in sorted(names)
        if name.startswith((".", "matplotlib.pyplot")) or not is_allowed(module, name)
    ]
    assert not wrong, "\n".join(wrong)


def test_no_modules_import_each_other():
    TopologicalSorter({module: names & {*MODULES} for module, names in MODULES.items()}).prepare()


def test_the_package_re_exports_nothing():
    assert MODULES["helpers"] == set()


# Importing the core takes little longer than importing NumPy, but for intervals, which need a
# function of scipy: not all of scipy.stats. shift imports scikit-learn when it is first used.
SLOW = DRAWING | INTERACTION | {"scipy", "sklearn", "joblib", "pandas", "jupyter_client"}


@pytest.mark.parametrize(
    ("units", "slow"),
    [(CORE - {"intervals"}, SLOW), ({"intervals"}, SLOW - {"scipy"} | {"scipy.stats"})],
    ids=["core", "intervals"],
)
def test_what_is_slow_is_not_loaded(units, slow):
    code = f"import sys, {', '.join(f'helpers.{unit}' for unit in units)}\nprint(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT
    )
    assert not {*run.stdout.split()} & slow
