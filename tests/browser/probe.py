"""What the tests ask the kernel of an opened notebook: this module is imported there.

Widgets are known by a tag, a CSS class that `label_widgets` gives them, so that a test finds the
same widget in the page. What the page has to show for a demo is not read from the demo: it is
computed and drawn again, by a new picture.
"""

import base64
import gc
import hashlib
import html
import inspect
import re
import sys
import time

import ipywidgets
import psutil
from IPython import get_ipython

from helpers.page.panel import Panel, typeset
from helpers.page.prediction import Comparison, Prediction
from helpers.weighing_the_evidence.demos import LedgerView

KINDS = {
    "slider": (ipywidgets.SelectionSlider, ipywidgets.FloatSlider),
    "choice": (ipywidgets.ToggleButtons, ipywidgets.RadioButtons),
    "switch": (ipywidgets.Checkbox,),
    "button": (ipywidgets.Button,),
}
WIDGETS, PANELS = {}, {}  # by tag; a demo's tag is that of its view
_drawn = {}


def label_widgets():
    """Give each living widget its tag as a class, in the page too."""
    gc.collect()
    for widget in _alive(ipywidgets.DOMWidget):
        if widget.comm is not None:
            widget.add_class(_tag_of(widget))
            WIDGETS[_tag_of(widget)] = widget
    PANELS.update({_tag_of(panel.view): panel for panel in _alive(Panel)})


def _alive(kind):
    return [one for one in gc.get_objects() if issubclass(type(one), kind)]


def _tag_of(widget):
    return f"probe-{widget.model_id}"


def show_answers():
    """Let nothing be covered any more."""
    for bet in _alive(Prediction):
        bet.show_me.click()


def n_executed():
    """Return how many cells have been run."""
    return get_ipython().execution_count - 1


def controls():
    """Return {tag: description} of everything that a reader can operate."""
    in_view = {id(widget) for view in _views() for widget in _inside(view)}
    return {
        tag: {
            "kind": _kind_of(widget),
            "name": f"{type(widget).__name__} {widget.description!r}",
            "labels": _labels_of(widget),
            "demo": _demo_of(widget),
        }
        for tag, widget in WIDGETS.items()
        if widget.has_trait("disabled")  # as only those have that a reader can operate
        and id(widget) in in_view
    }


def _views():
    """Return the views of all demos, bets and other things of the course."""
    objects = gc.get_objects()
    ours = [one for one in objects if str(type(one).__module__).startswith("helpers.")]
    return [one.view for one in ours if hasattr(one, "view")]


def _inside(widget):
    return [widget, *(one for child in getattr(widget, "children", ()) for one in _inside(child))]


def _kind_of(widget):
    found = [kind for kind, classes in KINDS.items() if isinstance(widget, classes)]
    return found[0] if found else type(widget).__name__  # a new kind must not go unnoticed


def _demo_of(control):
    for tag, panel in PANELS.items():
        if any(control is one for one in panel.controls.values()):
            return tag
    return None


def _labels_of(control):
    """Return how the page names the values of a control, in order."""
    if isinstance(control, ipywidgets.FloatSlider):
        n_steps = round((control.max - control.min) / control.step)
        values = [control.min + step * control.step for step in range(n_steps + 1)]
        return [_number(control, value) for value in values]
    if isinstance(control, ipywidgets.Checkbox):
        return [False, True]
    return [label.strip() for label in getattr(control, "_options_labels", [])]


def _number(slider, value):
    return format(value, slider.readout_format).replace("-", "−")  # as d3 writes it


def n_demos():
    return len(PANELS)


def picture_of(demo):
    """Return the tag of a demo's picture."""
    return _tag_of(PANELS[demo].image)


