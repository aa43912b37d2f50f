"""Notebook 05's exercises: intervals and verdicts, the effective rate, and the rate that fits."""

import numpy as np
from scipy import stats

from helpers.page.exercise import Exercise, reveal

__all__ = [
    "check_effective_rate", "check_judge", "check_paired_interval", "check_same_training", "reveal",
]


def paired_interval(with_norm, without):
    """Return mean and half-width of the 95% interval of with_norm - without, both (n_seeds,)."""
    differences = with_norm - without
    standard_error = differences.std(ddof=1) / np.sqrt(len(differences))
    return differences.mean(), stats.t.ppf(0.975, df=len(differences) - 1) * standard_error


def _draw_pair(rng):
    n_seeds = int(rng.integers(6, 13))
    seeds = rng.normal(0.9, 0.2, n_seeds)  # what both arms share
    return seeds + rng.normal(rng.choice([-0.1, 0.1]), 0.05, n_seeds), seeds


def _t(n_freedom, share=0.975):
    return stats.t.ppf(share, df=n_freedom)


def _with_half_width(half_width):
    """Return a function like `paired_interval` with another half-width of the differences."""
    return lambda one, other: ((one - other).mean(), half_width(one - other))


check_paired_interval = Exercise(
    paired_interval,
    _draw_pair,
    {
        "This treats the two arms as unrelated and keeps the differences between seeds in. Take "
        "the difference seed by seed first, then its spread.": lambda one, other: (
            (one - other).mean(), _t(len(one) - 1) * np.hypot(stats.sem(one), stats.sem(other))
        ),
        "This is the interval for two groups of unrelated seeds (2n - 2 degrees of freedom). Here "
        "the seeds pair up: take the difference seed by seed first.": lambda one, other: (
            (one - other).mean(), _t(2 * len(one) - 2) * np.hypot(stats.sem(one), stats.sem(other))
        ),
        "The spread of the differences is not yet that of their mean: divide by the square root "
        "of the number of seeds.": _with_half_width(lambda d: _t(len(d) - 1) * d.std(ddof=1)),
        "With so few seeds the standard deviation has to be the unbiased one (ddof=1).": (
            _with_half_width(lambda d: _t(len(d) - 1) * stats.sem(d, ddof=0))
        ),
        "1.96 belongs to a known spread. With the spread estimated from few seeds, take Student's "
        "t with n_seeds - 1 degrees of freedom.": (
            _with_half_width(lambda d: stats.norm.ppf(0.975) * stats.sem(d))
        ),
        "1.96 belongs to a known spread; with few seeds take Student's t.": (
            _with_half_width(lambda d: 1.96 * stats.sem(d))
        ),
        "The quantile 0.95 leaves 5% on one side. For 95% in the middle take 0.975.": (
            _with_half_width(lambda d: _t(len(d) - 1, 0.95) * stats.sem(d))
        ),
        "The standard error alone is not yet the half-width: multiply it by Student's t.": (
            _with_half_width(stats.sem)
        ),
        "These are the two ends. Return the mean and the half-width.": (
            lambda one, other: tuple(stats.ttest_rel(one, other).confidence_interval(0.95))
        ),
        "The sign is turned round: with_norm minus without.": (
            lambda one, other: paired_interval(other, one)
        ),
    },
    praise="The differences between seeds, which both arms share, have dropped out.",
)


def judge(low, high, margin):
    """Return "holds", "fails" or "undecided" for the claim "the effect is above margin".

    low, high: the ends of the effect's 95% interval.
    """
    if low > margin:
        return "holds"
    if high < margin:
        return "fails"
    return "undecided"


def _draw_ends(rng):
    """Return the ends of an interval anywhere among -margin, 0 and margin, and the margin."""
    low, high = np.sort(rng.choice([-1.8, -1.2, -0.7, -0.3, 0.2, 0.6, 1.3, 1.9], 2, replace=False))
    margin = rng.uniform(0.5, 1)
    return margin * low, margin * high, margin


