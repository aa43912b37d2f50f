"""Bad input is refused here, at the door, by errors that speak to the learner.

Every message names the argument, what is allowed and what was given. Each function returns
the value in the type that the caller goes on with.
"""

from numbers import Integral, Real

import numpy as np

FLOATS = (np.float32, np.float64)
LARGEST = 2**31 - 1  # of a count: no array is as long


def check_integer(name, value, low=1, high=LARGEST, *, high_is=None):
    """Return `value` as an int between `low` and `high`, both included.

    `high_is` says in words what the upper end stands for ("the training set").
    Raises TypeError for what is not an integer, ValueError for one out of range.
    """
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be an integer, got {value!r} ({type(value).__name__})")
    if value < low or value > high:
        is_open = value < low and high >= LARGEST
        allowed = f"at least {low}" if is_open else f"between {low} and {high}"
        allowed += f" ({high_is})" if high_is else ""
        raise ValueError(f"{name} must be {allowed}, got {value}")
    return int(value)


def check_number(name, value, low=-np.inf, high=np.inf, *, high_open=False):
    """Return `value` as a float between `low` and `high`, both included; an open high is not.

    Raises TypeError for what is not a real number, ValueError for one out of range or NaN.
    """
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a number, got {value!r} ({type(value).__name__})")
    try:
        number = float(value)
    except OverflowError:
        number = np.inf
    too_high = number >= high if high_open else number > high
    if number < low or too_high or not np.isfinite(number):
        left = "(" if low == -np.inf else "["
        right = ")" if high_open or high == np.inf else "]"
        raise ValueError(
            f"{name} must be a finite number in {left}{low:g}, {high:g}{right}, got {value}"
        )
    return number


