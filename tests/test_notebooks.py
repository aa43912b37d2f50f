"""What each stored notebook must be like, cell by cell.

nbval compares outputs; it does not notice a notebook that was stored without them. The rules here
close that gap and hold what the course promises of its notebooks. Each rule is a function that
takes a notebook and returns its complaints; each is shown to fail on an altered copy.
"""

import ast
import copy
import re
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat import v4

from helpers.execute import CELL_METADATA, NOTEBOOK_METADATA, ROOT, normalise

RELEASE = (
    "00_lecture_demos",
    "01_covariate_shift",
    "02_batch_norm_mechanics",
    "03_hidden_layer_stability",
    "04_minibatch_noise",
    "05_weighing_the_evidence",
)
FOLDER = ROOT / "notebooks"
MAX_BYTES = 1_500_000
MAX_CODE_LINES = 15
MAX_SETUP_LINES = 8
MAX_LOOK_LINES = 9
MAX_LINE_LENGTH = 100
MAX_LINES_ABOVE_PICTURE = 6  # on a slide

NOT_ATTEMPTED = "✎ Not attempted yet: replace the ... and run this cell again."

TEXT_TYPES = {"text/plain", "text/markdown"}
IMAGE_TYPES = {"image/png", "image/jpeg"}
WHAT_WE_SEE = "**What we see.**"


def read(path):
    if not path.is_file():
        pytest.fail(f"{path.relative_to(ROOT)} is missing from the release")
    return v4.reads(path.read_text(encoding="utf-8"))


# --- small views of a notebook ---------------------------------------------------------------


def code_cells(notebook):
    """Yield (1-based number among the code cells, cell)."""
    yield from enumerate((c for c in notebook.cells if c.cell_type == "code"), start=1)


def outputs(notebook):
    """Yield (name of the code cell, output)."""
    for number, cell in code_cells(notebook):
        for output in cell.outputs:
            yield f"code cell {number}", output


def has_image(cell):
    return cell.cell_type == "code" and any(
        IMAGE_TYPES & set(output.get("data", {})) for output in cell.outputs
    )


def printed_text(cell):
    """Return all text that a code cell put out: streams and text/plain."""
    if cell.cell_type != "code":
        return ""
    return "\n".join(
        output.get("text", "") or output.get("data", {}).get("text/plain", "")
        for output in cell.outputs
    )


def sections(notebook):
    """Return lists of cells; each begins with a Markdown cell that holds a `## ` heading."""
    found = [[]]
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and re.search(r"^## ", cell.source, re.MULTILINE):
            found.append([])
        found[-1].append(cell)
    return found


def paragraphs(cells):
    """Yield the paragraphs (set apart by blank lines) of the Markdown cells among `cells`."""
    for cell in cells:
        if cell.cell_type == "markdown":
            yield from (block.strip() for block in re.split(r"\n\s*\n", cell.source))


def is_sentence(text):
    return len(text.split()) >= 5 and text.rstrip()[-1] in ".?!" and not text.startswith("<")


def is_exercise(cell):
    return "exercise" in cell.metadata.get("tags", [])


def syntax_trees(notebook):
    """Yield (name of the code cell, syntax tree); a magic has no tree and is left out."""
    for number, cell in code_cells(notebook):
        try:
            yield f"code cell {number}", ast.parse(cell.source)
        except SyntaxError:
            continue


# --- the rules --------------------------------------------------------------------------------


def valid_format(notebook):
    """The file is valid nbformat 4.5, each cell with an id of its own."""
    if (notebook.nbformat, notebook.nbformat_minor) != (4, 5):
        return [f"format {notebook.nbformat}.{notebook.nbformat_minor} instead of 4.5"]
    ids = [cell.get("id") for cell in notebook.cells]
    if None in ids or len(set(ids)) < len(ids):
        return ["a cell without an id, or two cells with the same"]
    try:
        nbformat.validate(notebook)
    except nbformat.ValidationError as error:
        return [str(error)]
    return []


def executed_from_top_to_bottom(notebook):
    """Every code cell ran, in order, in a new kernel."""
    return [
        f"code cell {number} has execution_count {cell.execution_count}"
        for number, cell in code_cells(notebook)
        if cell.execution_count != number
    ]


def no_errors(notebook):
    return [
        f"{where} stores an error: {output.ename}"
        for where, output in outputs(notebook)
        if output.output_type == "error"
    ]


