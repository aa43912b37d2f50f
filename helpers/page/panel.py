"""A demo: controls above, a picture that follows them, one sentence that says what is seen.

A demo is ten lines: controls, an experiment call, `picture.show`. The callback simply blocks while
it computes and draws: the front end keeps one message under way and only the newest value waiting,
so nothing queues up. (Callbacks that return at once and work elsewhere make dragging slower.) An
experiment that takes longer hands out what it has so far; it goes on in a thread of its own, and
stops as soon as another value is wanted. While the reader looks at a picture, those one move away
are made ready, so that the next key press finds its own there.
"""

import html
import inspect
import re
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass

import ipywidgets
from ipywidgets import Layout
from traitlets import TraitError

from helpers.checks import check_choice, check_integer, check_number
from helpers.page.accessibility import spoken_names
from helpers.page.live_image import LiveImage
from helpers.page.nearby import settings_nearby, values_of
from helpers.page.picture import ONE_AT_A_TIME, as_text
from helpers.page.progress import SECONDS_BETWEEN_MOVES, moving_bar, widget_view
from helpers.page.workshop import Workshop

SECONDS_TO_FIRST_FRAME = 0.02
SECONDS_TO_SEND = 0.002  # else a message waits 5 ms or more for its turn beside our computing
# After a move, before the settings that may follow are made ready: another step of the same
# control, another control. Who presses a key meanwhile waits for the drawing under way.
SECONDS_TO_REPEAT, SECONDS_TO_CHANGE = 0.05, 0.5


