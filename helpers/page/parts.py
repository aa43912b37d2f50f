"""Parts of pictures that several notebooks use: made once in an axes, then `set` to new values.

Each part lists its `artists`, so that `picture.moves(part)` registers them all. Nothing is
computed here, except where a label finds room.
"""

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.transforms import offset_copy
from scipy.optimize import isotonic_regression

from helpers.page.picture import NEUTRAL


class Band:
    """A curve and the band of its interval."""

    def __init__(self, axes, style):
        (self.line,) = axes.plot([], [], **style.of_line())
        self.band = axes.fill_between([], [], [], color=style.colour, alpha=0.2, linewidth=0)
        self.artists = [self.band, self.line]

    def set(self, x, mean, low, high):
        self.line.set_data(x, mean)
        self.band.set_data(x, low, high)


class Intervals:
    """Markers with interval bars."""

    def __init__(self, axes, style, *, horizontal=False):
        self.horizontal = horizontal
        self.bars = axes.add_collection(LineCollection([], colors=style.colour, linewidths=2.4))
        (self.markers,) = axes.plot([], [], **style.of_points())
        self.artists = [self.bars, self.markers]

    def set(self, positions, means, lows, highs):
        self.bars.set_segments(_segments(positions, lows, highs, self.horizontal))
        self.markers.set_data(*((means, positions) if self.horizontal else (positions, means)))


class Bars:
    """Bars from zero, one style each, with intervals and a text at each end.

    What is higher than `top` is cut off there, and an arrow behind its text tells.
    """

    def __init__(self, axes, positions, styles, *, width=0.7, top=np.inf):
        self.positions, self.top = positions, top
        self.bars = [
            axes.bar(position, 0, width, **style.of_bar())[0]
            for position, style in zip(positions, styles, strict=True)
        ]
        self.intervals = axes.add_collection(LineCollection([], colors="#222222", linewidths=2))
        self.texts = [_free_text(axes, (0, 4), ha="center") for _ in self.bars]
        self.artists = [*self.bars, self.intervals, *self.texts]

    def set(self, heights, lows, highs, texts):
        arrows = ["" if height <= self.top else " ↑" for height in heights]
        heights, lows, highs = np.minimum([heights, lows, highs], self.top)
        self.intervals.set_segments(_segments(self.positions, lows, highs))
        for bar, height in zip(self.bars, heights, strict=True):
            bar.set_height(height)
        for artist, text, arrow, x, y in zip(self.texts, texts, arrows, self.positions, highs):
            artist.set(text=text + arrow, x=x, y=max(0, y))


class LineLabels:
    """Names beside the ends of lines, pushed apart where they would overlap."""

    def __init__(self, axes, styles, texts):
        self.axes = axes
        self.artists = [
            _free_text(axes, (9, 0), text, va="center", color=style.text_colour)
            for style, text in zip(styles, texts, strict=True)
        ]
        self.ends = np.zeros((len(self.artists), 2))

    def set(self, x, ys, texts=None):
        self.ends = np.column_stack([np.full(len(ys), x), ys])
        for artist, text in zip(self.artists, texts if texts is not None else []):
            artist.set_text(text)
        self.arrange()

    def arrange(self):
        """Find room for the names; the picture asks again once its layout is made."""
        bottom, top = sorted(self.axes.get_ylim())
        ends = self.ends.copy()
        ends[:, 1] = np.clip(np.nan_to_num(ends[:, 1], nan=top), bottom, top)  # if it diverged
        pixels = self.axes.transData.transform(ends)
        line_height = 1.3 * self.artists[0].get_fontsize() * self.axes.figure.dpi / 72
        pixels[:, 1] = spread(pixels[:, 1], line_height, *self.axes.bbox.intervaly)
        places = self.axes.transData.inverted().transform(pixels)
        for artist, (x, y) in zip(self.artists, places, strict=True):
            artist.set(x=x, y=y)


class ReferenceLine:
    """A horizontal line with its name above it, at the fraction `where` of the width."""

    def __init__(self, axes, y, text, style=NEUTRAL, *, where=1.0):
        self.line = axes.axhline(y, linewidth=1.5, **style.of_line())
        side = "right" if where > 0.5 else "left"
        above = offset_copy(axes.get_yaxis_transform(), axes.figure, y=2, units="points")
        self.text = axes.text(
            where, y, text, color=style.text_colour, ha=side, va="bottom", transform=above
        )
        self.artists = [self.line, self.text]


class Ghost:
    """The reader's bet: a hollow marker and its name, hidden until there is a bet."""

    def __init__(self, axes, *, offset=(10, 0), **text):
        (self.marker,) = axes.plot(
            [], [], linestyle="none", marker="D", markersize=12, markerfacecolor="white",
            markeredgecolor="#444444", markeredgewidth=2.2, zorder=9,
        )
        self.text = _free_text(
            axes, offset, color="#444444", zorder=9, **{"va": "center", **text}
        )
        self.artists = [self.marker, self.text]

    def set(self, x, y, text="your bet"):
        """Show the bet `y` at x; without one (None) it is hidden."""
        is_there = y is not None
        self.marker.set_data([x] * is_there, [y] * is_there)
        self.text.set(x=x, y=y or 0, text=text * is_there)


class Mosaic:
    """Many small square pictures as one image, row by row with a thin gap."""

    def __init__(self, axes, n_rows, n_columns):
        self.n_rows, self.n_columns = n_rows, n_columns
        extent = (0, n_columns, n_rows, 0)
        self.image = axes.imshow([[1.0]], vmin=0, vmax=1, cmap="gray", extent=extent)
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
        self.artists = [self.image]

    def set(self, images):
        """Show `images` (n, height, width), in grey, or (n, height, width, 3), from 0 to 1."""
        height, width, *channels = images.shape[1:]
        tiles = np.ones((self.n_rows * self.n_columns, height + 1, width + 1, *channels))
        tiles[: len(images), :height, :width] = images
        rows = tiles.reshape(self.n_rows, self.n_columns, *tiles.shape[1:]).swapaxes(1, 2)
        sheet = rows.reshape(self.n_rows * (height + 1), self.n_columns * (width + 1), *channels)
        self.image.set_data(sheet)


def spread(wanted, gap, low, high):
    """Return positions near `wanted`, in the same order, `gap` apart, between `low` and `high`."""
    order = np.argsort(wanted, kind="stable")
    steps, placed = gap * np.arange(len(wanted)), np.empty(len(wanted))
    # neighbours that touch move as one, to their common mean
    starts = isotonic_regression(np.asarray(wanted)[order] - steps).x
    placed[order] = np.clip(starts, low, high - steps[-1]) + steps
    return placed


def _segments(positions, lows, highs, horizontal=False):
    ends = np.column_stack([lows, highs])
    places = np.column_stack([positions, positions])
    return np.stack([ends, places] if horizontal else [places, ends], axis=-1)


def _free_text(axes, offset, text="", **properties):
    """Return a text placed in data units, moved by `offset` (x, y) points."""
    x, y = offset
    shifted = offset_copy(axes.transData, axes.figure, x=x, y=y, units="points")
    return axes.text(0, 0, text, transform=shifted, **{"va": "bottom", **properties})
