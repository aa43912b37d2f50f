"""How a drawn picture looks to readers: can colours be told apart, can the type be read?

`check_looks` asserts it of one picture as it is drawn now; `check_picture` calls it for every
picture of the course with every result that its own test has.
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

from helpers.page import picture as picture_module
from helpers.page.picture import Style

STYLES = {name: style for name, style in vars(picture_module).items() if isinstance(style, Style)}
OF_COLOUR = {style.colour.lower(): name for name, style in STYLES.items()}

# Machado, Oliveira and Fernandes (2009), "A Physiologically-based Model for Simulation of Color
# Vision Deficiency", table 1, severity 1; they work on linear RGB.
VISIONS = {
    "normal": np.eye(3),
    "protanopia": np.array([
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ]),
    "deuteranopia": np.array([
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ]),
    "tritanopia": np.array([
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ]),
}  # fmt: skip
TO_XYZ = np.array([
    [0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505],
])  # fmt: skip

APART = 15  # CIE76; about 2.3 is just noticeable side by side
APART_IN_GREY = 15  # CIE L*, of 100 from black to white
CONTRAST, CONTRAST_OF_LARGE, LARGE = 4.5, 3.0, 24  # WCAG 2.2, 1.4.3; the last in pixels
SMALLEST_TYPE = 1 / 30  # of the picture's height
ROOM = 4  # pixels: boxes of words have room for descenders that few words use


def linear(colour):
    """Return linear RGB (3,) of a colour."""
    rgb = np.array(to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(colour, vision="normal"):
    """Return CIE L*a*b* (3,), white D65, of a colour as that vision sees it."""
    seen = np.clip(VISIONS[vision] @ linear(colour), 0, 1)
    xyz = TO_XYZ @ seen / TO_XYZ.sum(axis=1)
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def distance(one, other, vision="normal"):
    """Return the CIE76 distance of two colours as that vision sees them."""
    return float(np.linalg.norm(lab(one, vision) - lab(other, vision)))


def grey_distance(one, other):
    return abs(float(lab(one)[0] - lab(other)[0]))


def contrast(colour):
    """Return the contrast ratio of WCAG between a colour and white."""
    return 1.05 / (TO_XYZ[1] @ linear(colour) + 0.05)


def drawn(figure):
    """Return {name of a style: {(kind, look other than colour)}} of what the figure shows."""
    found = {}
    children = itertools.chain.from_iterable(axes.get_children() for axes in figure.axes)
    content = [child for child in children if not isinstance(child, (Axis, Spine))]
    for artist in itertools.chain.from_iterable(child.findobj() for child in content):
        for kind, colour, look in _looks_of(artist):
            name = OF_COLOUR.get(to_hex(colour))
            assert name or _is_grey(colour), f"{to_hex(colour)} of {artist} is nobody's colour"
            if name:
                found.setdefault(name, set()).add((kind, look))
    return found


def _looks_of(artist):
    if not artist.get_visible():
        return
    if isinstance(artist, Line2D) and len(artist.get_xdata()):
        is_line = artist.get_linestyle() not in ("None", "none", "", " ")
        if is_line:
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


def _is_grey(colour):
    return np.ptp(to_rgb(colour)) < 0.02


def check_colours(figure):
    """Assert that any two meanings in the figure are told apart: in colour by all, and in grey.

    In grey by lightness, or else by their line style, marker or hatch.
    """
    found = drawn(figure)
    for one, other in itertools.combinations(found, 2):
        colours = STYLES[one].colour, STYLES[other].colour
        for vision in VISIONS:
            apart = distance(*colours, vision)
            assert apart >= APART, f"{one} and {other} look alike, {vision}: {apart:.0f}"
        if grey_distance(*colours) < APART_IN_GREY:
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
    """Assert that words are large and dark enough, inside the figure, clear of each other."""
    texts, height = visible_texts(figure), figure.bbox.height
    for text, box in texts:
        pixels, what = text.get_fontsize() * figure.dpi / 72, repr(text.get_text())
        assert pixels >= SMALLEST_TYPE * height - 1e-6, f"{what} is too small: {pixels:.1f} px"
        needed = CONTRAST_OF_LARGE if pixels >= LARGE else CONTRAST
        found = contrast(text.get_color())
        assert found >= needed, f"{what} is too pale: {found:.1f} to 1"
        clipped = box.x0 < -1 or box.y0 < -1 or box.x1 > figure.bbox.x1 + 1 or box.y1 > height + 1
        assert not clipped, f"{what} leaves the figure"
    for (one, box), (other, other_box) in itertools.combinations(texts, 2):
        over = _overlap(box, other_box)
        assert over <= ROOM, f"{one.get_text()!r} and {other.get_text()!r} overlap by {over:.0f} px"


def _overlap(one, other):
    """Return by how many pixels two boxes overlap, in the direction in which they do so less."""
    across = min(one.x1, other.x1) - max(one.x0, other.x0)
    along = min(one.y1, other.y1) - max(one.y0, other.y0)
    return min(across, along)


def check_looks(figure):
    """Assert of a figure, as it is drawn now, all that this module knows."""
    check_colours(figure)
    check_type(figure)
