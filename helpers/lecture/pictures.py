"""The board's pictures: those of the notebooks, shown in steps and with type for the last row."""

import textwrap
from itertools import pairwise

import numpy as np
from matplotlib.text import Text
from matplotlib.ticker import FixedLocator

from helpers.batch_norm_mechanics.experiments import median_arrivals
from helpers.hidden_layer_stability.pictures import KickPicture, MovingTargetPicture
from helpers.intervals import mean_intervals
from helpers.page.parts import BarsPicture, GroupsPicture, Mosaic, looks_of
from helpers.page.picture import Picture, in_course_style
from helpers.recoloured import draw_shown
from helpers.weighing_the_evidence.pictures import NoisyRacePicture

SIZE = 9, 6.6  # of every picture on the board, inches: none jumps
# A picture fills 66 hundredths of the board's width, a thirtieth of a screen's height 1.9.
TYPE = 1.95 / 66 * 72 * SIZE[0]  # points


class RaceInStepsPicture(NoisyRacePicture):
    """One race, of which some arms wait; the room's bet on the noisy one stands at BET_ON."""

    TITLE = "Who is first at the finish line?"  # the notebooks' own would tell what rooms bet on
    BET_ON = "ReLU, learning rate 0.1"

    def __init__(self):
        super().__init__(width=9, height=5)

    def _build(self, panels):
        super()._build(panels)
        (axes,) = self.figure.axes
        self.legend = self.moves(axes.get_legend())

    def show(self, shown):
        """Show (the race's name, {arm: Run}, names of the arms that are shown)."""
        name, race, arms = shown
        super().show({name: race})
        names = zip(self.legend.legend_handles, self.legend.get_texts())
        of_arms = zip(race, self.panels[0][1], self.arrivals, names, strict=True)
        for arm, band, arrival, named in of_arms:
            for artist in (*band.artists, *arrival, *named):
                artist.set_visible(arm in arms)
        for artist in self.ghost.artists:
            artist.set_visible(name == self.BET_ON)
        medians = median_arrivals(self.threshold, [race])
        told = [f"{medians[arm][0]} {looks_of(race)[arm][1]}" for arm in arms]
        self.sentence = f"{name}: median steps to loss {self.threshold:g}: {', '.join(told)}."
        return self


class KickAccuracyPicture(BarsPicture):
    """Accuracy after a kick with three bars; the third, stored statistics, may still wait."""

    def __init__(self):
        super().__init__(
            "Who is still right after the kick?", KickPicture.BARS, bar_width=0.5, ylim=(0, 105),
            ylabel="right test images (%)",
        )

    def show(self, shown):
        """Show (kind and size of the kick, accuracies (3, n_networks) in %, with the third?)."""
        kind, size, right, with_stored = shown
        *others, stored = right
        bars = [*others, stored if with_stored else np.zeros_like(stored)]
        texts = [str(one) for one in mean_intervals(bars)]
        texts[2] = texts[2] if with_stored else "?"
        self.show_bars(bars, texts=[texts])
        words = KickPicture.KICKS[kind].format(size=size, factor=1 + size)
        self.sentence = (
            f"{words}: {texts[0]}% are right without batch norm, {texts[1]}% with fresh and "
            f"{texts[2]}% with stored statistics."
        )
        return self


class TargetPicture(MovingTargetPicture):
    """What driving layers 1 and 2 costs, with short texts on the bars."""

    text_of = GroupsPicture.text_of


def draw_coats():
    """Return a picture of some test faces, in black coats and in full colour."""
    picture, faces = Picture(*SIZE), draw_shown(5)
    for axes, coat in zip(picture.figure.subplots(2, 1), (0, 1)):
        Mosaic(axes, 2, 5).set(faces.in_coats(coat))
        axes.set_title("full colour" if coat else "black coats")
    picture.sentence = "The same faces, five cats and five others, in black and in full colour."
    return picture


def emptied(picture):
    """Return a picture without all that moves in it: its axes and their names are left."""
    for axes in picture.figure.axes:
        for part in axes.get_children():
            part.set_visible(part.get_visible() and not part.get_animated())
    return picture


@in_course_style
def make_readable(picture):
    """Enlarge all type in `picture` to TYPE at least; then arrange it anew, without its title.

    The title would say what the room bets on. What is drawn next, with `enlarge` or not, has it.
    """
    figure = picture.figure
    figure.set_size_inches(SIZE)
    figure.suptitle("")
    for axes in figure.axes:
        axes.xaxis.set_tick_params(labelsize=TYPE, pad=7)  # clear of the other axis's 0
        axes.yaxis.set_tick_params(labelsize=TYPE)
    for text in figure.findobj(Text):
        text.set_fontsize(max(TYPE, text.get_fontsize()))
    for legend in figure.legends[:]:
        names = [text.get_text() for text in legend.get_texts()]
        legend.remove()
        figure.legend(
            legend.legend_handles, names, loc="outside lower center", ncols=2, fontsize=TYPE
        )
    figure.set_layout_engine("constrained")
    figure.canvas.draw()
    for axes in figure.axes:
        if isinstance(axes.xaxis.get_major_locator(), FixedLocator):
            _make_room(axes.xaxis)
        label, width = axes.xaxis.label, axes.bbox.width
        share = width / max(width, label.get_window_extent().width)
        label.set_text(textwrap.fill(label.get_text(), int(share * len(label.get_text()) + 1)))


def _make_room(axis):
    """Wrap the names of ticks that touch each other, or name only every second number."""
    labels = axis.get_ticklabels()
    places, names = [one.get_window_extent() for one in labels], [one.get_text() for one in labels]
    if any(one.x1 + 6 > other.x0 for one, other in pairwise(places)):
        if any(name[-1:].isalpha() for name in names):
            names = [
                "\n".join(textwrap.fill(line, 13) for line in name.splitlines()) for name in names
            ]
        else:
            names[1::2] = [""] * len(names[1::2])
        axis.set_ticklabels(names)
