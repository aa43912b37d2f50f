"""Slides are slides: few words, one picture or formula, the prose as notes, and no network."""

import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from nbconvert.exporters import SlidesExporter
from test_notebooks import PATHS, results
from traitlets.config import PyFileConfigLoader

from helpers import slides
from helpers.execute import read_notebook

CONFIG = Path(slides.__file__).with_name("config.py")


@pytest.fixture(params=PATHS, ids=[path.stem for path in PATHS])
def notebook_and_page(request):
    exporter = SlidesExporter(config=PyFileConfigLoader(str(CONFIG)).load_config())
    page, _ = exporter.from_filename(str(request.param))
    return read_notebook(request.param), BeautifulSoup(page, "html.parser")


def test_each_slide_has_few_words_and_one_picture_or_formula(notebook_and_page):
    notebook, page = notebook_and_page
    pages = page.find_all("section")
    for slide in pages:
        slide.aside.extract()
        words = slide.get_text().split()
        assert 1 <= len(words) <= slides.WORDS, words
        shown = [one for one in slide.find_all("img") if one.get("class") != ["symbol"]]
        kinds = {*(str(one.get("class")) for one in shown)}
        assert len(shown) <= 1 or (kinds == {"['formula']"} and len({*map(str, shown)}) <= 3)
        assert all(one["alt"].strip() for one in slide.find_all("img"))
        assert not slide.find(["pre", "table", "script"]) and "[" not in slide.get_text()
        assert slide.find(["h1", "h2"]).get_text() and slide.find(["p", "li", "img"]), words
        assert not re.search(r"[:,]\Z", slide.get_text())
    pictures = len([one for slide in pages for one in slide.find_all("img", class_=False)])
    assert pictures == sum(
        "image/png" in output.get("data", {})
        for cell in notebook.cells if cell.metadata.slideshow.slide_type != "skip"
        for output in cell.get("outputs", [])
    )


def test_what_is_said_is_in_the_notes_and_nothing_comes_from_elsewhere(notebook_and_page):
    notebook, page = notebook_and_page
    notes = " ".join(" ".join(one.get_text() for one in page.find_all("aside")).split())
    said = results([one for one in notebook.cells if one.metadata.slideshow.slide_type != "skip"])
    for text in said:
        plain = re.findall(r"[\w ,]{30,}", " ".join(text.split()))
        assert plain and all(one.strip() in notes for one in plain), text
    assert not page.find_all(["link", "script"], attrs={"src": True}) + page.find_all("link")
