"""For readers with other eyes or none: axe-core, spoken names, and pictures that never flash.

axe-core is an npm package; its file is found through the environment variable AXE_CORE or below
the checkout, after `npm install --no-save --no-package-lock axe-core`.
"""

import base64
import io
import os
from pathlib import Path

import numpy as np
import pytest
from nbconvert import HTMLExporter
from PIL import Image
from test_board import BoardPage
from voila_server import VoilaServer

from helpers.execute import ROOT, read_notebook

GRAVE = ("serious", "critical")

# What nbconvert's page brings along: (rule, part of the element's markup, what it is). What is
# ours, and all of JupyterLab's outputs and of the board under Voila, has no exceptions.
OF_NBCONVERT = [
    ("color-contrast", "Prompt jp-", "In [1] and Out [1] beside the cells"),
    ("color-contrast", '<span class="m', "numbers in code, its colours for syntax"),
    ("color-contrast", '<span class="c1"', "comments in code, likewise"),
    ("color-contrast", '<span class="ow"', "words such as in and not in code, likewise"),
    ("link-in-text-block", "<a href", "links in prose, which its style does not underline"),
]


@pytest.fixture(scope="session")
def axe_core():
    """The path of axe-core; without it a test fails, since what is skipped looks like success."""
    path = Path(os.environ.get("AXE_CORE") or ROOT / "node_modules/axe-core/axe.min.js")
    if not path.is_file():
        pytest.fail(
            "axe-core is missing: npm install --no-save --no-package-lock axe-core", pytrace=False
        )
    return path


def grave_violations(page, axe_core, known=(), include=None):
    """Return [(rule, markup)] of what axe finds in `include` (all) and is not in `known`."""
    page.add_script_tag(path=axe_core)
    found = page.evaluate(
        """async (include) => {
            const parts = include ? {include: include.map((one) => [one])} : document;
            const {violations} = await axe.run(parts, {resultTypes: ["violations"]});
            return violations.flatMap(({id, impact, nodes}) =>
                nodes.map(({html}) => [id, impact, html]));
        }""",
        include,
    )
    return [
        (rule, markup)
        for rule, impact, markup in found
        if impact in GRAVE
        and not any(rule == one and part in markup for one, part, _ in known)
    ]


# --- an exported notebook ----------------------------------------------------------------------

