"""Notebook 05's exercises, answered as learners do."""

import numpy as np
from exercise_answers import answer_tests
from scipy import stats

from helpers import intervals
from helpers.weighing_the_evidence import direction, exercises


def t_of(values):
    return stats.t.ppf(0.975, len(values) - 1)


def of_differences(half_width):
    return lambda a, b: ((a - b).mean(), half_width(a - b))


PAIRED_MISTAKES = [
    (
        lambda a, b: (np.mean(a) - np.mean(b), t_of(a) * np.hypot(stats.sem(a), stats.sem(b))),
        "as unrelated",
    ),
    (of_differences(lambda d: t_of(d) * np.std(d, ddof=1)), "square root"),
    (of_differences(lambda d: t_of(d) * d.std() / d.size**0.5), "ddof=1"),
    (of_differences(lambda d: 1.96 * d.std(ddof=1) / np.sqrt(len(d))), "1.96"),
    (of_differences(lambda d: stats.norm.ppf(0.975) * stats.sem(d)), "1.96 belongs"),
    (of_differences(lambda d: stats.t.ppf(0.95, len(d) - 1) * stats.sem(d)), "0.975"),
    (lambda a, b: ((b - a).mean(), t_of(a) * stats.sem(b - a)), "with_norm minus without"),
    (of_differences(stats.sem), "Student's t"),
    (lambda a, b: stats.ttest_rel(a, b).confidence_interval(0.95), "two ends"),
    (lambda a, b: (a - b).mean(), "Return 2 values"),
]


def by_scipy(a, b):
    result = stats.ttest_rel(a, b).confidence_interval(0.95)
    return (result.low + result.high) / 2, (result.high - result.low) / 2


def test_the_references_are_those_of_the_course():
    one, other = np.random.default_rng(0).normal(size=(2, 9))
    course = intervals.paired_interval(one, other)
    np.testing.assert_allclose(
        exercises.paired_interval(one, other), (course.mean, course.half_width)
    )
    for mean in np.linspace(-1, 1, 41) + 0.003:
        interval = intervals.Interval(mean, 0.15, 9)
        found = exercises.judge(interval.low, interval.high, 0.3)
        assert found == intervals.verdict(interval, 0.3)


def test_the_effective_rate_is_that_of_a_run_and_the_fitting_rate_trains_alike():
    run = direction.train_at(1.0, ["free"], n_steps=12, every=4, n_networks=1)["free"]
    hidden = direction.hidden_layers(run.network.layers)
    lengths = np.concatenate([direction.unit_lengths(layer)[0, 0] for layer in hidden])
    found = exercises.effective_rate(1.0, lengths[None])
    np.testing.assert_allclose(found, run["inverse square"][-1], rtol=1e-12)
    _, rate = exercises.same_training(hidden[0].weights, 1.0, 3.0)
    plain, other = (
        direction.train_at(one, ["free"], n_steps=12, n_networks=1, hidden_scale=scale, eps=1e-12)
        for one, scale in ((1.0, 1.0), (rate, 3.0))
    )
    np.testing.assert_allclose(other["free"].losses, plain["free"].losses, rtol=1e-11)


def words(above, below, inside):
    """Return a function of the ends that compares with the margin as told."""

    def attempt(low, high, margin):
        if above(low, high, margin):
            return "holds"
        return "fails" if below(low, high, margin) else inside

    return attempt


JUDGE_MISTAKES = [
    (lambda low, high, margin: "holds" if np.mean([low, high]) > margin else "fails", "middle"),
    (words(lambda low, *_: low > 0, lambda _, high, __: high < 0, "undecided"), "not with 0"),
    (words(lambda low, _, m: low > m, lambda _, high, __: high < 0, "undecided"), "short of"),
    (words(lambda low, _, m: low > m, lambda *_: True, ""), "shown to fail"),
    (words(lambda _, high, m: high > m, lambda *_: True, ""), "One end beyond"),
    (words(lambda low, _, m: low > m, lambda *_: False, "undecided"), "does settle it"),
    (lambda low, high, margin: low > margin, "The answer is a word"),
    (lambda low, high, margin: "Holds" if low > margin else "?", "Not yet: in one of the cases"),
]

RATE_MISTAKES = [
    ("return np.mean(rate / lengths, axis=1)", "square of the length"),
    ("return rate / lengths.mean(axis=1) ** 2", "square of the mean length"),
    ("return rate / np.mean(lengths**2, -1)", "mean of the squares"),
    ("return (rate / lengths**2).mean(0)", "shape"),
    ("return np.mean(rate * lengths**2, 1)", "turn less, not more"),
    ("return np.mean(rate / lengths**2)", "shape"),
]
SAME_MISTAKES = [
    ("return factor * weights, rate", "has to change"),
    ("return weights * factor, rate * factor", "smaller, too"),
    ("return factor * weights, rate / factor**2", "larger rate"),
    ("return factor * weights, rate / factor", "by the square"),
    ("return weights, rate * factor**2", "`factor` times as long"),
    ("return factor * weights", "Return 2 values"),
]

WRONG = [
    *(("paired_interval", attempt, hint) for attempt, hint in PAIRED_MISTAKES),
    *(("judge", attempt, hint) for attempt, hint in JUDGE_MISTAKES),
    *(("effective_rate", attempt, hint) for attempt, hint in RATE_MISTAKES),
    *(("same_training", attempt, hint) for attempt, hint in SAME_MISTAKES),
]

RIGHT = [
    ("paired_interval", by_scipy),
    ("paired_interval", of_differences(lambda d: t_of(d) * stats.sem(d))),
    ("judge", words(lambda low, _, m: low - m > 0, lambda _, high, m: high - m < 0, "undecided")),
    ("effective_rate", "return rate * np.mean(lengths**-2.0, axis=-1)"),
    ("same_training", ["weights = weights * factor", "return weights, rate * factor * factor"]),
]

test_a_mistake_is_named, test_a_right_answer_passes = answer_tests(exercises, WRONG, RIGHT)