def no_stderr(notebook):
    """Warnings name files and process ids, which differ on each machine."""
    return [
        f"{where} wrote to stderr: {output.text[:200]!r}"
        for where, output in outputs(notebook)
        if output.output_type == "stream" and output.name != "stdout"
    ]


def known_output_types(notebook):
    """Only types that nbval can compare, and pictures: no HTML, no widget views."""
    return [
        f"{where} stores {mime_type}"
        for where, output in outputs(notebook)
        for mime_type in output.get("data", {})
        if mime_type not in TEXT_TYPES | IMAGE_TYPES
    ]


def normalised_metadata(notebook):
    """No widget state, no timings, nothing of the machine that executed."""
    complaints = []
    if notebook.metadata != NOTEBOOK_METADATA:
        complaints.append(f"notebook metadata {dict(notebook.metadata)}")
    for index, cell in enumerate(notebook.cells, start=1):
        if not set(cell.metadata) <= CELL_METADATA:
            complaints.append(f"cell {index} has metadata {sorted(cell.metadata)}")
    for where, output in outputs(notebook):
        if not set(output.get("metadata", {})) <= set(output.get("data", {})):
            complaints.append(f"{where} has output metadata {sorted(output.metadata)}")
    return complaints


MACHINE_TRACES = re.compile(
    r"/(?:home|Users|tmp|work|root|opt|usr|private|var|mnt)/"
    r"|\b[A-Z]:\\[A-Za-z]|site-packages|\b0x[0-9a-fA-F]{6,}"
)


def no_machine_traces(notebook):
    """No absolute paths and no memory addresses, in sources or outputs."""
    complaints = []
    for index, cell in enumerate(notebook.cells, start=1):
        for trace in MACHINE_TRACES.finditer(f"{cell.source}\n{printed_text(cell)}"):
            complaints.append(f"cell {index} names {trace.group()!r}")
    return complaints


def small_file(notebook):
    size = len(v4.writes(notebook).encode("utf-8"))
    return [f"{size} bytes, allowed are {MAX_BYTES}"] if size > MAX_BYTES else []


def short_code_cells(notebook):
    complaints = []
    for number, cell in code_cells(notebook):
        allowed = MAX_SETUP_LINES if number == 1 else MAX_CODE_LINES
        lines = cell.source.splitlines()
        if not 1 <= len(lines) <= allowed:
            complaints.append(f"code cell {number} has {len(lines)} lines, allowed are {allowed}")
        if any(len(line) > MAX_LINE_LENGTH for line in lines):
            complaints.append(f"code cell {number} has a line above {MAX_LINE_LENGTH} characters")
    return complaints


def is_look(function):
    return function.name == "look" and function.end_lineno - function.lineno < MAX_LOOK_LINES


def only_plain_lines(notebook):
    """No classes, no functions, no magics: a cell is a few lines to be read.

    What the learner fills in, in a cell tagged "exercise", is a function, and so is the short
    `look` that says what an experiment measures.
    """
    complaints = []
    exercises = {f"code cell {n}" for n, cell in code_cells(notebook) if is_exercise(cell)}
    for where, tree in syntax_trees(notebook):
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and (where in exercises or is_look(node)):
                continue
            if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                complaints.append(f"{where} defines {node.name}")
    with_tree = {where for where, _ in syntax_trees(notebook)}
    for number, _ in code_cells(notebook):
        if f"code cell {number}" not in with_tree:
            complaints.append(f"code cell {number} is not plain Python")
    return complaints


def exercises_are_blank(notebook):
    """A cell tagged "exercise" holds one function with a blank and hands it to its check."""
    complaints = []
    for number, cell in code_cells(notebook):
        if not is_exercise(cell):
            continue
        function, call = [None, None, *ast.parse(cell.source).body][-2:]
        name = getattr(function, "name", None)
        wanted = f"exercises.check_{name}({name})"
        if name is None or call is None or ast.unparse(call) != wanted:
            complaints.append(f"code cell {number} must end with a function and its check")
        elif "..." not in cell.source or printed_text(cell) != NOT_ATTEMPTED:
            complaints.append(f"code cell {number} is not blank: {printed_text(cell)!r}")
    return complaints


def no_plotting_code(notebook):
    """Pictures and controls come from the notebook's room."""
    complaints = []
    for where, tree in syntax_trees(notebook):
        for node in ast.walk(tree):
            names = [alias.name for alias in getattr(node, "names", []) if hasattr(alias, "name")]
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                if name.split(".")[0] in {"matplotlib", "pylab", "PIL", "ipywidgets", "IPython"}:
                    complaints.append(f"{where} imports {name}")
    return complaints


