"""Tests in a real browser: `pytest -n 0 -m browser`. Plain `pytest` leaves them out.

They need Chromium and, in Python, what the extra `browser` brings; without one of them they fail
and say so. Anything is waited for as long as a slow machine may need; no test looks at the clock.
"""

import re
from importlib.util import find_spec

import pytest

pytest.register_assert_rewrite("controls", "notebook_page")

from chromium import NoBrowserError, launch_chromium  # noqa: E402
from lab_server import LabServer  # noqa: E402
from notebook_page import NotebookPage  # noqa: E402

from helpers.execute import ROOT  # noqa: E402

# The board shows one demo at a time, which test_board.py goes through.
BOARD = "00_lecture_demos.ipynb"
NOTEBOOKS = sorted({path.name for path in (ROOT / "notebooks").glob("*.ipynb")} - {BOARD})


def pytest_ignore_collect(config):
    """Without Playwright plain `pytest` passes over this folder, and `-m browser` is an error."""
    if find_spec("playwright") is None:
        if re.search(r"(?<!not )\bbrowser\b", config.option.markexpr):
            raise pytest.UsageError('Playwright is missing: pip install -e ".[test,browser]"')
        return True


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Mark the tests of this folder; drop those that are not for their notebook."""
    ours = [item for item in items if ROOT / "tests" / "browser" in item.path.parents]
    for item in ours:
        item.add_marker(pytest.mark.browser)
        only = item.get_closest_marker("only_in")
        if only and item.callspec.params["opened"] not in only.args:
            items.remove(item)


@pytest.fixture(scope="session")
def chromium():
    """A headless Chromium; without it a test fails, since what is skipped looks like success."""
    try:
        with launch_chromium() as browser:
            yield browser
    except NoBrowserError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """A running JupyterLab on copies of the notebooks."""
    running = LabServer(tmp_path_factory.mktemp("lab"))
    yield running
    running.stop()


@pytest.fixture(scope="session", params=NOTEBOOKS)
def opened(request, server, chromium):
    """Each notebook in JupyterLab, all its cells run; the tests of one share it."""
    page = NotebookPage(server, chromium, request.param)
    try:
        page.run_all()
        yield page
    finally:
        page.close()


@pytest.fixture(autouse=True)
def nothing_goes_wrong(request):
    """Whatever a test does: no error in the page, its console, the kernel or a demo."""
    yield
    if "opened" in request.fixturenames:
        assert request.getfixturevalue("opened").all_errors() == []
