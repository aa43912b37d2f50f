"""The drawing of the course's network: its layers, where batch norm sits, where we listen."""

from itertools import pairwise

from matplotlib.patches import FancyBboxPatch, Rectangle

from helpers.checks import check_choice, check_flag
from helpers.page.picture import THEORY, WARNING, WITH_BATCH_NORM, Picture, in_course_style

# In inches: the left and right ends of boxes and of layers, other places along x, and heights.
BOXES = (
    ("x", 0.05, 0.27), ("Dense\n1", 0.55, 1.27), ("batch\nnorm", 1.35, 2.03), ("ReLU", 2.43, 3.01),
    ("Dense\n2", 3.48, 4.20), ("batch\nnorm", 4.28, 4.96), ("ReLU", 5.48, 6.06),
    ("layer\n3", 6.66, 7.34), ("logits", 8.32, 8.90),
)  # fmt: skip
LAYERS = {1: (0.47, 3.09), 2: (3.40, 6.14)}
STATIONS = {"z2": (5.25, "what the second ReLU receives"), "h2": (6.36, "what layer 3 receives")}
NOISES = (2.15, 5.08)
BOTTOM, MIDDLE, TOP, ABOVE = 0.95, 1.55, 2.15, 2.28  # of the layers; where their names stand
INSIDE = {"without": "", "with": ", batch norm", "noisy": ", batch norm, noise"}  # behind Dense
# The lecture's symbols for z2; it has none for what noise has moved.
SYMBOLS = {"without": ", $z^{[2]}$", "with": r", $\tilde z^{[2]}$", "noisy": ""}


@in_course_style
def draw_network(arm="with", *, covered=(), listen=("z2", "h2"), later_layers=True):
    """Return a picture of what becomes of x on its way to layer 3 and to the logits.

    arm: "without" batch norm, "with" it, or "noisy", with noise behind it. covered: which of the
    layers 1 and 2 are behind a curtain. listen: which stations are marked, of "z2", what the
    second ReLU receives, and "h2", what layer 3 receives. later_layers: whether any come behind
    layer 3. Raises ValueError for other choices, TypeError for a later_layers that is no bool.
    """
    check_choice("arm", arm, INSIDE)
    covered = [check_choice("covered", layer, LAYERS) for layer in covered]
    listen = [check_choice("listen", station, STATIONS) for station in listen]
    later_layers = check_flag("later_layers", later_layers)
    picture = Picture(height=2.7)
    axes = picture.figure.subplots()
    axes.set(xlim=(0, 9), ylim=(0, 2.7))
    axes.axis("off")
    for layer in LAYERS:
        _draw_layer(axes, layer, layer in covered)
    _draw_boxes(axes, arm != "without")
    axes.text(3.245, MIDDLE + 0.1, "h1", ha="center")
    if later_layers:
        axes.text(7.79, MIDDLE + 0.1, "…", ha="center")
    if arm == "with":
        colour = WITH_BATCH_NORM.text_colour
        axes.text(8.9, ABOVE, "batch norm: can be taken out", ha="right", color=colour)
    for x in NOISES if arm == "noisy" else ():
        axes.plot([x, x], [MIDDLE, ABOVE - 0.04], color=WARNING.colour, linewidth=1.8)
        axes.plot(x, MIDDLE, markersize=13, **WARNING.of_points())
        axes.text(x - 0.06, ABOVE, "noise", color=WARNING.text_colour)
    for station in listen:
        _mark(axes, station, SYMBOLS[arm] if station == "z2" else "")
    picture.sentence = _in_words(INSIDE[arm], covered, listen, later_layers)
    return picture


def _draw_layer(axes, layer, is_covered):
    left, right = LAYERS[layer]
    shape = (left, BOTTOM), right - left, TOP - BOTTOM
    look = dict(facecolor="#f0f0f0", edgecolor="#b0b0b0", zorder=0)
    axes.add_patch(FancyBboxPatch(*shape, boxstyle="round,pad=0,rounding_size=0.1", **look))
    if is_covered:
        curtain = dict(facecolor="#999999", edgecolor="#777777", hatch="|", alpha=0.4, zorder=5)
        axes.add_patch(Rectangle(*shape, **curtain))
    axes.text(left, ABOVE, f"layer {layer}, covered" if is_covered else f"layer {layer}")


def _draw_boxes(axes, batch_norm):
    """Draw all boxes in a row, joined by arrows; those of batch norm only if there is any."""
    shown = [box for box in BOXES if batch_norm or "norm" not in box[0]]
    for name, left, right in shown:
        colour, width = (WITH_BATCH_NORM.text_colour, 3) if "norm" in name else ("#222222", 1.5)
        if name not in ("x", "logits"):
            shape = (left, BOTTOM + 0.12), right - left, TOP - BOTTOM - 0.24
            axes.add_patch(Rectangle(*shape, facecolor="white", edgecolor=colour, linewidth=width))
        axes.text((left + right) / 2, MIDDLE, name, ha="center", va="center", color=colour)
    for (_, _, start), (_, end, _) in pairwise(shown):
        arrow = dict(arrowstyle="-|>" if end - start > 0.2 else "-", mutation_scale=14)
        arrow |= dict(color="#444444", linewidth=1.8, shrinkA=0, shrinkB=0)
        axes.annotate("", (end, MIDDLE), (start, MIDDLE), arrowprops=arrow)


def _mark(axes, station, symbol):
    """Mark the place of a station and say below what arrives there."""
    x, what = STATIONS[station]
    axes.plot([x, x], [0.72, MIDDLE], color=THEORY.colour, linewidth=1.5)
    axes.plot(x, MIDDLE, "o", color=THEORY.colour)
    side = "right" if station == "z2" else "left"  # away from the other one
    axes.text(x, 0.66, f"{station}{symbol}:\n{what}", ha=side, va="top", linespacing=1.3)


def _in_words(inside, covered, listen, later_layers):
    behind = "layer 3 and later ones make" if later_layers else "layer 3 makes"
    marked = "; ".join(f"{station}, {STATIONS[station][1]}" for station in listen)
    return (
        f"Layer 1 (Dense{inside}, ReLU) makes h1 of x, layer 2, built alike, makes h2, and "
        f"{behind} the logits."
        + (f" Covered: {' and '.join(f'layer {layer}' for layer in covered)}." if covered else "")
        + (f" Marked: {marked}." if marked else "")
    )
