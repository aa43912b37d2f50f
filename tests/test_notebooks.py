"""What each stored notebook must be like, cell by cell, and what it shows to who runs nothing.

nbval compares outputs; it does not notice a notebook that was stored without them.
"""

import ast
import copy
import re

import pytest
from bs4 import BeautifulSoup
from nbconvert import HTMLExporter
from nbformat import v4
from test_imports import imported_names

from helpers.execute import ROOT, normalise

FOLDER = ROOT / "notebooks"
PATHS = sorted(FOLDER.glob("*.ipynb"))
MAX_BYTES = 1_500_000
MAX_CODE_LINES, MAX_SETUP_LINES, MAX_LOOK_LINES = 15, 8, 9
MAX_LINE_LENGTH = 100

NOT_ATTEMPTED = "✎ Not attempted yet: replace the ... and run this cell again."
WHAT_WE_SEE = "**What we see.**"
FOLDED = "<details>\n<summary><b>What we see</b></summary>"  # after a bet
MACHINE_TRACES = re.compile(
    r"/(?:home|Users|tmp|work|root|opt|usr|private|var|mnt)/"
    r"|\b[A-Z]:\\[A-Za-z]|site-packages|\b0x[0-9a-fA-F]{6,}"
)
HIDES_FROM_NBVAL = re.compile(r"NBVAL|PYTEST_VALIDATE|raises-exception|skip-execution", re.I)
LIBRARIES_OF_ROOMS = {"matplotlib", "pylab", "PIL", "ipywidgets", "IPython"}
# Last lines that show a demo, a picture with a bet in it, or a figure.
SHOWS = re.compile(
    r"_demo\(|lecture_board\(|\bdemos\.show_\w+\(|\b(pictures\.draw_\w+|draw_network)\(|\.show\("
)

# --- small views of a notebook; other tests read notebooks with them, too -----------------------


def read(path):
    return v4.reads(path.read_text(encoding="utf-8"))


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def sentences(cell):
    """Return what the pictures of a cell say in words, for who cannot see them and for nbval."""
    shown = [one.get("data", {}) for one in cell.get("outputs", [])]
    return [data.get("text/plain", "") for data in shown if "image/png" in data]


def printed_text(cell):
    """Return all text that a code cell put out: streams and text/plain, but no waking line."""
    shown = [one for one in cell.get("outputs", []) if not is_waking_line(one)]
    return "\n".join(
        one.get("text", "") or one.get("data", {}).get("text/plain", "") for one in shown
    )


def is_waking_line(output):
    return 'class="asleep"' in output.get("data", {}).get("text/html", "")


def sections(notebook):
    """Return lists of cells; each begins with a Markdown cell that holds a `## ` heading."""
    found = [[]]
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and re.search(r"^## ", cell.source, re.MULTILINE):
            found.append([])
        found[-1].append(cell)
    return found


def paragraphs(cells):
    sources = [cell.source for cell in cells if cell.cell_type == "markdown"]
    return [block.strip() for source in sources for block in re.split(r"\n\s*\n", source)]


def results(cells):
    """Return what Markdown says under "What we see": a paragraph, or all that is folded up."""
    sources = [cell.source for cell in cells if cell.cell_type == "markdown"]
    folded = [part for source in sources for part in source.split(FOLDED)[1:]]
    said = [one for one in paragraphs(cells) if one.startswith(WHAT_WE_SEE)]
    return [part.partition("</details>")[0] for part in folded] + [
        one.removeprefix(WHAT_WE_SEE) for one in said
    ]


def is_exercise(cell):
    return "exercise" in cell.metadata.get("tags", [])


# --- the rules ----------------------------------------------------------------------------------


@pytest.fixture(params=PATHS, ids=[path.stem for path in PATHS])
def notebook(request):
    return read(request.param)


def test_it_is_stored_as_helpers_execute_stores_it(notebook):
    """Format, ids, slides, alternative texts; no widget state, timings or versions."""
    assert normalise(copy.deepcopy(notebook)) == notebook
    assert len(v4.writes(notebook).encode()) <= MAX_BYTES


def test_it_was_executed_from_top_to_bottom_without_errors_and_warnings(notebook):
    counts = [cell.execution_count for cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1))
    shown = [one for cell in code_cells(notebook) for one in cell.outputs]
    assert {one.output_type for one in shown} <= {"stream", "display_data", "execute_result"}
    assert {one.get("name", "stdout") for one in shown} <= {"stdout"}
    # What nbval compares, and pictures: no HTML but the waking lines.
    kinds = {kind for one in shown if not is_waking_line(one) for kind in one.get("data", {})}
    assert kinds <= {"text/plain", "text/markdown", "image/png"}


def test_it_names_nothing_of_the_machine_and_hides_nothing_from_nbval(notebook):
    for cell in notebook.cells:
        assert not MACHINE_TRACES.search(f"{cell.source}\n{printed_text(cell)}"), cell.source
        tags = cell.metadata.get("tags", [])
        is_code = cell.cell_type == "code"
        assert not is_code or not HIDES_FROM_NBVAL.search(" ".join([cell.source, *tags]))


