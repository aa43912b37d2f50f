"""All bets of the course: the answers they offer, and the replies that the notebooks store.

A bet is a function of a demos module whose name ends in _bet. Its notebook compares it once, in a
variable of the same name; a new bet needs its lines in the tables below. Where a bet stays in a
figure is tested beside the figure.
"""

import importlib
import re

import pytest
from test_notebooks import FOLDER, printed_text, read

from helpers.intervals import Interval
from helpers.page.panel import typeset


def bets_of(notebook):
    """Return {name: function} of the bets that the demos of this notebook, a path, define."""
    module = importlib.import_module(f"helpers.{notebook.stem[3:]}.demos")
    return {
        name: value
        for name, value in vars(module).items()
        if name.endswith("_bet") and value.__module__ == module.__name__
    }


NOTEBOOKS = sorted(FOLDER.glob("0[1-9]*.ipynb"))  # the board, 00, has none of its own
FOUND = [(name, bet, path) for path in NOTEBOOKS for name, bet in bets_of(path).items()]
BETS = {name: bet for name, bet, _ in FOUND}
HOMES = {name: path for name, _, path in FOUND}

# What the notebook hands to `compare`, as it prints there, and what it makes right.
MEASURED = {
    "coat_bet": (Interval(0.67, 0.02, 16), 0.67),
    "shortcut_bet": (Interval(0.005, 0.004, 16), "hardly any"),
    "repair_bet": (Interval(-0.16, 0.02, 16), "worse, by 0.03 (3 points) or more"),
    "pair_bet": ("only +1 and −1", "only +1 and −1"),
    "push_bet": (7, "all seven"),
    "memory_bet": (Interval(67.2, 2.1, 16), 67.2),
    "ranking_bet": (Interval(0.88, 0.06, 16), "most of it, a little less than without"),
    "kick_bet": (0.0, 0.0),
    "stored_bet": (Interval(2.0, 0.9, 16), "more, since batch norm makes it worse"),
    "naive_bet": (Interval(0.71, 0.03, 16), "those with 64, though they have more noise"),
    "group_bet": (8, 8),
    "dropout_bet": (4.8, "by several times as much"),
    "fast_bet": (85.0, 85.0),
    "slow_bet": (Interval(-27.0, 10.0, 16), "slower"),
    "smooth_bet": (
        Interval(0.37, 0.09, 16), "is higher, so batch norm makes it less smooth",
    ),
}

# For each answer, values of what is measured that would make it right.
ANSWERS = {
    "shortcut_bet": {
        "more, since it has seen colours now": [0.65, 0.9, 1.0],
        "about half again, since its cats are as black as before": [0.45, 0.54],
        "hardly any": [0.0, 0.005, 0.009],
    },
    "repair_bet": {
        "better, by 0.03 (3 points) or more": [0.03, 0.1, 0.4],
        "about as good": [-0.029, 0.0, 0.01],
        "worse, by 0.03 (3 points) or more": [-0.16, -0.04],
    },
    "pair_bet": {
        "any two numbers": ["any two numbers"],
        "any two numbers of opposite sign": ["any two numbers of opposite sign"],
        "only +1 and −1": ["only +1 and −1"],
    },
    "push_bet": {
        "none, they are other images": [0],
        "only the values nearest to it": [1, 6],
        "all seven": [7],
    },
    "ranking_bet": {
        "less than half, batch norm calms it a lot": [0.0, 0.4],
        "most of it, a little less than without": [0.82, 0.88, 0.94],
        "all of it, or even more": [0.99, 1.5],
    },
    "stored_bet": {
        "less, since batch norm still protects": [-1.5],
        "about as much, since the protection is gone": [0.1, -0.4],
        "more, since batch norm makes it worse": [1.1, 2.0, 2.9],
    },
    "naive_bet": {
        "those with 512, since less noise regularises less": [-0.3],
        "those with 64, though they have more noise": [0.68, 0.71, 0.74],
        "neither, the noise is too small to matter": [-0.04, 0.04],
    },
    "dropout_bet": {
        "by less": [-1, 0.5],
        "by about as much": [0.9, 1.8],
        "by several times as much": [3.5, 4.8, 7.7],
    },
    "slow_bet": {
        "faster again": [11, 30],
        "about as fast": [-9, 0, 9],
        "slower": [-37, -27, -17],
    },
    "smooth_bet": {
        "is lower, so batch norm makes it smoother here, too": [-0.5],
        "hardly changes": [-0.05, 0.05],
        "is higher, so batch norm makes it less smooth": [0.28, 0.37, 0.46],
    },
}

