"""Intervals against scipy, coverage by simulation, and how numbers print."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from helpers.intervals import (
    Interval,
    format_number,
    format_table,
    interval_ends,
    mean_interval,
    mean_intervals,
    paired_interval,
)


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=40), st.sampled_from([0.5, 0.95]))
def test_the_interval_is_students(values, level):
    values = np.array([*values, values[0] + 1.0])
    interval = mean_interval(values, level)
    low, high = stats.t.interval(level, len(values) - 1, values.mean(), stats.sem(values))
    assert interval.low == pytest.approx(low, abs=1e-9)
    assert interval.high == pytest.approx(high, abs=1e-9)
    assert interval.n_seeds == len(values)


def test_ninety_five_percent_of_intervals_hold_the_truth():
    draws = np.random.default_rng(0).normal(3.0, 2.0, (2000, 16))
    covered = [interval.low < 3.0 < interval.high for interval in mean_intervals(draws)]
    assert 0.935 < np.mean(covered) < 0.965


def test_ends_of_intervals_come_as_arrays():
    means, lows, highs = interval_ends([Interval(1.0, 0.5, 2), Interval(3.0, 1.0, 2)])
    assert (means.tolist(), lows.tolist(), highs.tolist()) == ([1, 3], [0.5, 2], [1.5, 4])


def test_pairing_removes_what_the_arms_share():
    rng = np.random.default_rng(0)
    shared, small = rng.normal(0, 10, 16), rng.normal(0.5, 0.1, 16)
    difference = paired_interval(shared + small, shared)
    assert difference.low > 0 and difference.half_width < 0.1
    assert mean_interval(shared).half_width > 1


@pytest.mark.parametrize(
    ("mean", "half_width", "text"),
    [
        (0.6512, 0.0204, "0.65 ± 0.02"),
        (0.6512, 0.0096, "0.65 ± 0.01"),
        (-0.0092, 0.0026, "-0.009 ± 0.003"),
        (142.3, 14.2, "142 ± 14"),
        (2.29, 0.96, "2 ± 1"),
        (-0.001, 0.04, "0.00 ± 0.04"),
        (0.0, 0.0, "0.000 ± 0.000"),
        (1.0, np.nan, "1.000 ± nan"),
    ],
)
def test_an_interval_prints_no_more_than_its_half_width_supports(mean, half_width, text):
    assert str(Interval(mean, half_width, 16)) == text


def test_numbers_never_print_as_minus_zero():
    assert format_number(-0.0004, 2) == "0.00"
    assert format_number(-0.006, 2) == "-0.01"


def test_tables_align():
    table = format_table({"net": ["a", "long"], "loss": [Interval(0.5, 0.1, 2), "x"]})
    assert table.splitlines() == ["net        loss", "a     0.5 ± 0.1", "long          x"]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: mean_interval([1.0]), ValueError, "at least 2"),
        (lambda: mean_interval([[1.0, 2.0]]), ValueError, r"got \(1, 2\)"),
        (lambda: mean_interval([1.0, np.nan]), ValueError, "values must be finite, got 1 NaN"),
        (lambda: mean_interval([1.0, 2.0], level=1.0), ValueError, "level must be"),
        (lambda: mean_interval(["a", "b"]), TypeError, "values must be an array of real numbers"),
        (lambda: paired_interval([1.0, 2.0], [1.0]), ValueError, r"\(2,\) and \(1,\)"),
        (lambda: format_table({}), ValueError, "at least one column"),
        (lambda: format_number(1.0, -1), ValueError, "decimals must be at least 0, got -1"),
        (lambda: format_table({"a": [1], "b": []}), ValueError, "columns must have the same"),
    ],
)
def test_what_makes_no_sense_is_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()
