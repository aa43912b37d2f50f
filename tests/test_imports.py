"""Imports point one way: the core knows nothing of the course built on it, and nothing of drawing.

Imports are read from the sources, those inside functions included; nothing is run.
"""

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter

import pytest

from helpers.execute import ROOT

# A unit is a module of `helpers` or one of its folders. Each may import from the lines above its
# own, a folder also from itself.
LEVELS = [
    {"checks", "long_work"},
    {"arithmetic", "randomness", "second_process"},
    {"datasets", "faces", "layers"},
    {"network", "recoloured"},
    {"training"},
    {"layer_statistics", "shift", "intervals", "sweep", "arms"},
    {"experiments"},
    {"figures"},
    {"demos"},
]
HEIGHT = {unit: height for height, units in enumerate(LEVELS) for unit in units}
FOLDERS = {"experiments", "figures", "demos", "exercises"}
CORE = set(HEIGHT) - FOLDERS
# The command that executes the notebooks stands apart from what they teach.
APART = {"execute"}

DRAWING = {"matplotlib", "mpl_toolkits", "PIL", "pylab"}
INTERACTION = {"ipywidgets", "IPython"}
# Figures draw what an experiment found; they do not find out.
COMPUTING = {"layers", "network", "training", "layer_statistics", "shift", "randomness"}


def read_sources():
    """Return {dotted module name: source} of the whole package."""
    sources = {}
    for path in sorted((ROOT / "helpers").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[-1] == "__init__":
            parts = parts[:-1]
        sources[".".join(parts)] = path.read_text(encoding="utf-8")
    return sources


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


def unit_of(name):
    """Return the part of `helpers` that a dotted name belongs to, or None."""
    parts = name.split(".")
    return parts[1] if parts[0] == "helpers" and len(parts) > 1 else None


def may_import(importer, imported):
    if importer in APART or imported in APART:
        return False
    if importer == imported:
        return importer in FOLDERS
    if imported == "exercises":
        return False
    if importer == "exercises":
        return imported in CORE
    if importer == "figures" and imported in COMPUTING:
        return False
    return HEIGHT[imported] < HEIGHT[importer]


def forbidden_libraries(unit):
    if unit in CORE or unit in {"experiments", "exercises"}:
        return DRAWING | INTERACTION
    return INTERACTION if unit == "figures" else set()


def complaints_about(sources):
    """Return one line for each import among `sources` that breaks a rule."""
    complaints = []
    for module, source in sources.items():
        unit = unit_of(module)
        if unit is not None and unit not in {*HEIGHT, *FOLDERS, *APART}:
            complaints.append(f"{module} has no place in LEVELS yet: give it one")
            continue
        for name in sorted(imported_names(source)):
            other = unit_of(name)
            if name.startswith("."):
                complaints.append(f"{module} imports {name}: write the full name")
            elif name.startswith(("matplotlib.pyplot", "matplotlib.pylab", "pylab")):
                complaints.append(f"{module} imports {name}, which is not thread-safe")
            elif name.split(".")[0] in forbidden_libraries(unit):
                complaints.append(f"{module} imports {name}")
            elif other is not None and unit is None:
                complaints.append(f"{module} imports {name}: the package re-exports nothing")
            elif other is not None and other in {*HEIGHT, *FOLDERS, *APART}:
                if not may_import(unit, other):
                    complaints.append(f"{module} imports {name}")
    return complaints


def find_cycle(sources):
    """Return the modules of an import cycle among `sources`, or None."""
    graph = {module: imported_names(source) & set(sources) for module, source in sources.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return None


def test_imports_point_one_way():
    complaints = complaints_about(read_sources())
    assert not complaints, "\n".join(complaints)


def test_no_modules_import_each_other():
    assert find_cycle(read_sources()) is None


def test_the_core_was_read():
    units = {unit_of(module) for module in read_sources()} - {None}
    assert units >= CORE | FOLDERS | APART


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("helpers.checks", "from helpers.randomness import spawn_streams"),
        ("helpers.randomness", "from helpers import layers"),
        ("helpers.layers", "from helpers.network import Network"),
        ("helpers.faces", "import helpers.layers"),
        ("helpers.network", "def later():\n    from helpers.training import train"),
        ("helpers.training", "from helpers.intervals import mean_interval"),
        ("helpers.shift", "from helpers.intervals import mean_interval"),
        ("helpers.shift", "from helpers.experiments.covariate_shift import run"),
        ("helpers.experiments.precompute", "from helpers.figures.picture import Picture"),
        ("helpers.figures.picture", "from helpers.demos import panel"),
        ("helpers.figures.picture", "from helpers.training import train"),
        ("helpers.experiments.precompute", "import helpers.demos.panel"),
        ("helpers.demos.panel", "from helpers.exercises import reveal"),
        ("helpers.exercises.reveal", "from helpers.experiments.precompute import main"),
        ("helpers.exercises.reveal", "from helpers.demos import panel"),
        ("helpers.exercises.reveal", "from IPython.display import Markdown"),
        ("helpers.demos.panel", "from helpers.execute import run"),
        ("helpers.execute", "from helpers.layers import Dense"),
        ("helpers.layers", "import matplotlib as mpl"),
        ("helpers.intervals", "from ipywidgets import IntSlider"),
        ("helpers.faces", "def show():\n    from PIL import Image"),
        ("helpers.experiments.precompute", "from matplotlib.figure import Figure"),
        ("helpers.experiments.precompute", "from IPython.display import display"),
        ("helpers.figures.picture", "import ipywidgets"),
        ("helpers.figures.picture", "import matplotlib.pyplot as plt"),
        ("helpers.demos.panel", "from matplotlib import pyplot"),
        ("helpers.demos.panel", "from . import progress"),
        ("helpers.utilities", "import numpy as np"),
        ("helpers", "from helpers.layers import BatchNorm"),
    ],
)
def test_a_wrong_import_is_seen(module, source):
    assert complaints_about({module: source})


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("helpers.randomness", "from helpers.checks import check_integer"),
        ("helpers.training", "from helpers.layers import BatchNorm"),
        ("helpers.intervals", "from scipy import stats"),
        ("helpers.experiments.precompute", "from helpers.experiments.lecture_demos import load"),
        ("helpers.figures.picture", "import matplotlib as mpl\nfrom PIL import Image"),
        ("helpers.figures.picture", "from helpers.intervals import format_number"),
        ("helpers.demos.panel", "import ipywidgets\nfrom helpers.figures import picture"),
        ("helpers.exercises.reveal", "from helpers.layers import BatchNorm"),
    ],
)
def test_a_right_import_passes(module, source):
    assert complaints_about({module: source}) == []


