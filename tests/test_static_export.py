"""What a reader sees who runs nothing: on GitHub, in nbviewer, exported, opened but not yet run.

Each notebook is exported to HTML as it is stored, in nbconvert's two templates. An export shows
an output's richest form only: the picture, not its text. So words stand in Markdown beside each
picture; its own sentence is its alternative text, which the template "lab" leaves out.
"""

import base64
import io
import re

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbconvert import HTMLExporter
from PIL import Image
from test_notebooks import FOLDER, has_image, is_sentence

from helpers.execute import normalise
from helpers.page.progress import WIDGET_VIEW

NOTEBOOKS = sorted(FOLDER.glob("0*.ipynb"))
# Cells that show a demo, a picture with a bet in it, or a figure.
SHOWS = re.compile(r"_demo\(|lecture_board\(|\bdemos\.show_\w+\(|\.show\(", re.MULTILINE)
SHOWS_WORDS = re.compile(r"_bet$|\.compare\(|\breveal\(|^verdicts$|LedgerView\(", re.MULTILINE)


def read(path):
    return nbformat.v4.reads(path.read_text(encoding="utf-8"))


def export(notebook, template):
    """Return the page as nbconvert writes it, parsed."""
    page, _ = HTMLExporter(template_name=template).from_notebook_node(notebook)
    return BeautifulSoup(page, "html.parser")


@pytest.fixture(scope="module", params=NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def exported(request):
    notebook = read(request.param)
    return notebook, export(notebook, "lab")


def part(page, cell):
    """Return what the page shows of a cell."""
    return page.find(id=f"cell-id={cell.id}")


def last_line(cell):
    lines = cell.source.splitlines()
    return lines[-1] if cell.cell_type == "code" and lines else ""


def decoded(image):
    scheme, data = image["src"].split(",", 1)
    assert scheme == "data:image/png;base64"
    return Image.open(io.BytesIO(base64.b64decode(data)))


def plain(cell):
    (text,) = [
        one.data["text/plain"] for one in cell.outputs if "image/png" in one.get("data", {})
    ]
    return text


def test_every_demo_shows_its_picture(exported):
    notebook, page = exported
    cells = [cell for cell in notebook.cells if SHOWS.search(last_line(cell))]
    for cell in cells:
        (image,) = part(page, cell).find_all("img")
        picture = decoded(image)
        assert picture.width > 800 and picture.height > 400
        assert len(picture.convert("RGB").getcolors(1 << 24)) > 20, f"{cell.id} is blank"
    assert len(cells) == len([cell for cell in notebook.cells if has_image(cell)]) > 0


@pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def test_every_picture_has_its_sentence_as_alternative_text(path):
    notebook = read(path)
    sentences = [plain(cell) for cell in notebook.cells if has_image(cell)]
    assert all(map(is_sentence, sentences))
    assert alternatives(notebook) == sentences


def alternatives(notebook):
    return [image["alt"] for image in export(notebook, "classic").find_all("img")]


def test_words_stand_beside_every_picture(exported):
    notebook, page = exported
    for place, cell in enumerate(notebook.cells):
        if has_image(cell):
            beside = [words_around(notebook.cells, place, step) for step in (-1, 1)]
            seen = [part(page, one).get_text(" ", strip=True) for one in beside if one]
            assert any(len(text.split()) >= 15 for text in seen), cell.id


def words_around(cells, place, step):
    """Return the nearest Markdown cell before (-1) or after (1) a place, or None."""
    place += step
    while 0 <= place < len(cells) and cells[place].cell_type == "code":
        place += step
    return cells[place] if 0 <= place < len(cells) else None


def test_bets_replies_and_answers_are_shown_in_words(exported):
    notebook, page = exported
    cells = [cell for cell in notebook.cells if SHOWS_WORDS.search(last_line(cell))]
    for cell in cells:
        outputs = part(page, cell).select(".jp-OutputArea-output")
        assert [one for one in outputs if len(one.get_text(" ", strip=True).split()) >= 5], cell.id


def test_nothing_waits_for_a_kernel(exported):
    notebook, page = exported
    kinds = {
        kind
        for cell in notebook.cells
        for one in cell.get("outputs", [])
        for kind in one.get("data", {})
    }
    assert WIDGET_VIEW not in kinds and "widgets" not in notebook.metadata
    assert not page.find_all("script", type=re.compile("widget"))
    for image in page.find_all("img"):
        assert image["src"].startswith("data:image/png;base64,"), "a picture from elsewhere"


def test_a_picture_without_its_sentence_is_found():
    notebook = read(NOTEBOOKS[-1])
    sentences = [plain(cell) for cell in notebook.cells if has_image(cell)]
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            output.get("metadata", {}).clear()
    assert not set(alternatives(notebook)) & set(sentences)
    assert alternatives(normalise(notebook)) == sentences
