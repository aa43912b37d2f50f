"""Every demo of every room and of the lecture, at all combinations of its controls' extremes."""

import base64
import inspect
import itertools
import re
import warnings
from pathlib import Path

import numpy as np
import pytest
from looks import check_looks
from matplotlib.text import Text
from test_picture import fits, full_redraw, pixels

import helpers
from helpers.arms import train_arms
from helpers.batch_norm_mechanics.demos import one_batch_demo
from helpers.covariate_shift.demos import region_demo
from helpers.datasets import load_fashion_mnist
from helpers.hidden_layer_stability.demos import kick_demo, ridge_demo
from helpers.in_practice.demos import evaluation_demo, norms_demo
from helpers.lecture import tabs
from helpers.lecture.beats import BEATS
from helpers.lecture.experiments import load_lecture
from helpers.minibatch_noise.demos import microscope_demo

URL = b"data:image/jpeg;base64,"
PATIENCE = 300  # seconds for a training run
CLOTHES = dict(n_train=512, n_test=500, n_networks=2, seed=0)


def trained(**arms):
    data = load_fashion_mnist(**CLOTHES)
    options = dict(hidden=[64] * 3, n_steps=20, batch_size=64, learning_rate=0.1, seed=0)
    return train_arms(arms, data, **options), data


def kicked():
    return kick_demo(*trained(**{"without": dict(batch_norm=False), "with": {}}))


def evaluated():
    runs, data = trained(**{"with": {}})
    return evaluation_demo(runs["with"].network, data)


ALONE = {
    "one_batch": one_batch_demo, "region": region_demo, "ridge": ridge_demo, "kick": kicked,
    "microscope": microscope_demo, "evaluation": evaluated, "norms": norms_demo,
}
BETS = {beat.name: beat.ask() for beat in BEATS if beat.ask}
SAYS = [  # demo, settings, and words of the caption there
    ("one_batch", dict(push=6.0), "the push has moved 7 of the 7 other"),
    ("one_batch", dict(push=0.0), "the push has moved 0 of the 7 other"),
    ("one_batch", dict(batch_size=1), "Batch of 1"),
    ("region", dict(distance=4.0, reweighted=True), "Test points 4 sd away"),
    ("region", dict(distance=4.0, reweighted=True), "your 300 examples count as"),
    ("ridge", dict(step=10, station="h2"), "Step 10, h2, learning rate 0.02, batch size 128"),
    ("kick", dict(kind="random", size=1.0), "On layers 1 and 2 random noise, 1.0 times as long"),
    ("microscope", dict(batch_size=4), "Batch size 4"),
    ("evaluation", dict(batch_size=2), "Test batches of 2, shuffled"),
    ("norms", {}, "Batch size 4, after 100 steps: batch norm "),
    ("Coats", dict(coat=1.0), "Coats at 1.0"),
    ("Averages", dict(memory=0.999), "memory 0.999 (14% warmed up)"),
    ("Direction", dict(rate=0.1), "rate 0.1:"),
    ("Rates", dict(activation="tanh", depth=10, init_scale=0.2), "tanh, depth 10, initial weights "
     "× 0.2."),
]


def test_no_demo_is_left_out():
    rooms = Path(helpers.__file__).parent.glob("*/demos.py")
    names = {name for room in rooms for name in re.findall(r"def (\w+_demo)\(", room.read_text())}
    used = inspect.getsource(tabs) + Path(__file__).read_text()
    assert names and names <= set(re.findall(r"\w+_demo", used))


def demo_of(name):
    return ALONE[name]() if name in ALONE else tabs.TABS[name](load_lecture(), BETS)


@pytest.mark.parametrize("name", [*ALONE, *tabs.TABS])
@pytest.mark.parametrize("of_all", [False, pytest.param(True, marks=pytest.mark.thorough)])
def test_a_demo_at_its_extremes(name, of_all):
    """All combinations; by default, of three controls and more, a half that has all pairs."""
    demo = demo_of(name)
    ends = {one: ends_of(control) for one, control in demo.controls.items()}
    settings = [dict(zip(ends, values)) for values in itertools.product(*ends.values())]
    if not of_all and len(ends) > 2:
        settings = [one for one in settings if n_last(one, ends) % 2 == 0]
    seen = []
    for setting in [*settings, settings[0]]:
        with warnings.catch_warnings(action="error"):
            demo.set_values(**setting)
            demo.wait(PATIENCE)
        check(demo)
        seen.append((demo.image.value, getattr(demo, "caption", demo.image).value))
    assert seen.pop() == seen[0]
    # of claims, the board hides what is not revealed yet
    assert name == "Claims" or len(set(seen)) == len(seen), "a setting does not show"


def n_last(setting, ends):
    """Return how many controls stand at their last value."""
    return sum(value == ends[name][1] for name, value in setting.items())


@pytest.mark.parametrize(("name", "settings", "words"), SAYS)
def test_a_caption_says_what_is_shown(name, settings, words):
    demo = demo_of(name)
    demo.set_values(**settings)
    demo.wait(PATIENCE)
    assert words in demo.caption.value


def ends_of(control):
    """Return the first and the last value of a control."""
    if hasattr(control, "options"):
        values = [value for _, value in control._options_full]
        return values[0], values[-1]
    return (control.min, control.max) if hasattr(control, "max") else (False, True)


def check(demo):
    """Assert that a demo shows a whole picture, and numbers in it and below, without an error."""
    assert demo.error is None and not getattr(demo, "busy", False)
    said = [demo.image.value]
    if hasattr(demo, "picture"):
        figure = demo.picture.figure
        check_looks(figure)
        assert fits(figure), "something is clipped at the edge of the figure"
        texts = figure.findobj(Text)
        said = [demo.caption.value, *(one.get_text() for one in texts if one.get_visible())]
        shown = pixels(base64.b64decode(bytes(demo.image.value)[len(URL):]))
        assert np.ptp(shown) > 200
        np.testing.assert_array_equal(pixels(demo.picture.png()), full_redraw(demo.picture))
    assert not [one for one in said if re.search(r"\b(nan|inf|None)\b|Stopped|does not work", one)]