def test_a_cycle_is_seen():
    there = {"helpers.demos.panel": "from helpers.demos import progress"}
    back = {"helpers.demos.progress": "from helpers.demos.panel import Panel"}
    assert find_cycle(there | back)
    assert find_cycle(there | {"helpers.demos.progress": ""}) is None


# Importing the core takes little longer than importing NumPy. shift needs scikit-learn's
# classifier, and intervals a quantile from scipy.special.
SLOW = DRAWING | INTERACTION | {"scipy", "sklearn", "joblib", "pandas", "jupyter_client"}
LIGHT = sorted(CORE - {"shift", "intervals"})


def loaded_by(*modules):
    """Return the names of all modules that a fresh Python has after importing `modules`."""
    code = f"import sys, {', '.join(modules)}\nprint(*sys.modules)"
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    return set(run.stdout.split())


def test_the_core_loads_no_slow_library():
    loaded = loaded_by(*(f"helpers.{unit}" for unit in LIGHT))
    assert {f"helpers.{unit}" for unit in LIGHT} <= loaded
    assert not loaded & SLOW


def test_intervals_load_a_quantile_and_not_all_of_statistics():
    loaded = loaded_by("helpers.intervals")
    assert "scipy.special" in loaded and "scipy.stats" not in loaded
    assert not loaded & (SLOW - {"scipy"})


def test_a_slow_library_would_be_seen():
    assert loaded_by("helpers.shift") & SLOW
