"""Backward against central finite differences, in float64."""

import numpy as np


def numerical_gradient(function, array, step=1e-6):
    """Central differences of the scalar `function()` with respect to `array`, changed in place."""
    gradient = np.empty_like(array)
    for index in np.ndindex(array.shape):
        kept = array[index]
        array[index] = kept + step
        above = function()
        array[index] = kept - step
        below = function()
        array[index] = kept
        gradient[index] = (above - below) / (2 * step)
    return gradient


def relative_error(analytic, numerical):
    """max |a - n| / max(|a|, |n|), over the whole array."""
    scale = max(np.abs(analytic).max(), np.abs(numerical).max())
    return np.abs(analytic - numerical).max() / scale
