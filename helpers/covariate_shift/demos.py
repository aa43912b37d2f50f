"""Notebook 01's bets and demos: cats that change their coats, and a region that moves away."""

from functools import partial

from helpers.covariate_shift.experiments import view_coats, view_regions
from helpers.covariate_shift.pictures import CoatSliderPicture, RegionPicture
from helpers.page.panel import Panel, choice, fraction_slider, switch
from helpers.page.prediction import Answer, Scale, predict
from helpers.recoloured import draw_shown


def coat_bet():
    """Bet on the accuracy in full colour (a slider)."""
    return predict(
        "Detectors have learned from black faces, half of them cats, and recognise nearly all new "
        "black faces. Now the same test faces get coats in full colour. What share of all faces "
        "do the detectors get right? (A coin: 0.50.)",
        Scale(tuple(step / 20 for step in range(21)), tolerance=0.1,
              too_low="A coin would get one half: part of what the networks learned still works on "
              "coats that they have never seen.",
              close="The shapes still help, but what a network makes of them seems to depend on "
              "how dark the fur around them is.",
              too_high="To us a shape stays the same whatever its colour. A network learns from "
              "pixels, and every pixel of fur has changed."),
    )


def split_bet():
    """Bet on the share of the drop that is shift."""
    return predict(
        "A reference net, trained on as many coloured faces, is tested on new coloured faces, "
        "too. How much of the drop would the right training pictures have prevented?",
        Answer("more than two thirds: nearly all is shift", (2 / 3, 2),
               "Then the reference net would be nearly as good on coloured faces as the other on "
               "black ones. It is not: faces of any hue are a harder problem."),
        Answer("about half: one to two thirds", (1 / 3, 2 / 3),
               "Both causes count: unknown colours, and a harder problem whoever learns it."),
        Answer("less than a third: coloured faces are just harder", (-1, 1 / 3),
               "They are harder, yes; but from them the reference net learns what black faces "
               "could not teach."),
    )


def non_cats_bet():
    """Bet on the coloured cats found when only the cats of the training set are black."""
    return predict(
        "A detector learns from black cats among dogs, bears and rabbits of any colour. Of new "
        "cats in full colour, how many does it find? (When all training faces were black, it "
        "found about half of them.)",
        Answer("more, since it has seen colours now", (0.6, 1.01),
               "It has, but never on a cat. In training every colour was a sign of \"not a cat\"."),
        Answer("about half, as before, since its cats are just as black", (0.4, 0.6),
               "The cats are the same, the others are not: now the coat alone gives the answer."),
        Answer("hardly any", (0, 0.4),
               "In training the coat told cats from others without a mistake: why look at a face?"),
    )


def repair_bet():
    """Bet on the accuracy in full colour with batch norm, minus that without, paired."""
    return predict(
        "A detector has learned from black faces only. Train it once more, with batch norm: same "
        "faces, same initial weights, same learning rate. How does its accuracy in full colour "
        "compare with the accuracy without batch norm?",
        Answer("worse, by 0.03 (3 points) or more", (-1, -0.03),
               "So a remedy for shift inside a network need not be one for new pictures."),
        Answer("about as good", (-0.03, 0.03),
               "That would be so if it stood aside at test time. But it goes on centring and "
               "scaling; notebook 02 shows with which numbers."),
        Answer("better, by 0.03 (3 points) or more", (0.03, 1),
               "That would follow if batch norm cured any shift. The story is about what hidden "
               "layers receive in training, not about pictures unlike those of training."),
    )


def coat_demo(judged, bet=None, *, only_cats_black=False):
    """Repaint the test faces; what did the non-cats of the training set look like?

    judged: {"plain", "reference", "only_cats_black": what `experiments.judge` returns}; without one
    of the last two there is no control for it. bet: of `coat_bet`; stays in the picture at full
    colour. only_cats_black: which detector it begins with.
    """
    controls = {"coat": fraction_slider("coats of the test faces", 0.6, step=0.1)}
    if "only_cats_black" in judged:
        colours = {"black": False, "any colour": True}
        controls["only_cats_black"] = choice(colours, only_cats_black, "training non-cats:")
    if "reference" in judged:
        controls["with_reference"] = switch("reference net")
    return Panel(
        controls=controls,
        compute=partial(view_coats, judged, draw_shown()),
        picture=CoatSliderPicture(),
        about="A slider repaints twenty new faces from black to full colour, crosses out those "
        "that a detector trained on black cats gets wrong, and moves along the curves of all "
        "faces and of the cats recognised.",
        bet=bet,
    )


def region_demo():
    """Move the test region away from the training points, and reweight those."""
    return Panel(
        controls={
            "distance": fraction_slider("distance of the test region (sd)", 2.0, 0.0, 4.0, 0.25),
            "reweighted": switch("reweight the training points"),
        },
        compute=view_regions,
        picture=RegionPicture(),
        about="A slider moves a cloud of test points along a curved rule, away from the training "
        "points; a switch reweights the training points, and the learned line turns.",
    )
