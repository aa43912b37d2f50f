"""Notebook 05's pictures and demos of races, learning rates and smoothness."""

from dataclasses import replace

import numpy as np
import pytest
from test_picture import check_picture

from helpers.demos.weighing_the_evidence import learning_rate_demo
from helpers.experiments.batch_norm_mechanics import Arm
from helpers.experiments.other_suspects import (
    NoisyRace,
    Smoothness,
    SmoothnessArm,
    load_learning_rate_map,
)
from helpers.experiments.weighing_the_evidence import Effect
from helpers.figures.weighing_the_evidence import (
    LearningRateMapPicture,
    NoisyRacePicture,
    SmoothnessPicture,
    SurprisesPicture,
)
from helpers.intervals import Interval

CAP = 40  # steps of the races


def made_up_arm(first_steps):
    """Return an Arm with losses that reach 0.5 at `first_steps`; None: not before the cap."""
    steps = np.arange(5, CAP + 1, 5)
    ends = np.array([one or 2 * CAP for one in first_steps])
    losses = 0.5 + 1.8 * (1 - steps[:, None] / ends) - 1e-6
    return Arm(steps, losses, np.minimum(ends, CAP), ends <= CAP)


@pytest.fixture
def races():
    arms = made_up_arm([40, None, None]), made_up_arm([15, 20, 20]), made_up_arm([25, 30, 35])
    drift = np.ones((3, 3))
    return [
        NoisyRace("relu", 0.1, 0.5, *arms, drift),
        NoisyRace("relu", 0.02, 0.5, *arms[::-1], drift),
    ]


def test_noisy_race_picture(races):
    picture = NoisyRacePicture()
    check_picture(picture, races, races[::-1])
    sentence = picture.show(races).sentence
    for rate, *medians in (("0.1", ">= 40", "20", "30"), ("0.02", "30", "20", ">= 40")):
        without, with_batch_norm, noisy = medians
        assert f"learning rate {rate}: a median of {without} steps to loss 0.5" in sentence
        assert f"{with_batch_norm} with it, {noisy} with noise behind it" in sentence


def test_noisy_race_picture_shows_the_bet_on_the_finish_line_of_the_first_race(races):
    picture = NoisyRacePicture().show(races)
    without_bet = picture.frame()
    picture.set_ghost(30)
    assert picture.ghost.marker.axes is picture.figure.axes[0]
    np.testing.assert_array_equal(picture.ghost.marker.get_xydata(), [[30, 0.5]])
    assert picture.ghost.text.get_text() == "your bet"
    with_bet = picture.frame()
    assert with_bet != without_bet
    check_picture(picture, races)  # blitted as it is saved, with the ghost
    picture.set_ghost(None)
    assert picture.frame() == without_bet


def smoothness(activation, without, with_batch_norm):
    noise = np.linspace(-0.1, 0.1, 4)
    arms = [SmoothnessArm(mean + noise, noise, noise) for mean in (without, with_batch_norm)]
    return Smoothness(activation, *arms)


def test_smoothness_picture():
    results = [smoothness("relu", 12.0, -0.3), smoothness("tanh", 0.3, 0.5)]
    others = [smoothness("relu", 5.0, 1.0), smoothness("tanh", -0.01, 0.6)]
    picture = SmoothnessPicture()
    check_picture(picture, results, others)
    heights = [bar.get_height() for bars in picture.show(results).panels for bar in bars.bars]
    np.testing.assert_allclose(heights, [12.0, -0.3, 0.3, 0.5])
    assert "relu: the loss changes by 12.0 ± 0.1 without batch norm" in picture.sentence


def test_learning_rate_picture():
    rate_map = load_learning_rate_map()
    pairs = [
        rate_map.pair(*setting)
        for setting in (("relu", 3, 1.0), ("relu", 10, 5.0), ("sigmoid", 10, 0.2), ("tanh", 5, 1.0))
    ]
    picture = LearningRateMapPicture()
    check_picture(picture, *pairs)
    sentence = picture.show(pairs[1]).sentence
    assert "without batch norm none, with it 0.3 to 1 (lowest loss 0.7" in sentence
    assert "16 networks" in sentence and "computed beforehand" in sentence


def test_learning_rate_picture_draws_divergence_at_the_edge_and_a_bar_for_each_rate():
    pair = load_learning_rate_map().pair("relu", 10, 1.0)
    picture = LearningRateMapPicture().show(pair)
    for arm, (line, _), (bars, name) in zip(
        pair.arms, picture.curves, picture.ranges, strict=True
    ):
        np.testing.assert_allclose(line.get_ydata(), np.minimum(arm.typical_losses, picture.top))
        ends = np.array(bars.get_segments())[:, :, 0]
        rates = arm.learning_rates[arm.trains]
        assert len(ends) == len(rates)
        assert ((ends[:, 0] < rates) & (rates < ends[:, 1])).all()
        np.testing.assert_allclose(ends[1:, 0], ends[:-1, 1])  # neighbours make one bar
        assert name.get_text() == arm.range_text


def test_learning_rate_demo_follows_its_controls():
    panel = learning_rate_demo()
    assert "relu, depth 3, initial weights × 1." in panel.caption.value
    panel.controls["depth"].value = 10
    assert "relu, depth 10, initial weights × 1." in panel.caption.value
    panel.controls["activation"].value = "tanh"
    panel.controls["init_scale"].value = 0.2
    assert "tanh, depth 10, initial weights × 0.2." in panel.caption.value
    assert panel.error is None


def effects(share, loss, gap):
    first = Effect(
        "it is all shift", "share", "%", Interval(share, 6.0, 16), margin=90, reason="nearly all"
    )
    second = replace(first, quantity="loss", interval=Interval(loss, 8.0, 16), margin=0)
    third = replace(
        first, quantity="gap", unit="nats", interval=Interval(gap, 0.02, 16), margin=0.05, sign=-1
    )
    return [first, second, third]


def test_surprises_picture_shows_the_interval_beside_what_the_claim_needs():
    picture = SurprisesPicture()
    check_picture(picture, effects(52, -27, 0.18), effects(80, 5, -0.12))
    picture.show(effects(52, -27, 0.18))
    assert "Share: 52 ± 6 %, above 90 needed: fails." in picture.sentence
    for panel, margin, side in zip(picture.panels, (90, 0, -0.05), (1, 1, 0)):
        assert panel.margin.get_xdata()[0] == margin
        ends = panel.grey.get_x(), panel.grey.get_x() + panel.grey.get_width()
        assert ends == pytest.approx(sorted([margin, panel.limits[side]]))