# For each slider, numbers that can be bet on it.
SIDES = {
    "coat_bet": {"too low": [0.0, 0.5, 0.55], "close": [0.6, 0.75], "too high": [0.8, 1.0]},
    "memory_bet": {"too low": [10, 62], "close": [64, 70], "too high": [72, 78, 90]},
    "kick_bet": {"too low": [-1.0, -0.5], "close": [0.0], "too high": [0.5, 5.0]},
    "group_bet": {"too low": [4], "close": [8], "too high": [64, 512]},
    "fast_bet": {"too low": [0, 60], "close": [70, 100], "too high": [110, 160]},
}


def plain(shown):
    return shown._repr_mimebundle_()["text/plain"]


def cell_with(name, pattern):
    """Return the one code cell of the notebook of bet `name` in which `pattern` is found."""
    cells = [cell for cell in read(HOMES[name]).cells if cell.cell_type == "code"]
    (found,) = [cell for cell in cells if re.search(pattern, cell.source)]
    return found


# --- every bet has its entries -----------------------------------------------------------------


def test_every_bet_is_in_the_tables():
    assert len(BETS) == len(FOUND)  # no name twice
    assert set(MEASURED) == set(BETS)
    assert set(SIDES) == {name for name, bet in BETS.items() if bet().is_number}
    assert set(ANSWERS) == set(BETS) - set(SIDES)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def test_a_notebook_has_three_bets_and_one_of_them_is_a_slider(notebook):
    bets = bets_of(notebook)
    assert len(bets) >= 3
    assert sum(bet().is_number for bet in bets.values()) == 1


# --- what the notebooks store ------------------------------------------------------------------


@pytest.mark.parametrize("name", BETS)
def test_the_stored_question_is_the_bet(name):
    assert printed_text(cell_with(name, rf"= demos\.{name}\(")) == plain(BETS[name]())


@pytest.mark.parametrize("name", BETS)
def test_the_stored_reply_is_the_answer_to_what_was_measured(name):
    measured, right = MEASURED[name]
    comparison = BETS[name]().compare(measured)
    assert comparison.right == right
    assert printed_text(cell_with(name, rf"\b{name}\.compare\(")) == plain(comparison)


@pytest.mark.parametrize("name", [one for one in ANSWERS if isinstance(MEASURED[one][0], Interval)])
def test_both_ends_of_the_measured_interval_make_the_same_answer_right(name):
    measured, right = MEASURED[name]
    bet = BETS[name]()
    assert bet.answer_of(measured.low) == bet.answer_of(measured.high) == right


# --- answers and their replies -----------------------------------------------------------------


@pytest.mark.parametrize("name", ANSWERS)
def test_what_is_measured_decides_which_answer_is_right(name):
    bet = BETS[name]()
    assert list(ANSWERS[name]) == bet.options
    for answer, values in ANSWERS[name].items():
        assert [bet.answer_of(value) for value in values] == [answer] * len(values)


@pytest.mark.parametrize("name", ANSWERS)
def test_each_answer_has_its_own_reply(name):
    bet = BETS[name]()
    comparison = bet.compare(MEASURED[name][0])
    replies = set()
    for answer in bet.options:
        bet.control.value = answer
        reply = comparison.text.value
        assert ("right." in reply) == (answer == MEASURED[name][1])
        replies.add(reply.split("Measured: ")[1])
    assert len(replies) == len(set(bet.because.values())) == len(bet.options) >= 3


@pytest.mark.parametrize("name", SIDES)
def test_a_number_is_too_low_close_or_too_high(name):
    bet = BETS[name]()
    assert set(SIDES[name]) == set(bet.because) and len(set(bet.because.values())) == 3
    comparison = bet.compare(MEASURED[name][0])
    measured = plain(comparison).split(" Whoever bet")[0]  # "Measured: 67 ± 2%."
    for side, numbers in SIDES[name].items():
        for number in numbers:
            bet.control.value = number
            said = f"You bet {bet.options.text(number)}: {side}. {measured} {bet.because[side]}"
            assert typeset(said) in comparison.text.value
