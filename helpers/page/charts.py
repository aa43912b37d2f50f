"""Pictures for any comparison: curves with bands or names, bars and dots with intervals.

They take their arms from what they are shown, so that an arm more is a curve more.
"""

import numpy as np

from helpers.intervals import format_number, interval_ends, mean_intervals
from helpers.page.parts import Band, Bars, Intervals, LineLabels, ReferenceLine
from helpers.page.picture import (
    DROPOUT,
    NEUTRAL,
    REFERENCE,
    SECOND,
    THEORY,
    WARNING,
    WITH_BATCH_NORM,
    WITHOUT_BATCH_NORM,
    Picture,
)

# How the arms of the course look, and what pictures call them; others get what is left, in turn.
OF_ARMS = {
    "without": (WITHOUT_BATCH_NORM, "without batch norm"),
    "with": (WITH_BATCH_NORM, "with batch norm"),
    "noisy": (WARNING, "with noise behind batch norm"),
}
OF_OTHERS = (REFERENCE, DROPOUT, SECOND, THEORY)


def looks_of(arms, known=OF_ARMS):
    """Return {name: (Style, label)} for the names of some arms; known: the looks of some."""
    taken = [known[name][0] for name in arms if name in known]
    free = [style for style in OF_OTHERS if style not in taken] or OF_OTHERS
    others = [name for name in arms if name not in known]
    own = {name: (free[i % len(free)], name) for i, name in enumerate(others)}
    return {name: known.get(name) or own[name] for name in arms}


def with_room(limits, values):
    """Return the limits of an axis, moved outwards where `values` would not fit in."""
    low, high = limits
    room = 0.05 * (high - low)
    return min(low, np.min(values) - room), max(high, np.max(values) + room)


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


class NamedCurvesPicture(Picture):
    """Accuracies of some arms along x, as NamedCurves; one axes that has room for all of them.

    known: {arm: (Style, name)}; other arms get another style and their own name. of_axes:
    properties of the axes, such as its labels.
    """

    def __init__(self, title, known=OF_ARMS, **of_axes):
        super().__init__(height=4.8, title=title)
        self.known, self.of_axes = known, of_axes

    def show_curves(self, curves):
        """Show what `NamedCurves.set` takes; return {name: Interval at the right end}."""
        axes, looks = self.draw_anew(), looks_of(curves, self.known)
        named = NamedCurves(self, axes, looks, points=True)
        found = named.set(curves)
        places = max((x for x, _ in curves.values()), key=len)
        span = places[-1] - places[0]
        lowest = min(one.low for intervals in found.values() for one in intervals)
        axes.set(xticks=places, ylim=(0.1 * (10 * lowest // 1), 1.02), **self.of_axes)
        axes.set_xlim(places[0] - 0.04 * span, places[-1] + 0.38 * span)
        named.labels.arrange()  # within these limits
        return {name: intervals[-1] for name, intervals in found.items()}


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
    figure, or in the only panel, those of the arms stand.
    """

    decimals = 2

    def __init__(self, title, panels, *, width=9, height=5, gap=0.5, names="upper right"):
        super().__init__(width=width, height=height, title=title)
        self.gap, self.names, self.bars = gap, names, []
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


class DotsPicture(Picture):
    """Dots with 95% intervals at some settings, joined by a line for each arm.

    later: arms that are not shown at first. of_axes: properties of the axes, such as its labels;
    the limits get more room where the first values need it.
    """

    def __init__(self, title, later=(), **of_axes):
        super().__init__(title=title)
        self.axes, self.later, self.curves = self.figure.subplots(), later, None
        self.axes.set(**of_axes)

    def show_dots(self, arms, notes):
        """Show {arm: {setting: values (n_networks,)}}; an arm that is left out is hidden.

        notes: a text for each setting. Returns {name of an arm: list of Intervals}.
        """
        if self.curves is None:
            self._build(arms, len(notes))
        found = self.curves.set({
            arm: (range(len(of_arm)), list(of_arm.values())) for arm, of_arm in arms.items()
        })
        for text, note in zip(self.notes, notes, strict=True):
            text.set_text(note)
        return found

    def _build(self, arms, n_settings):
        self.axes.set_xlim(-0.95, n_settings - 0.6)
        self.axes.set_xticks(range(n_settings), map(str, next(iter(arms.values()))))
        means = [np.mean(values) for of_arm in arms.values() for values in of_arm.values()]
        self.axes.set_ylim(with_room(self.axes.get_ylim(), means))
        looks = looks_of([*arms, *self.later])
        self.curves = NamedCurves(
            self, self.axes, looks, bands=False, points=True, names_at=-0.93
        )
        style = dict(ha="center", color=NEUTRAL.text_colour)
        style["transform"] = self.axes.get_xaxis_transform()
        self.notes = [self.moves(self.axes.text(x, 0.04, "", **style)) for x in range(n_settings)]
