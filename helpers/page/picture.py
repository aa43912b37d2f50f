"""What all pictures of the course share: one look, one colour per subject, the fast redraw.

A picture builds its axes and artists once. Later only what moves is drawn, over a stored copy of
what stands still, so that a slider's new picture is there within a tenth of a second.
Matplotlib is used without pyplot: pyplot keeps global state and is not thread-safe.
"""

import base64
import functools
import io
import re
import threading
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.text import Text
from PIL import Image

from helpers.checks import check_number
from helpers.long_work import holding

COURSE_STYLE = mpl.rc_params_from_file(
    Path(__file__).with_name("course.mplstyle"), use_default_template=False
)
FOR_THE_LIVE_VIEW = {"format": "jpeg", "quality": 85, "subsampling": 0}
# Held around every draw and every retraining: notebook kernels run the callbacks of controls on
# several threads, and matplotlib's text is not thread-safe.
ONE_AT_A_TIME = threading.RLock()
one_at_a_time = holding(ONE_AT_A_TIME)


@dataclass(frozen=True)
class Style:
    """How one subject looks in the whole course; each differs in more than its colour.

    text_colour: a darker shade of its colour, in which its name can be read on white.
    """

    colour: str
    line: object
    marker: str
    hatch: str
    text_colour: str

    def of_line(self):
        """Return keywords for a line without markers."""
        return {"color": self.colour, "linestyle": self.line}

    def of_points(self):
        """Return keywords for markers without a line."""
        return {"color": self.colour, "linestyle": "none", "marker": self.marker}

    def of_bar(self):
        """Return keywords for a filled rectangle."""
        return {"facecolor": self.colour, "edgecolor": "white", "hatch": self.hatch}


# The palette of Okabe and Ito (2008), which colour-blind readers can tell apart. REFERENCE: what
# could be had, known from elsewhere. NEUTRAL: what stands by for comparison. WARNING: what goes
# wrong or disturbs: mistakes, a push, the shift, added noise.
WITH_BATCH_NORM = Style("#0072B2", "-", "o", "", "#0072B2")
STORED_STATISTICS = Style("#56B4E9", (0, (6, 2, 1, 2)), "v", "..", "#3A7A9E")
WITHOUT_BATCH_NORM = Style("#D55E00", (0, (4, 1.5)), "s", "//", "#BE5400")
DROPOUT = Style("#CC79A7", (0, (4, 1.5, 1, 1.5)), "^", "\\\\", "#9F5E82")
REFERENCE = Style("#009E73", (0, (9, 2)), "D", "--", "#00835F")
THEORY = Style("#000000", (0, (1, 1)), "", "xx", "#000000")
NEUTRAL = Style("#666666", (0, (2, 2.5)), "|", "||", "#666666")
WARNING = Style("#E69F00", (0, (4, 1.5, 1, 1.5, 1, 1.5)), "X", "++", "#8A5A00")
# Not of that palette: one subject more, such as the cats among all faces.
SECOND = Style("#5E3C99", (0, (2, 1)), "P", "oo", "#5E3C99")
# How the arms of the course look, and what pictures call them; others get what is left, in turn.
OF_ARMS = {
    "without": (WITHOUT_BATCH_NORM, "without batch norm"),
    "with": (WITH_BATCH_NORM, "with batch norm"),
    "noisy": (WARNING, "with noise behind batch norm"),
}
OF_OTHERS = (REFERENCE, DROPOUT, SECOND, THEORY)


def with_minus_signs(text):
    """Return `text` with minus signs for the hyphens in front of its numbers."""
    return re.sub(r"(?<![\w)-])-(?=\d)", "\N{MINUS SIGN}", text)


def looks_of(arms, known=OF_ARMS):
    """Return {name: (Style, label)} for the names of some arms; known: the looks of some."""
    taken = [known[name][0] for name in arms if name in known]
    free = cycle(style for style in OF_OTHERS if style not in taken)
    return {name: known.get(name) or (next(free), name) for name in arms}


def in_course_style(function):
    """Return `function`, run in the course's style and alone; no setting outlives the call."""

    @one_at_a_time
    @functools.wraps(function)
    def styled(*args, **kwargs):
        before = dict(mpl.rcParams.copy())
        del before["backend"]  # pyplot chooses it when it is needed, maybe in another thread
        try:
            mpl.rcParams.update(COURSE_STYLE)
            return function(*args, **kwargs)
        finally:
            dict.update(mpl.rcParams, before)  # one call into C, which no interrupt cuts short

    return styled


