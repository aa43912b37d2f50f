"""A demo: controls above, a picture that follows them, one sentence that says what is seen.

A demo is ten lines: controls, an experiment call, `picture.show`. The callback simply blocks while
it computes and draws: the front end keeps one message under way and only the newest value waiting,
so nothing queues up. (Callbacks that return at once and work elsewhere make dragging slower.) An
experiment that takes longer hands out what it has so far; it goes on in a thread, and stops as
soon as another value is wanted.
"""

import base64
import html
import inspect
import re
import time
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass

import ipywidgets
from ipywidgets import Layout
from traitlets import TraitError

from helpers.checks import check_choice, check_number
from helpers.page.accessibility import spoken_names
from helpers.page.alive import Alive
from helpers.page.picture import ONE_AT_A_TIME, as_text
from helpers.page.progress import SECONDS_BETWEEN_MOVES, with_progress

N_KEPT = 64  # results of a demo; a visited setting is not computed again
SECONDS_TO_FIRST_FRAME = 0.02
STOP, START_AGAIN = "Stop", "Start again"


class Panel(Alive):
    """A live demo: `picture` shows `compute(**values)` for the values of the controls.

    controls: name -> control, in the order of display; the names are the arguments of `compute`.
    compute: returns what `picture.show` takes and depends on the values only, for the latest
        results are kept. A generator function yields pairs: the share of the work that is done,
        and what there is so far, or None for nothing new.
    about: one sentence without computed numbers, which stands for the demo in stored outputs;
        None: the sentence of the picture at the default values.
    bet: a Prediction on a number, whose value stays in the picture as a ghost (`set_ghost`).
    """

    def __init__(self, controls, compute, picture, about=None, *, bet=None):
        self.controls, self.compute, self.picture, self.bet = controls, compute, picture, bet
        self.error = None  # of the last setting, for whoever wants the traceback
        self._trains = inspect.isgeneratorfunction(compute)
        self._worker, self._training = ThreadPoolExecutor(1), None
        self._kept, self._is_held = {}, False
        self._build_view()
        run = self._begin()  # what fails for the default values is a mistake and is raised
        if not run.is_final:
            run = _Run(run.values, share=1, result=with_progress("Preparing the demo", run.work))
        self._run, self._shown = run, None  # wanted: None when stopped or failed; in the figure
        with ONE_AT_A_TIME:
            self._show_run()
            self.about = about or picture.sentence
            self._default_png = as_text(picture.png())
        for control in controls.values():
            follow(control, self._on_change)
        if bet is not None:
            bet.observe(self._on_bet)
            self._on_bet()

    @property
    def values(self):
        """The values of the controls by name.

        Sliders count in steps, and 3 * 0.1 is not 0.3: numbers are rounded.
        """
        values = {name: control.value for name, control in self.controls.items()}
        return {
            name: round(value, 10) if isinstance(value, float) else value
            for name, value in values.items()
        }

    def set_values(self, **values):
        """Set several controls and show one picture.

        Raises ValueError for an unknown name or a value out of range, and then changes none.
        """
        for name in values:
            check_choice("values", name, self.controls)
        with ONE_AT_A_TIME:
            before, self._is_held = self.values, True
            try:
                for name, value in values.items():
                    self._set(name, value)
            except ValueError:
                for name in values:
                    self.controls[name].value = before[name]
                raise
            finally:
                self._is_held = False
                self._on_change()

    def _set(self, name, value):
        control = self.controls[name]
        with suppress(TraitError):
            control.value = value
        if control.value != value:  # sliders move what is beyond their ends
            raise ValueError(f"{name} must be a value of its control, got {value!r}")

    def enlarge(self, factor):
        """Draw with `factor` times as many pixels each way, as on a projector."""
        with ONE_AT_A_TIME:
            self.picture.enlarge(factor)
            self._fix_sizes()
            self._show_frame()

    @property
    def busy(self):
        """Whether a picture is still on its way."""
        return self._training is not None and not self._training.done()

    def wait(self, timeout=None):
        """Return when the picture is final, or after `timeout` seconds."""
        if self._training is not None:
            wait([self._training], timeout)

    def forget(self):
        """Keep no results: what is shown next is computed anew."""
        self._kept = {}

    def _build_view(self):
        self.image = ipywidgets.Image(format="url")
        self.image.add_class("demo-picture")
        self.caption = ipywidgets.HTML()
        self.caption.add_class("demo-sentence")
        self.bar = ipywidgets.IntProgress(max=100)
        self.stop = ipywidgets.Button(description=STOP, layout=Layout(width="120px"))
        self.stop.on_click(self._on_stop)
        self.bar.add_class("demo-progress")
        self.stop.add_class("demo-stop")
        self._bar_row = ipywidgets.HBox(
            [self.bar, self.stop],
            layout=Layout(visibility="hidden", align_items="center", grid_gap="16px"),
        )
        # Without the padding a wrapped row cuts the first letter of its labels.
        row = Layout(
            flex_flow="row wrap", align_items="center", grid_gap="4px 28px", padding="0 0 0 4px"
        )
        controls = ipywidgets.HBox(list(self.controls.values()), layout=row)
        above = [controls] * bool(self.controls) + [self._bar_row] * self._trains
        self.view = ipywidgets.VBox([*above, self.image, self.caption, spoken_names()])
        self.view.add_class("demo")
        self._fix_sizes()

    def _fix_sizes(self):
        """Hold the page where it is when a picture or a sentence changes."""
        width, height = self.picture.figure.canvas.get_width_height()
        self.image.layout = Layout(
            width=f"{width}px", height=f"{height}px", max_width="100%", object_fit="contain",
            margin="0",  # else a picture as wide as its column is wider by that, and scrolls
        )
        self.caption.layout = Layout(max_width=f"{width}px", min_height="4em")
        self.bar.layout = Layout(width=f"{width - 160}px")

    def _on_change(self):
        is_wanted = self._run is not None and self.values == self._run.values
        if not self._is_held and not is_wanted:  # or another thread has just seen to it
            self._start()

    def _on_bet(self):
        self.picture.set_ghost(self.bet.value)
        self._show_frame()

    def _on_stop(self, _button):
        with ONE_AT_A_TIME:
            if self._run is None:  # stopped before
                self._start()
            elif not self._run.is_final:
                self._show_run(stopped=True)

    def _start(self):
        """Show what there is after a moment; the rest is for the thread."""
        until = time.monotonic() + SECONDS_TO_FIRST_FRAME
        try:
            self._run = run = self._begin()
            while not run.is_final and (run.result is None or time.monotonic() < until):
                run.take(*next(run.work, (1, None)))
            self._show_run()
        except Exception as error:
            self._report(error)
            return
        if not run.is_final:
            self._training = self._worker.submit(self._finish, run)

    def _begin(self):
        """Return the _Run of the present values: to come, computed, or kept."""
        values = self.values
        if tuple(values.values()) in self._kept:
            return _Run(values, share=1, result=self._kept[tuple(values.values())])
        result = self.compute(**values)
        return _Run(values, work=result) if self._trains else _Run(values, share=1, result=result)

    def _finish(self, run):
        """Go on with `run`, a frame at a time, for as long as it is the one that is wanted."""
        shown_at = time.monotonic()
        try:
            while self._run is run and not run.is_final:
                run.take(*next(run.work, (1, None)))
                if run.is_final or time.monotonic() - shown_at >= SECONDS_BETWEEN_MOVES:
                    with ONE_AT_A_TIME:
                        if self._run is run:
                            self._show_run()
                    shown_at = time.monotonic()
        except Exception as error:
            with ONE_AT_A_TIME:
                if self._run is run:
                    self._report(error)

    def _show_run(self, stopped=False):
        run, lead = self._run, ""
        if not run.is_final:
            share = f"{100 * run.share:.0f}%"
            lead = f"Stopped at {share}." if stopped else f"Training, {share}."
        if run.result is not self._shown:
            self.picture.show(run.result)
            self._show_frame()
            self._shown = run.result
        self.caption.value = paragraph(self.picture.sentence, lead)
        self.error = None
        self.bar.value = round(100 * run.share)
        self.stop.description = START_AGAIN if stopped else STOP
        self._bar_row.layout.visibility = "hidden" if run.is_final else "visible"
        if run.is_final:
            run.work = None  # with its data and networks
            self._kept[tuple(run.values.values())] = run.result
            if len(self._kept) > N_KEPT:
                del self._kept[next(iter(self._kept))]  # the oldest
        if stopped:
            self._run = None

    def _show_frame(self):
        # As bytes the page would turn it into a blob and fetch that back: 7 ms of 59.
        self.image.value = b"data:image/jpeg;base64," + base64.b64encode(self.picture.frame())

    def _report(self, error):
        self.error, self._run = error, None
        self.picture.show(self._shown)
        self._bar_row.layout.visibility = "hidden"
        self.caption.value = paragraph(
            f"This setting does not work ({error}). The picture still shows the one before."
        )

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"image/png": self._default_png, "text/plain": self.about}


