"""Turns a notebook into slides, for nbconvert: a sentence, a bet, a picture or a formula on each.

    jupyter nbconvert --to slides --config helpers/slides/config.py notebooks/01*.ipynb

What a section says becomes the speaker's notes, and so does what its cells print and the replies to
its bets; code is left out. The page needs no network: formulas are drawn here, by Matplotlib.
"""

import base64
import html
import io
import re

from matplotlib import rc_context
from matplotlib.mathtext import math_to_image
from nbconvert.preprocessors import Preprocessor
from nbformat.v4 import new_markdown_cell

WORDS = 40  # on a slide
BET = "Your bet"
SUMMARY = ("- You", "**One sentence")  # how the lines of a summary begin, a slide each
RECALL = re.compile(r"\*\*Recall[^*]*\*\* ([^?]*\?)")  # not the answer behind it
POINTS = 10  # of the type in which Matplotlib draws a formula
SENTENCE = re.compile(r"(?<=[.?!)])\s+(?=[A-Z*\"$`(])")
FORMULA, IN_TEXT = re.compile(r"\$\$(.+?)\$\$", re.DOTALL), re.compile(r"\$([^$]+)\$")
NOT_READ = re.compile(r"</?details>|<summary>.*?</summary>|^> .*$|^\|.*$", re.MULTILINE)


class Slides(Preprocessor):
    """Replaces the cells by one for each slide: Markdown in metadata.slide, the notes as source."""

    def preprocess(self, nb, resources):
        """Return the notebook of slides, and the resources as they came."""
        slides = [slide for cell in nb.cells for slide in _slides_of(cell)]
        title, found, before = "", [], []
        for text, notes in slides:
            if text is None and found:
                found[-1].source += f"\n\n{notes}"
                continue
            if text is None:  # there is no slide yet
                before.append(notes)
                continue
            notes, before = "\n\n".join([*before, notes]), []
            heading = re.match(r"# (.*)(?:\n|\Z)", text)
            title = heading[1] if heading and heading[1] != BET else title
            slide = text if heading else f"## {title}\n\n{text}"
            found.append(new_markdown_cell(notes, metadata={"slide": _with_drawn_formulas(slide)}))
        nb.cells = found
        return nb, resources


def _slides_of(cell):
    """Yield (text, notes) of each slide that a cell makes; text None: notes to the one before."""
    kind = cell.metadata.get("slideshow", {}).get("slide_type")
    if kind == "skip":
        return
    if cell.cell_type == "markdown":
        yield from _slides_of_words(cell.source, kind)
        return
    for output in cell.outputs:
        data, marks = output.get("data", {}), output.get("metadata", {})
        words = data.get("text/plain", output.get("text", ""))
        if "image/png" in data:
            source = "data:image/png;base64," + data["image/png"].replace("\n", "")
            yield f'<img src="{source}" alt="{html.escape(words)}">', words
        elif "asks" in marks:
            yield from _bet(data["text/markdown"], marks["asks"])
        elif "replies to" in marks:
            yield None, data["text/markdown"]
        elif "text" in output:
            yield None, f"```\n{words}\n```"


def _slides_of_words(source, kind):
    notes = re.sub(r"<summary><b>(.*?)</b></summary>", r"**\1.**", source)
    notes = re.sub(r"</?details>", "", notes)
    recall, formulas = RECALL.match(source), FORMULA.findall(source)
    heading = re.match(r"#+ (.*)\n+", source)  # a heading alone is no slide
    if kind == "notes" or not (heading or recall or formulas):
        yield None, notes
        return
    if recall:
        yield f"# Recall\n\n{_last_sentences(recall[1], WORDS - 1)}", notes
    elif heading:
        title, left = heading[1], WORDS - _count(heading[1])
        rest = FORMULA.sub("", NOT_READ.sub("", source[heading.end() :])).strip()
        first, *others = re.split(r"\n\n|\n(?=- )", rest)
        points = [one.removeprefix("- ") for one in [first, *others] if one.startswith(SUMMARY)]
        lead = _first_sentences(points.pop(0) if first.startswith("- ") else first, left)
        yield f"# {title}\n\n{lead}", notes
        for point in points:
            yield _first_sentences(point, left), ""
    for formula in formulas:
        lines = re.split(r"\\q?quad", formula.replace("\n", " "))
        shown = "\n\n".join(f"$${line.strip(' ,.')}$$" for line in lines)
        yield shown, "" if heading or recall or formula != formulas[0] else notes


def _bet(text, question):
    """Yield the question and its answers, on two slides if they are too many words for one."""
    question = question[: question.rindex("?") + 1] if "?" in question else question
    answers = "\n".join(re.findall(r"^- .*", text, re.MULTILINE))
    left = WORDS - _count(BET)
    together = _last_sentences(question, left - _count(answers))
    if together == question or _count(together) > 5:  # "What is wrong?" says too little
        yield f"# {BET}\n\n{together}\n\n{answers}", text
    else:
        yield f"# {BET}\n\n{_last_sentences(question, left)}", text
        yield f"# {BET}\n\n{answers}", ""


def _first_sentences(text, limit):
    """Return as many sentences as have `limit` words at most, from the beginning.

    What leads to a formula or a list, which are not on the slide, is no sentence.
    """
    sentences = [one for one in SENTENCE.split(text) if not one.endswith((":", ","))]
    fit = [n for n in range(len(sentences) + 1) if _count(" ".join(sentences[:n])) <= limit]
    return " ".join(sentences[: fit[-1]])


def _last_sentences(text, limit):
    """Return as many sentences as have `limit` words at most, before the end."""
    sentences = SENTENCE.split(text)
    fit = [n for n in range(len(sentences) + 1) if _count(" ".join(sentences[n:])) <= limit]
    return " ".join(sentences[fit[0] :])


def _count(text):
    return len(text.split())


def _with_drawn_formulas(text):
    shown = FORMULA.sub(lambda found: _formula(found[1], "formula"), text)
    return IN_TEXT.sub(lambda found: _formula(found[1], "symbol"), shown)


def _formula(tex, kind):
    """Return an HTML image of a formula that stands on the line, sized in em."""
    tex = re.sub(r"\\frac(\w)(\w)", r"\\frac{\1}{\2}", " ".join(tex.split()))
    svg = io.BytesIO()
    with rc_context({"mathtext.fontset": "cm", "svg.hashsalt": "slides"}):
        depth = math_to_image(f"${tex}$", svg, dpi=72, format="svg", color="#1a1a1a")
    height = float(re.search(rb'height="([\d.]+)pt"', svg.getvalue())[1])
    data = base64.b64encode(svg.getvalue()).decode()
    style = f"height: {height / POINTS:.2f}em; vertical-align: {-depth / POINTS:.2f}em"
    return (f'<img class="{kind}" style="{style}" alt="{html.escape(tex)}" '
            f'src="data:image/svg+xml;base64,{data}">')
