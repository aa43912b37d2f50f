"""Drawn faces of cats, dogs, bears and rabbits, for the story of the black-cat detector.

Every picture is affine in its coat colour, `image = coat_map * coat + rest`: `coat_map` says how
strongly each pixel shows the coat, `rest` holds eyes, noses, background and grain. A face is
drawn once; another coat is one multiplication and one addition, fast enough for a slider.

Each face has a frame of its own, u to the right and v down, whose unit is half a picture. An
animal is a list of parts painted one over the other, each a shape with a coating: how much of
the coat shows there (0 to 1) and the colour added to it. Shapes are signed distances, negative
inside. What is no such argument raises TypeError or ValueError.
"""

from types import SimpleNamespace

import numpy as np

from helpers.checks import check_integer, check_labels
from helpers.randomness import one_per_network

KINDS = ("cat", "dog", "bear", "rabbit")
CAT = KINDS.index("cat")

BLACK = 0.08  # red, green and blue of a black coat
GRAIN = 0.04  # standard deviation of the noise in each pixel
FACES_AT_ONCE = 64  # a block this small stays in the processor's cache while it is painted

# Coatings: (share of the coat, colour added to it, grey or RGB). Together at most 1.
FUR = (0.94, 0.03)
EAR_FUR = (0.60, 0.15)  # a dog's: duller than its bright head, lighter than its black one
EAR_SKIN = (0.28, (0.65, 0.37, 0.41))
WHISKER = (0.50, 0.25)
TONGUE = (0, (0.93, 0.50, 0.55))
TOOTH = (0, 0.95)
DARK = (0, (0.06, 0.05, 0.07))

# Ends of the ranges of what varies between faces of any kind.
GREEN, AMBER = (0.50, 0.85, 0.25), (0.98, 0.75, 0.20)
PINK, BROWN = (0.93, 0.52, 0.56), (0.12, 0.07, 0.08)


def sample_kinds(n_faces, rng):
    """Return (n_faces,) random indices into KINDS: one half cats, the others equally likely."""
    n_faces = check_integer("n_faces", n_faces)
    (rng,) = one_per_network(rng, None)
    is_cat = rng.random(n_faces) < 0.5
    return np.where(is_cat, CAT, rng.integers(1, len(KINDS), n_faces))


def coat_colours(n_faces, rng):
    """Return the black and the bright coats of the same animals, (n_faces, 3) float32 RGB each."""
    n_faces = check_integer("n_faces", n_faces)
    (rng,) = one_per_network(rng, None)
    black = np.clip(BLACK + 0.02 * rng.standard_normal((n_faces, 3)), 0, 1)
    hues = rng.random((n_faces, 1))
    saturation = rng.uniform(0.35, 0.85, (n_faces, 1))
    brightness = rng.uniform(0.85, 1, (n_faces, 1))
    bright = _rgb_from_hsv(hues, saturation, brightness)
    return black.astype(np.float32), bright.astype(np.float32)


def draw_faces(kinds, image_size, rng):
    """Return what of each face shows the coat, and the rest: pose, ears, eyes, background, grain.

    kinds: (n_faces,) indices into KINDS. image_size: 12 to 64 pixels.
    coat_map: (n_faces, image_size, image_size) float32, how strongly a pixel shows the coat.
    rest: (n_faces, image_size, image_size, 3) float32 RGB, what does not depend on the coat.
    Both are at least 0 and add up to at most 1, so that every coat gives colours in [0, 1].
    """
    kinds = check_labels("kinds", kinds, len(KINDS))
    if kinds.ndim != 1 or not len(kinds):
        raise ValueError(f"kinds must have shape (n_faces,) with n_faces > 0, got {kinds.shape}")
    image_size = check_integer("image_size", image_size, 12, 64)
    (rng,) = one_per_network(rng, None)
    traits = _sample_traits(len(kinds), rng)
    coat_map = np.empty((len(kinds), image_size, image_size), np.float32)
    rest = GRAIN * rng.standard_normal((*coat_map.shape, 3), dtype=np.float32)
    for kind, draw_animal in enumerate((_draw_cat, _draw_dog, _draw_bear, _draw_rabbit)):
        members = np.flatnonzero(kinds == kind)
        for start in range(0, len(members), FACES_AT_ONCE):
            block = members[start : start + FACES_AT_ONCE]
            of_block = {name: values[..., block, :, :] for name, values in traits.items()}
            canvas = _Canvas(SimpleNamespace(**of_block), image_size)
            draw_animal(canvas, canvas.traits)
            coat_map[block] = canvas.coat_map
            rest[block] += np.moveaxis(canvas.rest, 0, -1)
    # Grain included, so that painting never has to clip, which would not be affine.
    np.clip(rest, 0, 1 - coat_map[..., None], out=rest)
    return coat_map, rest


