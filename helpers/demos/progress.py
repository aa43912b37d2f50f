"""A bar for work that takes seconds: seen while it lasts, never stored, never compared."""

import time
from contextlib import contextmanager

from IPython.core.interactiveshell import InteractiveShell
from IPython.display import display
from ipywidgets import IntProgress, Layout

from helpers.checks import check_integer

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
SECONDS_BETWEEN_MOVES = 0.1


def widget_view(widget):
    """Return the bundle that shows `widget` live and holds nothing else.

    The widget's own repr would add a text/plain, which varies with the version of ipywidgets
    and would be compared with the stored outputs.
    """
    return {WIDGET_VIEW: {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}}


@contextmanager
def progress_bar(n_steps, label):
    """Show a bar until the block ends: `with progress_bar(200, "Training") as on_step: ...`.

    Each call of `on_step()` counts one of the `n_steps`; its arguments are ignored.
    """
    n_steps = check_integer("n_steps", n_steps)
    bar = IntProgress(
        max=n_steps,
        description=label,
        style={"description_width": "initial"},
        layout=Layout(width="480px"),
    )
    if InteractiveShell.initialized():  # elsewhere, display would print the bundle
        display(widget_view(bar), raw=True)
    try:
        yield step_counter(bar)
    finally:
        bar.close()


def step_counter(bar):
    """Return a function that moves `bar` by one step, with at most ten messages a second."""
    n_done, moved_at = 0, 0.0

    def on_step(*_):
        nonlocal n_done, moved_at
        n_done += 1
        now = time.monotonic()
        if now - moved_at >= SECONDS_BETWEEN_MOVES:
            bar.value, moved_at = n_done, now

    return on_step
