"""Notebook 03's bets and demos: scrub through training at one station; kick layers 1 and 2."""

from functools import partial

import numpy as np

from helpers.hidden_layer_stability import experiments, pictures
from helpers.page.panel import Panel, batch_size_slider, choice, fraction_slider, steps_slider
from helpers.page.prediction import Answer, Scale, predict


def ranking_bet():
    """Bet on what batch norm leaves of the ranking drift: with it / without it, at rate 0.02."""
    return predict(
        "While layers 1 and 2 learn at rate 0.02, the order in which a unit scores the images "
        "changes: its ranking drifts. Of this drift, 1 − r, how much is left with batch norm, on "
        "average over 200 steps?",
        Answer("less than half: batch norm calms it a lot", (0, 0.5),
               "Mean and width do fall that far. But subtracting and dividing never decides which "
               "images score high."),
        Answer("most of it, a little less than without", (0.5, 0.95),
               "Nothing in the formula holds the order still. But an average can hide something: "
               "look at the two halves."),
        Answer("all of it, or even more", (0.95, 20),
               "In the second half, yes. But most of the drift is early, and there batch norm "
               "calms it a little."),
    )


def kick_bet():
    """Bet on the rise of the loss in nats after weights times 3, fresh statistics (a slider)."""
    return predict(
        "All weights of layers 1 and 2 are multiplied by 3 at a stroke. Batch norm uses fresh "
        "statistics, those of the kicked values. By how many nats does the test loss rise? "
        "(Guessing among ten classes costs 2.3 nats.)",
        Scale(tuple(np.arange(-1, 5.1, 0.5)), tolerance=0.25, unit=" nats", decimals=1,
              too_low="A lower loss would need other outputs, but layer 3 receives what it "
              "received before.",
              close="Mean and standard deviation triple as well, so the factor cancels before "
              "layer 3 can see it.",
              too_high="The kick is large, but mean and standard deviation triple with the values. "
              "Layer 3 never sees the factor."),
    )


def stored_bet():
    """Bet on the same kick, stored statistics: rise of the loss minus that without batch norm."""
    return predict(
        "The same kick, but now batch norm uses stored statistics, taken before it. Does the test "
        "loss rise less or more than without batch norm?",
        Answer("more: batch norm makes it worse", (0.5, 20),
               "The factor gets through. And the stored means are too small, a third of the true "
               "ones, in layer 2 about a ninth: the rest pushes every unit."),
        Answer("about as much", (-0.5, 0.5),
               "Nothing protects now, and the stored means are too small, a third of the true "
               "ones, in layer 2 about a ninth: the rest pushes every unit."),
        Answer("less: batch norm protects", (-20, -0.5),
               "Stored widths are too small, three times in layer 1, about nine times in layer 2: "
               "dividing by them takes nothing of the factor away."),
    )


def rotation_bet():
    """Bet on the share of the damage of rotating layers that batch norm takes away."""
    return predict(
        "Layers 1 and 2 rotate at every step, and the training loss of the layers above suffers. "
        "How much of this damage does batch norm take away?",
        Answer("nearly all: later layers become robust", (0.7, 1.5),
               "True if the damage came from wandering means and widths. But rotation changes "
               "which images score high."),
        Answer("about half", (0.3, 0.7),
               "A fair compromise, but batch norm only resets mean and width, and the damage lies "
               "almost entirely elsewhere."),
        Answer("little or none", (-5, 0.3),
               "Rotation reorders the images, and resetting mean and width cannot put them back."),
    )


def ridge_demo():
    """Sit between layers 2 and 3 and scrub through the training steps."""
    return Panel(
        controls={
            "step": steps_slider(experiments.RIDGE_STEPS, 50, "training step"),
            "batch_size": batch_size_slider([16, 32, 64, 128, 256, 512], 128),
            "station": choice(experiments.STATIONS, "z2", "station"),
            "learning_rate": choice([0.02, 0.1], 0.02, "learning rate"),
        },
        compute=experiments.ridges_at,
        picture=pictures.RidgePicture(),
        about="Sliders for the training step and the batch size move the distributions of six "
        "hidden units of one network without batch norm and of one with it.",
    )


def kick_demo(runs, data, bet=None):
    """Kick layers 1 and 2 of the networks in `runs`, see `run_kick`.

    bet: from `kick_bet`, to stand in the picture while it shows the kick that it is about.
    """
    networks = [runs[arm].network for arm in experiments.ARMS]
    before = experiments.probe_losses(*networks, data)
    return Panel(
        controls={
            "kind": choice(experiments.KICKS, "scale", "kick"),
            "size": fraction_slider("size, relative to the weights", 2.0, 0.0, 2.0, 0.1),
        },
        compute=partial(experiments.run_kick, runs, data, n_kicks=1, before=before),
        picture=pictures.KickPicture(),
        about="Three bars show how much the test loss rises after a kick of layers 1 and 2: "
        "without batch norm, with fresh and with stored statistics.",
        bet=bet,
    )
