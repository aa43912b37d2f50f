"""What lives on a page while its kernel does, and what stands there on another day.

A front end prefers a widget to the picture beside it in the same output. So a notebook that was
saved and is opened again, without its kernel, would show "Error displaying widget" where its demos
were. What lives is therefore given out as three outputs: a line that says how to wake it, the
widget, and its still form. A style sheet in the first hides whatever is not wanted: the first and
the last while the widget lives, and later, when nothing but an error stands for it, that error
(and that of every bar on the page whose work was done).
Where styles are ignored the still form is seen, too.
"""

from IPython.display import display

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"

# The box of a widget that lives is a child of its output. Of one that is gone the front end leaves
# a box of its own, which says so.
CHILD, LIVES, GONE = ".jp-OutputArea-child", ".lm-Panel:not(.jupyter-widgets)", ".jupyter-widgets"
ASLEEP = f"{CHILD}:has(> * > .asleep)"
STYLE = (
    f"{ASLEEP}:has(+ {CHILD} > {LIVES}), "
    f"{ASLEEP} + {CHILD}:has(> {LIVES}) + {CHILD}, "
    f"{CHILD}:has(> .lm-Panel{GONE}) {{ display: none }}"
)


def widget_view(widget):
    """Return the bundle that shows `widget` live and holds nothing else.

    The widget's own repr would add a text/plain, which varies with the version of ipywidgets
    and would be compared with the stored outputs.
    """
    return {WIDGET_VIEW: {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}}


class Alive:
    """Shows `view`, a widget, and on another day what `_repr_mimebundle_` returns.

    waking: what to do to see it live again, one sentence. mark: metadata of the still form.
    """

    waking = "Run this cell (Shift+Enter), or all cells, to bring it to life."
    mark = None

    def _ipython_display_(self):
        line = f'<div class="asleep"><style>{STYLE}</style><i>{self.waking}</i></div>'
        display({"text/html": line, "text/plain": self.waking}, raw=True)
        display(widget_view(self.view), raw=True)
        display(self._repr_mimebundle_(), raw=True, metadata=self.mark)