def test_its_first_cell_says_what_you_will_do_and_how_long_it_takes(notebook):
    assert re.search(r"\A# \S(?s:.)*You will(?s:.)*\d+ minutes", notebook.cells[0].source)


def test_code_cells_are_short(notebook):
    allowed = MAX_SETUP_LINES
    for cell in code_cells(notebook):
        lines = cell.source.splitlines()
        assert 1 <= len(lines) <= allowed, cell.source
        assert max(map(len, lines)) <= MAX_LINE_LENGTH, cell.source
        allowed = MAX_CODE_LINES


def test_cells_define_nothing_but_look_and_exercises_and_draw_nothing(notebook):
    for cell in code_cells(notebook):
        for node in ast.walk(ast.parse(cell.source)):  # plain Python: no magics
            assert not isinstance(node, (ast.ClassDef, ast.AsyncFunctionDef)), cell.source
            if isinstance(node, ast.FunctionDef) and not is_exercise(cell):
                assert node.name == "look", cell.source
                assert node.end_lineno - node.lineno < MAX_LOOK_LINES, cell.source
        libraries = {name.split(".")[0] for name in imported_names(cell.source)}
        assert not libraries & LIBRARIES_OF_ROOMS, cell.source


def test_an_exercise_is_a_function_with_a_blank_and_its_check(notebook):
    for cell in filter(is_exercise, code_cells(notebook)):
        function, call = ast.parse(cell.source).body[-2:]
        assert ast.unparse(call) == f"exercises.check_{function.name}({function.name})"
        assert "..." in cell.source and printed_text(cell) == NOT_ATTEMPTED


def test_every_demo_has_its_picture_and_every_picture_its_words(notebook):
    for cells in sections(notebook):
        for cell in cells:
            shows = cell.cell_type == "code" and SHOWS.search(cell.source.splitlines()[-1])
            assert bool(shows) == bool(sentences(cell)), cell.source
            for said in sentences(cell):
                assert len(said.split()) >= 5 and said[-1] in ".?!" and said[0] != "<", said
        blocks = paragraphs(cells)
        if any(map(sentences, cells)):
            assert results(cells), blocks[0]
        for block in blocks:  # in no other form, so that its numerals are found
            n_phrases = len(re.findall(r"what we see\b", block, re.IGNORECASE))
            assert n_phrases <= block.startswith((WHAT_WE_SEE, FOLDED)), block


def test_an_export_shows_the_pictures_with_their_sentences_and_waits_for_no_kernel(notebook):
    page, _ = HTMLExporter(template_name="classic").from_notebook_node(notebook)
    parsed = BeautifulSoup(page, "html.parser")
    images = parsed.find_all("img")
    said = [sentence for cell in notebook.cells for sentence in sentences(cell)]
    assert [image["alt"] for image in images] == said
    assert all(image["src"].startswith("data:image/png;base64,") for image in images)
    assert not parsed.find_all("script", type=re.compile("widget"))


# --- numerals in prose --------------------------------------------------------------------------

# A number, perhaps with "± number", that carries a decimal point, %, × or ±. "28×28" is a shape,
# "x_1" a name, "1,000" and "512" are counts: none of them is meant.
_NUMBER = r"(?:(?:\d{1,3}(?:,\d{3})+|\d+)?\.\d+|\d{1,3}(?:,\d{3})+|\d+)"
_NUMERAL = re.compile(
    rf"(?<![\w.])(?P<before>[-×±]?)(?P<number>{_NUMBER})"
    rf"(?P<spread>%?±{_NUMBER})?(?P<after>%|×(?!\w|\s*\d))?"
)


def measured_numerals(prose):
    """Return the numerals of `prose` that carry a decimal point, %, × or ±, in normal form."""
    found = []
    for match in _NUMERAL.finditer(normal_form(prose)):
        is_measured = "." in match["number"] or match["spread"] or match["after"]
        if is_measured or match["before"] in {"×", "±"}:
            found.append(match.group())
    return found


def normal_form(text):
    """Return `text` without emphasis and math marks, with one way of writing ±, × and minus."""
    text = text.replace(r"\pm", "±").replace(r"\times", "×").replace(r"\%", "%")
    text = re.sub(r"[*`$~]|(?<!\w)_|_(?!\w)", "", text).replace("\N{MINUS SIGN}", "-")
    text = re.sub(r"(?<=\d)\s*[x×](?!\w)|(?<![\w.])x(?=\d)", "×", text)
    text = re.sub(r"(?<=\d)\s+%", "%", text)
    text = re.sub(r"(?<=[\d%])\s+±", "±", text)
    return re.sub(r"([×±])\s+(?=\d)", r"\1", text)


def is_printed(numeral, text):
    """Is `numeral` in `text` as it stands, and not as a part of a longer number?"""
    start = r"(?<![\d.])" if numeral[0] in ".0123456789" else ""
    whole = rf"{start}{re.escape(numeral)}(?![\d%×±]|\.\d)"
    return bool(re.search(whole, normal_form(text)))


def test_what_the_prose_quotes_was_printed_in_its_section(notebook):
    for cells in sections(notebook):
        text = "\n".join(map(printed_text, cells))
        for said in results(cells):
            assert [one for one in measured_numerals(said) if not is_printed(one, text)] == [], said
