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
import time
from concurrent.futures import ThreadPoolExecutor, wait

import ipywidgets
from ipywidgets import Layout

from helpers.checks import check_number
from helpers.page.accessibility import spoken_names
from helpers.page.alive import Alive
from helpers.page.picture import ONE_AT_A_TIME, one_at_a_time, with_minus_signs
from helpers.page.progress import SECONDS_BETWEEN_MOVES, with_progress

N_KEPT = 64  # results of a demo; a visited setting is not computed again
SECONDS_TO_FIRST_FRAME = 0.02


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
        self._kept, self._shown, self._is_held = {}, None, False
        self._wanted = self.values  # shown or on their way; None when stopped or failed
        self._build_view()
        result = compute(**self._wanted)  # what fails for the default values is raised
        if self._trains:
            result = with_progress("Preparing the demo", result)
        self._show(1, result)
        self._still = picture._repr_mimebundle_()
        self.about = about or self._still["text/plain"]
        for control in controls.values():
            control.observe(self._on_change, "value")
        if bet is not None:
            bet.observe(self._on_bet)
            self._on_bet()

    @property
    def values(self):
        """The values of the controls by name, rounded: on a slider 3 * 0.1 is not 0.3."""
        values = {name: control.value for name, control in self.controls.items()}
        return {name: round(one, 10) if type(one) is float else one for name, one in values.items()}

    @one_at_a_time
    def set_values(self, **values):
        """Set several controls and show one picture.

        Raises KeyError, TraitError or ValueError for what a control does not have.
        """
        self._is_held = True
        try:
            for name, value in values.items():
                self.controls[name].value = value
                if self.controls[name].value != value:  # sliders move what is beyond their ends
                    raise ValueError(f"{name} must be a value of its control, got {value!r}")
        finally:
            self._is_held = False
            self._on_change()

    @one_at_a_time
    def enlarge(self, factor):
        """Draw with `factor` times as many pixels each way, as on a projector."""
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
        self.image = ipywidgets.Image(format="url").add_class("demo-picture")
        self.caption = ipywidgets.HTML().add_class("demo-sentence")
        self.bar = ipywidgets.IntProgress(max=100).add_class("demo-progress")
        self.stop = ipywidgets.Button(description="Stop", layout={"width": "120px"})
        self.stop.add_class("demo-stop").on_click(self._on_stop)
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
        rows = [*above, self.image, self.caption, spoken_names()]
        self.view = ipywidgets.VBox(rows).add_class("demo")
        self._fix_sizes()

    def _fix_sizes(self):
        """Hold the page where it is when a picture or a sentence changes."""
        width, height = self.picture.figure.canvas.get_width_height()
        # The page knows a picture's shape from these two before it has any.
        self.image.width, self.image.height = str(width), str(height)
        self.image.layout = Layout(
            width=f"{width}px", height="auto", max_width="100%",
            margin="0",  # else a picture as wide as its column is wider by that, and scrolls
        )
        self.caption.layout = Layout(max_width=f"{width}px", min_height="4em")
        self.bar.layout = Layout(width=f"{width - 160}px")

    @one_at_a_time
    def _on_change(self, _change=None):
        """Show what there is after a moment; the rest is for the thread."""
        values = self.values
        if self._is_held or values == self._wanted:  # or another thread has just seen to it
            return
        try:
            self._wanted, until = values, time.monotonic() + SECONDS_TO_FIRST_FRAME
            share, result = 1, self._kept.get(tuple(values.values()))
            if result is None:
                work = result = self.compute(**values)
                if self._trains:
                    share, result = 0, None
            while share < 1 and (result is None or time.monotonic() < until):
                share, latest = next(work, (1, None))
                result = result if latest is None else latest
            self._show(share, result)
            if share < 1:
                self._training = self._worker.submit(self._finish, values, work)
        except Exception as error:
            self._report(error)
        except KeyboardInterrupt:
            self._wanted = None  # neither shown nor on its way
            raise

    def _finish(self, values, work):
        """Show what `work` yields, a frame at a time, while these very `values` are wanted.

        The thread that calls it is not the main one: no interrupt comes into its `with`.
        """
        share, result, shown_at = 0, None, time.monotonic()
        try:
            while share < 1 and self._wanted is values:
                share, latest = next(work, (1, None))
                result = result if latest is None else latest
                if share >= 1 or time.monotonic() - shown_at >= SECONDS_BETWEEN_MOVES:
                    with ONE_AT_A_TIME:
                        if self._wanted is values:
                            self._show(share, result)
                    shown_at = time.monotonic()
        except Exception as error:
            with ONE_AT_A_TIME:
                if self._wanted is values:
                    self._report(error)

    def _on_bet(self):
        self.picture.set_ghost(self.bet.value)
        self._show_frame()

    @one_at_a_time
    def _on_stop(self, _button):
        if self._wanted is None:  # stopped before
            self._on_change()
        elif self.bar.value < 100:
            self._wanted, self.stop.description = None, "Start again"
            lead = f"Stopped at {self.bar.value}%."
            self.caption.value = paragraph(self.picture.sentence, lead)

    def _show(self, share, result):
        """Show how far the work is, and its `result` so far; None: the one that is shown."""
        if result is not None and result is not self._shown:
            self.picture.show(result)
            self._show_frame()
            self._shown = result
        self.error, self.bar.value = None, int(100 * share)
        self.stop.description = "Stop"
        lead = f"Training, {self.bar.value}%." if share < 1 else ""
        self.caption.value = paragraph(self.picture.sentence, lead)
        self._bar_row.layout.visibility = "visible" if share < 1 else "hidden"
        if share >= 1:
            self._kept[tuple(self._wanted.values())] = self._shown
            if len(self._kept) > N_KEPT:
                del self._kept[next(iter(self._kept))]  # the oldest

    def _show_frame(self):
        # As bytes the page would turn it into a blob and fetch that back: 7 ms of 59.
        self.image.value = b"data:image/jpeg;base64," + base64.b64encode(self.picture.frame())

    def _report(self, error):
        self.error, self._wanted = error, None
        self.picture.show(self._shown)
        self._bar_row.layout.visibility = "hidden"
        self.caption.value = paragraph(
            f"This setting does not work ({error}). The picture still shows the one before."
        )

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {**self._still, "text/plain": self.about}


