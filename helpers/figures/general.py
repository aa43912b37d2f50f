"""Pictures for any comparison: curves with bands, bars with intervals.

They take their arms from what they are shown, so that an arm more is a curve more.
"""

from helpers.figures.parts import Band, Bars, ReferenceLine
from helpers.figures.picture import (
    DROPOUT,
    REFERENCE,
    SECOND,
    THEORY,
    WARNING,
    WITH_BATCH_NORM,
    WITHOUT_BATCH_NORM,
    Picture,
)
from helpers.intervals import interval_ends, mean_intervals

# How the arms of the course look, and what pictures call them; others get what is left, in turn.
OF_ARMS = {
    "without": (WITHOUT_BATCH_NORM, "without batch norm"),
    "with": (WITH_BATCH_NORM, "with batch norm"),
    "noisy": (WARNING, "batch norm, then noise"),
}
OF_OTHERS = (REFERENCE, DROPOUT, SECOND, THEORY)


def looks_of(arms):
    """Return {name: (Style, label)} for the names of some arms."""
    others = [name for name in arms if name not in OF_ARMS]
    own = {name: (OF_OTHERS[i % len(OF_OTHERS)], name) for i, name in enumerate(others)}
    return {name: OF_ARMS.get(name) or own[name] for name in arms}


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
            axes.set(**self.of_axes)
            text = self.moves(axes.text(0.06, 0.98, "", transform=axes.transAxes, va="top"))
            bands = [self.moves(Band(axes, style)) for style, _ in looks_of(curves).values()]
            self.panels.append((text, bands))
            axes.label_outer()
        looks = looks_of(next(iter(panels.values()))).values()
        if len(looks) < 2:
            return
        samples = [all_axes[0].plot([], [], marker=s.marker, **s.of_line())[0] for s, _ in looks]
        names = [name for _, name in looks]
        all_axes[0].legend(samples, names, loc="upper right", bbox_to_anchor=(1.02, 0.9))


class BarsPicture(Picture):
    """Bars from zero with 95% intervals and their numbers, one panel for each of several results.

    bars: {label below the bar: Style}. of_axes: properties of all axes. reference: (height, name)
    of a line across. `show_bars` leaves the numbers in `texts`, [panel][bar].
    """

    def __init__(
        self, title, bars, panels=("",), *, width=9, height=5, bar_width=0.7, reference=None,
        **of_axes,
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
            part = Bars(axes, range(len(bars)), list(bars.values()), width=bar_width)
            self.bars.append(self.moves(part))

    def show_bars(self, *panels):
        """Show one list of values per panel, each value (n_networks,); return the Intervals."""
        found = [mean_intervals(values) for values in panels]
        for bars, intervals in zip(self.bars, found, strict=True):
            bars.set(*interval_ends(intervals), [str(one) for one in intervals])
        return found
