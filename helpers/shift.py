"""How far apart are two sets of inputs, and can examples of one stand in for the other?"""

import numpy as np

from helpers.checks import check_finite, check_flag


def domain_auc(source, target, *, squares=True):
    """Return how well a classifier tells unseen source inputs from target inputs, as an AUC.

    source: (n_source, features), target: (n_target, features), without common rows. 0.5 means
    that it cannot, 1.0 that the two sets do not overlap as far as it sees. Logistic regression
    learns from one half of both and scores the other, then the other way round; the rest as in
    `importance_weights`.
    """
    inputs, is_target = _pool(source, target, squares)
    # Imported here: scikit-learn takes half a second, and most notebooks do without it.
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    halves = StratifiedKFold(2, shuffle=True, random_state=0)
    scores = cross_val_predict(
        _domain_classifier(), inputs, is_target, cv=halves, method="decision_function"
    )
    return float(roc_auc_score(is_target, scores))


def importance_weights(source, target, *, squares=True):
    """Return one weight per source example, (n_source,), with mean 1.

    The weight estimates the density ratio target / source by the odds of a logistic domain
    classifier (Sugiyama, Suzuki & Kanamori 2012, chapter 4) on the inputs and, with `squares`,
    their squares, which makes it exact for two normal distributions. Raises ValueError or
    TypeError for shapes that do not fit and NaN inputs.
    """
    inputs, is_target = _pool(source, target, squares)
    classifier = _domain_classifier().fit(inputs, is_target)
    log_odds = classifier.decision_function(inputs[is_target == 0])
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


def _pool(source, target, squares):
    source = check_finite("source", source, dtype=np.float64)
    target = check_finite("target", target, dtype=np.float64)
    for name, inputs in (("source", source), ("target", target)):
        if inputs.ndim != 2 or len(inputs) < 5 or not inputs.size:
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
        inputs = np.concatenate([inputs, inputs**2], axis=1)
    return inputs, np.repeat([0, 1], [len(source), len(target)])


def _domain_classifier():
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    # A tight tolerance: printed numbers must not depend on where the solver stopped. With few
    # features Newton's method gets there several times faster than the default solver.
    logistic = LogisticRegression(tol=1e-8, solver="newton-cholesky")
    return make_pipeline(StandardScaler(), logistic)
