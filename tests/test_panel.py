"""Demos: controls, cache, errors, the stored form, and the bar."""

import base64
import threading
import time

import numpy as np
import pytest
import traitlets

from helpers.page import panel as panel_module
from helpers.page import progress as progress
from helpers.page.nearby import settings_nearby, values_of
from helpers.page.panel import (
    SECONDS_TO_CHANGE,
    SECONDS_TO_REPEAT,
    Panel,
    batch_size_slider,
    choice,
    fraction_slider,
    steps_slider,
    switch,
    typeset,
)
from helpers.page.parts import Band
from helpers.page.picture import ONE_AT_A_TIME, WITH_BATCH_NORM, Picture


@pytest.fixture(autouse=True)
def nothing_ahead(monkeypatch):
    """Let no thread draw what may be wanted next; tests of that call it themselves."""
    monkeypatch.setattr(panel_module, "make_others_ready", lambda panel: None)


ABOUT = "A slider for the batch size moves one line."


class LinePicture(Picture):
    """One line, as high as the result."""

    def __init__(self):
        super().__init__(4, 3)
        axes = self.figure.subplots()
        axes.set(xlabel="step", ylabel="height (cm)", xlim=(0, 1), ylim=(0, 600))
        self.band = self.moves(Band(axes, WITH_BATCH_NORM))

    def show(self, height):
        heights = np.full(2, height)
        self.band.set([0, 1], heights, heights - 9, heights + 9)
        self.sentence = f"The line is {height} cm high & <that> is all."
        if height == 13:
            raise RuntimeError("thirteen")
        return self


def line_panel(compute=None, **options):
    controls = {
        "batch_size": batch_size_slider([2, 13, 64, 512], 64),
        "twice": switch("twice as high"),
    }
    return Panel(controls, compute or height, LinePicture(), ABOUT, **options)


def height(batch_size, twice):
    if batch_size == 2:
        raise ValueError("batch_size must be at least 4, got 2")
    return batch_size * (1 + twice)


class Counted:
    """A compute that remembers its calls."""

    def __init__(self):
        self.calls = []

    def __call__(self, batch_size, twice):
        self.calls.append((batch_size, twice))
        return height(batch_size, twice)


def move(panel, batch_size):
    panel.controls["batch_size"].value = batch_size


def test_picture_and_caption_follow_the_controls():
    panel = line_panel()
    first = panel.image.value
    assert first == LinePicture().show(64).frame()
    move(panel, 512)
    assert panel.image.value == LinePicture().show(512).frame() != first
    assert "512 cm" in panel.caption.value
    panel.controls["twice"].value = True
    assert "1024 cm" in panel.caption.value
    assert panel.values == {"batch_size": 512, "twice": True}


def test_caption_shows_signs_as_they_are():
    assert "&amp; &lt;that&gt;" in line_panel().caption.value


def test_numbers_are_typeset():
    text = "At -0.5 it is -3.0 ± 0.2 < 2; x-1 and 10-20 stay, as does mini-batch."
    assert typeset(text) == (
        "At −0.5 it is −3.0&nbsp;±&nbsp;0.2 &lt; 2; x-1 and 10-20 stay, as does mini-batch."
    )


def test_one_move_is_one_picture_and_one_sentence():
    panel, changes = line_panel(), []
    for widget in (panel.image, panel.caption, panel.view):
        widget.observe(lambda change: changes.append(change.name))
    move(panel, 512)
    assert changes == ["value", "value"]


def test_visited_settings_are_not_computed_again():
    compute = Counted()
    panel = line_panel(compute)
    for size in (512, 64, 512, 64):
        move(panel, size)
    assert compute.calls == [(64, False), (512, False)]
    assert panel.image.value == LinePicture().show(64).frame()


def test_cache_forgets_the_oldest():
    compute = Counted()
    panel = line_panel(compute, cache_size=1)
    for size in (512, 64):
        move(panel, size)
    assert compute.calls == [(64, False), (512, False), (64, False)]
    with pytest.raises(ValueError, match="cache_size"):
        line_panel(cache_size=0)


@pytest.mark.parametrize("bad, reason", [(2, "at least 4, got 2"), (13, "thirteen")])
def test_an_error_is_a_sentence_and_the_picture_stays(bad, reason, capsys):
    panel = line_panel()
    before = panel.image.value
    move(panel, bad)
    assert reason in panel.caption.value
    assert isinstance(panel.error, Exception)
    assert panel.image.value == before == panel.picture.frame()
    move(panel, 64)
    assert "64 cm" in panel.caption.value
    assert panel.error is None
    assert capsys.readouterr() == ("", "")


