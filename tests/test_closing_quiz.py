"""Notebook 07: its questions know what was measured, and its score counts them."""

import re

import numpy as np
from test_bets import bets_of
from test_documents import MARK, section_text

from helpers.closing_quiz import demos

BETS = [bet() for bet in bets_of("07_closing_quiz").values()]
DOSE = next(bet for bet in BETS if bet.is_number)


def test_the_right_letters_are_spread_and_the_number_is_printed_in_notebook_04():
    places = [bet.options.index(bet.right) for bet in BETS if not bet.is_number]
    assert len(BETS) == 9 and min(np.bincount(places, minlength=3)) >= 2
    printed = section_text(MARK.match("[04#4]"))
    assert re.search(rf"dropout 0\.2 buys {DOSE.right} times", printed)


def test_the_score_follows_the_bets():
    bets = [demos.drop_bet(), demos.dose_bet(), demos.both_bet()]
    score = demos.Score(bets)
    assert "0 right of 0 answered, 3 to go." in score.text.value
    bets[0].control.value = bets[0].right
    bets[1].control.value = 4.0  # close to what was measured
    assert "2 right of 2 answered, 1 to go." in score.text.value
    bets[1].control.value = 1.0
    bets[2].control.value = "anywhere"
    assert "1 right of 3 answered, 0 to go." in score.text.value
