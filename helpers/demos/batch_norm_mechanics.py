"""The live demos of notebook 02: one mini-batch on a line, and whose mean at test time."""

import numpy as np

from helpers.demos.panel import Panel, batch_size_slider, fraction_slider, steps_slider
from helpers.experiments.batch_norm_mechanics import (
    compare_averages,
    normalise_one_batch,
    train_once,
)
from helpers.figures.batch_norm_mechanics import AveragesPicture, OneBatchPicture

N_STEPS = 150


def one_batch_demo():
    """Return a Panel: batch size, γ, β and a push, and every dot's answer."""
    return Panel(
        controls={
            "batch_size": batch_size_slider([1, 2, 4, 8, 16], 8),
            "push": fraction_slider("push one dot", 6.0, 0.0, 8.0, 0.5),
            "gamma": fraction_slider("scale γ", 1.0, 0.0, 1.5, 0.25),
            "beta": fraction_slider("shift β", 0.0, -2.0, 2.0, 0.5),
        },
        compute=normalise_one_batch,
        picture=OneBatchPicture(),
        about="Sliders for the batch size, a push, γ and β move dots on a line before and after "
        "batch norm.",
    )


def averages_demo():
    """Return a Panel: batch size and memory, and the test accuracy under three averages."""
    trained = {}  # statistics do not influence training: one run per batch size serves all

    def compute(batch_size, memory, on_step):
        if batch_size not in trained:
            trained[batch_size] = train_once(
                batch_size, n_steps=N_STEPS, dtype=np.float32, on_step=on_step
            )
        return compare_averages(trained[batch_size], memory)

    return Panel(
        controls={
            "batch_size": batch_size_slider([2, 4, 8, 16, 32, 64, 128, 256], 64),
            "memory": steps_slider([0.5, 0.9, 0.99, 0.999], 0.999, "memory"),
        },
        compute=compute,
        picture=AveragesPicture(),
        about="Sliders for the batch size and the memory change three bars of test accuracy: "
        "own-batch, running and population statistics.",
        slow=True,
        n_steps=N_STEPS,
    )