def nothing_hidden_from_nbval(notebook):
    """No comment or tag that tells nbval to skip a cell or not to compare it."""
    marker = re.compile(r"NBVAL|PYTEST_VALIDATE|raises-exception|skip-execution", re.IGNORECASE)
    return [
        f"code cell {number} is marked {marker.search(text).group()}"
        for number, cell in code_cells(notebook)
        for text in [cell.source, *cell.metadata.get("tags", [])]
        if marker.search(text)
    ]


def opening_cell(notebook):
    """Title, what you will do, and how long it takes."""
    first = notebook.cells[0]
    wanted = {
        "a title": r"\A# \S",
        "'You will'": r"You will",
        "what it needs": r"(?i)\bneeds?\b",
        "the minutes": r"\d+ minutes",
    }
    return [
        f"the first cell lacks {what}"
        for what, pattern in wanted.items()
        if first.cell_type != "markdown" or not re.search(pattern, first.source)
    ]


def images_say_their_sentence(notebook):
    """An image comes with a fixed sentence in words, for who cannot see it and for nbval."""
    return [
        f"{where} shows an image whose text/plain is {output.data.get('text/plain')!r}"
        for where, output in outputs(notebook)
        if IMAGE_TYPES & set(output.get("data", {}))
        and not is_sentence(output.data.get("text/plain", "-"))
    ]


def images_stand_beside_prose(notebook):
    """Directly before or after a figure a Markdown cell says in words what is to be seen."""
    complaints = []
    for index, cell in enumerate(notebook.cells):
        if has_image(cell):
            beside = notebook.cells[max(index - 1, 0) : index + 2]
            if not any(is_sentence(p) for p in paragraphs(beside) if not p.startswith("#")):
                complaints.append(f"no sentence beside the image of cell {index + 1}")
    return complaints


def sections_with_images_say_what_we_see(notebook):
    """`**What we see.**` opens a paragraph, in each section with a figure and in no other form."""
    complaints = []
    for cells in sections(notebook):
        blocks = list(paragraphs(cells))
        title = blocks[0].splitlines()[0] if blocks else "(no heading)"
        if any(map(has_image, cells)) and not any(b.startswith(WHAT_WE_SEE) for b in blocks):
            complaints.append(f"{title}: no paragraph begins with {WHAT_WE_SEE}")
        for block in blocks:
            n_phrases = len(re.findall(r"what we see\b", block, re.IGNORECASE))
            if n_phrases > block.startswith(WHAT_WE_SEE):
                complaints.append(f"{title}: write {WHAT_WE_SEE}, at the start of a paragraph")
    return complaints


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


def slides_are_marked(notebook):
    """`helpers.execute` gave each cell its place; a picture leaves no room for long code."""
    complaints = []
    for index, cell in enumerate(notebook.cells, start=1):
        kind = cell.metadata.get("slideshow", {}).get("slide_type")
        if kind not in {"slide", "subslide", "notes", "skip"}:
            complaints.append(f"cell {index} has no place in the slides: {kind!r}")
        if kind == "subslide" and has_image(cell):
            printed = "".join(output.get("text", "") for output in cell.outputs)
            n_lines = len([*cell.source.splitlines(), *printed.splitlines()])
            if n_lines > MAX_LINES_ABOVE_PICTURE:
                complaints.append(
                    f"cell {index} has {n_lines} lines of code and text above its picture, "
                    f"allowed are {MAX_LINES_ABOVE_PICTURE}: split it"
                )
    return complaints


def measured_numerals_are_printed(notebook):
    """What the prose quotes was printed by the code of the same section."""
    complaints = []
    for cells in sections(notebook):
        text = "\n".join(printed_text(cell) for cell in cells)
        for block in paragraphs(cells):
            if block.startswith(WHAT_WE_SEE):
                complaints += [
                    f"{numeral!r} is printed nowhere in the section of {block[:60]!r}"
                    for numeral in measured_numerals(block.removeprefix(WHAT_WE_SEE))
                    if not is_printed(numeral, text)
                ]
    return complaints


RULES = (
    valid_format,
    executed_from_top_to_bottom,
    no_errors,
    no_stderr,
    known_output_types,
    normalised_metadata,
    no_machine_traces,
    small_file,
    short_code_cells,
    only_plain_lines,
    exercises_are_blank,
    no_plotting_code,
    nothing_hidden_from_nbval,
    opening_cell,
    images_say_their_sentence,
    images_stand_beside_prose,
    sections_with_images_say_what_we_see,
    slides_are_marked,
    measured_numerals_are_printed,
)


