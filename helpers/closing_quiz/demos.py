"""Notebook 07's nine questions, which are bets that know their right answer, and the score."""

import ipywidgets

from helpers.page.alive import Alive
from helpers.page.panel import paragraph
from helpers.page.prediction import Answer, Scale, predict


def asking(question, *answers, right):
    """Return a function that returns a Prediction; its `right` is what the notebooks measured.

    answers: (text, reply) each, or one Scale.
    """

    def bet():
        if isinstance(answers[0], Scale):
            made = predict(question, *answers)
        else:
            made = predict(question, *(Answer(text, None, reply) for text, reply in answers))
        made.right = right
        return made

    return bet


drop_bet = asking(
    "A detector trained on black faces only fails on coloured ones, though the rule stayed. How "
    "much of its drop was covariate shift?",
    ("all of it", "Then a reference net, trained on coloured faces, would lose nothing."),
    ("about half", "A net that trained on coloured faces would have lost the rest, too."),
    ("next to nothing", "A net that trained on coloured faces does do better."),
    right="about half",
)

mean_bet = asking(
    "The same weights, the same test images, and another accuracy. What has changed?",
    ("whose mean and variance batch norm uses", "Weights alone do not fix its answers."),
    ("γ and β, which adapt to the test images", "They learn by gradient, in training only."),
    ("nothing: inference is noisy", "With stored statistics it is not noisy."),
    right="whose mean and variance batch norm uses",
)

quiet_bet = asking(
    "While the layers below learn, what does batch norm hold still?",
    ("the whole distribution of each unit", "Equal mean and width are not equal shapes."),
    ("which images a unit scores high", "The weights below reorder them; centring and "
     "scaling put nothing back."),
    ("the mean and the width of each unit", "It computes them anew at every step."),
    right="the mean and the width of each unit",
)

robust_bet = asking(
    "The weights of the layers below change. From what does batch norm protect those above?",
    ("from a common factor, with fresh statistics", "The factor cancels, but for a tiny ε."),
    ("from a rotation, with fresh statistics", "It reorders the images, and no norm puts them "
     "back."),
    ("from a common factor, at test time, too", "Stored statistics do not know the factor."),
    right="from a common factor, with fresh statistics",
)

trap_bet = asking(
    "You train for equally many epochs with batches of 64 and of 512, and 64 overfits more. "
    "What follows for the noise of batch norm?",
    ("it does not regularise", "Something else had changed with the batch size."),
    ("nothing", "Another number had changed: that of the updates."),
    ("it makes networks overfit", "Without any batch norm 64 overfits more, too."),
    right="nothing",
)

dose_bet = asking(
    "Start from groups of 512. How many times as much does dropout with p = 0.2 lower the best "
    "test loss as groups of 64 do?",
    Scale(
        (1, 2, 4, 8, 16, 32), tolerance=1, unit=" times", decimals=1,
        too_low="On a single value dropout is much the stronger noise.",
        close="Several times as much: at 64, batch norm's noise is weak.",
        too_high="The noise at 64 is weak, but there.",
    ),
    right=4.8,
)

both_bet = asking(
    "You want batch norm and dropout. Where does dropout spare the stored variances?",
    ("before each batch norm, which repairs it", "It stores a variance that dropout widened."),
    ("anywhere", "Not before a batch norm, which would store a widened variance."),
    ("after the last batch norm", "No batch norm behind it can store a wrong variance."),
    right="after the last batch norm",
)

because_bet = asking(
    "Noise behind batch norm makes inputs drift more in a step than without batch norm. "
    "Compared with no batch norm, is training faster or slower?",
    ("slower: batch norm helps by reducing drift", "At the large learning rate it was not."),
    ("faster at a large learning rate, slower at a small one", "At 0.1 it was faster, at 0.02 "
     "slower. Drift in a step is not the whole story."),
    ("faster at both: drift does not matter", "At the small rate it was slower."),
    right="faster at a large learning rate, slower at a small one",
)

steps_bet = asking(
    "Why do the hidden weights of a network with batch norm survive steps that are too long?",
    ("only their direction counts, not their length", "Their values are divided by their own "
     "spread, whatever their length."),
    ("batch norm shortens long gradients before the step", "Steps were long: they lengthened "
     "the weights over a thousand times."),
    ("its noise averages the steps", "A value divided by its own spread cannot "
     "explode, noise or none."),
    right="only their direction counts, not their length",
)


class Score(Alive):
    """How many of the `bets` made by `asking` are right so far; follows them, stores nothing."""

    waking = "Run this cell (Shift+Enter), or all cells, for your score."

    def __init__(self, bets):
        self.bets = bets
        self.text = ipywidgets.HTML()
        self.view = ipywidgets.VBox([self.text])
        self._follow()
        for bet in bets:
            bet.observe(self._follow)

    def _follow(self):
        n_answered = sum(bet.value is not None for bet in self.bets)
        n_right = sum(bet.is_right(bet.right) for bet in self.bets)
        n_left = len(self.bets) - n_answered
        self.text.value = paragraph(f"{n_right} right of {n_answered} answered, {n_left} to go.")

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/plain": f"Your score in {len(self.bets)} questions stands here."}