class Panel:
    """A live demo: `picture` shows `compute(**values)` for the values of the controls.

    controls: name -> control, in the order of display; the names are the arguments of `compute`.
    compute: returns what `picture.show` takes and depends on the values only, for the last
        `cache_size` results are kept. A generator function yields pairs: the share of the work
        that is done, and what there is so far, or None for nothing new; that of share 1 is final.
    about: one sentence without computed numbers, which stands for the demo in stored outputs;
        None: the sentence of the picture at the default values.
    bet: a Prediction on a number, whose value stays in the picture as a ghost (`set_ghost`).
    """

    def __init__(self, controls, compute, picture, about=None, *, cache_size=64, bet=None):
        self.controls, self.compute, self.picture, self.about = controls, compute, picture, about
        self.error, self._is_held = None, False
        self._shown, self._in_figure = _Kept(None), None
        self._kept, self._wanted_next = OrderedDict(), []
        self._cache_size = check_integer("cache_size", cache_size)
        self._trains = inspect.isgeneratorfunction(compute)
        self._worker = None
        self._build_view()
        self._first_frame()
        for control in controls.values():
            follow(control, self._on_change)
        self.bet = bet
        if bet is not None:
            bet.observe(self._on_bet)
            self._on_bet()

    @property
    def values(self):
        """The values of the controls by name."""
        return values_of(self.controls)

    def set_values(self, **values):
        """Set several controls and show one picture.

        Raises ValueError for an unknown name or a value out of range, and then changes none.
        """
        for name in values:
            check_choice("values", name, self.controls)
        with ONE_AT_A_TIME:
            before, self._run = self.values, None  # nobody draws meanwhile
            self._is_held = True
            try:
                self._set(values)
            except Exception:
                self._set(before)
                raise
            finally:
                self._is_held = False
                self._on_change()

    def _set(self, values):
        for name, value in values.items():
            control = self.controls[name]
            try:
                control.value = value
            except TraitError:
                pass
            if control.value != value:  # sliders move what is beyond their ends
                raise ValueError(f"{name} must be a value of its control, got {value!r}")

    def enlarge(self, factor):
        """Draw with `factor` times as many pixels each way, as on a projector."""
        with ONE_AT_A_TIME:
            self.picture.enlarge(factor)
            self._fix_sizes()
            self._draw_again()

    @property
    def busy(self):
        """Whether a picture is still on its way."""
        worker = self._worker
        return worker is not None and worker.is_alive()

    def wait(self, timeout=None):
        """Return when the picture is final, or after `timeout` seconds."""
        until = None if timeout is None else time.monotonic() + timeout
        while self.busy and (until is None or time.monotonic() < until):
            self._worker.join(None if until is None else max(until - time.monotonic(), 0))

    def _build_view(self):
        self.image = LiveImage()
        self.caption = ipywidgets.HTML()
        self.bar = ipywidgets.IntProgress(max=100)
        self.stop = ipywidgets.Button(description=STOP, layout=Layout(width="120px"))
        self.stop.on_click(self._on_stop)
        for widget, name in (
            (self.image, "picture"), (self.caption, "sentence"), (self.bar, "progress"),
            (self.stop, "stop"),
        ):
            widget.add_class(f"demo-{name}")
        # Without the padding a wrapped row cuts the first letter of its labels.
        row = Layout(
            flex_flow="row wrap", align_items="center", grid_gap="4px 28px", padding="0 0 0 4px"
        )
        controls = [ipywidgets.HBox(list(self.controls.values()), layout=row)]
        self._bar_row = ipywidgets.HBox(
            [self.bar, self.stop],
            layout=Layout(visibility="hidden", align_items="center", grid_gap="16px"),
        )
        self.view = ipywidgets.VBox(
            [
                *(controls if self.controls else []),
                *([self._bar_row] if self._trains else []),
                self.image,
                self.caption,
                spoken_names(),
            ]
        )
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

    def _first_frame(self):
        """Show the default values; what fails here is a mistake in the demo and is raised."""
        self._run = _Run(self.values, self._results_for(self.values))
        if self._trains:
            with moving_bar(100, "Preparing the demo") as move_to:
                self._run.go_on(on_share=lambda share: move_to(round(100 * share)))
        else:
            self._run.go_on()
        with ONE_AT_A_TIME:
            self._show_run()
            self.about = self.about or self.picture.sentence
            self._default_png = as_text(self.picture.png())

    def _on_bet(self):
        with ONE_AT_A_TIME:
            self.picture.set_ghost(self.bet.value)
            self._draw_again()

    def _draw_again(self):
        """Draw the same result in a picture that looks different now; all frames are stale."""
        for kept in (self._shown, *self._kept.values()):
            kept.frame = None
        self._draw(self._shown)
        self.image.value = self._shown.frame

    def _on_change(self):
        values = self.values
        if self._is_held or (self._run is not None and values == self._run.values):
            return  # several values are being set; or another thread has just seen to it
        self._start(values)

    def _start(self, values):
        """Show what there is for `values` after a moment; the rest is for a worker."""
        before = values if self._run is None else self._run.values
        self._run = run = _Run(values, self._results_for(values))
        try:
            run.go_on(SECONDS_TO_FIRST_FRAME)
            self._show_run()
        except Exception as error:
            self._report(error)
            return
        if not run.is_final:
            self._worker = threading.Thread(target=self._finish, args=[run], daemon=True)
            self._worker.start()
        elif not self._trains:
            self._look_ahead([name for name in values if values[name] != before[name]])

    def _finish(self, run):
        """Go on with `run`, a frame at a time, for as long as it is the one that is wanted."""
        try:
            while self._run is run and not run.is_final:
                run.go_on(SECONDS_BETWEEN_MOVES, unless=lambda: self._run is not run)
                with ONE_AT_A_TIME:
                    if self._run is run:
                        self._show_run()
        except Exception as error:
            with ONE_AT_A_TIME:
                if self._run is run:
                    self._report(error)

    def _on_stop(self, _button):
        with ONE_AT_A_TIME:
            if self._run is None:  # stopped before
                self._start(self.values)
            elif not self._run.is_final:
                self._show_run(stopped=True)

    def _show_run(self, stopped=False):
        run, lead = self._run, ""
        if not run.is_final:
            share = f"{100 * run.share:.0f}%"
            lead = f"Stopped at {share}." if stopped else f"Training, {share}."
        if run.result is not self._shown.result:
            kept = self._kept.get(_key(run.values)) or _Kept(run.result)
            self._draw(kept)
            self._shown = kept
        self.image.value = self._shown.frame
        self.caption.value = paragraph(self._shown.sentence, lead)
        self.error = None
        if run.is_final:
            self._keep(run.values, self._shown)
        self._show_bar(run, stopped)
        self._catch_up()
        if stopped:
            self._run = None

    def _show_bar(self, run, stopped):
        self.bar.value = round(100 * run.share)
        self.stop.description = START_AGAIN if stopped else STOP
        self._bar_row.layout.visibility = "hidden" if run.is_final else "visible"

    def _report(self, error):
        self.error = error  # kept for whoever wants the traceback
        self._run = None
        self._put_in_figure(self._shown)
        self._bar_row.layout.visibility = "hidden"
        self.caption.value = paragraph(
            f"This setting does not work ({error}). The picture still shows the one before."
        )

    def _results_for(self, values):
        """Return the results to come for `values`, better and better ones."""
        kept = self._kept.get(_key(values))
        if kept is not None:
            return iter([(1, kept.result)])
        if self._trains:
            return self.compute(**values)
        return ((1, self.compute(**one)) for one in [values])

    def _keep(self, values, kept):
        """Keep it for `values`, from now on the latest of all."""
        self._kept[_key(values)] = kept
        self._kept.move_to_end(_key(values))
        if len(self._kept) > self._cache_size:
            self._kept.popitem(last=False)

    def _draw(self, kept):
        """See to it that there is a frame, and the sentence below it."""
        if kept.frame is None:
            self._put_in_figure(kept)
            kept.frame, kept.sentence = self.picture.frame(), self.picture.sentence

    def _catch_up(self):
        """Let the figure show what the page shows, where its frame was ready."""
        if self._in_figure is not self._shown:
            time.sleep(SECONDS_TO_SEND)
            self._put_in_figure(self._shown)

    def _put_in_figure(self, kept):
        if kept is not self._in_figure:
            self._in_figure = None  # should it stop half-way
            self.picture.show(kept.result)
            self._in_figure = kept

    def _is_ready(self, values):
        kept = self._kept.get(_key(values))
        return kept is not None and kept.frame is not None

    def forget(self):
        """Keep no results: what is shown next is computed anew."""
        with ONE_AT_A_TIME:
            self._kept.clear()

    def _look_ahead(self, moved):
        """Note what may be wanted next, and when it is time to make it ready."""
        still = [name for name in self.controls if name not in moved]
        now = time.monotonic()
        self._wanted_next = [
            (now + seconds, one)
            for names, seconds in ((moved, SECONDS_TO_REPEAT), (still, SECONDS_TO_CHANGE))
            for one in settings_nearby(self.controls, names)
            if not self._is_ready(one)
        ]
        make_others_ready(self)

    def seconds_to_next(self):
        """Return how long until it is time to make something ready; at most 0: now."""
        wanted = self._wanted_next
        return wanted[0][0] - time.monotonic() if wanted else 0

    def make_ready(self):
        """Draw one of the settings that may be wanted next; return whether there was one left."""
        with ONE_AT_A_TIME:
            if not self._wanted_next or self._run is None:
                return False
            _, values = self._wanted_next.pop(0)
            try:
                _, result = next(self._results_for(values))
                kept = self._kept.get(_key(values)) or _Kept(result)
                self._draw(kept)
                self._keep(values, kept)
            except Exception:
                pass  # who goes there will be told
            self._put_in_figure(self._shown)
            return True

    def _repr_mimebundle_(self, include=None, exclude=None):
        static = {"image/png": self._default_png, "text/plain": self.about}
        return {**widget_view(self.view), **static}