def check_flag(name, value):
    """Return `value` as a bool, else raise TypeError: "no" is not False."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be True or False, got {value!r}")
    return bool(value)


def check_choice(name, value, allowed):
    """Return `value` if it is one of `allowed`, else raise ValueError."""
    plain = value.item() if isinstance(value, np.generic) else value
    if not any(type(plain) is type(choice) and plain == choice for choice in allowed):
        choices = ", ".join(repr(choice) for choice in allowed)
        raise ValueError(f"{name} must be one of {choices}, got {value!r}")
    return plain


def check_dtype(dtype):
    """Return `dtype` as a NumPy dtype, float32 or float64, else raise ValueError."""
    if isinstance(dtype, (str, type, np.dtype)):  # None would be float64 to NumPy
        for allowed in map(np.dtype, FLOATS):
            if dtype in (allowed.type, allowed, allowed.name):
                return allowed
    raise ValueError(f"dtype must be one of 'float32', 'float64', got {dtype!r}")


def as_array(name, values):
    """Return `values` as an array, else raise ValueError, or TypeError for a masked one."""
    if isinstance(values, np.ma.MaskedArray):
        raise TypeError(f"{name} must be an array without a mask, got a masked one")
    try:
        return np.asarray(values)
    except ValueError:
        raise ValueError(f"{name} must be an array, got rows of unequal lengths") from None


def check_floats(name, values):
    """Return `values` as an array of float32 or float64, NaN included, else raise TypeError."""
    array = as_array(name, values)
    if array.dtype not in FLOATS:
        raise TypeError(f"{name} must be float32 or float64, got dtype {array.dtype}")
    return array


def check_grad(name, grad, shape):
    """Return a gradient of that `shape` as `check_floats`; None, before a forward, is refused."""
    grad = check_floats(name, grad)
    if shape is None:
        raise ValueError(f"{name} must follow a forward, got it before any")
    if grad.shape != shape:
        raise ValueError(f"{name} must have shape {shape}, got {grad.shape}")
    return grad


def check_finite(name, values, *, dtype=None):
    """Return `values` as an array of finite real numbers, of `dtype` if one is given.

    Raises TypeError for what is not numbers, ValueError for NaN, infinite ones, and those so large
    that sums of their squares (in float64: of their fourth powers) would overflow.
    """
    array = as_array(name, values)
    if array.dtype.kind not in "iuf":
        got = f"{values!r}" if array.ndim == 0 else f"dtype {array.dtype}"
        raise TypeError(f"{name} must be an array of real numbers, got {got}")
    dtype = array.dtype if dtype is None else np.dtype(dtype)
    largest = 1e15 if dtype == np.float32 else 1e75
    if array.size and not (-largest <= float(array.min()) and float(array.max()) <= largest):
        n_bad = int((~(np.abs(array.astype(float)) <= largest)).sum())
        raise ValueError(
            f"{name} must be finite, got {n_bad} NaN or infinite values, or beyond {largest:g}, "
            f"among {array.size} ({dtype})"
        )
    return array.astype(dtype, copy=False)


def check_axes(inputs, n_features=None, n_networks=None, name="inputs"):
    """Raise ValueError unless `inputs` are (batch, features) or (n_networks, batch, features).

    n_features=None allows any number of features, and of networks with it.
    """
    stacked = n_networks is not None or n_features is None
    fits = inputs.ndim == 2 or (inputs.ndim == 3 and stacked)
    fits = fits and (n_features is None or inputs.shape[-1] == n_features)
    if not fits or (inputs.ndim == 3 and n_networks not in (None, inputs.shape[0])):
        width = n_features or "features"
        allowed = f"(batch, {width})"
        allowed += f" or ({n_networks or 'n_networks'}, batch, {width})" if stacked else ""
        raise ValueError(f"{name} must have shape {allowed}, got {inputs.shape}")
    if not inputs.size:
        raise ValueError(f"{name} must hold at least one value, got shape {inputs.shape}")


def check_layers(layers, *needed):
    """Return `layers` as a list of objects with the attributes `needed`, else raise TypeError."""
    layers = list(layers) if isinstance(layers, (list, tuple)) else [layers]
    for layer in layers:
        check_has("layers", layer, *needed)
    return layers


def check_has(name, value, *needed):
    """Raise TypeError unless `value` has the attributes `needed`."""
    if not all(hasattr(value, one) for one in needed):
        raise TypeError(f"{name} must have {', '.join(needed)}, got {value!r}")


def check_sample_weights(values, shape, dtype):
    """Return `values` as finite, non-negative numbers, one for each example, or None for None.

    shape: (..., examples); one row (examples,) serves all networks. Raises ValueError or TypeError.
    """
    if values is None:
        return None
    weights = check_finite("sample_weights", values, dtype=dtype)
    _check_one_per_example("sample_weights", weights, shape)
    if weights.size and weights.min() < 0:
        raise ValueError(f"sample_weights must be non-negative, got {weights.min()}")
    return weights


def check_labels(name, labels, n_classes, shape=None):
    """Return `labels` as an array of `intp` with values 0 .. n_classes - 1, else raise.

    n_classes=None leaves the upper end open. shape: (..., examples) or one row for all networks,
    None for any. Labels count as places in arrays: in a narrow type such as uint8 these overflow.
    """
    labels = as_array(name, labels)
    if labels.dtype.kind not in "iu":
        raise TypeError(f"{name} must be integer class labels, got dtype {labels.dtype}")
    if shape is not None:
        _check_one_per_example(name, labels, shape)
    high = np.iinfo(np.intp).max if n_classes is None else n_classes - 1
    if labels.size and (labels.min() < 0 or labels.max() > high):
        worst = labels.min() if labels.min() < 0 else labels.max()
        raise ValueError(f"{name} must lie between 0 and {high}, got {worst}")
    return labels.astype(np.intp, copy=False)


def _check_one_per_example(name, values, shape):
    if values.shape not in (shape, shape[-1:]):
        shapes = " or ".join(str(one) for one in dict.fromkeys((shape[-1:], shape)))
        raise ValueError(f"{name} must have shape {shapes}, got {values.shape}")