def paragraph(text, lead=""):
    """Return `text` as HTML at reading size, behind a `lead` in bold."""
    bold = f"<b>{html.escape(lead)}</b> " if lead else ""
    return f'<div style="font-size: 16px; line-height: 1.4">{bold}{typeset(text)}</div>'


def typeset(text):
    """Return `text` as HTML: with minus signs for hyphens, and no line broken at a ±."""
    return html.escape(with_minus_signs(text)).replace(" ± ", "&nbsp;±&nbsp;")


def follow(control, handler):
    """Call `handler()` whenever the value of `control` changes, one call at a time."""
    control.observe(one_at_a_time(lambda _change: handler()), names="value")


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
    """Return a slider over the given values, one position each; TraitError for another value."""
    return ipywidgets.SelectionSlider(
        options={str(one): one for one in values}, value=value, description=description, **SLIDER
    )


batch_size_slider = steps_slider


def fraction_slider(description, value, low=0.0, high=1.0, step=0.05):
    """Return a slider from `low` to `high` in steps of `step`; ValueError for a value beyond."""
    check_number("value", value, low, high)
    return ipywidgets.FloatSlider(
        value, min=low, max=high, step=step, description=description, **SLIDER
    )


def choice(options, value, description):
    """Return a row of buttons for a list or {label: value}; TraitError for a value not in it."""
    return ipywidgets.ToggleButtons(
        options=options, value=value, description=description, **BUTTONS
    )


def switch(description, value=False):
    """Return a box to tick."""
    return ipywidgets.Checkbox(
        value, description=description, indent=False, layout={"width": "max-content"}
    )
