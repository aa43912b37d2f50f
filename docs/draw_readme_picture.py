"""Draw docs/coats.png, the picture on the README's first screen.

    python docs/draw_readme_picture.py

Trains notebook 01's cat detectors (16 seeds, about half a minute), then draws their accuracy, and
asks for that with batch norm.
"""

from itertools import pairwise
from pathlib import Path

import numpy as np

from helpers.covariate_shift.experiments import measure_coats
from helpers.covariate_shift.pictures import COAT_LABEL, LOOKS
from helpers.page.parts import Ghost, Mosaic, NamedCurves, ReferenceLine
from helpers.page.picture import REFERENCE, Picture, in_course_style
from helpers.recoloured import draw_shown

N_CATS = 6


@in_course_style
def draw(judged):
    """Return a Picture of {"plain", "reference": what `judge` returns}: cats from black to
    coloured above the accuracy on such faces.
    """
    picture = Picture(height=5.6, title="Does batch norm fix this? Bet, then drag.")
    top, bottom = picture.figure.subplots(2, 1, height_ratios=[1, 2.9])
    shown, coats = draw_shown(), np.linspace(0, 1, N_CATS)  # cats first
    cats = np.stack([shown.in_coats(coat)[cat] for cat, coat in enumerate(coats)])
    Mosaic(top, 1, N_CATS).set(cats)
    # One tile for each cat, and its coat right below on the axis.
    limits, tile = np.array([0, N_CATS + 1.9]), coats[1]
    top.set(xlim=limits, aspect="auto")
    bottom.set(xlabel=COAT_LABEL, ylabel="accuracy", ylim=(0.45, 1.02), xticks=coats)
    bottom.set(xlim=tile * (limits - 0.5))
    ReferenceLine(bottom, 0.5, "guessing", where=0.01)
    curves = {"plain": (judged["plain"]["coats"], judged["plain"]["accuracy"])}
    curves["reference"] = [1], judged["reference"]["accuracy"][-1:]
    looks = LOOKS | {"reference": (REFERENCE, "learned from colour")}
    named = NamedCurves(picture, bottom, looks)
    plain, reference = (intervals[-1] for intervals in named.set(curves).values())
    ends = [1, reference.mean, plain.mean, 0.5]
    words = "with batch norm: here?", "or here?", "or here?"
    for text, (above, below) in zip(words, pairwise(ends), strict=True):
        Ghost(bottom, offset=(13, 0)).set(1, 0.35 * above + 0.65 * below, text)
    picture.sentence = (
        f"Learned from black coats, tested in full colour: {plain} without batch norm. Learned "
        f"from coloured coats: {reference}. Three marks ask for that with batch norm."
    )
    return picture


if __name__ == "__main__":
    picture = draw(measure_coats(("plain", "reference")))
    Path(__file__).with_name("coats.png").write_bytes(picture.png())
    print(picture.sentence)
