"""Notebooks as readers run them: each cell twice, and then all of it again in the same kernel."""

import copy

import pytest
from test_notebooks import FOLDER, PATHS, code_cells, printed_text, read

from helpers.execute import normalise, run


@pytest.mark.thorough
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_what_runs_twice_prints_the_same_twice(path):
    notebook = read(path)
    stored = {cell.id: printed_text(cell) for cell in code_cells(notebook)}
    each_twice = [cell for cell in notebook.cells for _ in range(2)]
    notebook.cells = [copy.deepcopy(cell) for cell in each_twice + each_twice]
    names = [cell.id for cell in code_cells(notebook)]  # `normalise` gives the copies another
    assert names
    for name, cell in zip(names, code_cells(normalise(run(notebook, FOLDER))), strict=True):
        assert printed_text(cell) == stored[name], name