# -- what differs from face to face --


def _sample_traits(n_faces, rng):
    """Return {trait: one value for each face, (n_faces, 1, 1)}; colours have RGB in front.

    The same ranges for all kinds: eyes or noses of one kind's own would tell cats from the rest
    in any coat, and the lesson about coats would be lost.
    """

    def between(low, high, shape=()):
        return rng.uniform(low, high, (*shape, n_faces, 1, 1)).astype(np.float32)

    # Uniform, not Gaussian, and large faces stay near the middle: ears remain in the picture.
    scale = between(0.78, 1)
    roam = 0.6 - 0.52 * scale
    return dict(
        scale=scale,
        right=roam * between(-1, 1),
        down=roam * between(-0.7, 0.7),
        tilt=between(-0.2, 0.2),  # radians
        slimness=between(0.92, 1.08),
        light_from=between(-1, 1),  # left to right
        ear_size=between(0.85, 1.15),
        eye_distance=between(0.9, 1.1),
        eye_height=between(-0.05, 0.05),
        eye_colour=_mix(GREEN, AMBER, between(0, 1)),
        nose_colour=_mix(PINK, BROWN, between(0, 1)),
        paleness=between(0.2, 0.5),  # of the fur around the mouth
        background=between(0.53, 0.84) + between(-0.1, 0.1, (3,)),
    )


def _mix(start, end, share):
    start, end = (np.array(rgb, np.float32).reshape(3, 1, 1, 1) for rgb in (start, end))
    return (1 - share) * start + share * end


def _rgb_from_hsv(hue, saturation, value):
    # Round the colour circle each channel is full, falls, stays low and rises again.
    position = (np.array([5.0, 3.0, 1.0]) + 6 * hue) % 6
    return value * (1 - saturation * np.clip(np.minimum(position, 4 - position), 0, 1))


# -- canvas and shapes --


class _Canvas:
    """A block of pictures while they are painted, starting as their backgrounds."""

    def __init__(self, traits, image_size):
        centres = ((np.arange(image_size) + 0.5) * (2 / image_size) - 1).astype(np.float32)
        across, below = centres - traits.right, centres[:, None] - traits.down
        cosine, sine = np.cos(traits.tilt) / traits.scale, np.sin(traits.tilt) / traits.scale
        self.traits = traits
        self.u = (across * cosine + below * sine) * traits.slimness
        self.v = (below * cosine - across * sine) / traits.slimness
        self.side = np.abs(self.u)  # a shape in (side, v) is painted left and right at once
        self.pixels_per_unit = traits.scale * (image_size / 2)
        # From above and from one side, falling off where the head turns away.
        self.light = 0.92 - 0.06 * self.v + 0.10 * traits.light_from * self.u - 0.08 * self.u**2
        self.coat_map = np.zeros_like(self.u)
        self.rest = np.empty((3, *self.u.shape), np.float32)
        self.rest[:] = traits.background * (1 - 0.08 * centres[:, None])

    def put(self, distance, coating, opacity=1):
        """Paint where `distance` is negative; the edge blends over one pixel."""
        coat_share, colour = coating
        cover = np.clip(0.5 - distance * self.pixels_per_unit, 0, opacity)
        self.coat_map += cover * (coat_share * self.light - self.coat_map)
        channels = (colour,) * 3 if np.ndim(colour) == 0 else colour
        for rest, channel in zip(self.rest, channels):
            rest += cover * (channel - rest)

    def oval(self, centre, radii, coating):
        self.put(_ellipse(self.u, self.v, centre, radii), coating)

    def ovals(self, centre, radii, coating, leaning=0):
        """One on each side; leaning: how far a point below the middle lies more outwards."""
        self.put(_ellipse(self.side - leaning * self.v, self.v, centre, radii), coating)


def _ellipse(u, v, centre, radii):
    x, y = (u - centre[0]) / radii[0], (v - centre[1]) / radii[1]
    # Level over slope: the distance to first order, which is all that an edge needs.
    slope = 2 * np.sqrt((x / radii[0]) ** 2 + (y / radii[1]) ** 2)
    return (x**2 + y**2 - 1) / (slope + 1e-6)


def _triangle(u, v, corners):
    """The corners run clockwise as seen in the picture."""
    distance = -np.inf
    for (u0, v0), (u1, v1) in zip(corners, corners[1:] + corners[:1]):
        beyond_edge = ((u - u0) * (v1 - v0) - (v - v0) * (u1 - u0)) / np.hypot(u1 - u0, v1 - v0)
        distance = np.maximum(distance, beyond_edge)
    return distance