def test_an_error_in_the_default_setting_is_raised():
    controls = {"batch_size": batch_size_slider([2, 4], 2), "twice": switch("twice")}
    with pytest.raises(ValueError, match="at least 4"):
        Panel(controls, height, LinePicture(), ABOUT)


def test_bundle_stays_the_same_whatever_was_moved():
    panel, other = line_panel(), line_panel()
    move(panel, 512)
    bundles = [one._repr_mimebundle_(include=None, exclude=None) for one in (panel, other)]
    views = [bundle.pop(progress.WIDGET_VIEW) for bundle in bundles]
    assert views[0]["model_id"] == panel.view.model_id != views[1]["model_id"]
    assert bundles[0] == bundles[1]
    assert bundles[0]["text/plain"] == ABOUT
    assert base64.b64decode(bundles[0]["image/png"])[1:4] == b"PNG"


def test_sizes_are_fixed():
    panel = line_panel()
    assert (panel.image.layout.width, panel.image.layout.height) == ("416px", "312px")
    assert all(control.layout.width for control in panel.controls.values())


def test_compute_and_draw_hold_the_lock():
    free = []

    def try_the_lock():
        if ONE_AT_A_TIME.acquire(blocking=False):
            free.append("it was free")
            ONE_AT_A_TIME.release()

    def compute(**values):
        other = threading.Thread(target=try_the_lock)
        other.start()
        other.join()
        return height(**values)

    panel = line_panel(compute)
    free.clear()  # while a cell builds its demo, others stay alive
    move(panel, 512)
    assert free == []


def test_two_threads_end_with_the_last_values():
    panel = line_panel()
    moves = [("batch_size", [512, 64] * 10 + [512]), ("twice", [True, False] * 10 + [True])]

    def move_all(name, values):
        for value in values:
            panel.controls[name].value = value

    threads = [threading.Thread(target=move_all, args=one) for one in moves]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert panel.image.value == LinePicture().show(1024).frame()


class Growing:
    """A compute in five steps; `gate` holds it back after the first of them."""

    def __init__(self):
        self.gate, self.trained = threading.Event(), []
        self.gate.set()

    def steps(self, batch_size, twice):
        for n_done in range(1, 6):
            if n_done == 5:
                self.trained.append(batch_size)
            yield n_done / 5, None if n_done == 2 else height(batch_size, twice) * n_done // 5
            self.gate.wait(10)


def growing_panel():
    growing = Growing()

    def compute(batch_size, twice):
        yield from growing.steps(batch_size, twice)

    return growing, line_panel(compute)


def test_what_takes_long_is_shown_as_it_grows():
    growing, panel = growing_panel()
    assert panel._bar_row in panel.view.children and not panel.busy
    assert panel.image.value == LinePicture().show(64).frame()
    growing.gate.clear()
    mover = threading.Thread(target=move, args=[panel, 512])
    mover.start()
    pictures = watch(panel.image)
    growing.gate.set()
    mover.join()
    panel.wait()
    assert panel.image.value == pictures[-1] == LinePicture().show(512).frame()
    assert growing.trained == [64, 512]
    assert panel._bar_row.layout.visibility == "hidden" and not panel.busy


def watch(widget):
    values = []
    widget.observe(lambda change: values.append(change.new), "value")
    return values


def endless_panel(monkeypatch, seconds=0.001):
    """A panel that trains forever at batch size 512, elsewhere is done at once."""
    monkeypatch.setattr(panel_module, "SECONDS_BETWEEN_MOVES", 0.01)
    n_running = []

    def compute(batch_size, twice):
        n_running.append(batch_size)
        try:
            for n_done in range(1, 10**6 if batch_size == 512 else 2):
                yield n_done / 10**6, height(batch_size, twice) - (batch_size == 512) * n_done % 9
                time.sleep(seconds)
        finally:
            n_running.remove(batch_size)

    return n_running, line_panel(compute)


def test_training_shows_frame_after_frame_and_how_far_it_is(monkeypatch):
    _, panel = endless_panel(monkeypatch)
    pictures, sentences = watch(panel.image), watch(panel.caption)
    move(panel, 512)
    wait_for(lambda: len(set(pictures)) > 3)
    assert panel.busy and panel._bar_row.layout.visibility == "visible"
    assert all("<b>Training, 0%.</b>" in one for one in sentences)
    panel.stop.click()


def test_a_new_value_starts_at_once_and_nothing_stale_follows(monkeypatch):
    n_running, panel = endless_panel(monkeypatch)
    move(panel, 512)
    assert panel.busy
    move(panel, 64)
    assert panel.image.value == LinePicture().show(64).frame()
    assert panel._bar_row.layout.visibility == "hidden"
    pictures = watch(panel.image)
    wait_for(lambda: not panel.busy)
    assert pictures == [] and n_running == []


