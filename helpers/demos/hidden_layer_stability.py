"""Notebook 03's demos: scrub through training at one station; kick layers 1 and 2."""

from functools import partial

from helpers.demos.panel import Panel, batch_size_slider, choice, fraction_slider, steps_slider
from helpers.experiments.hidden_layer_stability import (
    KICKS,
    RIDGE_STEPS,
    STATIONS,
    ridges_at,
    run_kick,
)
from helpers.figures.hidden_layer_stability import KickPicture, RidgePicture


def ridge_demo():
    """Sit between layers 2 and 3 and scrub through the training steps."""
    sizes = batch_size_slider([16, 32, 64, 128, 256, 512], 128)
    sizes.continuous_update = False  # a new batch size trains anew; the scrubber only looks up
    return Panel(
        controls={
            "step": steps_slider(RIDGE_STEPS, 50, "training step"),
            "batch_size": sizes,
            "station": choice(STATIONS, "z2", "station"),
            "learning_rate": choice([0.02, 0.1], 0.02, "learning rate"),
        },
        compute=ridges_at,
        picture=RidgePicture(),
        about="Sliders for the training step and the batch size move the distributions of six "
        "hidden units, side by side without and with batch norm.",
        n_steps=2 * RIDGE_STEPS[-1],
    )


def kick_demo(pair):
    """Kick layers 1 and 2 of the trained networks in `pair`, a DriftPair."""
    return Panel(
        controls={
            "kind": choice(KICKS, "scale", "kick"),
            "size": fraction_slider("size, relative to the weights", 2.0, 0.0, 2.0, 0.1),
        },
        compute=partial(run_kick, pair, n_kicks=1),
        picture=KickPicture(),
        about="Three bars show how much the test loss rises after a kick of layers 1 and 2: "
        "without batch norm, with fresh and with stored statistics.",
    )
