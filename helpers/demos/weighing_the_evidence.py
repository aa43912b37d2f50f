"""Notebook 05's demos: a map of the learning rates that train."""

from helpers.demos.panel import Panel, choice, steps_slider
from helpers.experiments.other_suspects import MAP_AXES, load_learning_rate_map
from helpers.figures.weighing_the_evidence import LearningRateMapPicture


def learning_rate_demo():
    """Which learning rates train? Activation, depth and size of the first weights are yours."""
    scales = {f"× {scale:g}": scale for scale in MAP_AXES["init_scale"]}
    return Panel(
        controls={
            "activation": choice(MAP_AXES["activation"], "relu", "activation"),
            "depth": steps_slider(MAP_AXES["depth"], 3, "depth (layers of weights)"),
            "init_scale": choice(scales, 1.0, "initial weights"),
        },
        compute=load_learning_rate_map().pair,
        picture=LearningRateMapPicture(),
        about=(
            "Buttons and a slider choose activation, depth and size of the initial weights; two "
            "curves show the final loss at ten learning rates without and with batch norm, bars "
            "below them the rates that train. The table was computed beforehand."
        ),
    )
