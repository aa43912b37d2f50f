"""The board's pictures: those of the notebooks, shown in steps and with type for the last row."""

import numpy as np
from matplotlib.text import Text

from helpers.hidden_layer_stability.experiments import kick_texts
from helpers.hidden_layer_stability.pictures import KickPicture
from helpers.page.picture import in_course_style
from helpers.weighing_the_evidence.pictures import NoisyRacePicture

TYPE_SHARE = 1 / 30  # of the picture's height


class KickInStepsPicture(KickPicture):
    """A kick with two bars first; the third, stored statistics, comes when it is asked for."""

    def show(self, shown):
        """Show (a result of `run_kick`, whether with stored statistics)."""
        kick, with_stored = shown
        super().show(kick)
        if not with_stored:
            without, fresh, _ = kick_texts(kick).values()
            values = kick["without"], kick["fresh"], np.zeros_like(kick["stored"])
            self.show_bars(values, texts=[(without, fresh, "?")])
            what = self.KICKS[kick["kind"]].format(size=kick["size"], factor=1 + kick["size"])
            self.sentence = (
                f"{what}: the test loss rises by {without} without batch norm, {fresh} with fresh "
                f"statistics ({len(kick['stored'])} networks)."
            )
        return self


class OneRacePicture(NoisyRacePicture):
    """One race, with the room's bet while the race that it is about is shown."""

    TITLE = "More drift: slower training?"

    def __init__(self):
        super().__init__("relu, learning rate 0.1", width=9, height=5)


@in_course_style
def make_readable(picture, share=TYPE_SHARE):
    """Enlarge all type in `picture` below this share of its height; then arrange it anew.

    What is drawn next, with `enlarge` or not, has it.
    """
    figure = picture.figure
    smallest = share * 72 * figure.get_figheight()
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        ticks = (*axis.get_major_ticks(), *axis.get_minor_ticks())
        if any(tick.label1.get_fontsize() < smallest for tick in ticks):
            axis.set_tick_params(labelsize=smallest)
    for text in figure.findobj(Text):
        if text.get_fontsize() < smallest:
            text.set_fontsize(smallest)
    figure.set_layout_engine("constrained")
