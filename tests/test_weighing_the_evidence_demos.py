"""Notebook 05's widgets: verdicts that nobody keeps, a ledger that opens row by row."""

import re

import numpy as np
import pytest
from test_notebooks import FOLDER, printed_text, read
from test_weighing_the_evidence import SPREAD

from helpers.weighing_the_evidence.demos import LedgerView, VerdictBoard
from helpers.weighing_the_evidence.ledger import Effect, Row
from helpers.weighing_the_evidence.papers import CLAIMS


def effect(mean, words="it rises"):
    return Effect(words, "rise", mean + SPREAD, "above", 2, "points", "r", "it <falls>")


@pytest.fixture
def board():
    return VerdictBoard()


@pytest.fixture
def view(board):
    """A supported row, one with a caveat and one that is not supported, of real claims."""
    return LedgerView([
        Row(CLAIMS[0], (effect(9),)),
        Row(CLAIMS[1], (effect(9), effect(0, "it always <rises>"))),
        Row(CLAIMS[2], (effect(0),), (effect(9, "it shines"),)),
    ], board)


def test_the_ledger_opens_row_by_row_in_one_order_and_counts_last(view):
    names = [re.escape(claim.words.replace("'", "&#x27;")) for claim in CLAIMS[:3]]
    for n_open in range(4):
        table = view.table.value
        assert re.search(".*".join(names), table) and table.count("<details>") == n_open
        assert ("3 claims: " in table) == (n_open == 3) == view.next.disabled == view.all.disabled
        view.next.click()
    assert table.endswith("3 claims: 1 × holds, 1 × half, 1 × fails.</div>")
    for part in (
        "◐ half", "○ fails", "9&nbsp;±&nbsp;1 points (n = 16)", "it always &lt;rises&gt;",
        "<i>Yes:</i> it rises", "<i>But:</i> it &lt;falls&gt;", "<i>Beside it:</i> it shines",
    ):
        assert part in table


def test_the_readers_verdicts_stand_beside_ours_and_may_change(view, board):
    assert {control.value for control in board.controls.values()} == {None}
    board.controls[CLAIMS[0].name].value = "holds"
    view.all.click()
    assert "You agree with the ledger in 1 of 1." in view.table.value
    assert view.table.value.count("● holds") == 2  # said and found
    board.controls[CLAIMS[2].name].value = "half"
    assert "You agree with the ledger in 1 of 2." in view.table.value
    board.controls[CLAIMS[2].name].value = "fails"
    assert "You agree with the ledger in 2 of 2." in view.table.value


def test_what_is_stored_does_not_know_what_the_reader_did(view, board):
    before = [one._repr_mimebundle_()["text/markdown"] for one in (view, board)]
    board.controls[CLAIMS[0].name].value = "holds"
    view.all.click()
    assert [one._repr_mimebundle_()["text/markdown"] for one in (view, board)] == before


def test_the_question_of_the_first_bet_says_what_notebook_05_measures():
    notebook = read(FOLDER / "05_weighing_the_evidence.ipynb")
    (cell,) = [cell for cell in notebook.cells if cell.id == "s2-table"]
    race = next(line for line in printed_text(cell).splitlines() if "rate 0.1 " in line)
    without, with_batch_norm = map(float, race.split("rate 0.1")[1].split()[:2])
    assert np.allclose([without, with_batch_norm], [130, 50], atol=5)
