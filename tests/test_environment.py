"""pyproject.toml, environment.yml, the workflow and the README say the same.

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
from packaging.utils import canonicalize_name

from helpers.execute import CELL_TIMEOUT, ROOT

LEARN = "pip install -e . && jupyter lab notebooks"
TEST = 'pip install -e ".[test]" && pytest'
OTHERS = 'pip install -e ".[test,browser,cluster]" && pytest -n 0 -m "browser or cluster"'

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


def read_project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def bounds_of(requirements):
    """Return {PyPI name: bounds} of a list of requirements."""
    parsed = [Requirement(requirement) for requirement in requirements]
    return {canonicalize_name(each.name): each.specifier for each in parsed}


def conda_bounds(environment):
    """Return {conda name: bounds} of the conda packages; conda's `=3.12` is `==3.12.*`."""
    bounds = {}
    for line in environment["dependencies"]:
        if isinstance(line, str):
            name, bound = re.fullmatch(r"([\w.-]+)\s*(.*)", line).groups()
            bound = re.sub(r"^=(?!=)(.*)$", r"==\1.*", bound)
            bounds[name] = SpecifierSet(bound)
    return bounds


def disagreements(project, environment):
    """Return what in `environment` (environment.yml) does not fit `project` (pyproject.toml)."""
    found = []
    bounds = conda_bounds(environment)
    python, pip = bounds.pop("python", None), bounds.pop("pip", None)
    minor = re.fullmatch(r"==(3\.\d+)\.\*", str(python))
    if not minor:
        found.append(f"python must be an exact minor version such as =3.12, got {python}")
    elif minor.group(1) not in SpecifierSet(project["project"]["requires-python"]):
        found.append(f"python {python} is not allowed by requires-python")
    from_pip = [line for line in environment["dependencies"] if isinstance(line, dict)]
    if pip is None or from_pip != [{"pip": ["-e ."]}]:
        found.append(f"pip must install this checkout and nothing else, got {from_pip}")
    if environment["channels"] != ["conda-forge", "nodefaults"]:
        found.append(f"channels {environment['channels']}")
    wanted = {
        CONDA_NAMES.get(name, name): bound
        for name, bound in bounds_of(project["project"]["dependencies"]).items()
    }
    for name in sorted(wanted.keys() | bounds.keys()):
        if wanted.get(name) != bounds.get(name):
            found.append(f"{name}: {bounds.get(name)} here, {wanted.get(name)} in pyproject.toml")
    return found


def environment_text():
    return (ROOT / "environment.yml").read_text(encoding="utf-8")


def test_conda_gets_the_same_packages_as_pip():
    assert disagreements(read_project(), yaml.safe_load(environment_text())) == []


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("  - numpy>=2.0\n", "", "numpy"),
        ("  - numpy>=2.0\n", "  - numpy>=1.26\n", "numpy"),
        ("  - numpy>=2.0\n", "  - numpy\n", "numpy"),
        ("  - numpy>=2.0\n", "  - numpy>=2.0\n  - pandas>=2.0\n", "pandas"),
        ("matplotlib-base", "matplotlib", "matplotlib"),
        ("python=3.12", "python=3.10", "requires-python"),
        ("python=3.12", "python>=3.11", "exact minor"),
        ("python=3.12", "python=3", "exact minor"),
        ("  - python=3.12\n", "", "exact minor"),
        ("      - -e .\n", "      - why-batch-norm-works\n", "this checkout"),
        ("      - -e .\n", "      - -e .\n      - nbval\n", "this checkout"),
        ("  - pip\n", "", "this checkout"),
        ("  - conda-forge\n", "  - defaults\n", "channels"),
    ],
)
def test_an_altered_environment_is_noticed(old, new, named):
    assert environment_text().count(old) == 1
    altered = yaml.safe_load(environment_text().replace(old, new))
    assert named in "\n".join(disagreements(read_project(), altered))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda project: project["dependencies"].append("torch >= 2"), "torch"),
        (lambda project: project["dependencies"].pop(0), "numpy"),
        (lambda project: project.update({"requires-python": ">=3.13"}), "requires-python"),
    ],
    ids=["one more", "one less", "newer Python"],
)
def test_an_altered_project_is_noticed(change, named):
    project = read_project()
    change(project["project"])
    assert named in "\n".join(disagreements(project, yaml.safe_load(environment_text())))


