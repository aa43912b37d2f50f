"""How sure we are: 95% intervals over seeds, what they decide, and the one place that turns numbers
into text.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from helpers.checks import as_array, check_choice, check_finite, check_integer, check_number


@dataclass(frozen=True)
class Interval:
    """mean ± half_width, from n_seeds values.

    Prints with one digit of the half-width, or as whole numbers where that is above 1.
    """

    mean: float
    half_width: float
    n_seeds: int

    @property
    def low(self):
        return self.mean - self.half_width

    @property
    def high(self):
        return self.mean + self.half_width

    def __str__(self):
        if self.half_width == 0 or not np.isfinite(self.half_width):
            return self.rounded(3)
        # "e" notation rounds first, so that 0.096 counts as 0.1 and not as 0.09.
        exponent = int(f"{self.half_width:.0e}".split("e")[1])
        return self.rounded(max(0, -exponent))

    def rounded(self, decimals):
        """Return it as text with so many decimals, where its last digits are not to be trusted."""
        return f"{format_number(self.mean, decimals)} ± {self.half_width:.{decimals}f}"


def mean_interval(values):
    """Return the mean of `values`, (n_seeds,), with its interval; errors as `mean_intervals`."""
    return mean_intervals(as_array("values", values)[None])[0]


def mean_intervals(values):
    """Return a list of Student t Intervals, 95%, one per row of `values`, (n_rows, n_seeds).

    Raises ValueError for fewer than 2 seeds, for NaN or infinite values, and for another shape.
    """
    values = check_finite("values", values, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] < 2:
        raise ValueError(f"values must be rows of at least 2 seeds, got {values.shape}")
    n_seeds = values.shape[1]
    standard_errors = values.std(axis=1, ddof=1) / np.sqrt(n_seeds)
    # The quantile of t; scipy.stats has it too, for half a second more at every import.
    half_widths = special.stdtrit(n_seeds - 1, 0.975) * standard_errors
    means = values.mean(axis=1).tolist()
    return [Interval(mean, half, n_seeds) for mean, half in zip(means, half_widths.tolist())]


def interval_ends(intervals):
    """Return the means, lows and highs of a list of Intervals, each (n_intervals,)."""
    ends = [(one.mean, one.low, one.high) for one in intervals]
    return tuple(np.reshape(ends, (-1, 3)).T)


def paired_interval(values, reference):
    """Return the interval of values - reference, both (n_seeds,), seed by seed.

    Two arms that share a seed share data and initial weights; their difference varies less
    than each of them does. Raises ValueError for unequal shapes.
    """
    values = check_finite("values", values, dtype=np.float64)
    reference = check_finite("reference", reference, dtype=np.float64)
    if values.shape != reference.shape:
        raise ValueError(
            f"values and reference must pair up, got shapes {values.shape} and {reference.shape}"
        )
    return mean_interval(values - reference)


def verdict(interval, margin, sign=1):
    """Return what `interval` says of a claim: "holds", "fails" or "undecided".

    The claim: the effect is larger than `margin`, the smallest one that matters, in the direction
    of `sign`, 1 or -1. It holds if the whole interval lies beyond the margin in that direction and
    fails if the whole interval lies short of it. A negative margin tolerates as much in the other
    direction. Raises ValueError or TypeError for another sign or margin.
    """
    if not isinstance(interval, Interval):
        raise TypeError(f"interval must be an Interval, got {type(interval).__name__}")
    margin, sign = check_number("margin", margin), check_choice("sign", sign, (1, -1))
    low, high = sorted((sign * interval.low, sign * interval.high))
    if low > margin:
        return "holds"
    return "fails" if high < margin else "undecided"


def format_number(value, decimals):
    """Return `value` rounded to `decimals` places, never as "-0.00"."""
    number, decimals = _numbers("value", value), check_integer("decimals", decimals, 0, 99)
    if number.ndim:
        raise ValueError(f"value must be one number, got shape {number.shape}")
    rounded = round(float(number), decimals)
    return f"{rounded + 0.0:.{decimals}f}"


def mean_text(values, decimals):
    """Return the mean of `values` alone, with so many decimals."""
    return format_number(np.mean(_numbers("values", values)), decimals)


def median_text(values, n_censored=0):
    """Return the median of `values` as a whole number.

    n_censored: how many of them, the largest, would have been larger; from half of them on the
    median is a lower bound, ">= ".
    """
    is_bound = n_censored and 2 * n_censored >= len(values)
    return (">= " if is_bound else "") + format_number(np.median(values), 0)


def show(label, *values):
    """Print `label` and behind it the values, each as a cell of `show_table`."""
    print(label, *map(_text_of, values))


def show_table(columns):
    """Print an aligned table; columns: {heading: cells}.

    A cell that is an array (n_seeds,) is shown as its mean with its interval, a float with two
    decimals, all others as they print; so a column may be an array (n_rows, n_seeds). Raises
    ValueError for unequal lengths.
    """
    if not isinstance(columns, dict) or not columns or not all(
        isinstance(heading, str) and np.iterable(cells) and not isinstance(cells, str)
        for heading, cells in columns.items()
    ):
        raise TypeError(f"columns must be {{heading: cells}}, got {columns!r}")
    columns = {
        heading: [_text_of(cell, f"columns[{heading!r}]") for cell in cells]
        for heading, cells in columns.items()
    }
    if len(lengths := {len(cells) for cells in columns.values()}) > 1:
        raise ValueError(f"columns must all have one length, got {sorted(lengths)}")
    widths = [max(map(len, [heading, *cells])) for heading, cells in columns.items()]
    for first, *rest in [list(columns), *zip(*columns.values())]:
        cells = [first.ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(rest, widths[1:])]
        print("  ".join(cells).rstrip())


def compare_arms(rows, difference=None):
    """Return columns for `show_table`, of rows {arm: values (n_seeds,)} with the same arms.

    The values of each arm; then what each further arm adds to the first one, seed by seed.
    difference: the heading of that where there are two arms; else it is "with - without".
    """
    rows = list(rows) if np.iterable(rows) else [rows]
    are_dicts = all(isinstance(row, dict) and row and row.keys() == rows[0].keys() for row in rows)
    if not rows or not are_dicts:
        raise TypeError(f"rows must be dicts {{arm: values}} with the same arms, got {rows!r}")
    if not isinstance(difference, (str, type(None))):
        raise TypeError(f"difference must be a heading, got {difference!r}")
    first, *others = rows[0]
    columns = {arm: [row[arm] for row in rows] for arm in rows[0]}
    for arm in others:
        heading = difference if difference and len(others) == 1 else f"{arm} - {first}"
        columns[heading] = [paired_interval(row[arm], row[first]) for row in rows]
    return columns


def _numbers(name, values):
    """Return `values` as an array of numbers, NaN included: text says so, and hides nothing."""
    array = as_array(name, values)
    if array.dtype.kind not in "iuf" or not array.size:
        raise TypeError(f"{name} must be numbers, got {values!r}")
    return array


def _text_of(value, name="values"):
    if isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype.kind in "iuf":
        return str(mean_interval(check_finite(name, value)))
    return format_number(value, 2) if isinstance(value, (float, np.floating)) else str(value)