NOTEBOOKS = sorted((ROOT / "notebooks").glob("0[1-9]*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def test_an_exported_notebook(path, chromium, axe_core, tmp_path):
    html, _ = HTMLExporter().from_notebook_node(read_notebook(path))
    file = tmp_path / "exported.html"
    file.write_text(html, encoding="utf-8")
    page = chromium.new_page()
    page.route("http*://**", lambda route: route.abort())  # as without a network
    try:
        page.goto(file.as_uri())
        assert grave_violations(page, axe_core, OF_NBCONVERT) == []
    finally:
        page.close()


# --- a notebook in JupyterLab ------------------------------------------------------------------


def test_the_demos_in_jupyterlab(opened, axe_core):
    views = opened.page.locator(":has(> .spoken-names)")
    assert views.count() > 0
    assert grave_violations(opened.page, axe_core, include=[":has(> .spoken-names)"]) == []


def test_every_control_has_a_name(opened):
    said = spoken(opened.page)
    for role in ("slider", "checkbox", "radio", "radiogroup", "img", "progressbar"):
        assert all(one["name"] for one in said if one["role"] == role), role
    assert any(one["role"] in ("slider", "radiogroup", "group") for one in said)
    for one in said:
        if one["role"] == "slider":
            assert one["text"] == one["readout"] != ""


def spoken(page):
    """Return what assistive technology is told about all controls of the demos and bets."""
    return page.evaluate(
        """() => [...document.querySelectorAll(":has(> .spoken-names)")].flatMap((view) =>
            [...view.querySelectorAll("[role], input, img")].map((one) => ({
                role: one.getAttribute("role") ?? (one.tagName == "IMG" ? "img" : one.type),
                name: one.getAttribute("aria-label") ?? one.getAttribute("alt") ??
                    one.closest("label")?.textContent.trim() ?? "",
                text: one.getAttribute("aria-valuetext"),
                readout: one.closest(".widget-slider")?.querySelector(".widget-readout")
                    .textContent.trim(),
            })))"""
    )


def test_a_moved_slider_says_its_new_value(opened):
    handles = opened.page.locator(".demo [role=slider]:visible")
    if handles.count() == 0:
        pytest.skip("no demo has a slider")  # the closing quiz
    handle = handles.first
    before = handle.get_attribute("aria-valuetext")
    for key in ("Home", "End"):
        handle.press(key)
        opened.wait_until(lambda: handle.get_attribute("aria-valuetext") == readout(handle))
    assert handle.get_attribute("aria-valuetext") != "" and before != ""
    opened.settle()


def readout(handle):
    return handle.evaluate(
        "one => one.closest('.widget-slider').querySelector('.widget-readout').textContent.trim()"
    )


# --- the board ---------------------------------------------------------------------------------


def test_the_board(chromium, axe_core, tmp_path):
    voila = VoilaServer(tmp_path)
    try:
        board = BoardPage(chromium, voila.url)
        board.wait_until_all_is_built()
        for _ in ("Bet", "Reveal", "Play"):
            assert grave_violations(board.page, axe_core) == []
            board.next.click()
        board.close()
    finally:
        voila.stop()


# --- nothing flashes ---------------------------------------------------------------------------


class Screencast:
    """What the screen shows, frame by frame, as Chromium paints it."""

    def __init__(self, page):
        self.frames = []
        self.session = page.context.new_cdp_session(page)
        self.session.on("Page.screencastFrame", self._keep)

    def _keep(self, event):
        self.frames.append(event["data"])
        self.session.send("Page.screencastFrameAck", {"sessionId": event["sessionId"]})

    def __enter__(self):
        self.session.send("Page.startScreencast", {"format": "png", "everyNthFrame": 1})
        return self

    def __exit__(self, *_):
        self.session.send("Page.stopScreencast")
        self.session.detach()

    def parts(self, box):
        """Return the part of each frame that lies in `box`, as greys (height, width)."""
        corner = box["x"], box["y"]
        edges = (*corner, corner[0] + box["width"], corner[1] + box["height"])
        images = (Image.open(io.BytesIO(base64.b64decode(one))) for one in self.frames)
        return [np.asarray(one.crop(tuple(map(round, edges))).convert("L")) for one in images]


def is_blank(part):
    """A picture of the course always has a title in dark type."""
    return (part < 100).mean() < 0.001


def test_no_picture_flashes_while_a_slider_is_dragged(opened):
    """In each painted frame of a drag the picture is there; neither it nor the page moves."""
    sliders = [one for one in opened.controls() if one.demo and hasattr(one, "grabbed")]
    if not sliders:
        pytest.skip("no demo has a slider")  # the closing quiz
    slider = sliders[0]
    image = opened.page.locator(f".{slider.demo} .demo-picture")
    image.scroll_into_view_if_needed()
    with slider.grabbed() as drag_to:
        drag_to(0)
        box = image.bounding_box()
        with Screencast(opened.page) as screencast:
            for step in range(30):
                drag_to((len(slider.labels) - 1) * step / 29)
                opened.page.wait_for_timeout(40)
                assert image.bounding_box() == box
    opened.settle()
    title = {**box, "height": 0.06 * box["height"]}  # the same in all pictures of a demo
    parts, titles = screencast.parts(box), screencast.parts(title)
    assert len({part.tobytes() for part in parts}) > 2, "the picture did not follow"
    assert not any(map(is_blank, parts))
    for one in titles[1:]:
        assert np.abs(one.astype(int) - titles[0]).mean() < 3, "the title flashed"


def test_the_screencast_sees_a_flash(chromium):
    page = chromium.new_page(viewport={"width": 400, "height": 300})
    page.set_content("<div style='background: black; width: 400px; height: 300px'></div>")
    with Screencast(page) as screencast:
        page.wait_for_timeout(200)
        page.evaluate("document.querySelector('div').style.background = 'white'")
        page.wait_for_timeout(100)
        page.evaluate("document.querySelector('div').style.background = 'black'")
        page.wait_for_timeout(200)
    blank = [is_blank(part) for part in screencast.parts(dict(x=0, y=0, width=400, height=300))]
    page.close()
    assert True in blank and False in blank
