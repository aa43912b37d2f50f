"""Notebook 04's bets and demos: a noise microscope; training where only the noise changes."""

from functools import partial

from helpers.minibatch_noise import experiments, pictures
from helpers.page.panel import Panel, batch_size_slider, follow_bet, steps_slider
from helpers.page.prediction import Answer, Scale, predict
from helpers.page.progress import with_progress

POWERS = [4, 8, 16, 32, 64, 128, 256, 512]
TRAINED_GROUPS = (4, 8, 64, 512)  # the table's, and its figure's rows


def naive_bet():
    """Bet on the naive sweep with batch norm: the gap at 64 minus that at 512, in nats."""
    return predict(
        "Networks with batch norm train for 20 epochs, with mini-batches of 64 or of 512 images. "
        "Which overfit more, that is, end with the larger gap between test and training loss?",
        Answer("those with 512, since less noise regularises less", (-10, -0.05),
               "That is what the claim predicts. These networks did the opposite."),
        Answer("those with 64, though they have more noise", (0.05, 10),
               "The claim predicts the opposite. Before you drop it, ask for a control."),
        Answer("neither: the noise is too small to matter", (-0.05, 0.05),
               "Small it may be, but the two gaps lie many intervals apart."),
    )


def control_bet():
    """Bet on the control: the gap at 64 minus that at 512, without / with batch norm."""
    return predict(
        "The same sweep without any batch norm. How much is left of the difference between the "
        "gaps at 64 and at 512? (“About half” is 0.3 to 0.6 of it.)",
        Answer("little or nothing: no batch norm, no such noise", (-10, 0.3),
               "Then batch norm would be the cause. But something else changes with the batch "
               "size, in any network."),
        Answer("about half", (0.3, 0.6),
               "That would leave the other half to batch norm. There is less than that to "
               "explain."),
        Answer("most of it, or all", (0.6, 10),
               "So batch norm is not needed for it. Count the updates below each batch size."),
    )


def group_bet():
    """Bet on the statistics group with the best test loss, of 512 images a step (a slider)."""
    return predict(
        "Every update uses the same 512 images; batch norm computes its statistics in groups of "
        "them. Smaller groups mean more noise. Of groups of 4, 8, 64 and 512 images, which give "
        "the best test loss within 100 steps?",
        Scale(TRAINED_GROUPS, tolerance=0, unit=" images", decimals=0,
              too_low="More noise slows training: within 100 steps groups of 4 learn too little.",
              close="A dose in the middle is best here: one group of all images has no noise, and "
              "groups of 4 learn too little within 100 steps.",
              too_high="Larger groups are calmer, but calm does not help here: the network fits "
              "the training images more closely, wrong labels and all."),
    )


def dropout_bet():
    """Bet on what dropout 0.2 buys, as a multiple of what groups of 64 buy against 512."""
    return predict(
        "Start from groups of 512, without dropout. Two changes add noise: groups of 64, or "
        "dropout with p = 0.2. How large is the second one's effect on the best test loss, beside "
        "the first one's?",
        Answer("several times as large", (2, 1000),
               "As the dropout bars suggested. How many times depends on the setting."),
        Answer("about as large", (0.8, 2),
               "The two noises may be alike in kind, but not in size: on a single value, batch "
               "norm's is much the weaker at 64."),
        Answer("smaller", (-10, 0.8),
               "Then batch norm could replace dropout. But on a single value, dropout of 0.2 is "
               "much the stronger noise."),
    )


def microscope_demo():
    """One hidden value of one image over 3000 mini-batches; the batch size is yours."""
    return Panel(
        controls={"batch_size": batch_size_slider(POWERS, 64)},
        compute=experiments.microscope,
        picture=pictures.MicroscopePicture(),
        about="A slider for the batch size changes the histogram of one normalised value over "
        "thousands of mini-batches, beside its theory curve and the noise of dropout.",
    )


def show_differences(measures, bet=None):
    """Show {name of a measure: {arm: values}} against the first arm, and a bet of `group_bet`."""
    return follow_bet(pictures.DifferencesPicture(), measures, bet)


def groups_demo():
    """Training with the same 512 images in each step; statistics group and dropout are yours."""
    grey = with_progress("Training the grey arm", experiments.watch_group(512))
    return Panel(
        controls={
            "group_size": steps_slider(POWERS, 64, "statistics group"),
            "dropout": steps_slider([0.0, 0.1, 0.2, 0.3, 0.5], 0.0, "dropout"),
        },
        compute=partial(experiments.watch_group, grey=grey),
        picture=pictures.GroupCurvesPicture(),
        about="Sliders for the statistics group and for dropout change one pair of loss curves, "
        "beside those of the group of all 512 images; every update uses all 512 images.",
    )