@dataclass
class _Run:
    """What is computed for some values, and how far it has come."""

    values: dict
    work: object = None  # a generator of what is still to come
    share: float = 0
    result: object = None

    @property
    def is_final(self):
        return self.share >= 1

    def take(self, share, latest):
        self.share = share
        self.result = self.result if latest is None else latest


def paragraph(text, lead=""):
    """Return `text` as HTML at reading size, behind a `lead` in bold."""
    bold = f"<b>{html.escape(lead)}</b> " if lead else ""
    return f'<div style="font-size: 16px; line-height: 1.4">{bold}{typeset(text)}</div>'


def typeset(text):
    """Return `text` as HTML: with minus signs for hyphens, and no line broken at a ±."""
    signs = re.sub(r"(?<![\w)-])-(?=\d)", "\N{MINUS SIGN}", text)
    return html.escape(signs).replace(" ± ", "&nbsp;±&nbsp;")


def follow(control, handler):
    """Call `handler()` whenever the value of `control` changes, one call at a time."""

    def on_change(_change):
        with ONE_AT_A_TIME:
            handler()

    control.observe(on_change, names="value")


def follow_bet(picture, result, bet=None):
    """Return a Panel without controls: `picture` of `result`, with the reader's bet as a ghost."""
    return Panel({}, lambda: result, picture, bet=bet)