# --- the course keeps the rules ---------------------------------------------------------------

NAMES = sorted({*RELEASE, *(path.stem for path in FOLDER.glob("*.ipynb"))})


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("name", NAMES)
def test_notebook_keeps_the_rule(name, rule):
    complaints = rule(read(FOLDER / f"{name}.ipynb"))
    assert not complaints, "\n".join(complaints)


def test_the_folder_holds_notebooks_only():
    strangers = [
        path.name
        for path in FOLDER.iterdir()
        if path.suffix != ".ipynb" and path.name != ".ipynb_checkpoints"
    ]
    assert strangers == []


# --- each rule can fail -----------------------------------------------------------------------


def good_notebook():
    """A notebook, made here, that keeps all the rules."""
    setup = v4.new_code_cell("import numpy as np")
    printing = v4.new_code_cell(
        "print(gap)", outputs=[v4.new_output("stream", name="stdout", text="gap 0.65 ± 0.02\n")]
    )
    figure = v4.new_code_cell(
        "picture",
        outputs=[
            v4.new_output(
                "execute_result",
                data={"image/png": "iVBORw0KGgo=", "text/plain": "Two bars, the left one higher."},
                execution_count=3,
            )
        ],
    )
    notebook = v4.new_notebook(
        cells=[
            v4.new_markdown_cell("# A title\n\nYou will look. Needs nothing; 20 minutes."),
            setup,
            v4.new_markdown_cell("## Is there a gap?"),
            printing,
            figure,
            v4.new_markdown_cell("**What we see.** The left bar is higher by **0.65 ± 0.02**."),
            v4.new_code_cell(
                "def twice(x):\n    return ...\n\nexercises.check_twice(twice)",
                metadata={"tags": ["exercise"]},
                outputs=[
                    v4.new_output(
                        "execute_result", data={"text/plain": NOT_ATTEMPTED}, execution_count=4
                    )
                ],
            ),
        ],
        metadata=copy.deepcopy(NOTEBOOK_METADATA),
    )
    for number, cell in code_cells(notebook):
        cell.execution_count = number
    return normalise(notebook)


SETUP, PRINTING, FIGURE, PROSE, EXERCISE = 1, 3, 4, 5, 6


def source_becomes(index, source):
    def alter(notebook):
        notebook.cells[index].source = source

    return alter


def prints(text):
    def alter(notebook):
        notebook.cells[PRINTING].outputs[0].text = text

    return alter


def data_becomes(**data):
    """Set (or with None remove) types of the figure's data; `image_png` is image/png."""

    def alter(notebook):
        stored = notebook.cells[FIGURE].outputs[0].data
        for name, value in data.items():
            mime_type = name.replace("_", "/", 1)
            stored.pop(mime_type, None)
            if value is not None:
                stored[mime_type] = value

    return alter


def appends_output(kind, **content):
    def alter(notebook):
        notebook.cells[PRINTING].outputs.append(v4.new_output(kind, **content))

    return alter


def widget_view(notebook):
    mime_type = "application/vnd.jupyter.widget-view+json"
    notebook.cells[FIGURE].outputs[0].data[mime_type] = {"model_id": "0"}


def cell_metadata(index, **metadata):
    def alter(notebook):
        notebook.cells[index].metadata.update(metadata)

    return alter


def notebook_metadata(**metadata):
    return lambda notebook: notebook.metadata.update(metadata)


def never_ran(notebook):
    notebook.cells[PRINTING].update(execution_count=None, outputs=[])


def ran_twice(notebook):
    notebook.cells[FIGURE].execution_count = 4


def older_format(notebook):
    notebook.nbformat_minor = 4


def same_id_twice(notebook):
    notebook.cells[1].id = notebook.cells[0].id


def without_its_prose(notebook):
    del notebook.cells[PROSE]


def only_a_heading_beside(notebook):
    notebook.cells[PROSE].source = "### And now something else, in more words."


def prose_in_another_section(notebook):
    notebook.cells.insert(PROSE, v4.new_markdown_cell("## Is there another gap?"))


def older_python(notebook):
    notebook.metadata["language_info"]["version"] = "3.11.2"


