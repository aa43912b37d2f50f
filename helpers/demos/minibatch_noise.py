"""Notebook 04's demos: a noise microscope, and training in which only the noise changes."""

from functools import partial

from helpers.demos.panel import Panel, batch_size_slider, steps_slider
from helpers.demos.progress import progress_bar
from helpers.experiments.minibatch_noise import (
    compare_with_reference,
    microscope,
    run_reference,
)
from helpers.figures.minibatch_noise import GroupCurvesPicture, MicroscopePicture

POWERS = [4, 8, 16, 32, 64, 128, 256, 512]


def microscope_demo():
    """One hidden value of one image over 3,000 mini-batches; the batch size is yours."""
    return Panel(
        controls={"batch_size": batch_size_slider(POWERS, 64)},
        compute=microscope,
        picture=MicroscopePicture(),
        about=(
            "A slider for the batch size changes the histogram of one normalised value over "
            "thousands of mini-batches, beside its theory curve and the noise of dropout."
        ),
    )


def groups_demo():
    """Training with the same 512 images in each step; statistics group and dropout are yours."""
    with progress_bar(100, "Training the grey arm") as on_step:
        reference = run_reference(on_step)
    return Panel(
        controls={
            "group_size": steps_slider(POWERS, 64, "statistics group"),
            "dropout": steps_slider([0.0, 0.1, 0.2, 0.3, 0.5], 0.0, "dropout"),
        },
        compute=partial(compare_with_reference, reference),
        picture=GroupCurvesPicture(),
        about=(
            "Sliders for the statistics group and for dropout change one pair of loss curves, "
            "beside those of the group of all 512 images; every update uses all 512 images."
        ),
        slow=True,
        n_steps=100,
    )
