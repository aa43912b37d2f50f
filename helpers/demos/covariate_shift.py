"""Notebook 01's demos: cats that change their coats, and a region that moves away."""

from functools import lru_cache

from helpers.demos.panel import Panel, choice, fraction_slider, switch
from helpers.demos.progress import progress_bar
from helpers.experiments.covariate_shift import measure_coats, view_coats, view_regions
from helpers.figures.covariate_shift import CoatSliderPicture, RegionPicture


def coat_demo(story=None):
    """Repaint the test faces; what did the non-cats of the training set look like?

    story: a CoatStory of `measure_coats`; None trains the networks first, once.
    """
    story = _default_story() if story is None else story

    def view(coat, shortcut, with_reference):
        return view_coats(story, coat, shortcut=shortcut, with_reference=with_reference)

    return Panel(
        controls={
            "coat": fraction_slider("coats of the test faces", 0.6, step=0.1),
            "shortcut": choice({"black": False, "any colour": True}, False, "training non-cats:"),
            "with_reference": switch("reference net"),
        },
        compute=view,
        picture=CoatSliderPicture(),
        about=(
            "A slider repaints twenty test faces from black to full colour, crosses out those "
            "that a detector trained on black cats gets wrong, and moves along the curves of all "
            "faces and of the cats recognised."
        ),
    )


@lru_cache(maxsize=1)
def _default_story():
    with progress_bar(5 * 120, "Training the cat detectors") as on_step:
        return measure_coats(on_step=on_step)


def region_demo():
    """Move the test region away from the training points, and reweight those."""
    return Panel(
        controls={
            "distance": fraction_slider("distance of the test region (sd)", 2.0, 0.0, 4.0, 0.25),
            "reweighted": switch("reweight the training points"),
        },
        compute=view_regions,
        picture=RegionPicture(),
        about=(
            "A slider moves a cloud of test points along a curved rule, away from the training "
            "points; a switch reweights the training points, and the learned line turns."
        ),
    )
