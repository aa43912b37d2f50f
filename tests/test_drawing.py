"""The drawing of the network: what stands in it, that it can be read, what it refuses."""

import itertools

import pytest
from looks import check_looks, visible_texts
from test_picture import fits

from helpers.page.drawing import draw_network

CASES = [
    dict(arm=arm, covered=covered, listen=listen, later_layers=not covered)
    for arm, covered, listen in itertools.product(
        ("without", "with", "noisy"), ((), (1, 2)), ((), ("z2", "h2"))
    )
]


def words(picture):
    picture.png()
    return [text.get_text().replace("\n", " ") for text, _ in visible_texts(picture.figure)]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_drawing_can_be_read_and_is_told_in_words(case):
    picture = draw_network(**case)
    assert {"x", "Dense 1", "ReLU", "h1", "Dense 2", "layer 3", "logits"} <= {*words(picture)}
    assert fits(picture.figure)
    check_looks(picture.figure)
    assert all(text.get_fontsize() >= 13 for text, _ in visible_texts(picture.figure))
    assert picture.sentence.endswith(".")


def test_the_names_of_the_boxes_are_in_front_of_them():
    picture = draw_network()
    drawn = picture.png()
    for text, _ in visible_texts(picture.figure):
        if text.get_text() in ("Dense\n1", "ReLU", "layer\n3"):
            text.set_visible(False)
            picture.enlarge(1)  # draws all of it anew
            assert picture.png() != drawn, text.get_text()
            text.set_visible(True)


def test_each_choice_is_seen_and_told():
    drawings = [draw_network(**case) for case in CASES]
    assert len({drawing.png() for drawing in drawings}) == len(CASES)
    assert len({drawing.sentence for drawing in drawings}) == len(CASES)


def test_what_stands_in_the_drawing():
    without, with_norm, noisy = (words(draw_network(arm)) for arm in ("without", "with", "noisy"))
    assert [one.count("batch norm") for one in (without, with_norm, noisy)] == [0, 2, 2]
    assert [one.count("noise") for one in (without, with_norm, noisy)] == [0, 0, 2]
    assert r"z2, $\tilde z^{[2]}$: what the second ReLU receives" in with_norm
    assert r"z2, $z^{[2]}$: what the second ReLU receives" in without
    assert "h2: what layer 3 receives" in with_norm
    covered = words(draw_network(covered=[1], listen=["h2"]))
    assert "layer 1, covered" in covered and "layer 2" in covered
    assert not any(text.startswith("z2") for text in covered)


@pytest.mark.parametrize(
    "refused",
    [{"arm": "both"}, {"covered": [3]}, {"listen": ["z1"]}, {"later_layers": "no"}],
    ids=str,
)
def test_what_it_does_not_know_is_refused_by_name(refused):
    with pytest.raises((ValueError, TypeError), match=next(iter(refused))):
        draw_network(**refused)