STOP, START_AGAIN = "Stop", "Start again"


def _key(values):
    return tuple(values.values())


@dataclass
class _Kept:
    """A result and, once it has been drawn, its picture as it looks at present, and in words."""

    result: object
    frame: bytes | None = None
    sentence: str = ""


class _Run:
    """The results to come for the values of some controls, and how far they have come."""

    def __init__(self, values, results):
        self.values, self._results = values, results
        self.result, self.share, self.is_final = None, 0, False

    def go_on(self, seconds=float("inf"), *, unless=lambda: False, on_share=lambda share: None):
        """Compute for `seconds`, though until there is a first result at least."""
        until = time.monotonic() + seconds
        while self.result is None or (time.monotonic() < until and not unless()):
            try:
                self.share, latest = next(self._results)
            except StopIteration:
                self.is_final = True
                return
            self.result = self.result if latest is None else latest
            on_share(self.share)
            if self.share >= 1 and latest is not None:
                self.is_final = True
                return


_moved_last = None  # the demo that may be moved again


def make_others_ready(panel):
    """Let the settings around that of `panel` be drawn, unless it is moved again at once."""
    global _moved_last
    _moved_last = panel
    _WORKSHOP.open()


def _make_next_ready():
    while (seconds := _moved_last.seconds_to_next()) > 0:
        time.sleep(min(seconds, SECONDS_TO_REPEAT))  # moved meanwhile, it may be time sooner
    time.sleep(0.002)  # who waits for the lock takes it now
    return _moved_last.make_ready()


_WORKSHOP = Workshop(_make_next_ready)


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
    "layout": {
        "width": "max-content",
        "display": "flex",
        "align_items": "baseline",
        "grid_gap": "8px",
    },
}


def batch_size_slider(sizes, value, description="batch size"):
    """Return a slider over the given batch sizes, usually powers of two."""
    return steps_slider(sizes, value, description)


def steps_slider(values, value, description):
    """Return a slider over the given values, one position each."""
    check_choice("value", value, values)
    options = [(str(one), one) for one in values]
    return ipywidgets.SelectionSlider(
        options=options, value=value, description=description, **SLIDER
    )


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
