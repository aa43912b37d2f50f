"""Demos: controls, kept results, training, errors, the stored form, and the bar."""

import base64
import threading
import time
from unittest.mock import Mock

import numpy as np
import pytest
from traitlets import TraitError

from helpers.page import panel as panel_module
from helpers.page import progress
from helpers.page.alive import WIDGET_VIEW
from helpers.page.panel import (
    Panel,
    batch_size_slider,
    choice,
    follow_bet,
    fraction_slider,
    steps_slider,
    switch,
    typeset,
)
from helpers.page.parts import Band, Ghost
from helpers.page.picture import WITH_BATCH_NORM, Picture
from helpers.page.prediction import NO_BET, Scale, predict

ABOUT = "A slider for the batch size moves one line."


class LinePicture(Picture):
    """One line, as high as the result."""

    def __init__(self):
        super().__init__(4, 3)
        axes = self.figure.subplots()
        axes.set(xlabel="step", ylabel="height (cm)", xlim=(0, 1), ylim=(0, 600))
        self.band = self.moves(Band(axes, WITH_BATCH_NORM))
        self.ghost = self.moves(Ghost(axes))

    def set_ghost(self, value):
        self.ghost.set(0.5, value)

    def show(self, height):
        heights = np.full(2, height)
        self.band.set([0, 1], heights, heights - 9, heights + 9)
        self.sentence = f"The line is {height} cm high & <that> is all."
        if height == 13:
            raise RuntimeError("thirteen")
        return self


def height(batch_size, twice):
    if batch_size == 2:
        raise ValueError("batch_size must be at least 4, got 2")
    return batch_size * (1 + twice)


def line_panel(compute=height, value=64):
    controls = {
        "batch_size": batch_size_slider([2, 13, 64, 512], value),
        "twice": switch("twice as high"),
    }
    return Panel(controls, compute, LinePicture(), ABOUT)


def move(panel, batch_size):
    panel.controls["batch_size"].value = batch_size


def jpeg_of(panel):
    head, _, content = bytes(panel.image.value).partition(b",")
    assert head == b"data:image/jpeg;base64"
    return base64.b64decode(content)


def drawn(height):
    return LinePicture().show(height).frame()


def watch(widget):
    values = []
    widget.observe(lambda change: values.append(change.new), "value")
    return values


def wait_for(condition, seconds=20):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.005)


def test_one_move_is_one_picture_and_one_sentence():
    panel = line_panel()
    assert jpeg_of(panel) == drawn(64) and not panel.busy
    pictures, sentences = watch(panel.image), watch(panel.caption)
    move(panel, 512)
    assert jpeg_of(panel) == drawn(512) and len(pictures) == len(sentences) == 1
    assert "512 cm high &amp; &lt;that&gt;" in panel.caption.value
    panel.controls["twice"].value = True
    assert "1024 cm" in panel.caption.value
    assert panel.values == {"batch_size": 512, "twice": True}


def test_numbers_are_typeset():
    text = "At -0.5 it is -3.0 ± 0.2 < 2; x-1 and 10-20 stay, as does mini-batch."
    assert typeset(text) == (
        "At −0.5 it is −3.0&nbsp;±&nbsp;0.2 &lt; 2; x-1 and 10-20 stay, as does mini-batch."
    )


def test_visited_settings_are_not_computed_again_until_they_are_forgotten(monkeypatch):
    compute = Mock(side_effect=height)
    panel = line_panel(compute)
    for size in (512, 64, 512, 64):
        move(panel, size)
    assert compute.call_count == 2 and jpeg_of(panel) == drawn(64)
    monkeypatch.setattr(panel_module, "N_KEPT", 1)
    panel.forget()
    for size in (512, 64):
        move(panel, size)
    move(panel, 512)
    assert compute.call_count == 5


def test_steps_of_a_slider_add_up_to_one_setting():
    slider, seen = fraction_slider("p", 0.2, step=0.1), []
    panel = Panel({"p": slider}, lambda p: seen.append(p) or 100, LinePicture())
    slider.value += 0.1
    assert slider.value != 0.3 and panel.values == {"p": 0.3} and seen == [0.2, 0.3]
    with pytest.raises(ValueError, match="p must be a value of its control, got 3"):
        panel.set_values(p=3)


