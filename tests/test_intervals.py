"""Intervals against scipy, what they decide, and how numbers print."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from helpers.intervals import (
    Interval,
    compare_arms,
    interval_ends,
    mean_interval,
    median_text,
    paired_interval,
    show,
    show_table,
    verdict,
)


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=40))
def test_the_interval_is_students(values):
    values = np.array([*values, values[0] + 1.0])
    interval = mean_interval(values)
    low, high = stats.t.interval(0.95, len(values) - 1, values.mean(), stats.sem(values))
    assert interval.low == pytest.approx(low, abs=1e-9)
    assert interval.high == pytest.approx(high, abs=1e-9)
    assert interval.n_seeds == len(values)


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
    ("low", "high", "margin", "sign", "expected"),
    [
        (2.0, 4.0, 1.0, 1, "holds"),
        (0.0, 0.5, 1.0, 1, "fails"),
        (0.5, 2.5, 1.0, 1, "undecided"),
        (1.0, 3.0, 1.0, 1, "undecided"),  # an end on the margin decides nothing
        (0.0, 1.0, 1.0, 1, "undecided"),
        (-4.0, -2.0, 1.0, 1, "fails"),  # large, in the other direction
        (-4.0, -2.0, 1.0, -1, "holds"),
        (0.5, 1.5, -2.0, -1, "holds"),  # a cost below the 2 that are tolerated
        (2.5, 3.5, -2.0, -1, "fails"),
    ],
)
def test_a_verdict_needs_the_whole_interval(low, high, margin, sign, expected):
    interval = Interval((low + high) / 2, (high - low) / 2, 16)
    assert verdict(interval, margin, sign) == expected


@given(st.floats(-100, 100), st.floats(0.001, 100), st.floats(-100, 100))
def test_claims_in_both_directions_are_judged_alike(mean, half_width, margin):
    there, back = Interval(mean, half_width, 16), Interval(-mean, half_width, 16)
    assert verdict(there, margin, 1) == verdict(back, margin, -1)


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


def test_shown_values_print_as_intervals_numbers_or_themselves(capsys):
    sample = np.array([1.0, 2.0, 3.0])
    show("saved:", sample, mean_interval(sample), 5, 0.126, "steps")
    assert capsys.readouterr().out == "saved: 2 ± 2 2 ± 2 5 0.13 steps\n"


def test_a_table_aligns_samples_intervals_numbers_and_words(capsys):
    show_table({
        "m": [4, "long"], "loss": np.array([[1.0, 2, 3], [1, 1, 1]]),
        "gap": [Interval(0.5, 0.1, 2), "x"], "all": (2.0, "-"),
    })
    assert capsys.readouterr().out.splitlines() == [
        "m              loss        gap   all",
        "4             2 ± 2  0.5 ± 0.1  2.00",
        "long  1.000 ± 0.000          x     -",
    ]


@pytest.mark.parametrize(
    ("values", "n_censored", "text"),
    [([5, 10, 160], 1, "10"), ([5, 160, 160], 2, ">= 160"), ([5, 160, 160], 0, "160"),
     ([20, 160], 1, ">= 90"), ([5, 160, 160, 160], 1, "160")],
)
def test_a_median_at_the_cap_is_a_lower_bound(values, n_censored, text):
    assert median_text(np.array(values), n_censored) == text


def test_arms_are_compared_with_the_first_seed_by_seed():
    rows = [{"without": np.arange(3.0) + k, "with": 2 * np.arange(3.0)} for k in range(2)]
    columns = compare_arms(iter(rows), "difference")
    assert list(columns) == ["without", "with", "difference"]
    assert columns["difference"][1] == paired_interval(rows[1]["with"], rows[1]["without"])
    np.testing.assert_array_equal(columns["without"], [[0, 1, 2], [1, 2, 3]])
    assert list(compare_arms(rows))[-1] == "with - without"
    third = compare_arms([{**one, "dropout": one["with"]} for one in rows], "difference")
    assert list(third)[3:] == ["with - without", "dropout - without"]
    assert list(compare_arms([{"alone": np.arange(3.0)}])) == ["alone"]