def bets():
    """Return {tag of a bet's control: tags of the replies and pictures that follow it}."""
    found = {_tag_of(bet.control): [] for bet in _alive(Prediction)}
    for reply in _alive(Comparison):
        found[_tag_of(reply.bet.control)].append(_tag_of(reply.text))
    for panel in PANELS.values():
        if panel.bet:
            found[_tag_of(panel.bet.control)].append(_tag_of(panel.image))
    return found


def close_the_ledger():
    """Close all rows again; return how many there are."""
    (ledger,) = _alive(LedgerView)
    ledger.n_shown = 0
    ledger.reveal(0)
    return len(ledger.rows)


def errors():
    """Return what went wrong in a demo."""
    return [repr(panel.error) for panel in PANELS.values() if panel.error is not None]


def busy():
    """Return whether a demo is training."""
    return any(panel.busy for panel in PANELS.values())


def forget(demo):
    """Empty the caches of a demo and of all experiments: what follows is computed anew."""
    panel = PANELS[demo]
    panel.forget()
    for key in [key for key in _drawn if key[0] is panel]:
        del _drawn[key]
    for name in [name for name in sys.modules if name.startswith("helpers.")]:
        for function in vars(sys.modules[name]).values():
            if hasattr(function, "forget") and hasattr(function, "__wrapped__"):
                function.forget()


def slow_down(demo, seconds=0.15):
    """Let a demo pause behind each result while it trains: a fast machine would be done before
    anybody could press Stop.
    """
    panel = PANELS[demo]
    compute = getattr(panel.compute, "in_full_speed", panel.compute)

    def slowly(**values):
        for pair in compute(**values):
            if pair[1] is not None:
                time.sleep(seconds)
            yield pair

    slowly.in_full_speed = compute
    panel.compute = slowly


def expected():
    """Return {tag: what the page has to show} of all widgets that show something.

    Pictures, as digests, and their sentences are those computed directly for the values that the
    controls have in this kernel.
    """
    shown = {tag: state(tag) for tag in WIDGETS}
    for panel in PANELS.values():
        shown[_tag_of(panel.image)], shown[_tag_of(panel.caption)] = _draw_again(panel)
    return {tag: value for tag, value in shown.items() if value is not NOTHING}


NOTHING = object()  # None is what buttons show of which none has been chosen


def state(tag):
    """Return what the page has to show for one widget."""
    widget = WIDGETS[tag]
    if isinstance(widget, ipywidgets.Image):
        return _digest(base64.b64decode(bytes(widget.value).partition(b",")[2]))
    if isinstance(widget, ipywidgets.HTML):
        return _words(widget.value)
    if isinstance(widget, ipywidgets.Checkbox):
        return widget.value
    if isinstance(widget, ipywidgets.FloatSlider):
        return _number(widget, widget.value)
    if hasattr(widget, "_options_labels"):
        return None if widget.index is None else _labels_of(widget)[widget.index]
    return NOTHING


def _draw_again(panel):
    """Return digest and sentence of a new picture of the demo's values."""
    bet, dpi = panel.bet and panel.bet.value, panel.picture.figure.dpi
    key = (panel, *panel.values.items(), bet, dpi)
    if key not in _drawn:
        picture = type(panel.picture)()
        picture.figure.set_dpi(dpi)  # larger for a projector
        picture.show(_compute_again(panel))
        if panel.bet:
            picture.set_ghost(bet)
        _drawn[key] = _digest(picture.frame()), _words(typeset(picture.sentence))
    return _drawn[key]


def _compute_again(panel):
    """Return the final result for the demo's values, without its cache."""
    result = panel.compute(**panel.values)
    if inspect.isgenerator(result):
        *_, result = [latest for _share, latest in result if latest is not None]
    return result


def _digest(content):
    return hashlib.sha256(content).hexdigest()


def _words(markup):
    return " ".join(html.unescape(re.sub("<[^>]*>", "", markup)).split())


def megabytes():
    """Return the memory of this process, in MB."""
    gc.collect()
    return psutil.Process().memory_info().rss / 1e6
