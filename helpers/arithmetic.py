"""Arithmetic on batches where NumPy's obvious line is slow: all that is fast and obscure is here.

The layers, the loss and the optimiser read as their formulas; they call these functions where a
measurement showed that it pays. Each comment gives the gain. `benchmarks/training_step.py`
measures the whole.
"""

import ctypes
import math
from contextlib import suppress
from functools import lru_cache

import numpy as np


def ask_glibc(function, *arguments):
    """Call a function of the C library; where that is another one, nothing happens."""
    with suppress(OSError, AttributeError, TypeError):
        getattr(ctypes.CDLL(None), function)(*arguments)


# Arrays of 12 MB and more go back to the system when they are freed, what training steps use does
# not: 20-100 MB less in a notebook, 10% less time in a step on faces. glibc's own limits wander.
ask_glibc("mallopt", -3, 12 * 2**20)  # M_MMAP_THRESHOLD
ask_glibc("mallopt", -1, 32 * 2**20)  # M_TRIM_THRESHOLD


def give_back_memory():
    """Return to the system what was freed; malloc_trim leaves up to 32 MB in this thread's heap."""
    ask_glibc("mallopt", -1, 0)
    np.empty(2**17, np.uint8)  # a heap looks at its limit when so much is freed
    ask_glibc("mallopt", -1, 32 * 2**20)
    ask_glibc("malloc_trim", 0)


@lru_cache(maxsize=64)
def row_of(value, n, dtype):
    """Return a read-only row (1, n) filled with `value`.

    A row of ones times a matrix sums over the mini-batch in BLAS, 3-8x faster than sum(axis=-2).
    To make the row anew each time costs as much as the product itself in a small network.
    """
    if np.dtype(dtype).kind != "f":  # asked here, where it costs nothing: the mean would be 0
        raise TypeError(f"inputs must be floating point, got dtype {np.dtype(dtype)}")
    row = np.full((1, n), value, dtype)
    row.flags.writeable = False
    return row


@lru_cache(maxsize=64)
def places_of_class_0(shape):
    """Return where in a flat (..., classes, batch) array each example's class 0 stands.

    Class c stands c * batch further. Taking single places is 10x faster than comparing targets
    with all classes.
    """
    return np.arange(math.prod(shape)).reshape(shape)[..., 0, :].copy()


def views_of(vector, arrays):
    """Return views of `vector`, one behind the other, shaped like each of `arrays`."""
    parts = np.split(vector, np.cumsum([array.size for array in arrays[:-1]], dtype=int))
    return [part.reshape(array.shape) for part, array in zip(parts, arrays, strict=True)]


def flush_tiny(values):
    """Set to 0, in place, what is below 1e8 times the smallest normal number (1e-30 in float32).

    Where a unit is dead or saturated its gradient is 0 and momentum shrinks its velocity to a
    denormal number, where rounding keeps it for ever. On many processors such a number costs a
    hundred times the time of another; it is too small to move any parameter.
    """
    values *= np.abs(values) > 1e8 * np.finfo(values.dtype).tiny
