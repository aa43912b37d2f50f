"""Colours and type of the course's styles; each picture's own test draws it with `check_looks`."""

import itertools

from looks import CONTRAST, STYLES, alike_in_grey, contrast


def test_names_can_be_read_in_their_colour():
    assert [name for name, one in STYLES.items() if contrast(one.text_colour) < CONTRAST] == []


def test_no_two_styles_share_both_lightness_and_line():
    for one, other in itertools.combinations(STYLES.values(), 2):
        assert one.colour != other.colour and one.hatch != other.hatch
        assert one.marker != other.marker
        assert one.line != other.line or not alike_in_grey(one, other)
