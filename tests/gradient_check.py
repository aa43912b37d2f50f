"""Random inputs, and backward against central finite differences, in float64."""

import numpy as np


def normal(shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def assert_gradients(loss, inputs, grad_inputs, layers):
    """Assert that the gradients of the inputs, and those that `layers` hold, are those of `loss`.

    loss: a function without arguments, which reads `inputs` and the layers' parameters anew.
    """
    found = [(inputs, grad_inputs)]
    for layer in layers:
        found += [(getattr(layer, one), getattr(layer, "grad_" + one)) for one in layer.parameters]
    for array, gradient in found:
        numerical = numerical_gradient(loss, array)
        assert gradient.shape == array.shape
        scale = max(np.abs(gradient).max(), np.abs(numerical).max())
        assert np.abs(gradient - numerical).max() < 1e-6 * scale


def numerical_gradient(loss, array, step=1e-6):
    gradient = np.empty_like(array)
    for index in np.ndindex(array.shape):
        kept = array[index]
        array[index] = kept + step
        above = loss()
        array[index] = kept - step
        below = loss()
        array[index] = kept
        gradient[index] = (above - below) / (2 * step)
    return gradient
