"""All bets of the course: what they offer, and that what was measured decides them.

A bet is a function of a demos module whose name ends in _bet; its notebook asks and compares it
once, in a variable of the same name. What the two print is stored there, and nbval compares it.
"""

import importlib
import re

import pytest
from test_notebooks import FOLDER, printed_text, read

NOTEBOOKS = {path.stem: path for path in sorted(FOLDER.glob("0[1-9]*.ipynb"))}  # 00: the board
SIDES = ("too low", "close", "too high")


def bets_of(notebook):
    """Return {name: function} of the bets that the demos of a notebook define."""
    module = importlib.import_module(f"helpers.{notebook[3:]}.demos")
    return {
        name: value
        for name, value in vars(module).items()
        if name.endswith("_bet") and value.__module__ == module.__name__
    }


BETS = [(notebook, *one) for notebook in NOTEBOOKS for one in bets_of(notebook).items()]


def stored(notebook, pattern):
    """Return what the one code cell of a notebook prints in which `pattern` is found."""
    cells = [cell for cell in read(NOTEBOOKS[notebook]).cells if cell.cell_type == "code"]
    (found,) = [cell for cell in cells if re.search(pattern, cell.source)]
    return printed_text(found)


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_a_notebook_has_three_bets_and_one_of_them_is_a_slider(notebook):
    bets = bets_of(notebook).values()
    assert len(bets) >= 3 and sum(bet().is_number for bet in bets) == 1


@pytest.mark.parametrize(("notebook", "name", "bet"), BETS, ids=[name for _, name, _ in BETS])
def test_what_was_measured_decides_and_each_answer_has_its_own_reply(notebook, name, bet):
    bet = bet()
    answers = SIDES if bet.is_number else bet.options
    assert set(bet.because) == set(answers) and len(set(bet.because.values())) == len(answers) >= 3
    assert bet.question in stored(notebook, rf"= demos\.{name}\(")
    said = stored(notebook, rf"\b{name}\.compare\(").split(" Whoever bet")[0]
    number = re.match(r"Measured: ([-−.\d]*\d)(?: ± ([.\d]*\d))?", said)
    if number is None or not (bet.ranges or bet.is_number):  # measured by name
        told = said.removeprefix("Right: ").removeprefix("Measured: ")
        assert any(told == f"{bet.lettered(answer)}." for answer in answers)
        return
    mean, half = (float((one or "0").replace("−", "-")) for one in number.groups())
    if bet.is_number:
        sides = {bet.side_of(value, mean) for value in bet.options.values}
        assert sides == set(SIDES), "no number on the slider counts as one of them"
    else:
        right = {bet.answer_of(mean + part * half) for part in (-1, 0, 1)}
        assert len(right) == 1, "the interval makes two answers right"
        assert said.endswith(f": {bet.lettered(*right)}.")
