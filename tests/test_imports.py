"""Imports point one way: core -> page -> a notebook's room -> the ledger's room -> the lecture.

Imports are read from the sources, those inside functions included; nothing is run. A second test
sees what a fresh Python has loaded.
"""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter

from helpers.execute import ROOT

ROOMS = {"covariate_shift", "batch_norm_mechanics", "hidden_layer_stability", "minibatch_noise"}
# Each level may import from those before it; a folder also from itself, the core by LEVELS_OF_CORE.
LEVELS = [{"page"}, ROOMS, {"weighing_the_evidence"}, {"lecture"}]
LEVELS_OF_CORE = [
    {"checks", "long_work"},
    {"arithmetic", "randomness", "second_process"},
    {"datasets", "faces", "layers"},
    {"network", "recoloured"},
    {"training"},
    {"layer_statistics", "shift", "intervals", "arms"},
]
HEIGHT = {
    unit: height for height, units in enumerate(LEVELS_OF_CORE + LEVELS) for unit in units
}
CORE = set().union(*LEVELS_OF_CORE)
APART = {"execute"}  # a command, which knows nothing of what the notebooks teach

DRAWING = {"matplotlib", "mpl_toolkits", "PIL"}
INTERACTION = {"ipywidgets", "IPython"}
# Pictures draw what an experiment found; they do not find out.
COMPUTING = {"layers", "network", "training", "layer_statistics", "shift", "randomness"}
PICTURES = {"pictures", "picture", "parts", "charts"}
PURPOSES = {"experiments": 0, "exercises": 0, "ledger": 0, "pictures": 1}  # demos, bets, board: 2


def modules():
    """Return {dotted name: set of dotted names that it imports} of the whole package."""
    found = {}
    for path in sorted((ROOT / "helpers").rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        found[name] = imported_names(path.read_text(encoding="utf-8"))
    return found


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


def unit_and_purpose(name):
    """"helpers.page.panel" -> ("page", "panel"); "helpers.layers" -> ("layers", None)."""
    _, unit, purpose, *_ = [*name.split("."), None, None]
    return (unit, None) if unit in CORE | APART else (unit, purpose)


def is_allowed(module, imported):
    unit, purpose = unit_and_purpose(module)
    if not imported.startswith("helpers"):
        library = imported.split(".")[0]
        if unit in CORE or PURPOSES.get(purpose) == 0:
            return library not in DRAWING | INTERACTION
        return purpose not in PICTURES or library not in INTERACTION
    other, other_purpose = unit_and_purpose(imported)
    if other is None:
        return True  # `from helpers import x` also names helpers.x
    if APART & {unit, other}:
        return False
    if unit == other:
        return unit not in CORE and PURPOSES.get(purpose, 2) >= PURPOSES.get(other_purpose, 0)
    if purpose == "pictures" and other in COMPUTING:
        return False
    return HEIGHT[other] < HEIGHT[unit]


def test_every_module_has_its_place():
    units = {unit_and_purpose(name)[0] for name in modules()} - {None}
    assert units == set(HEIGHT) | APART


def test_imports_point_one_way():
    wrong = [
        f"{module} imports {name}"
        for module, names in modules().items()
        for name in sorted(names)
        if name.startswith((".", "matplotlib.pyplot")) or not is_allowed(module, name)
    ]
    assert not wrong, "\n".join(wrong)


def test_no_modules_import_each_other():
    found = modules()
    TopologicalSorter({module: names & set(found) for module, names in found.items()}).prepare()


def test_the_package_re_exports_nothing():
    assert modules()["helpers"] == set()


# Importing the core takes little longer than importing NumPy. shift and intervals need functions
# of scipy.special.
SLOW = DRAWING | INTERACTION | {"scipy", "sklearn", "joblib", "pandas", "jupyter_client"}
LIGHT = sorted(CORE - {"shift", "intervals"})


def loaded_by(*names):
    """Return the names of all modules that a fresh Python has after importing `names`."""
    code = f"import sys, {', '.join(names)}\nprint(*sys.modules)"
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    return set(run.stdout.split())


def test_the_core_loads_no_slow_library():
    loaded = loaded_by(*(f"helpers.{unit}" for unit in LIGHT))
    assert {f"helpers.{unit}" for unit in LIGHT} <= loaded
    assert not loaded & SLOW


def test_intervals_load_a_quantile_and_not_all_of_statistics():
    loaded = loaded_by("helpers.intervals", "helpers.shift")
    assert "scipy.special" in loaded and "scipy.stats" not in loaded
    assert not loaded & (SLOW - {"scipy"})
