"""Parts of pictures, and the pictures made of them that serve any comparison.

A part is made once in an axes, then `set` to new values; it lists its `artists`, so that
`picture.moves(part)` registers them all. Pictures take their arms from what they are shown: an arm
more is a curve more.
"""

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.transforms import offset_copy
from scipy.optimize import isotonic_regression

from helpers.intervals import format_number, interval_ends, mean_intervals
from helpers.page.picture import NEUTRAL, Picture, looks_of, with_minus_signs


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
        bars = [[(x, low), (x, high)] for x, low, high in zip(positions, lows, highs)]
        self.bars.set_segments(np.flip(bars, axis=-1) if self.horizontal else bars)
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
        ends = zip(self.positions, lows, highs)
        self.intervals.set_segments([[(x, low), (x, high)] for x, low, high in ends])
        for bar, height in zip(self.bars, heights, strict=True):
            bar.set_height(height)
        for artist, text, arrow, x, y in zip(self.texts, texts, arrows, self.positions, highs):
            artist.set(text=with_minus_signs(text) + arrow, x=x, y=max(0, y))


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
        for artist, text in zip(self.artists, texts or []):
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
        axes.axhline(y, linewidth=1.5, **style.of_line())
        above = offset_copy(axes.get_yaxis_transform(), axes.figure, y=2, units="points")
        look = {"color": style.text_colour, "ha": "right" if where > 0.5 else "left"}
        axes.text(where, y, text, va="bottom", transform=above, **look)


class Ghost:
    """The reader's bet: a hollow marker and its name, hidden until there is a bet."""

    def __init__(self, axes, *, offset=(10, 0), **text):
        (self.marker,) = axes.plot(
            [], [], linestyle="none", marker="D", markersize=12, markerfacecolor="white",
            markeredgecolor="#444444", markeredgewidth=2.2, zorder=9,
        )
        self.text = _free_text(
            axes, offset, color="#444444", zorder=9, **{"va": "center", **text},
            bbox=dict(facecolor="white", edgecolor="none", alpha=0.85, pad=1.5),  # over a bar
        )
        self.artists = [self.marker, self.text]

    def set(self, x, y, text="your bet"):
        """Show the bet `y` at x; without one (None) it is hidden."""
        is_there = y is not None
        self.marker.set_data([x] * is_there, [y] * is_there)
        self.text.set(x=x or 0, y=y or 0, text=text * is_there)


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
        n_missing = self.n_rows * self.n_columns - len(images)
        gaps = [(0, n_missing), (0, 1), (0, 1), (0, 0)][: images.ndim]
        tiles = np.pad(images, gaps, constant_values=1)
        rows = tiles.reshape(self.n_rows, self.n_columns, *tiles.shape[1:])
        self.image.set_data(np.vstack([np.hstack(row) for row in rows]))


class CurvesPicture(Picture):
    """Curves with 95% bands along training, one panel for each of several comparisons.

    of_axes: properties of all axes, such as their labels and limits.
    """

    def __init__(self, title, *, width=9, height=5, **of_axes):
        super().__init__(width=width, height=height, title=title)
        self.of_axes, self.panels = of_axes, []

    def show_curves(self, panels):
        """Show {heading: {arm: (steps (n_looks,), values (n_looks, n_networks))}}."""
        if not self.panels:
            self._build(panels)
        for (heading, curves), (text, bands) in zip(panels.items(), self.panels, strict=True):
            text.set_text(heading)
            for (steps, values), band in zip(curves.values(), bands, strict=True):
                band.set(steps, *interval_ends(mean_intervals(values)))

    def _build(self, panels):
        all_axes = self.figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for axes, curves in zip(all_axes, panels.values()):
            axes.set(**self.of_axes, xlim=(0, max(steps[-1] for steps, _ in curves.values())))
            text = self.moves(axes.text(0.06, 0.98, "", transform=axes.transAxes, va="top"))
            bands = [self.moves(Band(axes, style)) for style, _ in looks_of(curves).values()]
            self.panels.append((text, bands))
            axes.label_outer()
        looks = looks_of(next(iter(panels.values()))).values()
        for style, name in looks:
            all_axes[0].plot([], [], marker=style.marker, label=name, **style.of_line())
        if len(looks) > 1:
            all_axes[0].legend(loc="upper right", bbox_to_anchor=(1.02, 0.9))


class NamedCurves:
    """Curves of some arms in one axes, each with its name at its right end.

    looks: {arm: (Style, name)}. bands, points: with 95% intervals as a band, as a marker at each
    place; what has one place only is a marker. names_at: x of the names, beside the left ends.
    """

    def __init__(self, picture, axes, looks, *, bands=True, points=False, names_at=None):
        self.bands, self.points, self.names_at = bands, points, names_at
        self.names = {arm: name for arm, (_, name) in looks.items()}
        self.parts = [
            (picture.moves(Band(axes, style)), picture.moves(Intervals(axes, style)))
            for style, _ in looks.values()
        ]
        self.labels = picture.moves(LineLabels(axes, *zip(*looks.values())))

    def set(self, curves, **renamed):
        """Show {arm: (x (n_places,), values (n_places, n_networks))}; who is left out is hidden.

        renamed: {arm: name}, which it has from now on. Returns {name: list of Intervals}.
        """
        self.names |= renamed
        found = {arm: mean_intervals(values) for arm, (_, values) in curves.items()}
        for arm, (band, markers) in zip(self.names, self.parts):
            x, (means, *ends) = curves.get(arm, ([],))[0], interval_ends(found.get(arm, []))
            band.set(x, means, *(ends if self.bands else (means, means)))
            is_marked = self.points or len(x) < 2
            markers.set(*((x, means, *ends) if is_marked else ((), (), (), ())))
        at_left, last = self.names_at is not None, max(x[-1] for x, _ in curves.values())
        self.labels.set(
            self.names_at if at_left else last,
            [found[arm][at_left - 1].mean if arm in found else np.nan for arm in self.names],
            [name if arm in found else "" for arm, name in self.names.items()],
        )
        return {self.names[arm]: intervals for arm, intervals in found.items()}


