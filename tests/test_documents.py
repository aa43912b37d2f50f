"""README, guide, cheat sheet and quiz quote only what a notebook prints; links lead somewhere, and
glossary and references know what the notebooks say.

A measured number is followed, in its paragraph, by a mark such as [01#2]: section 2 of notebook
01 prints it. "deeper" stands for all sections that go deeper. Settings are `code`.
"""

import re

import numpy as np
import pytest
from test_notebooks import FOLDER, is_printed, measured_numerals, printed_text, read, sections

from helpers.execute import ROOT
from helpers.layers import BatchNorm

QUIZ = FOLDER / "07_closing_quiz.ipynb"
NAMES = "instructor_guide.md", "cheat_sheet.md", "glossary.md", "references.md"
GUIDE, SHEET, GLOSSARY, REFERENCES = (ROOT / "docs" / name for name in NAMES)
DOCUMENTS = [ROOT / "README.md", *ROOT.glob("docs/*.md"), ROOT / "data" / "README.md"]
PAGES = sorted(FOLDER.glob("*.ipynb"))
EVERYWHERE = pytest.mark.parametrize("path", [*DOCUMENTS, *PAGES], ids=lambda path: path.name)
MARK = re.compile(r"\[(?P<notebook>\d\d)#(?P<section>\d+|deeper)\]")
NOT_PROSE = re.compile(r"^ *```.*?^ *```|`[^`\n]*`|\]\([^)]*\)", re.MULTILINE | re.DOTALL)
NOT_MEASURED = re.compile(r"Python 3\.\d+|95% intervals?|\b(?:sections?|version) \d+(?:\.\d+)+")
TERM = re.compile(r"^- \*\*(.*?)\*\*(?:(?!^- ).)*?\[(\d\d)#(\w+)\]", re.MULTILINE | re.DOTALL)
TITLES = {"exercises": "Your turn", "deeper": "Go deeper"}
PAPER = re.compile(r"\((https://(?:arxiv\.org|doi\.org|jmlr\.org|proceedings\.mlr)[^)\s]*)\)")


def blocks(text):
    """Return the paragraphs, list items and table rows of Markdown, without code and addresses."""
    prose = NOT_MEASURED.sub("", NOT_PROSE.sub(" ", text))
    parts = re.split(r"\n\s*\n|\n(?=\s*(?:[-*|]|\d+\.) )", prose)
    return [part for part in parts if part.strip()]


def marked_numerals(block):
    """Yield (numeral, mark) for a block; a mark stands for all numbers since the one before."""
    start = 0
    for mark in [*MARK.finditer(block), None]:
        stretch = block[start : mark.start()] if mark else block[start:]
        yield from ((numeral, mark) for numeral in measured_numerals(stretch))
        start = mark.end() if mark else len(block)


def section_text(mark):
    """Return what the cells of the marked section print; None if there is no such section."""
    (path,) = FOLDER.glob(f"{mark['notebook']}_*.ipynb")
    title = r"Go deeper" if mark["section"] == "deeper" else rf"{mark['section']}\. "
    found = [cells for cells in sections(read(path)) if has_title(cells, title)]
    return "\n".join(printed_text(cell) for cells in found for cell in cells) if found else None


def has_title(cells, title):
    return bool(cells) and re.search(rf"^## {title}", cells[0].source, re.MULTILINE)


@pytest.mark.parametrize(
    "path", [ROOT / "README.md", GUIDE, SHEET, QUIZ], ids=lambda path: path.name
)
def test_every_number_is_printed_where_its_mark_says(path):
    wrong = [
        f"{numeral} {mark.group() if mark else 'without a mark'}: {block.strip()[:60]}"
        for block in blocks(markdown(path))
        for numeral, mark in marked_numerals(block)
        if not mark or not is_printed(numeral, section_text(mark) or "")
    ]
    assert not wrong, "\n".join(wrong)


