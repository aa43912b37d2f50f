"""Notebook 01's exercises: split a drop, weigh examples, count what they are worth."""

import numpy as np

from helpers.page.exercise import Exercise, reveal  # noqa: F401, for the notebook


def split_drop(black, reference, coloured):
    """Return the two parts of a drop in accuracy: coloured faces are harder, and shift.

    black, coloured: accuracies of the net that learned black faces, on black and on coloured ones.
    reference: of the net that learned coloured faces, on coloured ones.
    """
    return black - reference, reference - coloured


check_split_drop = Exercise(split_drop, lambda rng: tuple(rng.uniform(0.5, 1, 3)), {  # unsorted
    "The two parts have changed places: shift is what the right training pictures would have "
    "repaired, so it ends at the reference net.":
        {"black - reference, reference - coloured": "reference - coloured, black - reference"},
    "The second part is the whole drop. Some of it would be there even without shift: how well "
    "does the reference net do?": {", reference - coloured": ", black - coloured"},
    "The first part is the whole drop. Coloured faces are hard to the reference net as well: only "
    "what it loses is difficulty.": {"black - reference": "black - coloured"},
    "The signs are turned round: a drop counts as positive here.":
        {"black - reference": "reference - black", "reference - coloured": "coloured - reference"},
    "The shift is turned round: it counts as positive where accuracy falls.":
        {"reference - coloured": "coloured - reference"},
    "These are accuracies, not differences: where does each part of the drop begin, and where does "
    "it end?": {"black - reference, reference - coloured": "reference, coloured"},
    "Those are shares of the drop. Here the parts are asked for in accuracy, so that they add up "
    "to the drop and not to 1.":
        lambda black, *others: np.array(split_drop(black, *others)) / (black - others[-1]),
}, praise="Draw the reference before you call a drop shift.")


def importance_weights(p_target):
    """Return weights with mean 1 from a domain classifier's guesses, both (n,).

    p_target: the probability, for each old example, that it comes from the new region.
    """
    odds = p_target / (1 - p_target)
    return odds / odds.mean()


def _draw_guesses(rng):
    return (rng.uniform(0.02, 0.98, int(rng.integers(20, 60))),)


check_importance_weights = Exercise(importance_weights, _draw_guesses, {
    "These are the odds, but their mean is not 1: divide by it, so that the learning rate keeps "
    "its meaning.": {" / odds.mean()": ""},
    "Python divides before it subtracts: put 1 - p in brackets.":
        {"(1 - p_target)": "1 - p_target", " / odds.mean()": ""},
    "These are the probabilities, scaled. The ratio of the two densities is the odds of the guess, "
    "which grow without bound.": {" / (1 - p_target)": ""},
    "These are the guesses as they came. Where p is 0.5 both regions are equally likely: what are "
    "the odds there?": {" / (1 - p_target)": "", " / odds.mean()": ""},
    "The odds are upside down: examples that look like the new region should count more.":
        {"p_target / (1 - p_target)": "(1 - p_target) / p_target"},
    "The odds are upside down, so that examples unlike the new region count more; and their mean "
    "is not 1.": {"p_target / (1 - p_target)": "(1 - p_target) / p_target", " / odds.mean()": ""},
    "The weights add up to 1; their mean should be 1.": {"mean()": "sum()"},
    "The largest weight is 1; their mean should be 1.": {"mean()": "max()"},
    "That is the logarithm of the odds. It is negative for an example that looks old, and no "
    "example counts less than nothing.": {"odds / odds.mean()": "np.log(odds)"},
}, praise="The surer the classifier, the more weight rests on few examples.")


def effective_sample_size(weights):
    """Return how many equally weighted examples are as noisy as these, weights (n,)."""
    shares = weights / weights.sum()
    variance = (shares**2).sum()  # of the weighted mean of values that each have variance 1
    return 1 / variance


def _draw_weights(rng):
    return (rng.exponential(size=int(rng.integers(20, 200))) * rng.uniform(0.1, 10),)


check_effective_sample_size = Exercise(effective_sample_size, _draw_weights, {
    "That holds only for weights that add up to 1. These do not: what share of the sum has each?":
        {" / weights.sum()": ""},
    "The sum above is not squared: the answer must not change when all weights double.":
        {" / weights.sum()": "", "1 / variance": "weights.sum() / variance"},
    "That is the variance of the weighted mean. How many equally weighted values would have it?":
        {"1 / variance": "variance"},
    "That is the share of the examples; multiply by how many there are.":
        {"1 / variance": "1 / variance / len(weights)"},
    "The two sums are the same: below, square each weight before you add.":
        {"(shares**2).sum()": "shares.sum() ** 2"},
    "That is the sum of the weights: it doubles when all weights double, but the noise of the "
    "weighted mean stays.": {"1 / variance": "weights.sum()"},
    "That is how many examples there are; they would count in full only if they had equal weights.":
        {"1 / variance": "len(weights)"},
    "The square root is one too many: a standard deviation falls with the root of n, a variance "
    "with n.": {"1 / variance": "1 / np.sqrt(variance)"},
}, praise="A few large weights make many examples count as few.")