# Controls: readable descriptions, fixed widths, all of them usable from the keyboard.
SLIDER = {"style": {"description_width": "initial"}, "layout": {"width": "440px"}}
BUTTONS = {
    "style": {"description_width": "initial", "button_width": "initial"},
    "layout": dict(width="max-content", display="flex", align_items="baseline", grid_gap="8px"),
}


def steps_slider(values, value, description="batch size"):
    """Return a slider over the given values, one position each."""
    check_choice("value", value, values)
    options = [(str(one), one) for one in values]
    return ipywidgets.SelectionSlider(
        options=options, value=value, description=description, **SLIDER
    )


batch_size_slider = steps_slider


def fraction_slider(description, value, low=0.0, high=1.0, step=0.05):
    """Return a slider from `low` to `high` in steps of `step`."""
    check_number("value", value, low, high)
    return ipywidgets.FloatSlider(
        value, min=low, max=high, step=step, description=description, **SLIDER
    )


def choice(options, value, description):
    """Return a row of buttons, one of them pressed; `options` is a list, or label -> value."""
    check_choice("value", value, list(options.values() if isinstance(options, dict) else options))
    return ipywidgets.ToggleButtons(
        options=options, value=value, description=description, **BUTTONS
    )


def switch(description, value=False):
    """Return a box to tick."""
    check_choice("value", value, (False, True))
    return ipywidgets.Checkbox(
        value, description=description, indent=False, layout={"width": "max-content"}
    )
