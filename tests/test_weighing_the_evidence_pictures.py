"""Notebook 05's pictures and demos of races, learning rates and smoothness."""

import numpy as np
import pytest
from test_picture import check_picture
from test_weighing_the_evidence import SPREAD

from helpers.arms import Run
from helpers.lecture.pictures import RaceInStepsPicture
from helpers.weighing_the_evidence.direction import load_hidden_rates
from helpers.weighing_the_evidence.experiments import (
    LEARNING_RATES,
    load_learning_rate_map,
    pair_of,
    range_text,
    trains,
)
from helpers.weighing_the_evidence.ledger import Effect
from helpers.weighing_the_evidence.pictures import (
    HiddenRatesPicture,
    LearningRateMapPicture,
    NoisyRacePicture,
    SmoothnessPicture,
    SurprisesPicture,
)

CAP = 40  # steps of the races


def made_up_arm(first_steps):
    """Return a Run whose losses reach 0.5 at `first_steps`; None: not before the cap."""
    steps = np.arange(5, CAP + 1, 5)
    ends = np.array([one or 2 * CAP for one in first_steps])
    losses = 0.5 + 1.8 * (1 - steps[:, None] / ends) - 1e-6
    return Run(steps, {"loss": losses}, None, None)


@pytest.fixture
def races():
    arms = made_up_arm([40, None, None]), made_up_arm([15, 20, 20]), made_up_arm([25, 30, 35])
    names = "without", "with", "noisy"
    return {"ReLU, learning rate 0.1": dict(zip(names, arms)), "slow": dict(zip(names, arms[::-1]))}


def test_noisy_race_picture_shows_the_bet_on_the_finish_line_of_the_first_race(races):
    picture, without_bet = NoisyRacePicture(), NoisyRacePicture().show(races).frame()
    picture.set_ghost(30)
    check_picture(picture, races, dict(zip(races, list(races.values())[::-1])))
    assert picture.ghost.marker.axes is picture.figure.axes[0]
    np.testing.assert_array_equal(picture.ghost.marker.get_xydata(), [[30, 0.5]])
    picture.show(races).set_ghost(None)
    assert picture.frame() == without_bet


def test_the_boards_race_shows_the_bet_only_where_it_belongs(races):
    picture = RaceInStepsPicture()
    picture.set_ghost(30)
    first, second = ((name, race, ["without", "noisy"]) for name, race in races.items())
    for race, is_there in ((first, True), (second, False), (first, True)):
        assert picture.show(race).ghost.marker.get_visible() == is_there
    assert list(picture.ghost.marker.get_xdata()) == [30]
    assert picture.sentence == (
        "ReLU, learning rate 0.1: median steps to loss 0.5: >= 40 without batch norm, 30 with "
        "noise behind batch norm."
    )
    check_picture(picture, first, second, (*first[:2], ["without"]))


def changes(**means):
    noise = np.linspace(-0.1, 0.1, 4)
    return {
        name: {arm: mean + noise for arm, mean in zip(("without", "with", "third"), of_arms)}
        for name, of_arms in means.items()
    }


def test_smoothness_picture():
    first, other = changes(relu=(12, -0.3), tanh=(0.3, 0.5)), changes(relu=(5, 1), tanh=(0, 0.6))
    picture = SmoothnessPicture()
    check_picture(picture, first, other)
    axes = picture.show(first).figure.axes
    assert [one.get_ylim()[1] for one in axes] == pytest.approx([20, 0.8])
    heights = [bar.get_height() for one in axes for bar in one.patches]
    np.testing.assert_allclose(heights, [12.0, -0.3, 0.3, 0.5])
    assert "relu: the loss changes by 12.0 ± 0.1 without batch norm" in picture.sentence


def test_learning_rate_picture_draws_divergence_at_the_edge_and_a_bar_for_each_rate():
    pair = pair_of(load_learning_rate_map(), "relu", 10, 1.0)
    picture = LearningRateMapPicture().show(pair)
    for arm, (line, _, bars, name) in picture.arms.items():
        typical = np.median(pair[arm], axis=1)
        np.testing.assert_allclose(line.get_ydata(), np.minimum(typical, picture.top))
        ends = np.array(bars.get_segments())[:, :, 0]
        rates = np.array(LEARNING_RATES)[trains(pair[arm])]
        assert len(ends) == len(rates)
        assert ((ends[:, 0] < rates) & (rates < ends[:, 1])).all()
        np.testing.assert_allclose(ends[1:, 0], ends[:-1, 1])  # neighbours make one bar
        assert name.get_text() == range_text(pair[arm])


def test_hidden_rates_picture_marks_a_rate_and_says_what_it_does():
    table, picture = load_hidden_rates(), HiddenRatesPicture().show(10.0)
    left, _ = picture.figure.axes
    curves = {line.get_label(): line.get_ydata() for line in left.lines}
    assert max(curves["without batch norm"]) == curves["without batch norm"][-1] == picture.top
    means = table["free"]["loss"].mean(axis=1)
    np.testing.assert_allclose(curves["with batch norm"], means)
    assert "rate 10: final training loss diverged without batch norm, 0.53" in picture.sentence
    assert "15.1 ± 0.6 times as long" in picture.sentence
    assert picture.growth.get_text() == "length\n× 15.1 ± 0.6"
    assert [mark.get_xdata()[0] for mark in picture.marks] == [10.0, 10.0]


def effects(share, loss, gap):
    return [
        Effect("it is all shift", "share", share + 6 * SPREAD, "above", 90, "%", "nearly all"),
        Effect("less drift is why", "loss", loss + 8 * SPREAD, "above", 0, "%", "any delay"),
        Effect("it overfits less", "gap", gap + 0.02 * SPREAD, "below", -0.05, "nats", "some"),
    ]


def test_surprises_picture_shows_the_interval_beside_what_the_claim_needs():
    picture = SurprisesPicture()
    check_picture(picture, effects(52, -27, 0.18), effects(80, 5, -0.12))
    picture.show(effects(52, -27, 0.18))
    assert "Share: 52 ± 6%, above 90 needed: fails." in picture.sentence
    ends = ((90, 125), (0, 18), (-0.3, -0.05))
    for axes, (low, high) in zip(picture.figure.axes, ends, strict=True):
        (grey,) = axes.patches
        assert sorted(grey.get_corners()[:2, 0]) == pytest.approx([low, high])