def test_stop_frees_the_kernel_and_start_again_starts_again(monkeypatch):
    n_running, panel = endless_panel(monkeypatch)
    move(panel, 512)
    panel.stop.click()
    panel.wait(10)
    assert not panel.busy and n_running == []
    assert "<b>Stopped at 0%.</b>" in panel.caption.value
    assert panel._bar_row.layout.visibility == "visible"
    assert panel.stop.description == "Start again"
    panel.stop.click()
    assert panel.busy and panel.stop.description == "Stop"
    move(panel, 64)
    assert "<b>" not in panel.caption.value


def test_what_was_stopped_is_not_taken_for_a_result(monkeypatch):
    _, panel = endless_panel(monkeypatch)
    for size in (512, 64, 512):
        move(panel, size)
    assert panel.busy
    panel.stop.click()


def test_an_error_while_training_is_a_sentence():
    def compute(batch_size, twice):
        yield 0.5, height(batch_size, twice)
        time.sleep(2 * panel_module.SECONDS_TO_FIRST_FRAME)
        if batch_size == 512:
            raise ValueError("it diverged")

    panel = line_panel(compute)
    move(panel, 512)
    wait_for(lambda: panel.error is not None)
    assert "it diverged" in panel.caption.value
    assert panel._bar_row.layout.visibility == "hidden"
    move(panel, 13)
    move(panel, 64)
    assert "64 cm" in panel.caption.value and panel.error is None


def wait_for(condition, seconds=20):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.005)


def make_all_ready(panel):
    while panel.make_ready():
        pass


def test_what_is_one_move_away_is_there_when_it_is_wanted():
    compute = Counted()
    panel = line_panel(compute)
    move(panel, 512)
    before = panel.image.value
    make_all_ready(panel)
    assert panel.image.value == before == panel.picture.frame()  # nothing of it was seen
    assert "512 cm" in panel.caption.value and "512 cm" in panel.picture.sentence
    # Of the control that was moved first; 13 cannot be drawn.
    assert compute.calls == [(64, False), (512, False), (13, False), (512, True)]
    panel.controls["twice"].value = True
    assert len(compute.calls) == 4
    assert panel.image.value == LinePicture().show(1024).frame() == panel.picture.frame()
    assert "1024 cm" in panel.caption.value


def test_what_is_moved_comes_first_and_sooner_and_near_before_far():
    panel = line_panel()
    panel.controls["twice"].value = True
    assert [tuple(one.values()) for _due, one in panel._wanted_next] == [
        (13, True), (512, True), (2, True)
    ]
    panel.controls["batch_size"].value = 512
    due, wanted = zip(*panel._wanted_next)
    assert [tuple(one.values()) for one in wanted] == [(13, True), (512, False)]
    assert due[1] - due[0] == pytest.approx(SECONDS_TO_CHANGE - SECONDS_TO_REPEAT)
    assert 0 < panel.seconds_to_next() <= SECONDS_TO_REPEAT
    make_all_ready(panel)
    assert panel.seconds_to_next() == 0


def test_nearby_are_values_that_the_controls_can_have():
    controls = {
        "p": fraction_slider("p", 0.3, step=0.1),
        "rate": steps_slider([0.1, 0.2], 0.2, "rate"),
        "kind": choice({"a": 1, "b": 2, "c": 3}, 2, "kind"),
        "noise": switch("noise"),
    }
    nearby = settings_nearby(controls, controls)
    for name, control in controls.items():
        moved = [one[name] for one in nearby if one[name] != values_of(controls)[name]]
        assert moved == {
            "p": [0.2, 0.4, 0.1, 0.5], "rate": [0.1], "kind": [1, 3], "noise": [True]
        }[name]
        for value in moved:
            control.value = value
            assert values_of(controls)[name] == value
        control.value = {"p": 0.3, "rate": 0.2, "kind": 2, "noise": False}[name]
    assert len(nearby) == 8


def test_steps_of_a_slider_add_up_to_one_setting():
    slider = fraction_slider("p", 0.2, step=0.1)
    slider.value += 0.1
    assert slider.value != 0.3 and values_of({"p": slider}) == {"p": 0.3}


def test_nothing_is_made_ready_of_what_trains_or_failed():
    growing, panel = growing_panel()
    move(panel, 512)
    panel.wait()
    assert not panel.make_ready() and growing.trained == [64, 512]
    panel = line_panel()
    move(panel, 2)
    assert panel.error is not None and not panel.make_ready()


