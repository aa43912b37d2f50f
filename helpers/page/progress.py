"""A bar for work that takes seconds: seen while it lasts, never stored, never compared."""

import time
from contextlib import contextmanager
from contextvars import ContextVar

from IPython.core.interactiveshell import InteractiveShell
from IPython.display import display
from ipywidgets import IntProgress, Layout

from helpers.long_work import finish
from helpers.page.alive import widget_view

SECONDS_BETWEEN_MOVES = 0.1
_BAR_IN_PLACE = ContextVar("bar_in_place", default=None)


def with_progress(label, work):
    """Return the last result of `work`, which yields (share done, result so far), behind a bar."""
    bar = _BAR_IN_PLACE.get()
    if bar is not None:
        return finish(_moving(bar, label, work))
    bar = IntProgress(max=100, layout=Layout(width="480px"))
    bar.style.description_width = "initial"
    bar.add_class("waiting-bar")
    if InteractiveShell.initialized():  # elsewhere display would print the bundle
        display(widget_view(bar), raw=True)
    try:
        return finish(_moving(bar, label, work))
    finally:
        bar.close()


@contextmanager
def bars_in(bar):
    """Let what makes progress in this block move `bar`, which stands somewhere already."""
    token = _BAR_IN_PLACE.set(bar)
    try:
        yield
    finally:
        _BAR_IN_PLACE.reset(token)


def _moving(bar, label, work):
    """Yield what `work` yields; ten times a second at most `bar` moves."""
    bar.value, bar.max, bar.description = 0, 100, label
    moved_at = 0.0
    try:
        for share, latest in work:
            if time.monotonic() - moved_at >= SECONDS_BETWEEN_MOVES:
                bar.value, moved_at = round(100 * share), time.monotonic()
            yield share, latest
    finally:
        getattr(work, "close", int)()  # the iterator of a list has none