def foreign_imports(source):
    """Return the top-level names that `source` imports and Python itself does not bring."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(node.module.split(".")[0])
    return names - set(sys.stdlib_module_names)


def declared_imports(requirements):
    names = bounds_of(requirements)
    brought = set().union(*(COMES_WITH.get(name, set()) for name in names))
    return brought | {IMPORT_NAMES.get(name, name) for name in names}


@pytest.mark.parametrize(
    ("folder", "extras"),
    [
        ("helpers", []),
        ("data", []),
        ("benchmarks", ["browser", "bench"]),
        ("tests", ["test", "cluster"]),
        ("tests/browser", ["test", "browser"]),
    ],
)
def test_everything_imported_is_declared(folder, extras):
    project = read_project()["project"]
    requirements = list(project["dependencies"])
    for extra in extras:
        requirements += project["optional-dependencies"][extra]
    own = {path.stem for own in ("tests", "benchmarks") for path in (ROOT / own).rglob("*.py")}
    own.add("helpers")
    undeclared = {
        (path.name, name)
        for path in (ROOT / folder).glob("**/*.py" if folder == "helpers" else "*.py")
        for name in foreign_imports(path.read_text(encoding="utf-8"))
        if name not in declared_imports(requirements) | own
    }
    assert undeclared == set()


def test_an_undeclared_import_is_noticed():
    source = "import os, pandas.io\ndef later():\n    from torch.nn import Linear"
    assert foreign_imports(source) == {"pandas", "torch"}
    assert "sklearn" in declared_imports(["scikit-learn >= 1.5"])
    assert "torch" not in declared_imports(read_project()["project"]["dependencies"])


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


def test_the_readme_shows_both_commands():
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert {LEARN, TEST} <= {line.strip().removeprefix("$ ") for line in lines}


def test_ci_runs_the_test_command_of_the_readme():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert [line.strip() for line in script.splitlines()].count(TEST) == 1
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_ci_runs_the_browser_tests_and_an_older_python_too_and_fails_when_any_fails():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    lines = [line.strip() for line in script.splitlines()]
    assert lines.count(OTHERS) == 1
    runs = [line.split(" || ")[0] for line in lines if line.endswith("|| status=$?")]
    assert runs == ["unit_tests", "readme_tests", "browser_tests"]
    assert lines[-1] == 'exit "$status"'


def workflow_of_this_project():
    return yaml.safe_load((ROOT / ".github/workflows/tests.yml").read_text(encoding="utf-8"))


def commands_of(job):
    return [step["run"].strip() for step in job["steps"] if "run" in step]


def test_the_workflow_runs_both_commands_on_three_systems_and_the_oldest_python():
    workflow = workflow_of_this_project()
    job = workflow["jobs"]["tests"]
    commands = commands_of(job)
    assert LEARN.replace("lab notebooks", "lab --version") in commands and TEST in commands
    matrix = job["strategy"]["matrix"]
    assert {system.split("-")[0] for system in matrix["os"]} == {"ubuntu", "macos", "windows"}
    assert f">={matrix['python'][0]}" == read_project()["project"]["requires-python"]
    assert workflow["permissions"] == {"contents": "read"}
    assert all(one["timeout-minutes"] <= 30 for one in workflow["jobs"].values())


def test_the_workflow_runs_the_browser_tests_on_one_system():
    job = workflow_of_this_project()["jobs"]["browser"]
    assert job["runs-on"] == "ubuntu-latest" and OTHERS in commands_of(job)


def test_notebooks_have_the_same_time_when_executed_and_when_tested():
    options = read_project()["tool"]["pytest"]["ini_options"]["addopts"]
    assert f"--nbval-cell-timeout={CELL_TIMEOUT}" in options
