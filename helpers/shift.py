"""How far apart are two sets of inputs, and can examples of one stand in for the other?"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from helpers.checks import check_finite, check_flag, check_number


def domain_auc(source, target, *, squares=True, regularisation=1.0):
    """Return how well a classifier tells unseen source inputs from target inputs, as an AUC.

    source: (n_source, features), target: (n_target, features), without common rows. 0.5 means
    that it cannot, 1.0 that the two sets do not overlap as far as it sees. Logistic regression
    learns from one half of both and scores the other, then the other way round; the rest as in
    `importance_weights`.
    """
    inputs, is_target = _pool(source, target, squares)
    half, shuffler = np.arange(len(inputs)) % 2, np.random.RandomState(0)
    for domain in np.split(half, [len(source)]):  # views
        domain.sort()
        shuffler.shuffle(domain)
    scores = np.empty(len(inputs))
    for unseen in (half == 0, half == 1):
        seen = ~unseen
        scores[unseen] = _log_odds(inputs[seen], is_target[seen], inputs[unseen], regularisation)
    # The share of pairs in which the target scores higher; a tie counts half.
    of_source, of_target = np.sort(scores[is_target == 0]), scores[is_target == 1]
    n_below = sum(np.searchsorted(of_source, of_target, side) for side in ("left", "right")) / 2
    return float(n_below.mean() / len(of_source))


def importance_weights(source, target, *, squares=True, regularisation=1.0):
    """Return one weight per source example, (n_source,), with mean 1.

    The weight estimates the density ratio target / source by the odds of a logistic domain
    classifier (Sugiyama, Suzuki & Kanamori 2012, chapter 4) on the inputs and, with `squares`,
    their squares, which makes it exact for two normal distributions. regularisation: the inverse
    strength C of the L2 penalty. Raises ValueError or TypeError for shapes that do not fit and
    NaN inputs.
    """
    inputs, is_target = _pool(source, target, squares)
    log_odds = _log_odds(inputs, is_target, inputs[is_target == 0], regularisation)
    weights = np.exp(log_odds - log_odds.max())
    return weights / weights.mean()


def effective_sample_size(weights):
    """Return (sum w)^2 / sum w^2: how many equally weighted examples are as noisy (Kish 1965).

    weights: (n,), non-negative, not all zero, else ValueError.
    """
    weights = check_finite("weights", weights, dtype=np.float64)
    if weights.ndim != 1 or not weights.size:
        raise ValueError(f"weights must have shape (n,), got {weights.shape}")
    if weights.min() < 0 or weights.max() == 0:
        raise ValueError(
            f"weights must be non-negative and not all zero, got values from {weights.min()} "
            f"to {weights.max()}"
        )
    weights = weights / weights.max()
    return float(weights.sum() ** 2 / (weights**2).sum())


@dataclass(frozen=True)
class Drift:
    """How far each unit's values moved: arrays (..., features), NaN for units that stay silent.

    mean: |change of the mean|, in standard deviations of the earlier values.
    scale: |log of the ratio of the standard deviations|.
    wasserstein: Wasserstein-1 distance, in earlier standard deviations; contains mean and scale.
    shape: Wasserstein-1 distance after standardising both; what mean and scale do not explain.
    ranking: 1 - correlation over the probe; whether the unit still scores the same inputs high.
    """

    mean: np.ndarray
    scale: np.ndarray
    wasserstein: np.ndarray
    shape: np.ndarray
    ranking: np.ndarray


def measure_drift(before, after, *, silent_below=0.02):
    """Return the Drift of each unit between two recordings of one probe.

    before, after: (..., batch, features), the same probe in the same order. Units whose standard
    deviation is below `silent_below` in either recording are NaN. Raises ValueError for shapes
    that differ.
    """
    before = check_finite("before", before, dtype=np.float64)
    after = check_finite("after", after, dtype=np.float64)
    check_number("silent_below", silent_below, 0)
    if before.shape != after.shape or before.ndim < 2 or not before.size:
        raise ValueError(
            "before and after must both have shape (..., batch, features), "
            f"got {before.shape} and {after.shape}"
        )
    sd_before, sd_after = before.std(axis=-2), after.std(axis=-2)
    alive = (sd_before >= silent_below) & (sd_after >= silent_below)
    sd_before, sd_after = np.where(alive, sd_before, np.nan), np.where(alive, sd_after, np.nan)
    mean_before, mean_after = before.mean(axis=-2), after.mean(axis=-2)
    centred_before = before - mean_before[..., None, :]
    covariance = (centred_before * (after - mean_after[..., None, :])).mean(axis=-2)
    # In one dimension Wasserstein-1 pairs equally many values in order (tested against scipy);
    # standardising keeps that order, so one sort serves both distances.
    before, after = np.sort(before, axis=-2), np.sort(after, axis=-2)
    standard_before = _standardise(before, mean_before, sd_before)
    standard_after = _standardise(after, mean_after, sd_after)
    return Drift(
        mean=np.abs(mean_after - mean_before) / sd_before,
        scale=np.abs(np.log(sd_after / sd_before)),
        wasserstein=np.abs(after - before).mean(axis=-2) / sd_before,
        shape=np.abs(standard_after - standard_before).mean(axis=-2),
        ranking=1 - covariance / (sd_before * sd_after),
    )


def _standardise(values, mean, sd):
    return (values - mean[..., None, :]) / sd[..., None, :]


def _pool(source, target, squares):
    source = check_finite("source", source, dtype=np.float64)
    target = check_finite("target", target, dtype=np.float64)
    for name, inputs in (("source", source), ("target", target)):
        if inputs.ndim != 2 or len(inputs) < 5:
            raise ValueError(
                f"{name} must have shape (at least 5 examples, features), got {inputs.shape}"
            )
    if source.shape[1] != target.shape[1]:
        raise ValueError(
            f"source and target must share their features, got {source.shape[1]} and "
            f"{target.shape[1]}"
        )
    inputs = np.concatenate([source, target])
    if check_flag("squares", squares):
        with np.errstate(over="ignore"):
            inputs = check_finite(
                "source and target, squared,", np.concatenate([inputs, inputs**2], axis=1)
            )
    return inputs, np.repeat([0, 1], [len(source), len(target)])


def _log_odds(inputs, is_target, wanted, regularisation):
    """Fit logistic regression to standardised `inputs`; return the log odds of `wanted`, (n,).

    Newton's method to the last digits, since what is printed must not depend on where it stopped.
    scikit-learn finds the same (a test holds it), but to import it takes half a second.
    """
    check_number("regularisation", regularisation, 0, low_open=True)
    mean, sd = inputs.mean(axis=0), inputs.std(axis=0)
    sd[sd == 0] = 1
    design, wanted = (
        np.column_stack([(rows - mean) / sd, np.ones(len(rows))]) for rows in (inputs, wanted)
    )
    penalty = np.full(design.shape[1], 1 / regularisation)
    penalty[-1] = 0  # the bias is free

    def loss(weights):
        log_odds = design @ weights
        return (np.logaddexp(0, log_odds) - is_target * log_odds).sum() + penalty @ weights**2 / 2

    weights = np.zeros(design.shape[1])
    for _ in range(100):
        odds = special.expit(design @ weights)
        gradient = design.T @ (odds - is_target) + penalty * weights
        curvature = (design.T * (odds * (1 - odds))) @ design + np.diag(penalty)
        step = np.linalg.solve(curvature, gradient)
        while loss(weights - step) > loss(weights):
            step /= 2
        weights -= step
        if np.abs(step).max() < 1e-9:
            break
    return wanted @ weights
