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
    items[:] = [item for item in items if item not in ours or _is_for_its_notebook(item)]


def _is_for_its_notebook(item):
    only = item.get_closest_marker("only_in")
    return only is None or notebook_of(item) in only.args


def notebook_of(item):
    """Return the notebook that a test opens, or None."""
    return item.callspec.params.get("opened") if hasattr(item, "callspec") else None


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


class Shelf:
    """Opens notebooks one after the other; the next one runs while this one is tested."""

    def __init__(self, server, chromium, names):
        self.server, self.chromium, self.names, self.started = server, chromium, names, {}

    def start(self, name):
        if name not in self.started:
            page = NotebookPage(self.server, self.chromium, name)
            self.started[name] = page
            page.start_all()

    def open(self, name):
        self.start(name)
        self.started[name].wait_for_all()
        following = [one for one in self.names if one > name]
        if following:
            self.start(following[0])
        return self.started[name]

    def close(self, name):
        self.started.pop(name).close()


@pytest.fixture(scope="session")
def shelf(request, server, chromium):
    names = {notebook_of(item) for item in request.session.items} - {None}
    return Shelf(server, chromium, sorted(names))


@pytest.fixture(scope="session", params=NOTEBOOKS)
def opened(request, shelf):
    """Each notebook in JupyterLab, all its cells run; the tests of one share it."""
    try:
        yield shelf.open(request.param)
    finally:
        shelf.close(request.param)


@pytest.fixture(autouse=True)
def nothing_goes_wrong(request):
    """Whatever a test does: no error in the page, its console, the kernel or a demo."""
    yield
    if "opened" in request.fixturenames:
        assert request.getfixturevalue("opened").all_errors() == []