@pytest.mark.parametrize("bad, reason", [(2, "at least 4, got 2"), (13, "thirteen")])
def test_an_error_is_a_sentence_and_the_picture_stays(bad, reason, capsys):
    compute = Mock(side_effect=height)
    panel = line_panel(compute)
    move(panel, bad)
    assert reason in panel.caption.value and isinstance(panel.error, Exception)
    assert jpeg_of(panel) == drawn(64) == panel.picture.frame()
    n_calls = compute.call_count
    panel.set_values(batch_size=bad)
    assert compute.call_count == n_calls + 1  # tried again
    move(panel, 64)
    assert "64 cm" in panel.caption.value and panel.error is None
    assert capsys.readouterr() == ("", "")
    with pytest.raises((ValueError, RuntimeError), match=reason):
        line_panel(value=bad)


def test_bundle_stays_the_same_whatever_was_moved():
    panel, other = line_panel(), line_panel()
    move(panel, 512)
    bundles = [one._repr_mimebundle_() for one in (panel, other)]
    assert bundles[0] == bundles[1] and bundles[0]["text/plain"] == ABOUT
    assert base64.b64decode(bundles[0]["image/png"])[1:4] == b"PNG"


def test_two_threads_end_with_the_last_values():
    panel = line_panel()
    moves = [("batch_size", [512, 64] * 10 + [512]), ("twice", [True, False] * 10 + [True])]

    def move_all(name, values):
        for value in values:
            panel.controls[name].value = value

    threads = [threading.Thread(target=move_all, args=one) for one in moves]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert jpeg_of(panel) == drawn(1024)


def test_several_values_are_one_picture():
    panel = line_panel()
    pictures = watch(panel.image)
    panel.set_values(batch_size=512, twice=True)
    assert jpeg_of(panel) == drawn(1024) and len(pictures) == 1
    for bad in ({"batch_size": 100}, {"twice": 2}, {"rate": 1}):
        with pytest.raises((KeyError, TraitError)):
            panel.set_values(**bad)
    assert panel.values == {"batch_size": 512, "twice": True} and len(pictures) == 1


def test_a_bet_stays_as_a_ghost_in_the_live_picture_and_not_in_the_stored_one():
    bet = predict("How high?", Scale((100, 200), 10, too_low="No.", close="Yes.", too_high="No."))
    panel = follow_bet(LinePicture(), 300, bet)
    without, stored = panel.image.value, panel._repr_mimebundle_()
    bet.control.value = 100
    with_ghost, expected = panel.image.value, LinePicture().show(300)
    expected.set_ghost(100)
    assert with_ghost != without and jpeg_of(panel) == expected.frame()
    again = follow_bet(LinePicture(), 300, bet)  # of a bet that was placed before
    assert again.image.value == with_ghost and again._repr_mimebundle_() == stored
    assert stored["text/plain"] == panel.picture.sentence
    bet.control.value = NO_BET
    assert panel.image.value == without


def test_enlarged_the_page_keeps_its_shape():
    panel = line_panel()
    assert (panel.image.width, panel.image.height) == ("416", "312")
    panel.enlarge(1.5)
    assert (panel.image.width, panel.image.height) == ("624", "468")
    assert (panel.image.layout.width, panel.image.layout.height) == ("624px", "auto")
    assert jpeg_of(panel) == panel.picture.frame()


# --- demos that train


def training_panel(monkeypatch):
    """A panel that trains forever at batch size 512, fails at 13, elsewhere is done at once."""
    monkeypatch.setattr(panel_module, "SECONDS_BETWEEN_MOVES", 0.01)
    n_running = []

    def compute(batch_size, twice):
        n_running.append(batch_size)
        try:
            for n_done in range(1, 10**6 if batch_size == 512 else 2):
                yield n_done / 10**6, None
                yield n_done / 10**6, batch_size * (1 + twice) - (batch_size == 512) * n_done % 9
                time.sleep(0.001)
            if batch_size == 13:
                time.sleep(2 * panel_module.SECONDS_TO_FIRST_FRAME)
                raise ValueError("it diverged")
        finally:
            n_running.remove(batch_size)

    return n_running, line_panel(compute)


def is_seen(panel):
    rows = [one for one in panel.view.children if panel.bar in getattr(one, "children", ())]
    return [row.layout.visibility for row in rows] == ["visible"]