check_judge = Exercise(
    judge,
    _draw_ends,
    {
        "This compares the middle of the interval with the margin, as if we were certain. Both "
        "ends have to agree; otherwise the answer is open.": lambda low, high, margin: (
            "holds" if (low + high) / 2 > margin else "fails"
        ),
        "An effect can be surely above zero and still be too small to matter: compare the ends "
        "with the margin, not with 0.": lambda low, high, margin: judge(low, high, 0),
        "An interval above 0 but short of the margin fails, too: compare both ends with the "
        "margin.": lambda low, high, margin: (
            "holds" if low > margin else "fails" if high < 0 else "undecided"
        ),
        "Whether 0 lies inside does not matter here: an interval from below 0 to below the margin "
        "falls short of the margin all the same.": lambda low, high, margin: (
            "undecided" if low < 0 < high else judge(low, high, margin)
        ),
        "An interval that holds 0 may hold the margin, too. Then the question is open.": (
            lambda low, high, margin: "fails" if low <= 0 <= high else judge(low, high, margin)
        ),
        "Not shown to hold is not the same as shown to fail. What if the margin lies inside the "
        "interval?": lambda low, high, margin: "holds" if low > margin else "fails",
        "One end beyond the margin is not enough for \"holds\": the whole interval has to be.": (
            lambda low, high, margin: "holds" if high > margin else "fails"
        ),
        "A whole interval short of the margin does settle it: then the claim \"fails\".": (
            lambda low, high, margin: "holds" if low > margin else "undecided"
        ),
    },
    praise="That is the rule that the ledger above applies to every claim.",
    n_cases=64,
)


def effective_rate(rate, lengths):
    """Return the effective rate, its mean over the units, at each look: (n_looks,).

    lengths: of each unit's weights, (n_looks, n_units).
    """
    return (rate / lengths**2).mean(axis=1)


def _draw_lengths(rng):
    first = rng.uniform(0.5, 2, 6)
    return rng.choice([0.1, 3.0]), first * np.cumprod(rng.uniform(1, 1.5, (4, 6)), axis=0)


check_effective_rate = Exercise(
    effective_rate,
    _draw_lengths,
    {
        "Divide by the square of the length: the gradient shrinks with the length, and so does the "
        "turn that a step makes.": lambda rate, lengths: (rate / lengths).mean(axis=1),
        "This divides by the square of the mean length. Each unit has an effective rate of its "
        "own: divide first, then take the mean.": (
            lambda rate, lengths: rate / lengths.mean(axis=1) ** 2
        ),
        "This divides by the mean of the squares. Each unit has an effective rate of its own: "
        "divide first, then take the mean.": lambda rate, lengths: rate / (lengths**2).mean(axis=1),
        "Longer weights turn less, not more: divide by the square.": (
            lambda rate, lengths: (rate * lengths**2).mean(axis=1)
        ),
    },
    praise="It falls as the weights grow, though nobody has touched the rate.",
)


def same_training(weights, rate, factor):
    """Return the weights `factor` times as long, and the rate at which they train as before."""
    return factor * weights, factor**2 * rate


check_same_training = Exercise(
    same_training,
    lambda rng: (rng.standard_normal((4, 3)), rng.uniform(0.01, 0.5), rng.choice([0.2, 3.0, 10.0])),
    {
        "At the same rate longer weights turn less with each step: the rate has to change, too.": (
            lambda weights, rate, factor: (factor * weights, rate)
        ),
        "That makes up for the longer weights. But their gradient is smaller, too, by the same "
        "factor.": lambda weights, rate, factor: (factor * weights, factor * rate),
        "Longer weights have a smaller gradient: they need a larger rate, not a smaller one.": (
            lambda weights, rate, factor: (factor * weights, rate / factor**2)
        ),
        "Longer weights have a smaller gradient: they need a larger rate, by the square.": (
            lambda weights, rate, factor: (factor * weights, rate / factor)
        ),
        "The rate is right. The weights should be `factor` times as long.": (
            lambda weights, rate, factor: (weights, factor**2 * rate)
        ),
    },
    praise="rate / length² is what it was, and with batch norm so is every loss.",
)
