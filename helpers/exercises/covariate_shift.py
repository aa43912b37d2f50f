"""Notebook 01's exercises: split a drop, weigh examples, count what they are worth."""

import numpy as np

from helpers.exercises.exercise import Exercise, reveal

__all__ = ["check_effective_sample_size", "check_importance_weights", "check_split_drop", "reveal"]


def split_drop(black, reference, coloured):
    """Return the two parts of a drop in accuracy: what is harder for anyone, and shift.

    black, coloured: of the net that learned black, on black and on coloured faces. reference: of
    the net that learned coloured faces, on coloured faces.
    """
    return black - reference, reference - coloured


check_split_drop = Exercise(
    split_drop,
    lambda rng: tuple(np.sort(rng.uniform(0.5, 1, 3))[::-1]),
    {
        "The two parts have changed places: shift is what the right training pictures would have "
        "repaired, so it ends at the reference net.": lambda black, reference, coloured: (
            reference - coloured, black - reference,
        ),
        "The second part is the whole drop. Some of it would be there even without shift: "
        "how well does the reference net do?": lambda black, reference, coloured: (
            black - reference, black - coloured,
        ),
        "The signs are turned round: a drop counts as positive here.": (
            lambda black, reference, coloured: (reference - black, coloured - reference)
        ),
    },
    praise="Draw the reference before you call a drop shift.",
)


def importance_weights(p_target):
    """Return weights with mean 1 from a domain classifier's guesses, both (n,).

    p_target: the probability, for each old example, that it comes from the new region.
    """
    odds = p_target / (1 - p_target)
    return odds / odds.mean()


check_importance_weights = Exercise(
    importance_weights,
    lambda rng: (rng.uniform(0.02, 0.98, 30),),
    {
        "These are the odds, but their mean is not 1: divide by it, so that the learning rate "
        "keeps its meaning.": lambda p: p / (1 - p),
        "These are the probabilities, scaled. The ratio of the two densities is the *odds*, "
        "p / (1 - p): they grow without bound as p nears 1.": lambda p: p / p.mean(),
        "The odds are upside down: examples that look like the *new* region should count more.": (
            lambda p: ((1 - p) / p) / ((1 - p) / p).mean()
        ),
        "The weights add up to 1; their *mean* should be 1.": (
            lambda p: p / (1 - p) / (p / (1 - p)).sum()
        ),
    },
)


def effective_sample_size(weights):
    """Return how many equally weighted examples are as noisy as these, weights (n,)."""
    return weights.sum() ** 2 / (weights**2).sum()


check_effective_sample_size = Exercise(
    effective_sample_size,
    lambda rng: (rng.exponential(size=int(rng.integers(20, 200))) * rng.uniform(0.1, 10),),
    {
        "That holds only for weights that add up to 1. These do not: put the square of their sum "
        "on top.": lambda weights: 1 / (weights**2).sum(),
        "The square belongs to the whole sum above, and to each weight below.": (
            lambda weights: (weights**2).sum() ** 2 / (weights**2).sum()
        ),
        "The sum above is not squared: the answer must not change when all weights double.": (
            lambda weights: weights.sum() / (weights**2).sum()
        ),
        "That is the *share* of the examples; multiply by how many there are.": (
            lambda weights: weights.mean() ** 2 / (weights**2).mean()
        ),
        "The fraction is upside down: equal weights must give n.": (
            lambda weights: (weights**2).sum() / weights.sum() ** 2
        ),
    },
    praise="A few large weights make many examples count as few.",
)
