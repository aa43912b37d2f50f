"""A notebook opened in Chromium, and what a reader does there: see, press, click, drag."""

import time
from contextlib import contextmanager
from pathlib import Path

from controls import KINDS
from kernel import RUN_ALL_PATIENCE, Kernel
from lab_server import PATIENCE

from helpers.execute import read_notebook

# ipywidgets: a message for the layout reached a view that was closed in this very moment, such as
# a bar whose work is done. Rare, nothing is seen of it, and not ours to mend.
CLOSED_TOO_SOON = "Cannot read properties of null (reading 'processLuminoMessage')"
PAGE_SIDE = Path(__file__).with_name("page_side.js")
VIEW = {"width": 1400, "height": 1000}


@contextmanager
def run_in_browser(*args, **kwargs):
    """Open a NotebookPage, run all its cells, and end its kernel afterwards."""
    opened = NotebookPage(*args, **kwargs)
    try:
        opened.run_all()
        yield opened
    finally:
        opened.close()


class NotebookPage:
    """One notebook in a page of its own: opened by JupyterLab ("lab/tree") or by Notebook 7."""

    def __init__(self, server, chromium, name, opened_by="lab/tree"):
        self.server, self.name, self.errors = server, name, []
        self.page = chromium.new_page(viewport=VIEW, accept_downloads=False)
        self.page.set_default_timeout(1000 * PATIENCE)
        self._listen()
        self.page.goto(server.url(f"{opened_by}/{name}"))
        self.wait_until(lambda: server.connection_file(name))
        self._wait_for_idle()
        self.kernel = Kernel(server.connection_file(name))

    def _listen(self):
        self.page.on("pageerror", lambda error: self.errors.append(f"page: {error}"))
        self.page.on("console", self._note_console)
        self.page.on("request", self._note_request)

    def _note_console(self, message):
        if message.type == "error" and CLOSED_TOO_SOON not in message.text:
            self.errors.append(f"console: {message.text} {message.location}")

    def _note_request(self, request):
        if not request.url.startswith((self.server.address, "blob:", "data:")):
            self.errors.append(f"not offline: {request.url}")

    def _wait_for_idle(self):
        self.page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status=idle]")

    def close(self):
        self.kernel.close()
        self.page.close()
        self.server.stop_kernel(self.name)

    # --- the whole notebook

    def run_all(self):
        """Run all cells and wait until all demos are there, and nothing is covered."""
        self.start_all()
        self.wait_for_all()

    def start_all(self):
        """Choose Run > Run All Cells."""
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()

    def wait_for_all(self):
        """Wait until all cells have run; raise AssertionError when one fails."""
        cells = read_notebook(self.server.notebooks / self.name).cells
        n_cells = sum(cell.cell_type == "code" for cell in cells)
        self.wait_until(
            lambda: self.kernel.errors or self.kernel.ask("n_executed()") == n_cells,
            RUN_ALL_PATIENCE,
        )
        assert self.kernel.errors == []
        self._wait_for_idle()
        self.page.add_script_tag(path=PAGE_SIDE)
        self.kernel.ask("label_widgets()")
        self.kernel.ask("show_answers()")

    def start_last_cell(self):
        """Run the last cell, which is busy for a while, and do not wait for it."""
        self.page.locator(".jp-Notebook .jp-CodeCell").last.locator(".jp-InputPrompt").click()
        self.page.keyboard.press("Control+Enter")

    def all_errors(self):
        """Return what went wrong so far in the page, its console, the kernel and the demos."""
        return self.errors + self.kernel.errors + self.kernel.ask("errors()")

    def wait_until(self, condition, patience=PATIENCE):
        """Wait for `condition()`; whoever cares about the result asks for it afterwards."""
        patient_until = time.monotonic() + patience
        while not condition() and time.monotonic() < patient_until:
            self.page.wait_for_timeout(20)

    def expect_soon(self, ask, answer):
        """Wait until `ask()` gives `answer`; raise AssertionError when it never does."""
        answers = []
        self.wait_until(lambda: answers.append(ask()) or answers[-1] == answer)
        assert answers[-1] == answer

    def shown(self):
        """Return {tag: what the page shows} of all widgets: values, texts, digests of pictures."""
        return self.page.evaluate("probe.shown()")

    def settle(self):
        """Wait until the page shows what is computed directly for the kernel's values; return it.

        Raises AssertionError when it never does.
        """
        self.expect_soon(lambda: self.kernel.ask("busy()") or self.differences(), {})
        return self.shown()

    def differences(self):
        """Return {tag: (in the page, directly computed)} of what differs."""
        shown, expected = self.shown(), self.kernel.ask("expected()")
        pairs = {tag: (shown.get(tag), expected.get(tag)) for tag in shown | expected}
        return {tag: (here, there) for tag, (here, there) in pairs.items() if here != there}

    def controls(self):
        """Return all controls of the page in their order there."""
        known = self.kernel.ask("controls()")
        self.wait_until(lambda: set(self.page.evaluate("probe.controls()")) == set(known))
        tags = self.page.evaluate("probe.controls()")
        only_one_has = set(tags) ^ set(known)
        assert {tag: known.get(tag, "not in the kernel") for tag in only_one_has} == {}
        return [KINDS[known[tag]["kind"]](self, tag, **known[tag]) for tag in tags]

    @contextmanager
    def watching(self, demo):
        """Record what happens to a demo: `with opened.watching(tag) as recorded: recorded()`.

        `recorded()` returns what `watch` in page_side.js has noted so far.
        """
        record = self.page.evaluate_handle("tag => probe.watch(tag)", demo)
        try:
            yield lambda: record.evaluate("async one => one.so_far()")
        finally:
            record.evaluate("one => one.end()")

    def state_of(self, tag):
        """Return what the page shows for one widget."""
        return self.page.evaluate("tag => probe.state(tag)", tag)
