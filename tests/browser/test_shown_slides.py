"""Slides at 1280 x 720, without a network: nothing is cut, keys turn them, S shows the notes."""

import re
import subprocess
import sys

import pytest

from helpers.execute import ROOT

# What sticks out of the window, of the slide that is shown.
CUT = """() => [...document.querySelectorAll(
        "section.shown > :not(aside), section.shown li, section.shown img")]
    .filter((one) => { const at = one.getBoundingClientRect();
        return at.left < 0 || at.top < 0 || at.right > innerWidth || at.bottom > innerHeight })
    .map((one) => one.textContent || one.alt)"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("slides")
    command = "-m nbconvert --to slides --config helpers/slides/config.py --output-dir".split()
    paths = sorted((ROOT / "notebooks").glob("*.ipynb"))
    subprocess.run([sys.executable, *command, folder, *paths], cwd=ROOT, check=True)
    return folder


def test_no_slide_is_cut_and_one_key_shows_them_all(folder, chromium):
    page = chromium.new_page(viewport={"width": 1280, "height": 720})
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    for path in sorted(folder.glob("*.html")):
        page.goto(path.as_uri())
        n_slides = page.locator("section").count()
        for number in range(1, n_slides + 1):
            assert page.locator("footer").text_content() == f"{number} / {n_slides}"
            assert page.locator("section.shown").count() == 1 and not page.evaluate(CUT)
            page.keyboard.press("PageDown")
        assert page.url.endswith(f"#{n_slides}") and n_slides >= 3
        printed = page.pdf(prefer_css_page_size=True)
        assert len(re.findall(rb"/Type\s*/Page\b", printed)) == n_slides
    assert {url.partition(":")[0] for url in asked} <= {"file", "data"}
    page.close()


def test_the_notes_stand_in_a_window_of_their_own_and_follow(folder, chromium):
    page = chromium.new_page()
    page.goto((folder / "01_covariate_shift.slides.html").as_uri())
    with page.expect_popup() as opened:
        page.keyboard.press("s")
    notes = opened.value
    heading = page.locator("section.shown :is(h1, h2)").first
    first, said = heading.text_content(), notes.text_content("body")
    page.keyboard.press("Space")
    assert first in said and said.endswith(f"Next: {heading.text_content()}")
    assert heading.text_content() in notes.text_content("body") != said
    page.reload()
    assert page.url.endswith("#2") and page.locator("section.shown h1").text_content()[0] == "1"
    page.close()
