"""A demo that trains shows it: a moving bar, growing curves, a Stop, and a restart on a new value.

For every demo with a bar, found in the page.
"""

import pytest

WITH_TRAINING = (
    "02_batch_norm_mechanics.ipynb", "03_hidden_layer_stability.ipynb", "04_minibatch_noise.ipynb",
    "06_in_practice.ipynb",
)
pytestmark = pytest.mark.only_in(*WITH_TRAINING)

SLIDERS = ("batch size", "statistics group")  # a new value has to be trained
DISTINCT_FRAMES = 3


@pytest.fixture
def sliders(opened):
    """One slider of each demo that trains; nothing has been trained yet that it can choose."""
    bars = opened.page.locator(".demo:has(.demo-progress)")
    tags = [probe_tag(bar.get_attribute("class")) for bar in bars.all()]
    sliders = [
        one for one in opened.controls()
        if one.demo in tags and any(name in one.name for name in SLIDERS)
    ]
    assert [one.demo for one in sliders] == tags
    opened.settle()
    for tag in tags:
        opened.kernel.ask(f"forget({tag!r})")
        opened.kernel.ask(f"slow_down({tag!r})")
    return sliders


def probe_tag(classes):
    return next(name for name in classes.split() if name.startswith("probe-"))


def part(slider, name):
    return slider.opened.page.locator(f".{slider.demo} .demo-{name}")


def another(slider):
    """Return the index of a value far from this one. (Some ends need no training.)"""
    place, last = slider.labels.index(slider.label), len(slider.labels) - 1
    return last - 1 if place < last / 2 else 1


def test_while_it_trains_the_bar_moves_and_the_picture_grows(opened, sliders):
    for slider in sliders:
        with opened.watching(slider.demo) as recorded:
            slider.click_at(another(slider))
            part(slider, "stop").wait_for(state="visible")
            opened.settle()
            seen = recorded()
        assert len(set(seen["bars"]) - {"hidden"}) >= 2 and seen["bars"][-1] == "hidden", slider
        assert len(set(seen["frames"])) >= DISTINCT_FRAMES, slider


@pytest.mark.parametrize("way", ["by_keyboard", "by_mouse"])
def test_stop_works_and_the_training_can_be_started_again(opened, sliders, way):
    for slider in sliders:
        stop = next(
            one for one in opened.controls() if one.kind == "button" and inside(one, slider.demo)
        )
        slider.click_at(another(slider))
        stop.element.wait_for(state="visible")
        getattr(stop, way)()
        opened.expect_soon(stop.element.text_content, "Start again")
        opened.expect_soon(lambda: opened.kernel.ask("busy()"), False)
        assert "Stopped" in part(slider, "sentence").text_content(), slider
        getattr(stop, way)()
        opened.settle()
        assert stop.element.is_hidden(), slider


def inside(control, demo):
    return control.opened.page.locator(f".{demo} .{control.tag}").count() == 1


def test_a_new_value_during_training_starts_at_once(opened, sliders):
    for slider in sliders:
        slider.click_at(another(slider))
        part(slider, "stop").wait_for(state="visible")
        before = slider.label
        slider.handle.press("ArrowRight")
        opened.settle()
        assert slider.label != before, slider
