"""Colours and type of the course's pictures, for all eyes and from the last row.

Each picture's own test draws it through `check_picture`, which looks at it with `check_looks`. Here
stands what the palette promises, that no picture is left out, and that the checks can fail.
"""

import ast
import importlib
import itertools
from pathlib import Path

import numpy as np
import pytest
from looks import (
    APART,
    APART_IN_GREY,
    CONTRAST,
    STYLES,
    VISIONS,
    check_looks,
    contrast,
    distance,
    grey_distance,
    lab,
)

from helpers.page.picture import (
    NEUTRAL,
    STORED_STATISTICS,
    WITH_BATCH_NORM,
    WITHOUT_BATCH_NORM,
    Picture,
    in_course_style,
    new_figure,
)

TESTS = Path(__file__).parent


def looked_at():
    """Return the names of all classes that some test hands, directly or not, to check_picture."""
    tests = [path.read_text(encoding="utf-8") for path in TESTS.glob("test_*.py")]
    functions = [
        node
        for text in tests
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef) and "check_picture(" in ast.unparse(node)
    ]
    return {
        node.id if isinstance(node, ast.Name) else node.attr
        for function in functions
        for node in ast.walk(function)
        if isinstance(node, (ast.Name, ast.Attribute))
    }


def subclasses(one):
    return [sub for child in one.__subclasses__() for sub in (child, *subclasses(child))]


def test_every_picture_is_looked_at():
    for path in (TESTS.parent / "helpers").glob("*/pictures.py"):
        importlib.import_module(f"helpers.{path.parent.name}.pictures")
    ours = [  # those that others are made from are looked at in these
        one.__name__
        for one in subclasses(Picture)
        if one.__module__.startswith("helpers.") and one.__module__.endswith(".pictures")
    ]
    assert len(ours) > 15 and set(ours) <= looked_at()


def test_known_colours_have_the_values_of_colour_science():
    np.testing.assert_allclose(lab("white"), [100, 0, 0], atol=0.02)
    np.testing.assert_allclose(lab("red"), [53.24, 80.09, 67.20], atol=0.05)
    assert contrast("black") == pytest.approx(21) and contrast("white") == pytest.approx(1)
    assert contrast("#767676") == pytest.approx(4.54, abs=0.01)
    # Red and green of one lightness are the textbook pair of the red-green blind.
    assert distance("#b24a3c", "#5f7a2f") > 50 > 20 > distance("#b24a3c", "#5f7a2f", "deuteranopia")


def test_names_can_be_read_in_their_colour():
    for name, style in STYLES.items():
        assert contrast(style.text_colour) >= CONTRAST, name
        hue, hue_of_text = (
            np.arctan2(*lab(colour)[:0:-1]) for colour in (style.colour, style.text_colour)
        )
        assert np.abs(lab(style.colour)[1:]).max() < 5 or abs(hue - hue_of_text) < 0.35, name


def test_the_arms_of_the_story_are_told_apart_by_everybody():
    arms = ("WITH_BATCH_NORM", "STORED_STATISTICS", "WITHOUT_BATCH_NORM", "DROPOUT", "REFERENCE")
    for one, other in itertools.combinations(arms, 2):
        for vision in VISIONS:
            assert distance(STYLES[one].colour, STYLES[other].colour, vision) >= APART


def test_no_two_styles_share_both_lightness_and_line():
    for one, other in itertools.combinations(STYLES.values(), 2):
        assert one.colour != other.colour and one.hatch != other.hatch
        assert one.marker != other.marker
        if grey_distance(one.colour, other.colour) < APART_IN_GREY:
            assert one.line != other.line


# What the checks must find, drawn beside a line of WITH_BATCH_NORM's.
LINE = ([0, 1], [2, 1])
FAULTS = {
    "alike in grey": lambda axes: axes.plot(*LINE, color=WITHOUT_BATCH_NORM.colour),  # undashed
    "nobody's colour": lambda axes: axes.plot(*LINE, color="#3fae7c"),
    "too small": lambda axes: axes.text(0.5, 1.5, "a name", fontsize=11),
    "too pale": lambda axes: axes.text(0.5, 1.5, "a name", color=STORED_STATISTICS.colour),
    "leaves the figure": lambda axes: axes.text(1, 1.5, "a long name"),
    "overlap": lambda axes: axes.text(0.6, 0, "a name", va="top", ha="center"),
}


@pytest.mark.parametrize("told", FAULTS)
@in_course_style
def test_the_checks_can_fail(told):
    axes = new_figure(9, 5).subplots()
    # Ticks at 0.5 and beyond the limits: matplotlib keeps their labels, and draws none.
    axes.set(xlim=(0, 1), ylim=(0, 3.02), xlabel="training step")
    axes.plot(*LINE, **{**WITH_BATCH_NORM.of_line(), "linestyle": "-"})
    axes.plot([], [], **NEUTRAL.of_line())  # of which nothing is seen
    axes.figure.canvas.draw()
    axes.figure.set_layout_engine("none")
    check_looks(axes.figure)
    FAULTS[told](axes)
    axes.figure.canvas.draw()
    with pytest.raises(AssertionError, match=told):
        check_looks(axes.figure)
