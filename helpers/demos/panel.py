"""A demo: controls above, a picture that follows them, one sentence that says what is seen.

A demo is ten lines: controls, an experiment call, `picture.show`. The callback simply blocks while
it computes and draws: the front end keeps one message under way and only the newest value waiting,
so nothing queues up. (Callbacks that return at once and work elsewhere make dragging slower.)
"""

import html
import inspect
from collections import OrderedDict

import ipywidgets
from ipywidgets import Layout

from helpers.checks import check_choice, check_integer, check_number
from helpers.demos.progress import progress_bar, step_counter, widget_view
from helpers.figures.picture import ONE_AT_A_TIME, as_text


class Panel:
    """A live demo: `picture` shows `compute(**values)` for the values of the controls.

    controls: name -> control, in the order of display; the names are the arguments of `compute`.
    compute: returns what `picture.show` takes and depends on the values only, for the last
        `cache_size` results are kept. If it has an argument `on_step`, it calls that `n_steps`
        times, which moves a bar.
    about: one sentence without computed numbers, which stands for the demo in stored outputs;
        None: the sentence of the picture at the default values.
    slow: sliders act when they are let go, not while they are dragged.
    bet: a Prediction on a number, whose value stays in the picture as a ghost (`set_ghost`).
    """

    def __init__(
        self, controls, compute, picture, about=None, *, slow=False, n_steps=None, cache_size=64,
        bet=None,
    ):
        self.controls, self.compute, self.picture, self.about = controls, compute, picture, about
        self.error = None
        self._results = OrderedDict()
        self._cache_size = check_integer("cache_size", cache_size)
        self._n_steps = _steps_to_count(compute, n_steps)
        self._build_view()
        self._first_frame()
        for control in controls.values():
            if slow and control.has_trait("continuous_update"):
                control.continuous_update = False
            control.observe(self._on_change, names="value")
        if bet is not None:
            self._bet = bet
            bet.observe(self._on_bet)
            self._on_bet()

    @property
    def values(self):
        """The values of the controls by name."""
        return {name: control.value for name, control in self.controls.items()}

    def _build_view(self):
        width, height = self.picture.figure.canvas.get_width_height()
        # Fixed sizes: the page stays where it is when a picture or a sentence changes.
        self.image = ipywidgets.Image(
            format="png",
            layout=Layout(
                width=f"{width}px", height=f"{height}px", max_width="100%", object_fit="contain"
            ),
        )
        self.caption = ipywidgets.HTML(layout=Layout(max_width=f"{width}px", min_height="4em"))
        self.bar = ipywidgets.IntProgress(
            max=self._n_steps or 1, layout=Layout(width=f"{width}px", visibility="hidden")
        )
        # Without the padding a wrapped row cuts the first letter of its labels.
        row = Layout(
            flex_flow="row wrap", align_items="center", grid_gap="4px 28px", padding="0 0 0 4px"
        )
        controls = [ipywidgets.HBox(list(self.controls.values()), layout=row)]
        bar = [self.bar] if self._n_steps else []
        self.view = ipywidgets.VBox(
            [*(controls if self.controls else []), *bar, self.image, self.caption]
        )

    def _first_frame(self):
        """Show the default values; what fails here is a mistake in the demo and is raised."""
        with ONE_AT_A_TIME:
            if self._n_steps:
                with progress_bar(self._n_steps, "Preparing the demo") as on_step:
                    result = self._result(self.values, on_step=on_step)
            else:
                result = self._result(self.values)
            self._show(self.values, result)
            self.about = self.about or self.picture.sentence
            self._default_png = as_text(self.picture.frame(compress_level=9))

    def _on_bet(self):
        with ONE_AT_A_TIME:
            self.picture.set_ghost(self._bet.value)
            self.image.value = self.picture.frame()

    def _on_change(self, _change):
        with ONE_AT_A_TIME:
            values = self.values
            if values == self._shown_values:  # another thread has just shown them
                return
            try:
                self._show(values, self._result_with_bar(values))
                self.error = None
            except Exception as error:
                self._report(error)

    def _show(self, values, result):
        self.picture.show(result)
        self.image.value = self.picture.frame()
        self.caption.value = paragraph(self.picture.sentence)
        self._shown_values, self._shown_result = values, result

    def _report(self, error):
        self.error = error  # kept for whoever wants the traceback
        self.picture.show(self._shown_result)  # it may have stopped half-way
        self._shown_values = None
        self.caption.value = paragraph(
            f"This setting does not work ({error}). The picture still shows the one before."
        )

    def _result_with_bar(self, values):
        if not self._n_steps:
            return self._result(values)
        self.bar.value, count = 0, step_counter(self.bar)

        def on_step(*_):
            self.bar.layout.visibility = "visible"  # not before: look-ups need no bar
            count()

        try:
            return self._result(values, on_step=on_step)
        finally:
            self.bar.layout.visibility = "hidden"

    def _result(self, values, **on_step):
        key = tuple(values.values())
        if key not in self._results:
            self._results[key] = self.compute(**values, **on_step)
            if len(self._results) > self._cache_size:
                self._results.popitem(last=False)
        self._results.move_to_end(key)
        return self._results[key]

    def _repr_mimebundle_(self, include=None, exclude=None):
        static = {"image/png": self._default_png, "text/plain": self.about}
        return {**widget_view(self.view), **static}


def _steps_to_count(compute, n_steps):
    if "on_step" not in inspect.signature(compute).parameters:
        return None
    return check_integer("n_steps", n_steps)


def paragraph(text, lead=""):
    """Return `text` as HTML at reading size, behind a `lead` in bold."""
    bold = f"<b>{html.escape(lead)}</b> " if lead else ""
    return f'<div style="font-size: 16px; line-height: 1.4">{bold}{html.escape(text)}</div>'


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