def test_training_shows_frame_after_frame_and_how_far_it_is(monkeypatch):
    n_running, panel = training_panel(monkeypatch)
    assert not panel.busy and not is_seen(panel) and jpeg_of(panel) == drawn(64)
    pictures, sentences = watch(panel.image), watch(panel.caption)
    move(panel, 512)
    wait_for(lambda: len(set(pictures)) > 3)
    assert panel.busy and is_seen(panel)
    assert all("<b>Training, 0%.</b>" in one for one in sentences)
    panel.stop.click()
    panel.wait(10)
    assert not panel.busy and n_running == []


def test_a_new_value_starts_at_once_and_nothing_stale_follows(monkeypatch):
    n_running, panel = training_panel(monkeypatch)
    for size in (512, 64):
        move(panel, size)
    assert jpeg_of(panel) == drawn(64) and not is_seen(panel)
    pictures = watch(panel.image)
    wait_for(lambda: n_running == [])
    assert pictures == []
    move(panel, 512)
    assert panel.busy  # what was broken off is no result
    panel.stop.click()


def test_a_result_that_comes_after_the_value_has_changed_is_not_shown():
    moved_on = threading.Event()

    def compute(batch_size, twice):
        if batch_size == 512:
            time.sleep(2 * panel_module.SECONDS_TO_FIRST_FRAME)
            yield 0.5, 300
            moved_on.wait()
        yield 1, batch_size

    panel = line_panel(compute)
    for size in (512, 64):
        move(panel, size)
    pictures = watch(panel.image)
    moved_on.set()
    panel.wait()
    assert pictures == [] and jpeg_of(panel) == drawn(64)


def test_stop_frees_the_kernel_and_start_again_starts_again(monkeypatch):
    n_running, panel = training_panel(monkeypatch)
    move(panel, 512)
    panel.stop.click()
    panel.wait(10)
    assert not panel.busy and n_running == [] and is_seen(panel)
    assert "<b>Stopped at 0%.</b>" in panel.caption.value
    assert panel.stop.description == "Start again"
    panel.stop.click()
    assert panel.busy and panel.stop.description == "Stop"
    move(panel, 64)
    assert "<b>" not in panel.caption.value


def test_an_error_while_training_is_a_sentence(monkeypatch):
    _, panel = training_panel(monkeypatch)
    panel.picture.show = lambda height: setattr(panel.picture, "sentence", f"{height} cm")
    move(panel, 13)
    wait_for(lambda: panel.error is not None)
    assert "it diverged" in panel.caption.value and not is_seen(panel)
    move(panel, 64)
    assert "64 cm" in panel.caption.value and panel.error is None


def test_default_values_out_of_range_are_refused():
    for make in (
        lambda: steps_slider([0.1, 0.2], 0.3, "learning rate"),
        lambda: fraction_slider("dropout", 1.5),
        lambda: choice(["relu", "tanh"], "sigmoid", "activation"),
    ):
        with pytest.raises((ValueError, TraitError)):
            make()


def test_progress_is_a_bare_view_that_ends(monkeypatch, capsys):
    assert progress.with_progress("Training", iter([(0.5, "half"), (1, None)])) == "half"
    assert capsys.readouterr() == ("", "")  # outside a notebook
    shown, bar = [], progress.IntProgress(max=100)
    monkeypatch.setattr(progress, "display", lambda bundle, raw: shown.append(bundle))
    monkeypatch.setattr(progress.InteractiveShell, "initialized", lambda: True)
    monkeypatch.setattr(progress, "IntProgress", lambda **_options: bar)
    with pytest.raises(ZeroDivisionError):
        progress.with_progress("Training", ((n / 200, 1 // (100 - n)) for n in range(20, 101)))
    assert 1 <= bar.value <= 50 and bar.comm is None
    assert [list(bundle) for bundle in shown] == [[WIDGET_VIEW]]


def test_work_ends_when_its_bar_is_interrupted():
    ended = []

    def work():
        try:
            yield from [(0.5, "half"), (1, "all")]
        finally:
            ended.append(True)

    class Interrupted:
        def __setattr__(self, name, value):
            if value == 50:
                raise KeyboardInterrupt

    kept = work()  # as a traceback keeps it
    with pytest.raises(KeyboardInterrupt), progress.bars_in(Interrupted()):
        progress.with_progress("Training", kept)
    assert ended
