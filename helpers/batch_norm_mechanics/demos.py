"""Notebook 02's bets and demos: one mini-batch on a line, and whose mean at test time."""

import numpy as np

from helpers.batch_norm_mechanics.experiments import AVERAGES, normalise_one_batch, watch_averages
from helpers.batch_norm_mechanics.pictures import AveragesPicture, OneBatchPicture
from helpers.page.panel import Panel, batch_size_slider, follow_bet, fraction_slider, steps_slider
from helpers.page.prediction import Answer, Scale, predict


def pair_bet():
    """Bet on what two images come out as; measured: how many sizes three units' outputs have."""
    return predict(
        "A mini-batch of two different images, γ = 1, β = 0. Batch norm gives each unit two "
        "outputs. Which pairs of numbers can they be?",
        Answer("only +1 and −1", (1, 2),
               "Two numbers, and two things are prescribed: their mean and their standard "
               "deviation."),
        Answer("any two numbers of opposite sign", (2, 4),
               "Mean 0 makes one the minus of the other. But the standard deviation is prescribed, "
               "too, and with it their distance."),
        Answer("any two numbers", (4, 7),
               "Their mean must be β = 0, so one is minus the other. Their spread is prescribed, "
               "too."),
    )


def push_bet():
    """Bet on how many of the seven other outputs move when one value of eight is pushed."""
    return predict(
        "A mini-batch of eight images: you push one image's value far to the right, before batch "
        "norm. How many of the other seven images' outputs move?",
        Answer("none, they are other images", (0, 1),
               "Other images, but the same column: one mean and one spread serve them all."),
        Answer("only the values nearest to it", (1, 7),
               "Batch norm knows no neighbours, only the column's mean and spread."),
        Answer("all seven", (7, 8),
               "In training an output belongs to the whole batch."),
    )


def fresh_bet():
    """Bet on the accuracy with fresh statistics, minus that without batch norm, in points."""
    return predict(
        "The cat detector with batch norm meets coloured faces. No weight changes, but its stored "
        "statistics are replaced by those of the coloured pictures. How does its accuracy then "
        "compare with that of the detector without batch norm?",
        Answer("lower by 8 points or more, since it has learned black cats", (-100, -8),
               "Its weights have. But most of what batch norm cost was not in the weights."),
        Answer("about as good, within 8 points", (-8, 8),
               "What batch norm had lost is back. But only this detector saw the new pictures: the "
               "last bar gives the other one the same help."),
        Answer("better by 8 points or more: the drop is repaired", (8, 100),
               "New means and widths undo what batch norm added. They do not teach a network what "
               "coloured cats look like."),
    )


def memory_bet():
    """Bet on the test accuracy in % with running averages of memory 0.999 (a slider)."""
    return predict(
        "Batch size 64, memory 0.999, 150 training steps. With the exact mean and variance of all "
        "training images the networks get not quite 80% of the test images right. What do the "
        "same weights reach with their running averages? (Guessing: 10%.)",
        Scale(tuple(range(10, 91, 2)), tolerance=4, unit="%", decimals=0,
              too_low="Wrong statistics shift and stretch a unit's values, but in the same way for "
              "all images: much of what tells them apart survives.",
              close="Running averages this slow still consist mostly of their starting values.",
              too_high="An average needs time: this one is still mostly its starting value."),
    )


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


def show_averages(result, bet=None):
    """Return a Panel without controls: a result of `watch_averages`, and a bet of `memory_bet`."""
    return follow_bet(AveragesPicture(), result, bet)


def averages_demo(bet=None, known=(), memory=0.999):
    """Return a Panel: batch size and memory (at first `memory`), and accuracy under three averages.

    bet: of `memory_bet`; stays in the picture, also where the sliders leave its setting. known:
    {(batch size, memory): accuracies} that are not computed again, at single precision.
    """

    def compute(batch_size, memory):
        if (batch_size, memory) in known:
            setting = {"batch_size": batch_size, "memory": memory, "n_steps": AVERAGES["n_steps"]}
            yield 1, {**setting, **known[batch_size, memory]}
        else:
            yield from watch_averages(batch_size, memory, dtype=np.float32)

    return Panel(
        controls={
            "batch_size": batch_size_slider([2, 4, 8, 16, 32, 64, 128, 256], 64),
            "memory": steps_slider([0.5, 0.9, 0.99, 0.999], memory, "memory"),
        },
        compute=compute,
        picture=AveragesPicture(),
        about="Sliders for the batch size and the memory change three bars of test accuracy: "
        "own-batch, running and population statistics.",
        bet=bet,
    )