@in_course_style
def new_figure(width=9, height=5):
    """Return an empty Figure of `width` by `height` inches that knows its own canvas."""
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    return figure


class Picture:
    """Base of every picture: `__init__` builds it, `show(result)` fills it and returns self.

    `show` also sets `sentence`, which says in words, with the numbers, what is to be seen.
    Every artist that `show` changes is handed to `moves` first.
    """

    sentence = ""

    def show(self, _result=None):
        """Return self: a picture of what nothing changes has been filled already."""
        return self

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        for name in {"__init__", "show"} & vars(cls).keys():
            setattr(cls, name, in_course_style(vars(cls)[name]))

    def __init__(self, width=9, height=5, title=None):
        self.figure = new_figure(width, height)
        self._arranged, self._background = [], None
        if title:
            self.figure.suptitle(title, x=0.01, horizontalalignment="left")

    def draw_anew(self, *grid, **of_subplots):
        """Return empty axes, as `Figure.subplots` does, in place of all that was drawn before.

        For what no control moves: `show` may then simply draw, without anything that `moves`.
        """
        for axes in self.figure.axes:
            axes.remove()
        self._arranged, self._background = [], None
        self.figure.set_layout_engine("constrained")
        return self.figure.subplots(*grid, **of_subplots)

    def moves(self, part):
        """Register an artist, or all artists of a part, as changed by `show`; return it."""
        for artist in getattr(part, "artists", [part]):
            if artist.axes is None:
                raise ValueError(f"moving artists must live in one of the axes, got {artist!r}")
            artist.set_animated(True)
        if hasattr(part, "arrange"):
            self._arranged.append(part)
        return part

    def png(self):
        """Return the picture as the bytes of a PNG, for keeping."""
        return self.frame(format="png", compress_level=9)

    @in_course_style
    def frame(self, **how):
        """Return the picture as the bytes of a JPEG, for the live view, or as `how` says.

        Encoding takes 2 ms; a PNG takes 9, as much as the drawing. At this quality and with
        colours at full resolution the eye sees no difference, even in small type; at 92 a frame is
        a third larger and 3 ms later on the screen.
        """
        canvas = self.figure.canvas
        if self._background is None:
            self._draw_background()
        canvas.restore_region(self._background)
        for artist in self._foreground:
            artist.axes.draw_artist(artist)
        pixels = Image.frombuffer("RGBA", canvas.get_width_height(), canvas.buffer_rgba())
        encoded = io.BytesIO()
        pixels.convert("RGB").save(encoded, **(how or FOR_THE_LIVE_VIEW))
        return encoded.getvalue()

    def enlarge(self, factor):
        """Draw the same picture with `factor` times as many pixels from now on, each way."""
        check_number("factor", factor, 0.1, 10)
        self.figure.set_dpi(self.figure.get_dpi() * factor)
        self._background = None

    def _draw_background(self):
        self.figure.canvas.draw()  # makes the layout, which must stay as it is from now on
        self.figure.set_layout_engine("none")
        for part in self._arranged:
            part.arrange()
        self._foreground = []
        for axes in self.figure.axes:
            axes.set_autoscale_on(False)
            if not _from_first_moving(axes):
                continue  # behind the boxes of a drawing nobody could read their names
            for child in axes.get_children():
                if isinstance(child, (Legend, Text)) and not child.get_animated():
                    child.set_zorder(0.9)  # behind what moves, to be drawn once: 7 ms a legend
            self._foreground += _from_first_moving(axes)
        for artist in self._foreground:
            artist.set_animated(True)
        self.figure.canvas.draw()  # leaves out what is animated
        self._background = self.figure.canvas.copy_from_bbox(self.figure.bbox)

    def _repr_mimebundle_(self, include=None, exclude=None):
        png = base64.b64encode(self.png()).decode("ascii")
        return {"image/png": png, "text/plain": self.sentence}


def _from_first_moving(axes):
    """Return what moves in `axes` and what stands still in front of it, back to front."""
    children = [child for child in axes.get_children() if child is not axes.patch]
    children.sort(key=lambda child: child.get_zorder())
    moving = [place for place, child in enumerate(children) if child.get_animated()]
    return children[moving[0] :] if moving else []
