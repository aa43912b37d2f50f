"""The same notebooks in Notebook 7, whose pages are others around the same widgets."""

import pytest
from lab_server import LabServer
from notebook_page import run_in_browser

NOTEBOOK = "02_batch_norm_mechanics.ipynb"
# What Notebook 7 itself says while it starts, with any notebook.
NOT_OURS = "reading 'schema'"


@pytest.fixture(scope="module")
def in_notebook_7(chromium, tmp_path_factory):
    # On a server of its own: it would try to restore what JupyterLab had open, and cannot.
    server = LabServer(tmp_path_factory.mktemp("notebook"))
    try:
        with run_in_browser(server, chromium, NOTEBOOK, opened_by="notebooks") as page:
            assert page.page.locator("#jp-top-bar").count() and "/notebooks/" in page.page.url
            yield page
    finally:
        server.stop()


@pytest.fixture
def slider(in_notebook_7):
    (found,) = [one for one in in_notebook_7.controls() if "push" in one.name]
    return found


def test_a_slider_moves_and_the_picture_follows(in_notebook_7, slider):
    picture = in_notebook_7.kernel.ask(f"picture_of({slider.demo!r})")
    before = in_notebook_7.settle()
    slider.by_mouse()
    slider.press("End", len(slider.labels) - 1)
    slider.press("Home", 0)
    assert in_notebook_7.settle()[picture] != before[picture]
    assert [error for error in in_notebook_7.all_errors() if NOT_OURS not in error] == []


def test_arrow_keys_move_a_slider(slider):
    slider.by_keyboard()