def _line(u, v, start, end, width):
    du, dv = end[0] - start[0], end[1] - start[1]
    along = np.clip(((u - start[0]) * du + (v - start[1]) * dv) / (du**2 + dv**2), 0, 1)
    return np.hypot(u - start[0] - along * du, v - start[1] - along * dv) - width / 2


# -- the animals, each painted from back to front --


def _draw_cat(canvas, traits):
    tip = -0.78 * traits.ear_size
    ear = (0.08, -0.28), (0.56, tip), (0.62, 0.08)
    canvas.put(_triangle(canvas.side, canvas.v, ear), FUR)
    inside = (0.22, -0.32), (0.53, 0.82 * tip), (0.55, -0.14)
    canvas.put(_triangle(canvas.side, canvas.v, inside), EAR_SKIN)
    _whiskers(canvas, 0.42)
    canvas.oval((0, 0.13), (0.58, 0.52), FUR)
    canvas.oval((0, 0.28), (0.68, 0.36), FUR)
    _cheeks(canvas, 0.42)
    _eyes(canvas, 0.04, 0.26, iris=(0.15, 0.10), pupil=(0.04, 0.09))
    _mouth(canvas, 0.38, 0.50)
    _small_nose(canvas, 0.28)


def _draw_dog(canvas, traits):
    canvas.oval((0, 0.06), (0.54, 0.56), FUR)
    length = 0.44 * traits.ear_size
    canvas.ovals((0.54, length - 0.46), (0.16, length), EAR_FUR, leaning=0.2)
    canvas.oval((0, 0.76), (0.11, 0.16), TONGUE)
    canvas.oval((0, 0.44), (0.29, 0.30), _pale_fur(traits))
    _round_eyes(canvas, 0.02)
    _mouth(canvas, 0.40, 0.60)
    _big_nose(canvas)


def _draw_bear(canvas, traits):
    for part, coating in ((1, FUR), (0.55, EAR_SKIN)):
        radius = part * (0.24 * traits.ear_size)
        canvas.ovals((0.50, -0.38), (radius, radius), coating)
    canvas.oval((0, 0.14), (0.66, 0.56), FUR)
    canvas.oval((0, 0.42), (0.30, 0.24), _pale_fur(traits))
    _round_eyes(canvas, 0.03)
    _mouth(canvas, 0.36, 0.52)
    _big_nose(canvas)


def _draw_rabbit(canvas, traits):
    length = 0.42 * traits.ear_size
    canvas.ovals((0.18, 0.04 - length), (0.14, length), FUR, leaning=-0.15)
    canvas.ovals((0.18, 0.04 - length), (0.065, 0.75 * length), EAR_SKIN, leaning=-0.15)
    _whiskers(canvas, 0.48)
    canvas.oval((0, 0.28), (0.54, 0.50), FUR)
    canvas.ovals((0.045, 0.62), (0.045, 0.09), TOOTH)
    _cheeks(canvas, 0.48)
    _round_eyes(canvas, 0.12)
    _small_nose(canvas, 0.35)


# -- parts that several animals have, placed by the height v of their centre or top --


def _eyes(canvas, height, apart, iris, pupil):
    centre = (apart * canvas.traits.eye_distance, height + canvas.traits.eye_height)
    canvas.ovals(centre, iris, (0, canvas.traits.eye_colour))
    canvas.ovals(centre, pupil, DARK)


def _round_eyes(canvas, height):
    _eyes(canvas, height, 0.24, iris=(0.115, 0.115), pupil=(0.06, 0.06))


def _small_nose(canvas, top):
    corners = ((-0.10, top), (0.10, top), (0, top + 0.12))
    canvas.put(_triangle(canvas.u, canvas.v, corners), (0, canvas.traits.nose_colour))


def _big_nose(canvas):
    canvas.oval((0, 0.32), (0.14, 0.10), (0, canvas.traits.nose_colour))


def _cheeks(canvas, height):
    canvas.ovals((0.12, height), (0.17, 0.13), _pale_fur(canvas.traits))


def _pale_fur(traits):
    coat_share, grey = FUR
    return (coat_share - traits.paleness, (grey + 0.8 * traits.paleness,) * 3)


def _mouth(canvas, top, bottom):
    canvas.put(_line(canvas.u, canvas.v, (0, top), (0, bottom), 0.03), DARK, opacity=0.7)
    corner = (0.14, bottom - 0.05)
    canvas.put(_line(canvas.side, canvas.v, (0, bottom), corner, 0.03), DARK, opacity=0.7)


def _whiskers(canvas, height):
    for lift in (-0.03, 0.03):
        start, end = (0.28, height + lift), (0.78, height - 0.02 + 4 * lift)
        canvas.put(_line(canvas.side, canvas.v, start, end, 0.02), WHISKER)
