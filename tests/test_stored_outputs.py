"""Plain `pytest` fails when a stored text output is not what the code prints now.

A miniature of this checkout, with the same settings, holds one scratch notebook three times: as
it was executed, and with one digit altered in what a cell printed or in what it returned.
"""

import os
import re
import shutil
import subprocess
import sys

import pytest
from nbformat import v4

from helpers.execute import ROOT, execute_notebook

SETUP = "from helpers.checks import check_number"
PRINTS = 'print("accuracy", check_number("accuracy", 0.635, 0, 1))'
RETURNS = '{"picture": "One bar of height 0.635."}["picture"]'


def altered(notebook, cell, old, new):
    """Return the text of `notebook` with `old` replaced once, in an output of that cell."""
    before = v4.writes(v4.new_notebook(cells=[notebook.cells[cell]]))
    assert before.count(f'"{old}') == 1, before
    outputs = v4.reads(before.replace(f'"{old}', f'"{new}')).cells[0].outputs
    cells = list(notebook.cells)
    cells[cell] = v4.new_code_cell(
        cells[cell].source, id="altered", execution_count=cell + 1, outputs=outputs
    )
    return v4.writes(v4.new_notebook(cells=cells, metadata=notebook.metadata))


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Return what `pytest`, without arguments, reports about the miniature checkout."""
    checkout = tmp_path_factory.mktemp("checkout")
    for name in ["pyproject.toml", "conftest.py"]:
        shutil.copy(ROOT / name, checkout)
    for folder in ["tests", "notebooks"]:
        (checkout / folder).mkdir()
    path = checkout / "notebooks" / "as_executed.ipynb"
    cells = [v4.new_code_cell(source) for source in (SETUP, PRINTS, RETURNS)]
    path.write_text(v4.writes(v4.new_notebook(cells=cells)), encoding="utf-8")
    execute_notebook(path)
    notebook = v4.reads(path.read_text(encoding="utf-8"))
    printed = altered(notebook, 1, "accuracy 0.6", "accuracy 0.7")
    path.with_stem("printed_altered").write_text(printed, encoding="utf-8")
    returned = altered(notebook, 2, "'One bar of height 0.635", "'One bar of height 0.634")
    path.with_stem("returned_altered").write_text(returned, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "--color=no", "-p", "no:cacheprovider", "-rA"],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
    )


def test_one_altered_digit_fails_the_run_and_names_the_cell(report):
    assert report.returncode == pytest.ExitCode.TESTS_FAILED, report.stdout + report.stderr
    failed = re.findall(r"^FAILED notebooks/(\w+)\.ipynb::(Cell \d)", report.stdout, re.MULTILINE)
    assert sorted(failed) == [("printed_altered", "Cell 1"), ("returned_altered", "Cell 2")]


def test_what_was_not_altered_passes(report):
    passed = re.findall(r"^PASSED notebooks/(\w+)\.ipynb::(Cell \d)", report.stdout, re.MULTILINE)
    assert sorted(passed) == [
        ("as_executed", "Cell 0"),
        ("as_executed", "Cell 1"),
        ("as_executed", "Cell 2"),
        ("printed_altered", "Cell 0"),
        ("printed_altered", "Cell 2"),
        ("returned_altered", "Cell 0"),
        ("returned_altered", "Cell 1"),
    ]
