"""Notebook 04's exercises: ghost batch norm, and how large two kinds of noise are."""

import numpy as np

from helpers.page.exercise import Exercise, reveal

__all__ = [
    "check_dropout_variances",
    "check_ghost_batch_norm",
    "check_variance_of_mean",
    "reveal",
]


def ghost_batch_norm(inputs, group_size):
    """Return x_hat, (batch, n_units): each group of consecutive rows is normalised by itself."""
    batch_size, n_units = inputs.shape
    groups = inputs.reshape(batch_size // group_size, group_size, n_units)
    mean, var = groups.mean(axis=1, keepdims=True), groups.var(axis=1, keepdims=True)
    x_hat = (groups - mean) / np.sqrt(var + 1e-5)
    return x_hat.reshape(batch_size, n_units)


def _draw_batch(rng):
    """Return a batch whose rows differ from group to group, and the group size."""
    n_groups, group_size, n_units = (int(rng.integers(*ends)) for ends in [(2, 5), (5, 9), (9, 13)])
    spread = rng.uniform(0.1, 0.4, (n_groups, 1, n_units))
    groups = rng.normal(1, 1, (n_groups, 1, n_units)) + spread * rng.normal(
        size=(n_groups, group_size, n_units)
    )
    return groups.reshape(-1, n_units), group_size


def _normalised(shape, axis=1, *, eps=1e-5, ddof=0, power=0.5, beside=0.0):
    """Return a function that reshapes and normalises over axis; shape: words for the sizes."""

    def normalise(inputs, group_size):
        sizes = {"n_groups": -1, "group_size": group_size, "n_units": inputs.shape[1]}
        groups = inputs.reshape([sizes[word] for word in shape.split()])
        var = groups.var(axis=axis, keepdims=True, ddof=ddof)
        centred = groups - groups.mean(axis=axis, keepdims=True)
        return (centred / ((var + eps) ** power + beside)).reshape(inputs.shape)

    return normalise


_BY_GROUP, _SWAPPED = "n_groups group_size n_units", "group_size n_groups n_units"

check_ghost_batch_norm = Exercise(
    ghost_batch_norm,
    _draw_batch,
    {
        "That is plain batch norm: all rows share one mean and one variance. Each group should "
        "have its own.": _normalised("n_groups n_units", 0),
        "n_groups and group_size have changed places in the reshape: these groups have n_groups "
        "rows each. The first axis counts the groups.": _normalised(_SWAPPED),
        "These groups hold every n_groups-th row. `reshape` cuts along the first axis, so for "
        "consecutive rows it has to be (n_groups, group_size, n_units).": _normalised(_SWAPPED, 0),
        "The statistics run over the groups, axis 0: the first rows of all groups together, then "
        "the second rows, and so on. They should run over the rows of a group, axis 1.": (
            _normalised(_BY_GROUP, 0)
        ),
        "The statistics run over the units, so that each row is normalised by itself (layer norm "
        "does that). They should run over the rows of a group.": _normalised(_BY_GROUP, 2),
        "All units of a group share one mean and one variance. Each unit should have its own: "
        "average over the rows only.": _normalised(_BY_GROUP, (1, 2)),
        "Nearly: eps = 1e-5 is missing under the root.": _normalised(_BY_GROUP, eps=0),
        "eps is added to the standard deviation. It belongs to the variance, under the root.": (
            _normalised(_BY_GROUP, eps=0, beside=1e-5)
        ),
        "This variance divides by the group size minus 1. Batch norm normalises with the biased "
        "one, which divides by the group size (NumPy's default).": _normalised(_BY_GROUP, ddof=1),
        "Divided by the variance: its root, the standard deviation, gives x_hat width 1.": (
            _normalised(_BY_GROUP, power=1)
        ),
    },
    praise="One reshape makes the noise of small batches without changing the update.",
)


def variance_of_mean(variance, batch_size):
    """Return the variance of the mean of `batch_size` independent values of that variance."""
    return variance / batch_size


check_variance_of_mean = Exercise(
    variance_of_mean,
    lambda rng: (float(rng.uniform(0.2, 6)), int(rng.integers(3, 600))),
    {
        "That is the share of one value: its weight in the mean is 1/m, and 1/m squared goes "
        "before its variance. But m such variances add up.": lambda variance, m: variance / m**2,
        "That is the standard deviation of the mean; its square, the variance, was asked for.": (
            lambda variance, m: np.sqrt(variance / m)
        ),
        "A standard deviation was divided by m. Stay with variances: how do they add up?": (
            lambda variance, m: np.sqrt(variance) / m
        ),
        "m - 1 belongs to estimating a variance from m values. Here the variance is known.": (
            lambda variance, m: variance / (m - 1)
        ),
        "That is the variance of the sum. The mean divides the sum by m, and so the variance "
        "by m squared.": lambda variance, m: variance * m,
        "That is the variance of a single value; the mean of many is calmer.": (
            lambda variance, m: variance
        ),
        "The root belongs to the standard deviation of the mean, not to its variance.": (
            lambda variance, m: variance / np.sqrt(m)
        ),
    },
    praise="So the noise, as a standard deviation, falls with the root of m: a batch four times "
    "as large is half as noisy.",
)


def dropout_variances(mean, variance, probability):
    """Return a unit's variance in training and at test, under inverted dropout.

    mean, variance: of the unit without dropout. probability: that a value is set to 0; the others
    are divided by 1 - probability. At test dropout is off.
    """
    keep = 1 - probability
    mean_square = keep * (mean**2 + variance) / keep**2  # a share of `keep` is left, enlarged
    return mean_square - mean**2, variance


def _training_becomes(change):
    """Return `dropout_variances` with change(mean, variance, keep) in training."""
    return lambda mean, variance, p: (change(mean, variance, 1 - p), variance)


check_dropout_variances = Exercise(
    dropout_variances,
    lambda rng: tuple(map(float, rng.uniform((-3, 0.2, 0.05), (3, 4, 0.95)))),
    {
        "The probability was taken as that of being kept; here it is that of being dropped.": (
            lambda mean, variance, p: ((mean**2 + variance) / p - mean**2, variance)
        ),
        "The two have changed places: training first.": (
            lambda mean, variance, p: dropout_variances(mean, variance, p)[::-1]
        ),
        "In training the kept values are not yet divided by 1 - probability (inverted dropout).": (
            _training_becomes(lambda mean, variance, keep: (
                keep * (mean**2 + variance) - (keep * mean) ** 2
            ))
        ),
        "In training that is the mean square; take the square of the mean away.": (
            _training_becomes(lambda mean, variance, keep: (mean**2 + variance) / keep)
        ),
        "In training that holds for mean 0 only: setting values to 0 also moves them away from "
        "their mean.": _training_becomes(lambda mean, variance, keep: variance / keep),
        "In training only the mean was made noisy. Dropout enlarges what is left of the "
        "unit's own variance too.": _training_becomes(
            lambda mean, variance, keep: variance + mean**2 * (1 - keep) / keep
        ),
        "In training all values were divided, as if none were dropped: only a share of 1 - "
        "probability of the squares is left.": (
            _training_becomes(lambda mean, variance, keep: (mean**2 + variance) / keep**2 - mean**2)
        ),
        "At test nothing is dropped and nothing is divided: the variance is the unit's own.": (
            lambda mean, variance, p: (
                dropout_variances(mean, variance, p)[0], (1 - p) ** 2 * variance,
            )
        ),
    },
    praise="A batch norm behind it stores the first and meets the second.",
)
