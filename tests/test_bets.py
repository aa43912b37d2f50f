"""All bets of the course: what nbval does not see of the questions and replies that it compares.

A bet is a function of a demos module whose name ends in _bet. Its notebook asks it and compares it
once, in a variable of the same name.
"""

import importlib
import re

import pytest
from test_notebooks import FOLDER, code_cells, printed_text, read


def bets_of(path):
    """Return {name: function} of the bets that the demos of this notebook define."""
    module = importlib.import_module(f"helpers.{path.stem[3:]}.demos")
    return {
        name: value
        for name, value in vars(module).items()
        if name.endswith("_bet") and value.__module__ == module.__name__
    }


PATHS = sorted(FOLDER.glob("0[1-9]*.ipynb"))  # the board, 00, has none of its own
BETS = [(path, name, bet()) for path in PATHS for name, bet in bets_of(path).items()]
EACH = pytest.mark.parametrize(("path", "name", "bet"), BETS, ids=[name for _, name, _ in BETS])


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_notebook_has_three_bets_and_one_of_them_is_a_slider(path):
    bets = [bet for home, _, bet in BETS if home == path]
    assert len(bets) >= 3 and sum(bet.is_number for bet in bets) == 1


@EACH
def test_each_bet_is_asked_and_then_answered(path, name, bet):
    sources = [cell.source for cell in code_cells(read(path))]
    (asked,) = [place for place, source in enumerate(sources) if f"= demos.{name}()" in source]
    (answered,) = [place for place, source in enumerate(sources) if f"{name}.compare(" in source]
    assert asked < answered


@EACH
def test_each_answer_has_a_reply_of_its_own(path, name, bet):
    replies = set(bet.because.values())
    assert len(replies) == len(bet.because) >= 3
    if not bet.is_number:
        assert set(bet.because) == set(bet.options)


@EACH
def test_both_ends_of_what_was_measured_make_the_same_answer_right(path, name, bet):
    (reply,) = [
        printed_text(cell) for cell in code_cells(read(path)) if f"{name}.compare(" in cell.source
    ]
    interval = re.match(r"Measured: (-?[\d.]+) ± ([\d.]+)", reply)
    if interval and not bet.is_number:
        mean, half_width = map(float, interval.groups())
        assert bet.answer_of(mean - half_width) == bet.answer_of(mean + half_width)
