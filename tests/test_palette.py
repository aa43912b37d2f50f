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
    check_colours,
    check_type,
    contrast,
    distance,
    drawn,
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


def axes_of(height=5):
    return new_figure(9, height).subplots()


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


def test_every_picture_is_looked_at():
    for path in (TESTS.parent / "helpers").glob("*/pictures.py"):
        importlib.import_module(f"helpers.{path.parent.name}.pictures")
    ours = [  # those that others are made from are looked at in these
        one.__name__
        for one in subclasses(Picture)
        if one.__module__.startswith("helpers.") and one.__module__.endswith(".pictures")
    ]
    assert len(ours) > 15
    assert set(ours) <= looked_at()


def subclasses(one):
    return [sub for child in one.__subclasses__() for sub in (child, *subclasses(child))]


# --- the palette -------------------------------------------------------------------------------


def test_known_colours_have_the_values_of_colour_science():
    np.testing.assert_allclose(lab("white"), [100, 0, 0], atol=0.02)
    np.testing.assert_allclose(lab("red"), [53.24, 80.09, 67.20], atol=0.05)
    assert contrast("black") == pytest.approx(21) and contrast("white") == pytest.approx(1)
    assert contrast("#767676") == pytest.approx(4.54, abs=0.01)
    # Red and green of one lightness are the textbook pair of the red-green blind.
    assert distance("#b24a3c", "#5f7a2f") > 50 > 20 > distance("#b24a3c", "#5f7a2f", "deuteranopia")
    for vision in VISIONS:  # who sees no hue sees greys as they are
        assert distance("#808080", "#808080", vision) == 0
        assert np.abs(lab("#808080", vision)[1:]).max() < 1


@pytest.mark.parametrize("name", STYLES)
def test_names_can_be_read_in_their_colour(name):
    assert contrast(STYLES[name].text_colour) >= CONTRAST
    hue, hue_of_text = (
        np.arctan2(*lab(colour)[:0:-1])
        for colour in (STYLES[name].colour, STYLES[name].text_colour)
    )
    assert np.abs(lab(STYLES[name].colour)[1:]).max() < 5 or abs(hue - hue_of_text) < 0.35


def test_one_colour_has_one_meaning():
    colours = [style.colour for style in STYLES.values()]
    assert len(set(colours)) == len(STYLES) >= 8


@pytest.mark.parametrize("vision", VISIONS)
def test_the_arms_of_the_story_are_told_apart_by_everybody(vision):
    arms = ("WITH_BATCH_NORM", "STORED_STATISTICS", "WITHOUT_BATCH_NORM", "DROPOUT", "REFERENCE")
    for one, other in itertools.combinations(arms, 2):
        assert distance(STYLES[one].colour, STYLES[other].colour, vision) >= APART


def test_no_two_styles_share_both_lightness_and_line():
    for one, other in itertools.combinations(STYLES.values(), 2):
        if grey_distance(one.colour, other.colour) < APART_IN_GREY:
            assert one.line != other.line and one.marker != other.marker
            assert one.hatch != other.hatch


# --- the checks can fail -----------------------------------------------------------------------


@in_course_style
def test_what_is_drawn_is_found_with_its_line_marker_and_hatch():
    axes = axes_of()
    axes.plot([0, 1], [0, 1], **WITH_BATCH_NORM.of_line())
    axes.plot([0, 1], [0, 1], **WITHOUT_BATCH_NORM.of_points())
    axes.bar(0, 1, **STORED_STATISTICS.of_bar())
    axes.plot([], [], **NEUTRAL.of_line())  # of which nothing is seen
    found = drawn(axes.figure)
    assert set(found) == {"WITH_BATCH_NORM", "WITHOUT_BATCH_NORM", "STORED_STATISTICS"}
    assert {kind for kind, _ in found["WITHOUT_BATCH_NORM"]} == {"marker"}
    assert found["STORED_STATISTICS"] == {("area", "..")}
    check_colours(axes.figure)


def test_two_meanings_that_are_one_in_greyscale_are_found():
    axes = axes_of()
    axes.plot([0, 1], [0, 1], color=WITH_BATCH_NORM.colour)
    axes.plot([0, 1], [1, 0], color=WITHOUT_BATCH_NORM.colour)  # without its dashes
    with pytest.raises(AssertionError, match="alike in grey"):
        check_colours(axes.figure)


def test_bars_without_their_hatches_are_found():
    axes = axes_of()
    axes.bar([0, 1], [1, 1], color=[WITH_BATCH_NORM.colour, WITHOUT_BATCH_NORM.colour])
    with pytest.raises(AssertionError, match="alike in grey"):
        check_colours(axes.figure)


def test_a_colour_without_a_meaning_is_found():
    axes = axes_of()
    axes.plot([0, 1], [0, 1], color="#3fae7c")
    with pytest.raises(AssertionError, match="nobody's colour"):
        check_colours(axes.figure)


def test_two_colours_that_some_eyes_confuse_are_found(monkeypatch):
    monkeypatch.setitem(VISIONS, "protanopia", np.full((3, 3), 1 / 3))  # sees one grey at most
    axes = axes_of()
    axes.plot([0, 1], [0, 1], **WITH_BATCH_NORM.of_line())
    axes.plot([0, 1], [1, 0], **NEUTRAL.of_line())
    with pytest.raises(AssertionError, match="protanopia"):
        check_colours(axes.figure)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ({"fontsize": 11}, "too small"),
        ({"color": STORED_STATISTICS.colour}, "too pale"),
        ({"x": 1.0, "s": "a long name"}, "leaves the figure"),
        ({"x": 0.6, "y": 0.0, "va": "top", "ha": "center"}, "overlap"),
        ({"y": 2.0, "fontsize": 30, "color": "#999999"}, "too pale"),
    ],
)
@in_course_style
def test_type_that_cannot_be_read_is_found(text, message):
    axes = axes_of()
    axes.set(xlim=(0, 1), ylim=(0, 3), xlabel="training step")
    axes.figure.canvas.draw()
    axes.figure.set_layout_engine("none")
    check_type(axes.figure)
    axes.text(**{"x": 0.5, "y": 1.5, "s": "a name", **text})
    axes.figure.canvas.draw()
    with pytest.raises(AssertionError, match=message):
        check_type(axes.figure)


@in_course_style
def test_labels_that_matplotlib_keeps_beyond_the_limits_are_no_words_of_the_picture():
    axes = axes_of()
    axes.set(ylim=(0.5, 1.02))
    axes.figure.canvas.draw()
    assert "1.1" in [label.get_text() for label in axes.get_yticklabels()]
    check_type(axes.figure)