ALTERATIONS = [
    (valid_format, older_format),
    (valid_format, same_id_twice),
    (valid_format, lambda notebook: notebook.cells[0].pop("id")),
    (valid_format, lambda notebook: notebook.cells[PRINTING].pop("outputs")),
    (executed_from_top_to_bottom, never_ran),
    (executed_from_top_to_bottom, ran_twice),
    (no_errors, appends_output("error", ename="ValueError", evalue="", traceback=[])),
    (no_stderr, appends_output("stream", name="stderr", text="a warning\n")),
    (known_output_types, widget_view),
    (known_output_types, data_becomes(text_html="<b>0.65</b>")),
    (known_output_types, appends_output("display_data", data={"image/svg+xml": "<svg/>"})),
    (normalised_metadata, notebook_metadata(widgets={})),
    (normalised_metadata, older_python),
    (normalised_metadata, cell_metadata(SETUP, execution={"iopub.status.busy": "now"})),
    (normalised_metadata, cell_metadata(PROSE, ExecuteTime={"end_time": "now"})),
    (
        normalised_metadata,
        appends_output("display_data", data={"text/plain": "a"}, metadata={"took": 1}),
    ),
    (no_machine_traces, prints("read /home/ada/data.npz\n")),
    (no_machine_traces, prints("read /Users/ada/data.npz\n")),
    (no_machine_traces, prints("read C:\\data\\faces.npz\n")),
    (no_machine_traces, prints("lib/site-packages/numpy\n")),
    (no_machine_traces, prints("<Picture at 0x7f3a2c0d1e50>\n")),
    (no_machine_traces, data_becomes(text_plain="See /tmp/picture.png for the whole picture.")),
    (no_machine_traces, source_becomes(PROSE, "**What we see.** See /work/notes.md.")),
    (small_file, data_becomes(image_png="A" * 1_500_001)),
    (short_code_cells, source_becomes(PRINTING, "\n".join(["x = 1"] * 16))),
    (short_code_cells, source_becomes(SETUP, "\n".join(["x = 1"] * 9))),
    (short_code_cells, source_becomes(PRINTING, "")),
    (short_code_cells, source_becomes(PRINTING, f"x = {'1' * 97}")),
    (only_plain_lines, source_becomes(PRINTING, "class Layer:\n    pass")),
    (only_plain_lines, source_becomes(PRINTING, "def forward(x):\n    return x")),
    (only_plain_lines, source_becomes(PRINTING, "%timeit forward(x)")),
    (only_plain_lines, source_becomes(PRINTING, "!pip install more")),
    (only_plain_lines, source_becomes(EXERCISE, "class Twice:\n    pass")),
    (only_plain_lines, cell_metadata(EXERCISE, tags=[])),
    (exercises_are_blank, source_becomes(EXERCISE, "def twice(x):\n    return 2 * x")),
    (exercises_are_blank, source_becomes(EXERCISE, "exercises.check_twice(...)")),
    (
        exercises_are_blank,
        source_becomes(EXERCISE, "def twice(x):\n    return 2 * x\n\nexercises.check_twice(twice)"),
    ),
    (exercises_are_blank, lambda notebook: notebook.cells[EXERCISE].outputs.clear()),
    (no_plotting_code, source_becomes(SETUP, "import matplotlib.pyplot as plt")),
    (no_plotting_code, source_becomes(SETUP, "from matplotlib.figure import Figure")),
    (no_plotting_code, source_becomes(SETUP, "import numpy as np, ipywidgets as w")),
    (nothing_hidden_from_nbval, source_becomes(PRINTING, "# NBVAL_IGNORE_OUTPUT\nprint(gap)")),
    (nothing_hidden_from_nbval, cell_metadata(PRINTING, tags=["nbval-skip"])),
    (nothing_hidden_from_nbval, cell_metadata(PRINTING, tags=["raises-exception"])),
    (opening_cell, source_becomes(0, "No title. You will look. Needs nothing; 20 minutes.")),
    (opening_cell, source_becomes(0, "# A title\n\nNeeds nothing; 20 minutes.")),
    (opening_cell, source_becomes(0, "# A title\n\nYou will look. 20 minutes.")),
    (opening_cell, source_becomes(0, "# A title\n\nYou will look. Needs time.")),
    (opening_cell, lambda notebook: notebook.cells.pop(0)),
    (images_say_their_sentence, data_becomes(text_plain=None)),
    (images_say_their_sentence, data_becomes(text_plain="")),
    (images_say_their_sentence, data_becomes(text_plain="<Figure size 640x480 with 1 Axes>")),
    (images_say_their_sentence, data_becomes(text_plain="Two bars.")),
    (images_stand_beside_prose, without_its_prose),
    (images_stand_beside_prose, only_a_heading_beside),
    (sections_with_images_say_what_we_see, source_becomes(PROSE, "The left bar is higher.")),
    (sections_with_images_say_what_we_see, source_becomes(PROSE, "What we see: a left bar.")),
    (sections_with_images_say_what_we_see, prose_in_another_section),
    (slides_are_marked, lambda notebook: notebook.cells[PROSE].metadata.pop("slideshow")),
    (slides_are_marked, source_becomes(FIGURE, "\n".join(["x = 1"] * 6) + "\npicture")),
    (measured_numerals_are_printed, prints("gap 0.64 ± 0.02\n")),
    (measured_numerals_are_printed, prose_in_another_section),
]


