"""Bad input is refused here, at the door, by errors that speak to the learner.

Every message names the argument, what is allowed and what was given. Each function returns
the value in the type that the caller goes on with.
"""

from numbers import Integral, Real

import numpy as np


def check_integer(name, value, low=1, high=None, *, high_is=None):
    """Return `value` as an int between `low` and `high`, both included.

    `high_is` says in words what the upper end stands for ("the training set").
    Raises TypeError for what is not an integer, ValueError for one out of range.
    """
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be an integer, got {value!r} ({type(value).__name__})")
    if value < low or (high is not None and value > high):
        raise ValueError(f"{name} must be {_between(low, high, high_is)}, got {value}")
    return int(value)


def check_number(name, value, low=-np.inf, high=np.inf, *, low_open=False, high_open=False):
    """Return `value` as a float between `low` and `high`; an open end is not allowed itself.

    Raises TypeError for what is not a real number, ValueError for one out of range or NaN.
    """
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a number, got {value!r} ({type(value).__name__})")
    too_low = value <= low if low_open else value < low
    too_high = value >= high if high_open else value > high
    if too_low or too_high or not np.isfinite(value):
        interval = f"{'(' if low_open else '['}{low:g}, {high:g}{')' if high_open else ']'}"
        raise ValueError(f"{name} must be a finite number in {interval}, got {value}")
    return float(value)


def check_choice(name, value, allowed):
    """Return `value` if it is one of `allowed`, else raise ValueError."""
    if not any(value is choice or value == choice for choice in allowed):
        choices = ", ".join(repr(choice) for choice in allowed)
        raise ValueError(f"{name} must be one of {choices}, got {value!r}")
    return value


def check_finite(name, values, *, dtype=None):
    """Return `values` as an array of finite real numbers, else raise TypeError or ValueError."""
    array = np.asarray(values)
    if array.dtype == object or not (
        np.issubdtype(array.dtype, np.number) or array.dtype == bool
    ) or np.iscomplexobj(array):
        raise TypeError(f"{name} must be an array of real numbers, got dtype {array.dtype}")
    if not _all_finite(array):
        n_bad = int((~np.isfinite(array)).sum())
        raise ValueError(
            f"{name} must be finite, got {n_bad} NaN or infinite values among {array.size}"
        )
    return array if dtype is None else array.astype(dtype, copy=False)


def check_labels(name, labels, n_classes):
    """Return `labels` as an integer array with values 0 .. n_classes - 1, else raise."""
    labels = np.asarray(labels)
    if not np.issubdtype(labels.dtype, np.integer):
        raise TypeError(f"{name} must be integer class labels, got dtype {labels.dtype}")
    if labels.size and (labels.min() < 0 or labels.max() >= n_classes):
        worst = labels.min() if labels.min() < 0 else labels.max()
        raise ValueError(f"{name} must lie between 0 and {n_classes - 1}, got {worst}")
    return labels


def _between(low, high, high_is):
    if high is None:
        return f"at least {low}"
    return f"between {low} and {high}" + (f" ({high_is})" if high_is else "")


def _all_finite(array):
    # One BLAS dot product sees any NaN or inf, several times faster than isfinite; it may
    # overflow for huge finite values, and only then is each value looked at.
    if array.dtype in (np.float32, np.float64) and array.flags.c_contiguous:
        flat = array.reshape(-1)
        with np.errstate(all="ignore"):
            if np.isfinite(flat @ flat):
                return True
    return bool(np.isfinite(array).all())
