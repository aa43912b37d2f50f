"""Bets: nothing is chosen at first, every wrong answer has its own reply, in either order."""

import numpy as np
import pytest

from helpers.intervals import Interval
from helpers.page.panel import typeset
from helpers.page.prediction import NO_BET, Answer, Scale, predict

QUESTION = "What share does it get right?"
ANSWERS = (
    Answer("nearly all", (0.9, 1.1), "The shapes are the same, but the net reads the fur."),
    Answer("one half", (0, 0.55), "The shapes still help."),
    Answer("something between", (0.55, 0.9), "Part of what it learned still works."),
)
SIDES = {"too low": "It is not blind.", "close": "Well seen.", "too high": "Fur matters."}
REPLIES = {side.replace(" ", "_"): reply for side, reply in SIDES.items()}
SHARES = Scale(tuple(np.linspace(0, 1, 21)), tolerance=0.1, unit=" nats", **REPLIES)
MEASURED = Interval(0.67, 0.02, 16)
YES = Answer("yes", (0, 1), "Yes.")


def answer(values, reply="No."):
    return Answer("no", values, reply)


def plain(shown):
    return shown._repr_mimebundle_()["text/plain"]


def test_nothing_is_chosen_before_the_reader_chooses():
    assert predict(QUESTION, *ANSWERS).value is None
    bet = predict(QUESTION, SHARES)
    assert bet.value is None and bet.control.label == NO_BET and bet.control.index == 0
    assert [label for label, _ in bet.control.options][1:3] == ["0.00 nats", "0.05 nats"]
    assert plain(bet) == f"Bet. {QUESTION} A slider from 0.00 nats to 1.00 nats."


@pytest.mark.parametrize("bet_first", [True, False])
@pytest.mark.parametrize("chosen", [one.text for one in ANSWERS])
def test_each_answer_has_its_own_reply_in_either_order(chosen, bet_first):
    bet = predict(QUESTION, *ANSWERS)
    if bet_first:
        bet.control.value = chosen
    comparison = bet.compare(MEASURED)
    if not bet_first:
        assert ANSWERS[2].reply in comparison.text.value and "You bet" not in comparison.text.value
        bet.control.value = chosen
    reply = comparison.text.value
    assert [one.reply in reply for one in ANSWERS] == [one.text == chosen for one in ANSWERS]
    assert ("right." in reply) == (chosen == "something between")
    assert typeset("Measured: 0.67 ± 0.02: C, something between.") in reply


def test_a_number_is_too_low_close_or_too_high_and_can_be_taken_back():
    bet = predict(QUESTION, SHARES)
    comparison = bet.compare(MEASURED)
    numbers = {0.0: "too low", 0.55: "too low", 0.6: "close", 0.75: "close", 0.8: "too high"}
    for number, side in numbers.items():
        bet.control.value = number
        said = f"You bet {number:.2f} nats: {side}. Measured: 0.67 ± 0.02 nats. {SIDES[side]}"
        assert typeset(said) in comparison.text.value
    bet.control.value = NO_BET
    assert comparison.text.value.endswith(f"{SIDES['close']}</div>")
    assert "You bet" not in comparison.text.value
    assert [bet.side_of(one, 0.7) for one in (0.6, 0.8)] == ["close", "close"]  # to the very edge


@pytest.mark.parametrize("bets", [True, False])
def test_the_answer_is_covered_until_the_reader_bets_or_asks_to_see_it(bets):
    bet, other = predict(QUESTION, *ANSWERS), predict(QUESTION, SHARES)
    comparison = bet.compare(MEASURED)
    (asks,) = set(bet.view._dom_classes) - {"bet"}
    (replies,) = comparison.view._dom_classes
    assert asks in bet.cover.value and replies in bet.cover.value
    assert asks not in other.cover.value and replies not in other.cover.value
    if bets:
        bet.control.value = "one half"
    else:
        bet.show_me.click()
    assert bet.cover.value == "" and other.cover.value


def test_a_range_begins_with_its_low_end():
    bet = predict(QUESTION, YES, answer((1, 2)))
    assert [bet.answer_of(value) for value in (0, 0.5, 1)] == ["yes", "yes", "no"]
    with pytest.raises(ValueError, match="must lie in one of"):
        bet.answer_of(2)


def test_answers_without_ranges_are_measured_by_name():
    bet = predict(QUESTION, Answer("rotation", None, "No."), Answer("growth", None, "Yes."))
    comparison = bet.compare("growth")
    bet.control.value = "rotation"
    assert "You bet A, rotation: not so. Right: B, growth. No." in comparison.text.value


def test_texts_of_the_learner_are_escaped():
    bet = predict("Is a < b & c?", Answer("yes", None, "<b>!</b>"), Answer("no", None, "."))
    assert "<b>!" not in bet.compare("yes").text.value
    assert "a &lt; b &amp; c?" in bet.view.children[0].value


def test_what_is_stored_is_fixed_and_holds_every_answer_and_reply():
    bet, twin = (predict(QUESTION, *ANSWERS) for _ in range(2))
    comparison = bet.compare(MEASURED)
    bet.control.value = "one half"
    for shown, other in ((bet, twin), (comparison, twin.compare(MEASURED))):
        assert shown._repr_mimebundle_() == other._repr_mimebundle_()
    assert plain(bet) == f"Bet. {QUESTION} A: nearly all. B: one half. C: something between."
    assert all(one.reply in plain(comparison) for one in ANSWERS)
    assert plain(comparison).startswith("Measured: 0.67 ± 0.02: C, something between. Whoever")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: predict("", *ANSWERS), "question must be a text"),
        (lambda: predict(QUESTION, YES), "answers must be 2 to 8 different ones"),
        (lambda: predict(QUESTION, YES, YES), "answers must be 2 to 8 different ones"),
        (lambda: predict(QUESTION, YES, "no"), "answers must be Answers, or one Scale"),
        (lambda: predict(QUESTION, YES, answer((1, 0))), "without gaps or overlaps"),
        (lambda: predict(QUESTION, YES, answer((0.5, 3))), "without gaps or overlaps"),
        (lambda: predict(QUESTION, YES, answer((2, 3))), "without gaps or overlaps"),
        (lambda: predict(QUESTION, YES, answer((1, 2), "")), "replies must be sentences"),
        (lambda: predict(QUESTION, Scale((0, 1), 1)), "replies must be sentences"),
        (lambda: predict(QUESTION, *ANSWERS).compare(-0.1), "measured must lie in one"),
        (lambda: predict(QUESTION, *ANSWERS).compare("none"), "measured must be one of"),
    ],
)
def test_a_bet_that_cannot_be_answered_is_refused(call, message):
    with pytest.raises((ValueError, TypeError), match=message):
        call()


@pytest.mark.parametrize("values", [(), (1,), (1, 1), (2, 1), (0, float("nan")), "ab"])
def test_a_scale_that_is_none_is_refused(values):
    with pytest.raises((ValueError, TypeError), match="values must"):
        Scale(values, tolerance=0.1)
