"""Notebook 04's exercises: ghost batch norm, and how large two kinds of noise are."""

import numpy as np

from helpers.page.exercise import Exercise, reveal  # noqa: F401, for the notebook


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


_SWAPPED = {"batch_size // group_size, group_size": "group_size, batch_size // group_size"}

check_ghost_batch_norm = Exercise(ghost_batch_norm, _draw_batch, {
    "That is plain batch norm: all rows share one mean and one variance. Each group should have "
    "its own.": {"batch_size // group_size, group_size": "1, batch_size"},
    "n_groups and group_size have changed places in the reshape: these groups have n_groups rows "
    "each. The first axis counts the groups.": _SWAPPED,
    "These groups hold every n_groups-th row. `reshape` cuts along the first axis, so for "
    "consecutive rows it has to be (n_groups, group_size, n_units).":
        {**_SWAPPED, "axis=1": "axis=0"},
    "The statistics run over the groups, axis 0: the first rows of all groups together, then the "
    "second rows, and so on. They should run over the rows of a group, axis 1.":
        {"axis=1": "axis=0"},
    "The statistics run over the units, so that each row is normalised by itself (layer norm does "
    "that). They should run over the rows of a group.": {"axis=1": "axis=2"},
    "All units of a group share one mean and one variance. Each unit should have its own: average "
    "over the rows only.": {"axis=1": "axis=(1, 2)"},
    "Nearly: eps = 1e-5 is missing under the root.": {" + 1e-5": ""},
    "eps is added to the standard deviation. It belongs to the variance, under the root.":
        {"np.sqrt(var + 1e-5)": "(np.sqrt(var) + 1e-5)"},
    "This variance divides by the group size minus 1. Batch norm normalises with the biased one, "
    "which divides by the group size (NumPy's default).": {"var(axis=1": "var(ddof=1, axis=1"},
    "Divided by the variance: its root, the standard deviation, gives x_hat width 1.":
        {"np.sqrt": ""},
}, praise="One reshape makes the noise of small batches without changing the update.")


def variance_of_mean(variance, batch_size):
    """Return the variance of the mean of `batch_size` independent values of that variance."""
    return variance / batch_size


def _draw_mean(rng):
    return float(rng.uniform(0.2, 6)), int(rng.integers(3, 600))


check_variance_of_mean = Exercise(variance_of_mean, _draw_mean, {
    "That is the share of one value: its weight in the mean is 1/m, and 1/m squared goes before "
    "its variance. But m such variances add up.": {"/ batch_size": "/ batch_size**2"},
    "That is the standard deviation of the mean; its square, the variance, was asked for.":
        {"variance / batch_size": "np.sqrt(variance / batch_size)"},
    "A standard deviation was divided by m. Stay with variances: how do they add up?":
        {"return variance": "return np.sqrt(variance)"},
    "m - 1 belongs to estimating a variance from m values. Here the variance is known.":
        {"/ batch_size": "/ (batch_size - 1)"},
    "That is the variance of the sum. The mean divides the sum by m, and so the variance by m "
    "squared.": {"/ batch_size": "* batch_size"},
    "That is the variance of a single value; the mean of many is calmer.": {" / batch_size": ""},
    "The root belongs to the standard deviation of the mean, not to its variance.":
        {"/ batch_size": "/ np.sqrt(batch_size)"},
}, praise="So the noise, as a standard deviation, falls with the root of m: a batch four times as "
   "large is half as noisy.")


def dropout_variances(mean, variance, probability):
    """Return a unit's variance in training and at test, under inverted dropout.

    mean, variance: of the unit without dropout. probability: that a value is set to 0; the others
    are divided by 1 - probability. At test dropout is off.
    """
    keep = 1 - probability
    mean_square = keep * (mean**2 + variance) / keep**2  # a share of `keep` is left, enlarged
    return mean_square - mean**2, variance


def _draw_unit(rng):
    return tuple(map(float, rng.uniform((-3, 0.2, 0.05), (3, 4, 0.95))))


check_dropout_variances = Exercise(dropout_variances, _draw_unit, {
    "The probability was taken as that of being kept; here it is that of being dropped.":
        {"keep = 1 - probability": "keep = probability"},
    "The two have changed places: training first.":
        {"mean_square - mean**2, variance": "variance, mean_square - mean**2"},
    "In training the kept values are not yet divided by 1 - probability (inverted dropout).":
        {" / keep**2": "", "- mean**2": "- (keep * mean) ** 2"},
    "In training that is the mean square; take the square of the mean away.": {" - mean**2": ""},
    "In training that holds for mean 0 only: setting values to 0 also moves them away from their "
    "mean.": {"mean_square - mean**2": "variance / keep"},
    "In training only the mean was made noisy. Dropout enlarges what is left of the unit's own "
    "variance too.": {"mean_square - mean**2": "variance + mean**2 * (1 - keep) / keep"},
    "In training all values were divided, as if none were dropped: only a share of 1 - probability "
    "of the squares is left.": {"keep * (mean": "(mean"},
    "At test nothing is dropped and nothing is divided: the variance is the unit's own.":
        {"mean**2, variance": "mean**2, keep**2 * variance"},
}, praise="A batch norm behind it stores the first and meets the second.")