def markdown(path):
    """Return the Markdown of a document or of a notebook, without blocks of code."""
    if path.suffix == ".ipynb":
        cells = read(path).cells
        return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    return re.sub(r"^ *```.*?^ *```", "", path.read_text(encoding="utf-8"), flags=re.M | re.S)


def anchors(path):
    """Return the addresses that GitHub gives to the headings of a document."""
    titles = re.findall(r"^#+ (.*)$", markdown(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_notebook_leads_to_glossary_and_cheat_sheet_and_the_references_know_its_papers(path):
    text = markdown(path)
    assert "](../docs/glossary.md)" in read(path).cells[0].source
    assert "](../docs/cheat_sheet.md)" in text
    assert set(PAPER.findall(text)) <= set(PAPER.findall(REFERENCES.read_text(encoding="utf-8")))


def test_a_term_of_the_glossary_stands_where_its_mark_says():
    text = GLOSSARY.read_text(encoding="utf-8")
    terms = TERM.findall(text)
    assert len(terms) == len(re.findall(r"^- ", text, re.MULTILINE))
    for term, number, section in terms:
        (path,) = FOLDER.glob(f"{number}_*.ipynb")
        title = TITLES.get(section, rf"{section}\. ")
        parts = sections(read(path))
        found = parts[:1] if section == "0" else [one for one in parts if has_title(one, title)]
        said = "\n".join(f"{cell.source}\n{printed_text(cell)}" for one in found for cell in one)
        forms = [one.strip(" $`") for one in re.sub(r"\(.*", "", term).split(",")]
        stems = [one[:-4] if len(one) > 8 else one for one in forms]  # overfit-ting
        assert any(one.lower() in said.lower() for one in stems), term


@EVERYWHERE
def test_numbers_in_prose_have_a_real_minus_sign(path):
    without_formulas = re.sub(r"\$\$.*?\$\$|\$[^$\n]+\$", " ", markdown(path), flags=re.DOTALL)
    found = re.findall(r"(?<![\w\]-])-\d[^\n]*", NOT_PROSE.sub(" ", without_formulas))
    assert not found, found


@EVERYWHERE
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)\s]+)\)", markdown(path)):
        name, _, anchor = target.partition("#")
        if not name.startswith(("http://", "https://")):
            there = path.parent / name if name else path
            assert there.exists(), target
            assert not anchor or anchor in anchors(there), target


def test_the_lines_of_the_cheat_sheet_are_the_layer():
    (lines,) = re.findall(r"```python\n(.*?)```", SHEET.read_text(encoding="utf-8"), re.DOTALL)
    rng = np.random.default_rng(0)
    z = rng.normal(3, 2, (16, 5))
    norm = BatchNorm(5, eps=1e-3, momentum=0.7, dtype=np.float64)
    norm.gamma[:], norm.beta[:] = rng.normal(size=(2, 5))
    names = {"np": np, "z": z, "eps": 1e-3, "memory": 0.7}
    names |= {one: getattr(norm, one).copy() for one in ("gamma", "beta")}
    names |= {"running_mean": np.zeros(5), "running_var": np.ones(5)}
    exec(lines, names)
    ours = {
        "outputs": norm.forward(z, training=True), "running_mean": norm.running_mean,
        "running_var": norm.running_var, "at_test": norm.forward(z, training=False),
    }
    for name, values in ours.items():
        np.testing.assert_allclose(names[name], values, rtol=1e-12, atol=1e-12, err_msg=name)


def test_the_cheat_sheet_fits_a_page_and_names_the_layer_as_notebook_06_does():
    text = SHEET.read_text(encoding="utf-8")
    assert len(text.split()) <= 545  # so many are one page of A4, in 10 points
    (table,) = re.findall(r"^\| \| name .*?(?=\n\n)", text, re.MULTILINE | re.DOTALL)
    theirs = markdown(FOLDER / "06_in_practice.ipynb").replace("`", "")
    for row in table.replace("`", "").splitlines():
        assert row in theirs, row