class BarsPicture(Picture):
    """Bars from zero with 95% intervals and their numbers, one panel for each of several results.

    bars: {label below the bar: Style}. of_axes: properties of all axes. reference: (height, name)
    of a line across. top: where higher bars are cut off.
    """

    def __init__(
        self, title, bars, panels=("",), *, width=9, height=5, bar_width=0.7, reference=None,
        top=np.inf, **of_axes,
    ):
        super().__init__(width=width, height=height, title=title)
        self.bars = []
        for axes, name in zip(
            self.figure.subplots(1, len(panels), sharey=True, squeeze=False)[0], panels
        ):
            axes.set(**{"xlim": (-0.6, len(bars) - 0.4), **of_axes})
            axes.set_title(name)
            if reference is not None:
                ReferenceLine(axes, *reference)
            axes.set_xticks(range(len(bars)), list(bars))
            axes.tick_params(axis="x", length=0)
            axes.label_outer()
            part = Bars(axes, range(len(bars)), list(bars.values()), width=bar_width, top=top)
            self.bars.append(self.moves(part))

    def show_bars(self, *panels, texts=None):
        """Show one list of values per panel, each value (n_networks,); return the Intervals.

        texts: a list per panel, instead of the intervals as they print.
        """
        found = [mean_intervals(values) for values in panels]
        for bars, intervals, of_bars in zip(self.bars, found, texts or found, strict=True):
            bars.set(*interval_ends(intervals), [str(one) for one in of_bars])
        return found


class GroupsPicture(Picture):
    """Bars from zero with 95% intervals in groups, one bar for each arm.

    panels: rows of properties of axes, such as their titles and limits, which get more room where
    the first values need it. gap: between groups, where a bar is 0.7 wide. names: where in the
    figure, or in the only panel, those of the arms stand. decimals: of the numbers on the bars.
    """

    def __init__(
        self, title, panels, *, width=9, height=5, gap=0.5, names="upper right", decimals=2
    ):
        super().__init__(width=width, height=height, title=title)
        self.gap, self.names, self.decimals, self.bars = gap, names, decimals, []
        grid = self.figure.subplots(len(panels), len(panels[0]), sharey="col", squeeze=False)
        for axes, of_axes in zip(grid.flat, (one for row in panels for one in row)):
            axes.set(**of_axes)

    def show_groups(self, panels):
        """Show [{group: {arm: Interval}}], one for each panel, row by row."""
        if not self.bars:
            self._build(panels)
        for bars, groups in zip(self.bars, panels, strict=True):
            cells = [(group, *one) for group, arms in groups.items() for one in arms.items()]
            texts = [self.text_of(*cell) for cell in cells]
            bars.set(*interval_ends([interval for _, _, interval in cells]), texts)

    def text_of(self, group, arm, interval):
        """Return what stands above a bar."""
        return format_number(interval.mean, self.decimals)

    def _build(self, panels):
        all_axes = self.figure.axes
        looks = looks_of(next(iter(panels[0].values()))).values()
        for axes, groups in zip(all_axes, panels):
            starts = (0.8 * len(looks) + self.gap) * np.arange(len(groups))
            positions = np.add.outer(starts, 0.8 * np.arange(len(looks)))
            axes.set_xlim(-0.6, positions.max() + 0.6)
            axes.set_xticks(positions.mean(axis=1), list(groups))
            axes.tick_params(axis="x", length=0)
            axes.locator_params(axis="y", nbins=6)
            highest = max(one.high for arms in groups.values() for one in arms.values())
            axes.set_ylim(0, max(axes.get_ylim()[1], 1.15 * highest))
            styles = [style for style, _ in looks] * len(groups)
            self.bars.append(self.moves(Bars(axes, positions.ravel(), styles)))
        samples = [all_axes[0].bar(0, 0, **style.of_bar()) for style, _ in looks]
        page = self.figure if len(all_axes) > 1 else all_axes[0]
        page.legend(samples, [name for _, name in looks], loc=self.names, borderaxespad=0)


def with_room(limits, values):
    """Return the limits of an axis, moved outwards where `values` would not fit in."""
    low, high = limits
    room = 0.05 * (high - low)
    return min(low, np.min(values) - room), max(high, np.max(values) + room)


def spread(wanted, gap, low, high):
    """Return positions near `wanted`, in the same order, `gap` apart, between `low` and `high`."""
    order = np.argsort(wanted, kind="stable")
    steps, placed = gap * np.arange(len(wanted)), np.empty(len(wanted))
    # neighbours that touch move as one, to their common mean
    starts = isotonic_regression(np.asarray(wanted)[order] - steps).x
    placed[order] = np.clip(starts, low, high - steps[-1]) + steps
    return placed


def _free_text(axes, offset, text="", **properties):
    """Return a text placed in data units, moved by `offset` (x, y) points."""
    x, y = offset
    shifted = offset_copy(axes.transData, axes.figure, x=x, y=y, units="points")
    return axes.text(0, 0, text, transform=shifted, **{"va": "bottom", **properties})
