"""Notebook 03's bets and demos: scrub through training at one station; kick layers 1 and 2."""

from functools import partial

import numpy as np

from helpers.hidden_layer_stability import experiments, pictures
from helpers.page.panel import Panel, batch_size_slider, choice, fraction_slider, steps_slider
from helpers.page.prediction import Answer, Scale, predict


def ranking_bet():
    """Bet on what batch norm leaves of the ranking drift: with it / without it, at rate 0.02."""
    return predict(
        "Each unit scores the same images, some high, some low. While layers 1 and 2 learn at "
        "rate 0.02, that order changes: the ranking drifts. How much of this drift is left with "
        "batch norm?",
        Answer(
            "less than half, batch norm calms it a lot", (0, 0.5),
            "Place and width do fall that far. But subtracting and dividing never decides which "
            "images score high, so it cannot hold that still either.",
        ),
        Answer(
            "most of it, a little less than without", (0.5, 0.95),
            "No term of the formula holds the order still. Where steps are rough it is calmed "
            "more, as the next table shows.",
        ),
        Answer(
            "all of it, or even more", (0.95, 20),
            "Nearly: no term of the formula holds the order still. Yet a little is gone, and more "
            "where steps are rough, as the next table shows.",
        ),
    )


def kick_bet():
    """Bet on the rise of the loss in nats after weights times 3, fresh statistics (a slider)."""
    return predict(
        "All weights of layers 1 and 2 are multiplied by 3 at a stroke. Batch norm uses fresh "
        "statistics, those of the kicked values. By how many nats does the test loss rise? "
        "(Guessing among ten classes costs 2.3 nats.)",
        Scale(
            tuple(np.arange(-1, 5.1, 0.5)), tolerance=0.25, unit=" nats", decimals=1,
            too_low="A lower loss would need other outputs; layer 3 receives what it received "
            "before.",
            close="Mean and standard deviation grow threefold as well, and the factor cancels "
            "before layer 3 can see it.",
            too_high="The kick is large, but mean and standard deviation grow threefold with the "
            "values, and the factor cancels before layer 3 can see it.",
        ),
    )


def stored_bet():
    """Bet on the same kick, stored statistics: rise of the loss minus that without batch norm."""
    return predict(
        "All weights of layers 1 and 2 are multiplied by 3 at a stroke. Now batch norm uses "
        "stored statistics, taken before. Does the test loss rise less or more than without batch "
        "norm?",
        Answer(
            "less, since batch norm still protects", (-20, -0.5),
            "The stored width is three times too small now: to divide by it takes nothing of the "
            "factor away.",
        ),
        Answer(
            "about as much, since the protection is gone", (-0.5, 0.5),
            "The factor gets through, but so does something else: the stored mean is too small as "
            "well, and the rest of the true mean pushes every unit.",
        ),
        Answer(
            "more, since batch norm makes it worse", (0.5, 20),
            "The factor gets through, and the stored mean is too small as well: the rest of the "
            "true mean pushes every unit.",
        ),
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
        "hidden units, side by side without and with batch norm.",
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
