"""Notebook 05's exercises: how sure are we of a difference, and is it large enough to count?"""

import numpy as np
from scipy import stats

from helpers.page.exercise import Exercise, reveal

__all__ = ["check_judge", "check_paired_interval", "reveal"]


def paired_interval(with_norm, without):
    """Return mean and half-width of the 95% interval of with_norm - without, both (n_seeds,)."""
    differences = with_norm - without
    standard_error = differences.std(ddof=1) / np.sqrt(len(differences))
    return differences.mean(), stats.t.ppf(0.975, df=len(differences) - 1) * standard_error


def _draw_pair(rng):
    n_seeds = int(rng.integers(6, 13))
    seeds = rng.normal(0.9, 0.2, n_seeds)  # what both arms share
    return seeds + rng.normal(rng.choice([-0.1, 0.1]), 0.05, n_seeds), seeds


def _half_width(with_norm, without, *, ddof=1, quantile=None, by_root=True):
    differences = with_norm - without
    n_seeds = len(differences)
    quantile = stats.t.ppf(0.975, df=n_seeds - 1) if quantile is None else quantile
    return quantile * differences.std(ddof=ddof) / (np.sqrt(n_seeds) if by_root else 1)


def _unpaired(with_norm, without, arms=1):
    n_seeds = len(without)
    variance = with_norm.var(ddof=1) / n_seeds + without.var(ddof=1) / n_seeds
    quantile = stats.t.ppf(0.975, df=arms * (n_seeds - 1))
    return (with_norm - without).mean(), quantile * np.sqrt(variance)


check_paired_interval = Exercise(
    paired_interval,
    _draw_pair,
    {
        "This treats the two arms as unrelated and keeps the differences between seeds in. Take "
        "the difference seed by seed first, then its spread.": _unpaired,
        "This is the interval for two groups of unrelated seeds (2n - 2 degrees of freedom). Here "
        "the seeds pair up: take the difference seed by seed first.": lambda one, other: (
            _unpaired(one, other, arms=2)
        ),
        "The spread of the differences is not yet that of their mean: divide by the square root "
        "of the number of seeds.": lambda one, other: (
            (one - other).mean(), _half_width(one, other, by_root=False),
        ),
        "With so few seeds the standard deviation has to be the unbiased one (ddof=1).": (
            lambda one, other: ((one - other).mean(), _half_width(one, other, ddof=0))
        ),
        "1.96 belongs to a known spread. With the spread estimated from few seeds, take Student's "
        "t with n_seeds - 1 degrees of freedom.": lambda one, other: (
            (one - other).mean(),
            _half_width(one, other, quantile=stats.norm.ppf(0.975)),
        ),
        "1.96 belongs to a known spread; with few seeds take Student's t.": lambda one, other: (
            (one - other).mean(), _half_width(one, other, quantile=1.96),
        ),
        "The quantile 0.95 leaves 5% on one side. For 95% in the middle take 0.975.": (
            lambda one, other: (
                (one - other).mean(),
                _half_width(one, other, quantile=stats.t.ppf(0.95, df=len(one) - 1)),
            )
        ),
        "The sign is turned round: with_norm minus without.": lambda one, other: (
            (other - one).mean(), _half_width(one, other),
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
    """Return the ends of an interval in one of nine places among -margin, 0 and margin."""
    margin = rng.uniform(0.5, 1)
    below, low, high = margin * np.sort(rng.uniform(0.05, 0.45, 3))
    low, high = (
        (margin + low, margin + high),
        (margin + low, 2 * margin + high + below),  # wider than the margin
        (margin - low, margin + high),
        (margin - high, margin + low),
        (low, high),
        (-low, high),
        (-low, margin + high),
        (-high, -low),
        (-margin - high, -margin - low),
    )[rng.integers(9)]
    return low, high, margin


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
