"""The board's pictures: those of the notebooks, shown in steps and with type for the last row."""

from matplotlib.text import Text

from helpers.figures.batch_norm_mechanics import RacePicture
from helpers.figures.hidden_layer_stability import KickPicture
from helpers.figures.minibatch_noise import NaiveSweepPicture
from helpers.figures.parts import Ghost
from helpers.figures.picture import in_course_style
from helpers.figures.weighing_the_evidence import NoisyRacePicture

TYPE_SHARE = 1 / 30  # of the picture's height


class KickInStepsPicture(KickPicture):
    """A kick with two bars first; the third, stored statistics, comes when it is asked for."""

    def show(self, shown):
        """Show (a result of `run_kick`, whether with stored statistics)."""
        kick, with_stored = shown
        super().show(kick)
        if not with_stored:
            self.bars.bars[2].set_height(0)
            self.bars.texts[2].set(text="?", y=0)
            self.bars.intervals.set_segments(self.bars.intervals.get_segments()[:2])
            head, _, _ = self.sentence.rpartition(" and ")  # "... 0.00 with fresh and 4.7 ..."
            self.sentence = f"{head} statistics ({len(kick['stored'])} networks)."
        return self


class SweepsPicture(NaiveSweepPicture):
    """The naive sweep with batch norm, and again without it when that is asked for."""

    def __init__(self):
        super().__init__("Equal epochs: who overfits more?", later=["without"])


class OneRacePicture(NoisyRacePicture):
    """One race of three arms: without batch norm, with it, and with noise behind it."""

    TITLE = "More drift: slower training?"
    bet_on = 0.1

    def __init__(self):
        RacePicture.__init__(self, n_panels=1)
        self.figure.set_size_inches(9, 5)
        self.ghost = self.moves(Ghost(self.figure.axes[0], offset=(0, -38), ha="center"))
        self.rate, self.bet = None, None

    def show(self, race):
        super().show([race])
        self.rate = race.learning_rate
        self._place_ghost()
        return self

    def set_ghost(self, steps):
        """Mark the bet of `steps` steps while the race that it is about is shown."""
        self.bet = steps
        self._place_ghost()

    def _place_ghost(self):
        is_about_it = self.rate == self.bet_on
        super().set_ghost(self.bet if is_about_it else None)


@in_course_style
def make_readable(picture, share=TYPE_SHARE):
    """Enlarge all type in `picture` below this share of its height; then arrange it anew.

    What is drawn next, with `enlarge` or not, has it.
    """
    figure = picture.figure
    smallest = share * 72 * figure.get_figheight()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
                if tick.label1.get_fontsize() < smallest:
                    axis.set_tick_params(labelsize=smallest)
                    break
    for text in figure.findobj(Text):
        if text.get_fontsize() < smallest:
            text.set_fontsize(smallest)
    figure.set_layout_engine("constrained")
