"""Notebooks as readers run them: all of it twice in one kernel, or each cell twice."""

import copy

import pytest
from test_notebooks import FOLDER, PATHS, code_cells, printed_text, read

from helpers.execute import normalise, run


def twice_over(notebook):
    return notebook.cells + copy.deepcopy(notebook.cells)


def each_cell_twice(notebook):
    return [one for cell in notebook.cells for one in (cell, copy.deepcopy(cell))]


def rerun(notebook, cells):
    """Run `cells` in a kernel of their own; returns {cell id: what each of its runs printed}."""
    changed = copy.deepcopy(notebook)
    changed.cells = copy.deepcopy(cells)
    names = [cell.id for cell in code_cells(changed)]  # what is there twice gets another
    found = {name: [] for name in names}
    for name, cell in zip(names, code_cells(normalise(run(changed, FOLDER))), strict=True):
        found[name].append(printed_text(cell))
    return found


def assert_as_stored(notebook, found):
    stored = {cell.id: printed_text(cell) for cell in code_cells(notebook)}
    assert found and found == {name: [stored[name]] * len(runs) for name, runs in found.items()}


@pytest.mark.thorough
@pytest.mark.parametrize("order", [twice_over, each_cell_twice])
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_what_runs_twice_prints_the_same_twice(path, order):
    notebook = read(path)
    assert_as_stored(notebook, rerun(notebook, order(notebook)))
