"""pyproject.toml and environment.yml say the same, and all that is imported is declared.

PyYAML comes with jupyter (through jupyter-events), packaging with pytest.
"""

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
from test_imports import imported_names

from helpers.execute import CELL_TIMEOUT, ROOT

SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))

# conda-forge's "matplotlib" adds Qt, which nothing here draws with.
CONDA_NAMES = {"matplotlib": "matplotlib-base"}
IMPORT_NAMES = {"scikit-learn": "sklearn", "pillow": "PIL"}
COME_WITH_JUPYTER = set(
    "IPython bs4 ipykernel jupyter_client nbclient nbconvert nbformat packaging psutil traitlets "
    "yaml".split()
)


def requirements(*extras):
    project = SETTINGS["project"]
    lines = [project["dependencies"], *(project["optional-dependencies"][one] for one in extras)]
    return [Requirement(line) for group in lines for line in group]


def test_conda_gets_what_pip_gets_for_both_commands():
    *lines, from_pip = ENVIRONMENT["dependencies"]
    assert from_pip == {"pip": ["-e ."]}
    bounds = dict(re.fullmatch(r"([\w-]+)(.*)", line).groups() for line in lines)
    assert bounds.pop("pip") == ""
    allowed = SpecifierSet(SETTINGS["project"]["requires-python"])
    assert bounds.pop("python").removeprefix("=") in allowed
    assert {name: SpecifierSet(bound) for name, bound in bounds.items()} == {
        CONDA_NAMES.get(one.name, one.name): one.specifier for one in requirements("test")
    }


@pytest.mark.parametrize(
    ("files", "extras"),
    [
        ("helpers/**/*.py", []),
        ("d*/*.py", []),  # data, docs
        ("benchmarks/*.py", ["browser", "bench"]),
        ("tests/**/*.py", ["test", "cluster", "browser"]),
    ],
)
def test_everything_imported_is_declared(files, extras):
    known = {path.stem for path in [*ROOT.glob("tests/**/*.py"), *ROOT.glob("benchmarks/*.py")]}
    known |= {"helpers", *COME_WITH_JUPYTER, *sys.stdlib_module_names}
    for one in requirements(*extras):
        known.add(IMPORT_NAMES.get(one.name, one.name))
    for path in ROOT.glob(files):
        names = imported_names(path.read_text(encoding="utf-8"))
        assert {name.split(".")[0] for name in names} <= known, path


def test_helpers_is_this_checkout(tmp_path):
    # Asked from elsewhere and without pytest's search path, as a notebook's kernel would find it.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    asked = [sys.executable, "-c", "import helpers; print(helpers.__file__)"]
    finished = subprocess.run(
        asked, cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    found = Path(finished.stdout.strip()).resolve()
    assert found == ROOT / "helpers" / "__init__.py", f"kernels import {found}: pip install -e ."


def test_plain_pytest_compares_the_notebooks_and_gives_them_the_time_they_had():
    options = SETTINGS["tool"]["pytest"]["ini_options"]["addopts"]
    assert {"--nbval", "--nbval-current-env", f"--nbval-cell-timeout={CELL_TIMEOUT}"} <= {*options}
