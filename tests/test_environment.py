"""pyproject.toml and environment.yml say the same, and all that is imported is declared.

PyYAML comes with jupyter (through jupyter-events), packaging with pytest.
"""

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from helpers.execute import CELL_TIMEOUT, ROOT

SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = SETTINGS["project"]
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))

# conda-forge's "matplotlib" adds Qt, which nothing here draws with.
CONDA_NAMES = {"matplotlib": "matplotlib-base"}
IMPORT_NAMES = {"scikit-learn": "sklearn", "pillow": "PIL"}
COMES_WITH = {
    "ipywidgets": {"traitlets"},
    "jupyter": {
        "IPython", "bs4", "ipykernel", "jupyter_client", "nbclient", "nbconvert", "nbformat",
        "psutil", "yaml",
    },
    "pytest": {"packaging"},
}


def requirements(*extras):
    """Return what the course needs, and these extras, as {PyPI name: bounds}."""
    lines = [*PROJECT["dependencies"]]
    for extra in extras:
        lines += PROJECT["optional-dependencies"][extra]
    return {one.name: one.specifier for one in map(Requirement, lines)}


def test_conda_gets_what_pip_gets_for_both_commands():
    *lines, from_pip = ENVIRONMENT["dependencies"]
    assert from_pip == {"pip": ["-e ."]}
    bounds = dict(re.fullmatch(r"([\w-]+)(.*)", line).groups() for line in lines)
    assert bounds.pop("pip") == ""
    assert bounds.pop("python").removeprefix("=") in SpecifierSet(PROJECT["requires-python"])
    wanted = {CONDA_NAMES.get(name, name): bound for name, bound in requirements("test").items()}
    assert {name: SpecifierSet(bound) for name, bound in bounds.items()} == wanted


def foreign_imports(path):
    """Return the top-level names that a module imports and Python itself does not bring."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(node.module.split(".")[0])
    return names - set(sys.stdlib_module_names)


@pytest.mark.parametrize(
    ("files", "extras"),
    [
        ("helpers/**/*.py", []),
        ("data/*.py", []),
        ("docs/*.py", []),
        ("benchmarks/*.py", ["browser", "bench"]),
        ("tests/*.py", ["test", "cluster"]),
        ("tests/browser/*.py", ["test", "browser"]),
    ],
)
def test_everything_imported_is_declared(files, extras):
    own = [path for folder in ("tests", "benchmarks") for path in (ROOT / folder).rglob("*.py")]
    declared = {"helpers"} | {path.stem for path in own}
    for name in requirements(*extras):
        declared |= {IMPORT_NAMES.get(name, name)} | COMES_WITH.get(name, set())
    undeclared = {path.name: foreign_imports(path) - declared for path in ROOT.glob(files)}
    assert undeclared and not any(undeclared.values()), undeclared


def test_helpers_is_this_checkout(tmp_path):
    # Asked from elsewhere and without pytest's search path, as a notebook's kernel would find it.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    finished = subprocess.run(
        [sys.executable, "-c", "import helpers; print(helpers.__file__)"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    advice = "install this checkout with: pip install -e ."
    assert finished.returncode == 0, advice
    found = Path(finished.stdout.strip()).resolve()
    assert found == ROOT / "helpers" / "__init__.py", f"kernels import {found}; {advice}"


def test_plain_pytest_compares_the_notebooks_and_gives_them_the_time_they_had():
    options = SETTINGS["tool"]["pytest"]["ini_options"]["addopts"]
    assert {"--nbval", "--nbval-current-env", f"--nbval-cell-timeout={CELL_TIMEOUT}"} <= {*options}
