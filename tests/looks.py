"""How a drawn picture looks to readers: can colours be told apart, can the type be read?

`check_picture` asks it of every picture of the course, with every result that its own test has.
"""

import itertools

import numpy as np
from matplotlib.axis import Axis
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex, to_rgb
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.spines import Spine
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from helpers.page import picture as picture_module
from helpers.page.picture import Style, with_minus_signs

STYLES = {name: style for name, style in vars(picture_module).items() if isinstance(style, Style)}
OF_COLOUR = {style.colour.lower(): name for name, style in STYLES.items()}

APART = 15  # CIE L*, of 100 from black to white
CONTRAST, CONTRAST_OF_LARGE, LARGE = 4.5, 3.0, 24  # WCAG 2.2, 1.4.3; the last in pixels
SMALLEST_TYPE = 1 / 30  # of the picture's height
ROOM = 4  # pixels: boxes of words have room for descenders that few words use


def luminance(colour):
    """Return the relative luminance of a colour, 0 to 1, as WCAG 2.2 defines it."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast(colour):
    """Return the contrast ratio of WCAG between a colour and white."""
    return 1.05 / (luminance(colour) + 0.05)


def alike_in_grey(one, other):
    """Return whether two Styles differ too little in CIE lightness to be told apart by it."""
    first, second = (116 * np.cbrt(luminance(style.colour)) for style in (one, other))
    return abs(first - second) < APART


def drawn(figure):
    """Return {name of a style: {(kind, look other than colour)}} of what the figure shows."""
    found = {}
    children = itertools.chain.from_iterable(axes.get_children() for axes in figure.axes)
    content = [child for child in children if not isinstance(child, (Axis, Spine))]
    for artist in itertools.chain.from_iterable(child.findobj() for child in content):
        for kind, colour, look in _looks_of(artist):
            name = OF_COLOUR.get(to_hex(colour))
            is_grey = np.ptp(to_rgb(colour)) < 0.02
            assert name or is_grey, f"{to_hex(colour)} of {artist} is nobody's colour"
            if name:
                found.setdefault(name, set()).add((kind, look))
    return found


def _looks_of(artist):
    if not artist.get_visible():
        return
    if isinstance(artist, Line2D) and len(artist.get_xdata()):
        if artist.get_linestyle() not in ("None", "none", "", " "):
            is_thin = artist.get_linewidth() < 1.6  # beside curves of 2.4
            yield "line", artist.get_color(), (str(artist._unscaled_dash_pattern), is_thin)
        if artist.get_marker() not in ("None", "none", "", None):
            face = artist.get_markerfacecolor()
            is_hollow = face == "none" or to_hex(face) == "#ffffff"
            colour = artist.get_markeredgecolor() if is_hollow else face
            yield "marker", colour, (artist.get_marker(), is_hollow)
    elif isinstance(artist, PathCollection) and len(artist.get_offsets()):
        (colour, *_) = artist.get_facecolor()
        yield "marker", colour[:3], (len(artist.get_paths()[0].vertices), False)
    elif isinstance(artist, Patch) and artist.get_fill() and artist.axes is not None:
        if artist is not artist.axes.patch and artist.get_alpha() is None:
            yield "area", artist.get_facecolor()[:3], artist.get_hatch() or ""


def check_colours(figure):
    """Assert that any two meanings in the figure are told apart by who sees no colour at all:

    by lightness, or else by their line style, marker or hatch.
    """
    found = drawn(figure)
    for one, other in itertools.combinations(found, 2):
        if alike_in_grey(STYLES[one], STYLES[other]):
            shared = found[one] & found[other]
            assert not shared, f"{one} and {other} look alike in grey: {shared}"


def visible_texts(figure):
    """Return [(text, box in pixels)] of the words and numbers that the figure shows."""
    renderer = figure.canvas.get_renderer()
    unseen = set(itertools.chain.from_iterable(map(_unseen_labels, figure.axes)))
    return [
        (text, text.get_window_extent(renderer))
        for text in figure.findobj(Text)
        if text.get_visible() and text.get_text().strip() and text not in unseen
    ]


def _unseen_labels(axes):
    """Yield the labels of ticks beyond the limits: matplotlib keeps them, and draws none."""
    for axis, limits in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        low, high = sorted(limits)
        slack = 1e-6 * (high - low)
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
            if not low - slack <= tick.get_loc() <= high + slack or not axes.axison:
                yield from (tick.label1, tick.label2)


def check_type(figure):
    """Assert that words are large and dark enough, and clear of each other."""
    texts, height = visible_texts(figure), figure.bbox.height
    for text, _ in texts:
        pixels, what = text.get_fontsize() * figure.dpi / 72, repr(text.get_text())
        assert pixels >= SMALLEST_TYPE * height - 1e-6, f"{what} is too small: {pixels:.1f} px"
        needed = CONTRAST_OF_LARGE if pixels >= LARGE else CONTRAST
        found = contrast(text.get_color())
        assert found >= needed, f"{what} is too pale: {found:.1f} to 1"
    for (one, box), (other, other_box) in itertools.combinations(texts, 2):
        shared = Bbox.intersection(box, other_box)
        over = 0 if shared is None else min(shared.width, shared.height)
        assert over <= ROOM, f"{one.get_text()!r} and {other.get_text()!r} overlap by {over:.0f} px"


def check_looks(figure):
    """Assert of a figure, as it is drawn now, all that this module knows."""
    check_colours(figure)
    check_type(figure)
    texts = {one.get_text() for one in figure.findobj(Text)}
    assert texts == {with_minus_signs(one) for one in texts}
