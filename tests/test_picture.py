"""Pictures: what moves, blitting, style. `check_picture` serves the tests of every picture."""

import base64
import io
import itertools
import threading

import matplotlib as mpl
import numpy as np
import pytest
from looks import CONTRAST, STYLES, alike_in_grey, check_looks, contrast
from PIL import Image

from helpers.page.parts import Band, Bars, Intervals, LineLabels, Mosaic, ReferenceLine, spread
from helpers.page.picture import (
    DROPOUT,
    NEUTRAL,
    ONE_AT_A_TIME,
    REFERENCE,
    WITH_BATCH_NORM,
    WITHOUT_BATCH_NORM,
    Picture,
    looks_of,
    new_figure,
)


def check_picture(picture, *results):
    """Assert what holds for every picture of the course, for each of the results in turn."""
    picture.show(results[0])  # some take their arms from what they are shown first
    frames = []
    for result in results:
        assert picture.show(result) is picture
        assert picture.sentence.endswith(".")
        frames.append(picture.png())
        assert fits(picture.figure), "something is clipped at the edge of the figure"
        check_looks(picture.figure)
        np.testing.assert_array_equal(pixels(frames[-1]), full_redraw(picture))
    assert picture.show(results[0]).png() == frames[0], "the first result looks different now"
    assert len(set(frames)) == len(frames), "different results look the same"


def check_drawn(*drawn):
    """Assert that pictures of different results are whole, in the course's style, and differ."""
    for picture in drawn:
        picture.png()  # arranges it
        assert fits(picture.figure) and picture.sentence.endswith(".")
        check_looks(picture.figure)
    assert len({picture.png() for picture in drawn}) == len(drawn)


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)))


def full_redraw(picture):
    """Draw everything anew, as saving to a file does; return the pixels."""
    saved = io.BytesIO()
    picture.figure.savefig(saved, format="png", dpi=picture.figure.get_dpi())
    return pixels(saved.getvalue())[..., :3]


def fits(figure):
    """Return whether all that is drawn lies within the figure, to a hundredth of an inch."""
    drawn, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    return min(drawn.x0, drawn.y0, width - drawn.x1, height - drawn.y1) > -0.01


class EveryPart(Picture):
    def __init__(self):
        super().__init__(title="Every part of every picture\nstands in this one")
        left, middle, right = self.figure.subplots(1, 3, width_ratios=[2, 1, 1])
        left.set(xlabel="training step", ylabel="loss (nats)", xlim=(0, 10), ylim=(0, 3))
        styles = [WITHOUT_BATCH_NORM, WITH_BATCH_NORM]
        self.bands = [self.moves(Band(left, style)) for style in styles]
        self.labels = self.moves(LineLabels(left, styles, ["without", "with"]))
        ReferenceLine(left, 0.5, "rests, drawn over what moves", where=0)
        middle.set(ylabel="gap (%)", xlim=(-0.6, 1.6), ylim=(0, 4), title="bars")
        self.bars = self.moves(Bars(middle, [0, 1], styles))
        self.intervals = self.moves(Intervals(middle, NEUTRAL))
        self.mosaic = self.moves(Mosaic(right, 2, 3))

    def show(self, level):
        x = np.linspace(0, 10, 50)
        for band, height in zip(self.bands, (level, level + 0.05)):
            band.set(x, height + 0 * x, height - 0.1 + 0 * x, height + 0.1 + 0 * x)
        self.labels.set(10, [level, level + 0.05])
        self.bars.set([level, 1], [level - 0.2, 0.8], [level + 0.2, 1.2], [f"{level}", "1"])
        self.intervals.set([0, 1], [level / 2, 0.5], [0.1, 0.4], [level, 0.6])
        self.mosaic.set(np.linspace(0, level / 3, 5 * 64).reshape(5, 8, 8))
        self.sentence = f"The level is {level}."
        return self


def test_every_part_blits_as_it_is_saved():
    check_picture(EveryPart(), 1.5, 0.7, 2.5)


def test_a_mosaic_has_gaps_and_room_and_greys_are_colours():
    grey = np.linspace(0, 1, 3 * 9).reshape(3, 3, 3)
    mosaic = Mosaic(new_figure().subplots(), 2, 2)
    mosaic.set(grey)
    sheet = mosaic.image.get_array()
    np.testing.assert_array_equal(sheet[:3, 4:7], grey[1])
    np.testing.assert_array_equal(sheet[4:7, :3], grey[2])
    assert (sheet[3::4] == 1).all() and (sheet[4:, 4:] == 1).all()
    mosaic.set(np.repeat(grey[..., None], 3, axis=-1))
    np.testing.assert_array_equal(mosaic.image.get_array(), np.repeat(sheet[..., None], 3, axis=-1))


