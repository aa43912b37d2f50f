"""A bar for work that takes seconds: seen while it lasts, never stored, never compared."""

import time
from contextlib import contextmanager
from contextvars import ContextVar

from IPython.core.interactiveshell import InteractiveShell
from IPython.display import display
from ipywidgets import IntProgress, Layout

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
SECONDS_BETWEEN_MOVES = 0.1
_BAR_IN_PLACE = ContextVar("bar_in_place", default=None)


def widget_view(widget):
    """Return the bundle that shows `widget` live and holds nothing else.

    The widget's own repr would add a text/plain, which varies with the version of ipywidgets
    and would be compared with the stored outputs.
    """
    return {WIDGET_VIEW: {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}}


def with_progress(label, work):
    """Return the last result of `work`, which yields (share done, result so far), behind a bar."""
    result = None
    with moving_bar(100, label) as move_to:
        for share, latest in work:
            result = result if latest is None else latest
            move_to(round(100 * share))
    return result


@contextmanager
def bars_in(bar):
    """Let what makes progress in this block move `bar`, which stands somewhere already."""
    token = _BAR_IN_PLACE.set(bar)
    try:
        yield
    finally:
        _BAR_IN_PLACE.reset(token)


@contextmanager
def moving_bar(high, label):
    """Show a bar until the block ends; yields a function that moves it to a value up to `high`.

    It sends ten messages a second at most.
    """
    bar, is_in_place = _BAR_IN_PLACE.get(), True
    if bar is None:
        bar, is_in_place = IntProgress(layout=Layout(width="480px")), False
        bar.style.description_width = "initial"
    bar.value, bar.max, bar.description = 0, high, label
    moved_at = 0.0

    def move_to(value):
        nonlocal moved_at
        now = time.monotonic()
        if now - moved_at >= SECONDS_BETWEEN_MOVES:
            bar.value, moved_at = value, now

    # Outside of a notebook display would print the bundle.
    if InteractiveShell.initialized() and not is_in_place:
        display(widget_view(bar), raw=True)
    try:
        yield move_to
    finally:
        if not is_in_place:
            bar.close()
