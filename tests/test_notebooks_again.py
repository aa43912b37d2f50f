"""Notebooks as readers run them: all of it twice, each cell twice, a section by itself."""

import copy

import pytest
from nbclient import NotebookClient
from test_notebooks import FOLDER, PATHS, code_cells, printed_text, read, sections


def twice_over(notebook):
    return notebook.cells + copy.deepcopy(notebook.cells)


def each_cell_twice(notebook):
    return [one for cell in notebook.cells for one in (cell, copy.deepcopy(cell))]


def run(notebook, cells):
    """Run `cells` in a kernel of their own; returns {cell id: what each of its runs printed}."""
    notebook = copy.deepcopy(notebook)
    notebook.cells = copy.deepcopy(cells)
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(FOLDER)}})
    client.execute()
    found = {}
    for cell in code_cells(notebook):
        found.setdefault(cell.id, []).append(printed_text(cell))
    return found


def assert_as_stored(notebook, found):
    stored = {cell.id: printed_text(cell) for cell in code_cells(notebook)}
    assert found and found == {name: [stored[name]] * len(runs) for name, runs in found.items()}


@pytest.mark.thorough
@pytest.mark.parametrize("order", [twice_over, each_cell_twice])
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_what_runs_twice_prints_the_same_twice(path, order):
    notebook = read(path)
    assert_as_stored(notebook, run(notebook, order(notebook)))


@pytest.mark.thorough
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_section_needs_nothing_but_the_setup(path):
    notebook = read(path)
    setup, *others = sections(notebook)
    for section in others:
        if code_cells_of := [cell for cell in section if cell.cell_type == "code"]:
            assert_as_stored(notebook, run(notebook, [*setup, *code_cells_of]))