def test_the_good_notebook_keeps_all_rules():
    notebook = good_notebook()
    assert {rule.__name__: rule(notebook) for rule in RULES if rule(notebook)} == {}


@pytest.mark.parametrize(
    ("rule", "alter"), ALTERATIONS, ids=lambda function: getattr(function, "__name__", None)
)
def test_rule_complains_about_an_altered_copy(rule, alter):
    notebook = good_notebook()
    alter(notebook)
    assert rule(notebook)


def test_every_rule_is_shown_to_fail():
    assert {rule for rule, _ in ALTERATIONS} == set(RULES)


def test_a_missing_notebook_is_a_failure(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    with pytest.raises(pytest.fail.Exception, match="01_covariate_shift"):
        read(Path(tmp_path, "notebooks", "01_covariate_shift.ipynb"))


# --- numerals in prose ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prose", "numerals"),
    [
        ("by **0.65 ± 0.02** at 64", ["0.65±0.02"]),
        ("from .982 to .651.", [".982", ".651"]),
        ("67.8% or 79.1 %", ["67.8%", "79.1%"]),
        ("about half, 50%, of 300", ["50%"]),
        ("3x faster, 2.5× here, ×3 there, 4 x", ["3×", "2.5×", "×3", "4×"]),
        ("$-0.012 \\pm 0.003$ and −0.5", ["-0.012±0.003", "-0.5"]),
        ("between 0.1-0.3", ["0.1", "0.3"]),
        ("142 ± 14 steps", ["142±14"]),
        ("the spread is ±3", ["±3"]),
        ("1,234.5 of 10,000", ["1,234.5"]),
        ("28x28 pixels, 28 × 28, $x_1$, 16 seeds, group 8, in 2016.", []),
        ("67.8 ± 2.2%, 67.8% ± 2.2%", ["67.8±2.2%", "67.8%±2.2%"]),
        ("an interval [0.63,0.67], p=.5, _1.5_", ["0.63", "0.67", ".5", "1.5"]),
        ("`learning_rate=0.1`", ["0.1"]),
    ],
)
def test_measured_numerals_of_a_prose(prose, numerals):
    assert measured_numerals(prose) == numerals


@pytest.mark.parametrize(
    ("numeral", "text", "printed"),
    [
        ("0.65", "gap 0.65", True),
        ("0.65", "gap 0.65.", True),
        ("0.65", "gap -0.65", True),
        ("-0.65", "gap 0.65", False),
        ("0.65", "gap 10.65", False),
        ("0.65", "gap 0.651", False),
        (".65", "gap 0.65", False),
        ("0.65", "gap 0.65 ± 0.02", False),
        ("0.65±0.02", "gap 0.65 ± 0.02", True),
        ("0.65±0.02", "gap 0.65 ± 0.025", False),
        ("0.65±0.02", "gap 10.65 ± 0.02", False),
        ("±0.02", "gap 0.65 ± 0.02", True),
        ("67.8%", "67.8 %", True),
        ("67.8%", "67.8", False),
        ("67.8", "67.8%", False),
        ("3×", "3x as fast", True),
        ("3×", "13x as fast", False),
    ],
)
def test_a_numeral_counts_only_as_it_was_printed(numeral, text, printed):
    assert is_printed(numeral, text) is printed


def test_the_plain_text_of_a_figure_counts_as_printed():
    notebook = good_notebook()
    prints("\n")(notebook)
    data_becomes(text_plain="The left bar is higher by 0.65 ± 0.02.")(notebook)
    assert measured_numerals_are_printed(notebook) == []


def test_numerals_outside_of_what_we_see_are_free():
    notebook = good_notebook()
    notebook.cells.append(v4.new_markdown_cell("In 2016 others found 93.6%."))
    assert measured_numerals_are_printed(notebook) == []
