"""Answers stay covered until the reader bets; a saved copy shows all of it on another day."""

import nbformat
import pytest
from lab_server import LabServer
from notebook_page import NotebookPage

from conftest import NOTEBOOKS
from helpers.execute import NOTEBOOK_METADATA, NotebookError, read_notebook

NAME = "a_bet.ipynb"
CELLS = {
    "setup": "from helpers.page.prediction import Answer, CoverAnswers, predict\nCoverAnswers()",
    "bet": "answers = Answer('less', (0, 1), 'No.'), Answer('more', (1, 2), 'Yes.')\n"
    "bet = predict('How much?', *answers)\nbet",
    "result": "print('1.5')",
    "error": "1 / 0",
    "demo": "from helpers.covariate_shift.demos import region_demo\nregion_demo()",
    "reply": "bet.compare(1.5)",
    "after": "print('after')",
    "verdicts": "from helpers.weighing_the_evidence.demos import LedgerView, VerdictBoard\n"
    "verdicts = VerdictBoard()\nverdicts",
    "ledger": "LedgerView([], verdicts)",
}
IN_WORDS = ("bet", "verdicts", "ledger")  # on another day; a demo has its picture
COVERED = {"result", "demo", "reply"}
# {id of the cell: the kinds of its outputs that are seen}
SEEN = """ids => Object.fromEntries(
    [...document.querySelectorAll('.jp-Notebook .jp-CodeCell')].map((cell, place) => [ids[place],
        [...cell.querySelectorAll('.jp-OutputArea-child')]
            .filter(one => getComputedStyle(one).display !== 'none' && one.offsetHeight)
            .map(one => one.querySelector('[data-mime-type]')?.dataset.mimeType ?? 'a/widget')
            .map(kind => kind.split('/').pop().split('.').pop())]))"""
# From now on notes whatever is seen of the demo's cell in any frame of the screen.
FILM = """place => { window.film = new Set(); const look = () => {
    const cell = document.querySelectorAll('.jp-Notebook .jp-CodeCell')[place];
    const seen = [...cell.querySelectorAll('.jp-OutputArea-child')]
        .filter(one => getComputedStyle(one).display !== 'none')
        .map(one => one.querySelector('[data-mime-type]')?.dataset.mimeType ?? 'widget');
    window.film.add(seen.join(' '));
    requestAnimationFrame(look); }; look(); }"""
VIEW, PICTURE, LINE = "widget", "png", "html"


@pytest.fixture(scope="module", params=["lab/tree", "notebooks"])
def page(request, chromium, tmp_path_factory):
    server = LabServer(tmp_path_factory.mktemp("day"))
    cells = [nbformat.v4.new_code_cell(source, id=name) for name, source in CELLS.items()]
    cells[3].metadata["tags"] = ["raises-exception"]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=NOTEBOOK_METADATA)
    nbformat.write(notebook, server.notebooks / NAME)
    try:
        yield lambda name=NAME: NotebookPage(server, chromium, name, request.param)
    finally:
        server.stop()


def seen(opened):
    return opened.page.evaluate(SEEN, list(CELLS))


def hidden(opened):
    return {name for name, kinds in seen(opened).items() if not kinds}


def run_all(opened):
    before = opened.kernel.ask("n_executed()")
    opened.start_all()
    opened.expect_soon(lambda: opened.kernel.ask("n_executed()"), before + len(CELLS))


def test_a_day_with_a_bet_and_the_next(page):
    opened = page()
    opened.page.evaluate(FILM, list(CELLS).index("demo"))
    run_all(opened)
    opened.expect_soon(lambda: hidden(opened), COVERED)
    show_me = opened.page.get_by_role("button", name="Show me")
    show_me.click()
    opened.expect_soon(lambda: seen(opened)["demo"], [VIEW])  # alone, without its still picture
    assert hidden(opened) == set() and not show_me.is_visible()
    assert [seen(opened)[name] for name in IN_WORDS] == [[VIEW]] * len(IN_WORDS)

    run_all(opened)
    opened.expect_soon(lambda: hidden(opened), COVERED)
    box = opened.page.get_by_role("checkbox", name="cover answers until I have bet")
    box.uncheck()
    opened.expect_soon(lambda: hidden(opened), set())
    box.check()
    opened.expect_soon(lambda: hidden(opened), COVERED)
    opened.page.get_by_role("radio", name="B  more").check()
    opened.expect_soon(lambda: hidden(opened), set())
    opened.page.get_by_text("You bet B, more: right.").wait_for()
    film = opened.page.evaluate("[...window.film]")
    assert not [frame for frame in film if VIEW in frame and PICTURE in frame], film

    opened.page.keyboard.press("Control+s")
    saved = opened.server.notebooks / NAME
    opened.wait_until(lambda: any(cell.outputs for cell in cells_of(saved)))
    opened.close()

    opened = page()
    opened.expect_soon(lambda: seen(opened)["demo"], [LINE, PICTURE])
    for name in IN_WORDS:
        opened.expect_soon(lambda name=name: seen(opened)[name], [LINE, "markdown"])
    assert seen(opened)["result"] and seen(opened)["reply"]
    assert not opened.page.get_by_text("Error displaying widget").first.is_visible()
    opened.close()


def cells_of(path):
    try:
        return read_notebook(path).cells
    except NotebookError:  # being saved
        return []


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_new_copy_opens_with_its_answers_folded(page, name):
    opened = page(name)
    cells = read_notebook(opened.server.notebooks / name).cells
    folded = [cell for cell in cells if "outputs_hidden" in cell.metadata.get("jupyter", {})]
    assert len(folded) >= 3
    closed = opened.page.locator(".jp-CodeCell .jp-OutputPlaceholder")
    opened.expect_soon(closed.count, len(folded))
    opened.close()