def test_parts_stand_where_their_numbers_are():
    axes = new_figure().subplots()
    bars = Bars(axes, [0, 1], [WITH_BATCH_NORM, NEUTRAL], top=2)
    bars.set([3, -1], [2.5, -2], [3.5, -0.5], ["3", "-1"])
    assert [bar.get_height() for bar in bars.bars] == [2, -1]
    assert [text.get_text() for text in bars.texts] == ["3 ↑", "−1"]
    assert [text.get_position()[1] for text in bars.texts] == [2, 0]
    lying = Intervals(axes, NEUTRAL, horizontal=True)
    lying.set([0, 1], [5, 6], [4, 5], [7, 8])
    np.testing.assert_array_equal(lying.bars.get_segments()[1], [[5, 1], [8, 1]])
    np.testing.assert_array_equal(lying.markers.get_xydata(), [[5, 0], [6, 1]])
    ReferenceLine(axes, 0.5, "guessing")
    assert list(axes.lines[-1].get_ydata()) == [0.5, 0.5]


def test_an_arm_without_a_look_of_its_own_gets_one_that_is_free():
    looks = looks_of(["mine", "known", "yours"], {"known": (REFERENCE, "the known one")})
    assert looks["known"] == (REFERENCE, "the known one") and looks["mine"][1] == "mine"
    assert len({style.colour for style, _ in looks.values()}) == 3


def test_artists_outside_all_axes_are_refused():
    picture = Picture()
    with pytest.raises(ValueError, match="axes"):
        picture.moves(picture.figure.text(0.5, 0.5, "nowhere"))


def test_bundle_is_the_same_in_every_run():
    first, second = (EveryPart().show(1.5)._repr_mimebundle_() for _ in range(2))
    assert first == second
    assert first["text/plain"] == "The level is 1.5."
    png = base64.b64decode(first["image/png"])
    assert pixels(png).shape == (520, 936, 3)
    assert Image.open(io.BytesIO(png)).info == {}


def test_a_live_frame_differs_from_the_kept_picture_by_what_no_eye_sees():
    picture = EveryPart().show(1.5)
    live, kept = (pixels(data).astype(int) for data in (picture.frame(), picture.png()))
    assert Image.open(io.BytesIO(picture.frame())).format == "JPEG"
    assert np.abs(live - kept).mean() < 1 and np.abs(live - kept).max() < 64


def test_an_enlarged_picture_is_the_same_picture_with_more_pixels():
    picture = EveryPart().show(1.5)
    small = Image.open(io.BytesIO(picture.png()))
    picture.enlarge(1.5)
    large = Image.open(io.BytesIO(picture.png()))
    assert large.size == (936 * 1.5, 520 * 1.5)
    difference = np.asarray(large.resize(small.size)).astype(int) - np.asarray(small)
    assert np.abs(difference).mean() < 6
    np.testing.assert_array_equal(pixels(picture.png()), full_redraw(picture))
    with pytest.raises(ValueError, match="factor"):
        picture.enlarge(0)


def test_style_reaches_the_picture_and_nothing_else():
    before = dict(mpl.rcParams)
    picture = EveryPart()
    picture.show(1.5).frame()
    assert dict(mpl.rcParams) == before
    axes = picture.figure.axes[0]
    assert not axes.spines["top"].get_visible() and not axes.spines["right"].get_visible()
    texts = [axes.xaxis.label, axes.title, *axes.get_xticklabels(), *picture.labels.artists]
    assert min(text.get_fontsize() for text in texts) >= 13
    assert picture.figure.get_suptitle() and 900 <= picture.figure.bbox.width <= 1000


def test_a_frame_waits_for_the_lock():
    thread = threading.Thread(target=EveryPart().show(1.5).frame)
    with ONE_AT_A_TIME:
        thread.start()
        thread.join(1)
        assert thread.is_alive()
    thread.join(10)
    assert not thread.is_alive()


def test_a_diverged_loss_leaves_its_label_in_sight():
    axes = new_figure().subplots()
    axes.set(xlim=(0, 1), ylim=(0, 2))
    labels = LineLabels(axes, [WITH_BATCH_NORM, DROPOUT, NEUTRAL], ["a", "b", "c"])
    labels.set(1, [np.inf, np.nan, 1.0])
    heights = [label.get_position()[1] for label in labels.artists]
    assert heights[2] == pytest.approx(1.0)
    assert 1.5 < min(heights[:2]) < max(heights[:2]) < 2.0 + 1e-9


def test_spread_moves_labels_apart_and_no_further():
    np.testing.assert_allclose(spread([0, 10, 5], 2, 0, 20), [0, 10, 5])
    np.testing.assert_allclose(spread([5, 5], 2, 0, 20), [4, 6])
    np.testing.assert_allclose(spread([0, 0.5, 9], 2, 0, 10), [0, 2, 9])
    np.testing.assert_allclose(spread([10, 9.9], 2, 0, 10), [10, 8])


def test_names_can_be_read_in_their_colour_and_styles_told_apart_without_it():
    assert [name for name, one in STYLES.items() if contrast(one.text_colour) < CONTRAST] == []
    for one, other in itertools.combinations(STYLES.values(), 2):
        assert one.colour != other.colour and one.hatch != other.hatch
        assert one.marker != other.marker
        assert one.line != other.line or not alike_in_grey(one, other)