def test_another_look_makes_ready_frames_stale():
    panel = line_panel()
    move(panel, 512)
    make_all_ready(panel)
    panel.enlarge(1.5)
    move(panel, 64)
    expected = LinePicture().show(64)
    expected.frame()
    expected.enlarge(1.5)
    assert panel.image.value == expected.frame()


def test_a_thread_makes_ready_while_the_reader_looks(monkeypatch):
    monkeypatch.undo()
    compute = Counted()
    panel = line_panel(compute)
    move(panel, 512)
    wait_for(lambda: len(compute.calls) == 4)
    panel_module._WORKSHOP.wait(20)
    assert not panel.make_ready()


def test_several_values_are_one_picture():
    compute = Counted()
    panel = line_panel(compute)
    pictures = watch(panel.image)
    panel.set_values(batch_size=512, twice=True)
    assert pictures == [LinePicture().show(1024).frame()]
    assert compute.calls == [(64, False), (512, True)]


@pytest.mark.parametrize(
    "bad, named",
    [
        ({"twice": True, "batch_size": 100}, "batch_size must be .* got 100"),
        ({"twice": 2}, "twice must be .* got 2"),
        ({"batch_size": 512, "rate": 1}, "one of 'batch_size', 'twice', got 'rate'"),
    ],
)
def test_several_values_are_set_all_or_none(bad, named):
    panel = line_panel()
    before = panel.image.value
    with pytest.raises(ValueError, match=named):
        panel.set_values(**bad)
    assert panel.values == {"batch_size": 64, "twice": False}
    assert panel.image.value == before


def test_enlarged_the_page_keeps_its_shape():
    panel = line_panel()
    panel.enlarge(1.5)
    assert (panel.image.layout.width, panel.image.layout.height) == ("624px", "468px")
    expected = LinePicture().show(64)
    expected.frame()  # makes the layout, which is enlarged as it is
    expected.enlarge(1.5)
    assert panel.image.value == expected.frame()


def test_a_quick_demo_acts_while_it_is_dragged():
    panel = line_panel()
    assert panel.controls["batch_size"].continuous_update is True
    assert panel._bar_row not in panel.view.children


@pytest.mark.parametrize(
    "make",
    [
        lambda: batch_size_slider([2, 4], 3),
        lambda: steps_slider([0.1, 0.2], 0.3, "learning rate"),
        lambda: fraction_slider("dropout", 1.5),
        lambda: fraction_slider("dropout", float("nan")),
        lambda: choice(["relu", "tanh"], "sigmoid", "activation"),
        lambda: choice({"on": 1, "off": 0}, "on", "batch norm"),
        lambda: switch("noise", 2),
    ],
)
def test_default_values_out_of_range_are_refused(make):
    with pytest.raises(ValueError, match="value must be"):
        make()


def test_later_values_out_of_range_change_nothing():
    panel = line_panel()
    before = panel.image.value
    with pytest.raises(traitlets.TraitError):
        move(panel, 100)
    assert panel.values["batch_size"] == 64
    assert panel.image.value == before


def test_controls_give_the_values_they_name():
    assert batch_size_slider([2, 4], 4).value == 4
    rates = steps_slider([0.02, 0.1], 0.02, "learning rate")
    assert (rates.value, dict(rates.options)) == (0.02, {"0.02": 0.02, "0.1": 0.1})
    assert fraction_slider("dropout", 0.2).value == 0.2
    assert choice({"with": True, "without": False}, False, "batch norm").value is False
    assert switch("noise").value is False


@pytest.fixture
def displayed(monkeypatch):
    shown = []
    monkeypatch.setattr(progress, "display", lambda bundle, raw: shown.append((bundle, raw)))
    monkeypatch.setattr(progress.InteractiveShell, "initialized", lambda: True)
    return shown


def test_progress_is_a_bare_view_that_ends(displayed, monkeypatch):
    bars, original = [], progress.IntProgress

    def steps():
        for step in range(20, 101):
            yield step / 200, None
        assert 1 <= bars[0].value <= 50  # not every step is a message
        raise RuntimeError

    monkeypatch.setattr(
        progress, "IntProgress", lambda **options: bars.append(original(**options)) or bars[0]
    )
    with pytest.raises(RuntimeError):
        progress.with_progress("Training", steps())
    ((bundle, raw),) = displayed
    assert raw and list(bundle) == [progress.WIDGET_VIEW]
    assert bars[0].comm is None


def test_progress_outside_a_notebook_is_silent(capsys):
    assert progress.with_progress("Training", iter([(0.5, "half"), (1, None)])) == "half"
    assert capsys.readouterr() == ("", "")
