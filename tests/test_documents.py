"""README and instructor's guide quote only what a notebook prints, and link only to what exists.

A measured number is followed, in its paragraph, by a mark such as [01#2]: section 2 of notebook
01 prints it. "deeper" stands for all sections that go deeper. Settings are `code`.
"""

import re
from pathlib import Path

import pytest
from test_notebooks import FOLDER, is_printed, measured_numerals, printed_text, read, sections

from helpers.execute import ROOT

DOCUMENTS = (ROOT / "README.md", ROOT / "docs" / "instructor_guide.md")
MARK = re.compile(r"\[(?P<notebook>\d\d)#(?P<section>\d+|deeper)\]")
NOT_PROSE = re.compile(r"^```.*?^```|`[^`\n]*`|\]\([^)]*\)", re.MULTILINE | re.DOTALL)
NOT_MEASURED = re.compile(r"Python 3\.\d+|95% intervals?|\b(?:sections?|version) \d+(?:\.\d+)+")


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


def complaints_about(text):
    found = []
    for block in blocks(text):
        for numeral, mark in marked_numerals(block):
            where = f"{numeral!r} in {block.strip()[:60]!r}"
            if mark is None:
                found.append(f"{where} has no mark behind it")
            elif (printed := section_text(mark)) is None:
                found.append(f"{mark.group()} names no section")
            elif not is_printed(numeral, printed):
                found.append(f"{where} is not printed in {mark.group()}")
    return found


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_number_is_printed_where_its_mark_says(path):
    complaints = complaints_about(path.read_text(encoding="utf-8"))
    assert not complaints, "\n".join(complaints)


def test_the_guide_quotes_numbers_of_every_notebook():
    marks = MARK.finditer(DOCUMENTS[1].read_text(encoding="utf-8"))
    assert {mark["notebook"] for mark in marks} == {"01", "02", "03", "04", "05"}


@pytest.mark.parametrize(
    "text",
    [
        "It falls to 0.67 ± 0.02.",
        "It falls to 0.67 ± 0.02 [02#1].",
        "It falls to 0.67 ± 0.03 [01#1].",
        "It falls to 0.67 ± 0.02 [01#9].",
        "It falls [01#1] to 0.67 ± 0.02.",
        "- It falls to 0.67 ± 0.02\n- [01#1]",
        "| falls | 0.67 ± 0.02 |\n| to | [01#1] |",
    ],
)
def test_a_number_out_of_place_is_seen(text):
    assert complaints_about(text)


@pytest.mark.parametrize(
    "text",
    [
        "It falls to 0.67 ± 0.02\n[01#1].",
        "From 0.972 ± 0.006 to 0.67 ± 0.02 [01#1], of which 0.16 ± 0.03 is shift [01#2].",
        "Python 3.11, section 3.1, `x = 0.3`, 512 images.\n\n```\ny = 0.3\n```\n",
    ],
)
def test_a_number_in_its_place_passes(text):
    assert complaints_about(text) == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path):
    text = path.read_text(encoding="utf-8")
    headings = {anchor(title) for title in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("#"):
            assert target[1:] in headings, target
        elif not re.match(r"https?://", target):
            assert Path(path.parent, target.split("#")[0]).exists(), target


def anchor(title):
    """Return the address that GitHub gives to a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
