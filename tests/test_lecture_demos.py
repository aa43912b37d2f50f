"""The instructor's board: every beat in every state, the way through a lecture, the background."""

import html
import re
import time
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.text import Text
from test_documents import GUIDE, MARK, section_text
from test_notebooks import FOLDER, is_printed, measured_numerals, printed_text, read
from test_picture import check_picture

from helpers.intervals import Interval
from helpers.lecture import board as lecture_board
from helpers.lecture.beats import BEATS, PLANS
from helpers.lecture.board import STATES, Board
from helpers.lecture.experiments import load_lecture
from helpers.lecture.pictures import TYPE, KickAccuracyPicture, RaceInStepsPicture, make_readable
from helpers.lecture.tabs import LINES, SKETCHES, TABS, Words
from helpers.page import alive
from helpers.weighing_the_evidence.pictures import NoisyRacePicture

PATIENCE = 180
BY_NAME = {beat.name: beat for beat in BEATS}
BETS = {name: beat for name, beat in BY_NAME.items() if beat.ask}
# Their large lines say what is so by construction, or name claims; 05 prints the rates alone.
WITHOUT_NUMBERS = ("push", "rates", "lines", "claims", "card")


@pytest.fixture(scope="module")
def lecture():
    return load_lecture()


@pytest.fixture(scope="module")
def board(lecture):
    board = Board(lecture)
    build_all(board)
    return board


@pytest.fixture
def small(lecture):
    """Return a board with two quick tabs, of which the one of its first beat is built."""
    tabs = {name: TABS[name] for name in ("64 or 512", "Target")}
    beats = [BY_NAME[name] for name in ("target", "naive", "control")]
    plans = {"short": dict(target=1, naive=1), "long": dict(target=1, naive=1, control=1)}
    return Board(lecture, beats, tabs, plans)


def build_all(board):
    while board.build_next():
        pass


def page_of(board):
    return board.pages[board.beat.tab]


def words(board):
    text = html.unescape(re.sub(r"<[^>]*>", " ", page_of(board).words.value))
    return re.sub(r"\s+", " ", text.replace("\xa0", " ")).strip()


def is_hidden(board):
    return "lecture-hidden" in page_of(board).stage._dom_classes


def where(board):
    return board.beat.name, board.state


@pytest.mark.parametrize("name", BY_NAME)
def test_the_notebook_prints_each_number_and_the_whole_interval_makes_one_answer_right(
    name, lecture
):
    beat = BY_NAME[name]
    marks = "".join(f"[{mark}]" for mark in beat.where.split(", "))
    printed = "\n".join(section_text(mark) for mark in MARK.finditer(marks))
    numerals = [one for line in beat.number(lecture) for one in measured_numerals(line)]
    assert [one for one in numerals if not is_printed(one, printed)] == []
    assert numerals or name in WITHOUT_NUMBERS
    assert bool(beat.ask) != bool(beat.tells)
    if beat.ask is None:
        return
    bet, measured = beat.ask(), beat.measured(lecture)
    if isinstance(measured, Interval) and not bet.is_number:
        assert bet.answer_of(measured.low) == bet.answer_of(measured.high)
    assert len(set(bet.because.values())) == len(bet.because) == 3


@pytest.mark.parametrize("name", BY_NAME)
def test_a_beat_in_its_states(name, board):
    beat, page = BY_NAME[name], board.pages[BY_NAME[name].tab]
    large = beat.number(board.lecture)[0].replace("-", "−")
    board.go(name)
    assert board.tabs.selected_index == list(TABS).index(beat.tab)
    assert board.menu.value == name and board.state_buttons.value == beat.states[0]
    if beat.ask:
        assert words(board) == re.sub(r"\s+", " ", board.bets[name].question)
        assert page.below.children[0] is board.answers[name]
        assert len(page.below.children) == 1 + (not board.bets[name].is_number)
        # There is always something to see: the demo, or a sketch in its place.
        assert is_hidden(board) == (beat.before is None) == bool(page.sketch.children)
        assert page.sketch.children == tuple([board.sketch(beat.sketch)] * bool(beat.sketch))
        assert (beat.before or {}).items() <= page.panel.values.items()
        board.forward()
    assert board.state_buttons.value == "Reveal"
    assert words(board).startswith(large) and beat.basis in words(board)
    assert page.below.children == page.sketch.children == () and not is_hidden(board)
    assert beat.after.items() <= page.panel.values.items()
    page.panel.wait(PATIENCE)
    assert page.panel.error is None
    if beat.what_if:
        board.forward()
        assert words(board) == beat.what_if and board.state_buttons.value == "Play"
        controls = tuple(page.panel.controls.values())
        assert page.below.children[: len(controls)] == controls
    else:
        assert words(board).endswith(beat.tells)


@pytest.mark.parametrize("name", BETS)
def test_the_reply_is_to_the_chosen_answer(name, board):
    bet, measured, made = board.bets[name], BY_NAME[name].measured(board.lecture), {}
    board.go(name, "Reveal")
    assert bet.because["close" if bet.is_number else bet.answer_of(measured)] in words(board)
    for said, value in board.answers[name].options[-3:]:
        board.go(name)
        board.answers[name].value = value
        assert bet.value == value
        board.go(name, "Reveal")
        assert f"You bet {said.replace('  ', ', ')}" in words(board)
        assert bet.because[bet.side_of(value, measured) if bet.is_number else value] in words(board)
        assert made.setdefault(name, board.comparisons[name]) is board.comparisons[name]


def test_no_result_is_seen_before_it_is_hidden(board):
    board.go("race", "Play")
    seen = []
    board.tabs.observe(lambda _change: seen.append(is_hidden(board)), "selected_index")
    board.go("coats")
    assert seen == [True]


def test_the_title_of_the_first_picture_tells_no_result():
    title = RaceInStepsPicture().figure.get_suptitle()  # seen without a kernel; others come later
    assert title.endswith("?") and title != NoisyRacePicture.TITLE


def test_hands_are_counted_and_shown_beside_the_reveal(small):
    small.go("naive", "Reveal")
    assert "Hands" not in words(small)
    for field, count in zip(small.hands["naive"], (120, 31, 0), strict=True):
        field.value = count
    small.go("naive", "Reveal")
    assert words(small).endswith("Hands: A 120 · B 31 · C 0")


def test_a_page_that_is_loaded_again_goes_on_where_the_address_says(lecture):
    first, again = Board(lecture), Board(lecture)
    first.plan_buttons.value = "50 min"
    first.bets["coats"].control.value = 0.7
    first.bets["push"].control.index = 1
    first.hands["push"][2].value = 40
    first.go("push", "Reveal")
    again = Board(lecture, address=first.address)
    assert again.address == first.address and where(again) == ("push", "Reveal")
    assert again.plan is PLANS["50 min"] and again.bets["coats"].value == 0.7
    assert first.address in html.unescape(again.place.value)
    again.pulse.value = "7"
    assert 'data-echo="7"' in again.place.value
    assert [field.value for field in again.hands["push"]] == [0, 0, 40]
    card = Board(lecture, address="plan=15+min&beat=card&state=Play")
    assert card.next.description == "Start again"
    assert card._repr_mimebundle_()["text/plain"].endswith("words alone.")
    for wrong in (
        "beat=gone&state=Play", "plan=7+min&push=9&coats=x&hands-push=-1-b", "%%=&&",
        f"hands-push={'9' * 5000}",  # more digits than Python reads
    ):
        assert where(Board(lecture, address=wrong)) == ("race", "Bet")


def test_a_bet_stays_in_the_picture_and_moved_controls_do_not(board):
    board.bets["coats"].control.value = 0.9
    board.go("coats", "Play")
    panel = page_of(board).panel
    panel.set_values(coat=0.3, only_cats_black=True)
    board.go("reference")
    assert panel.picture.ghost.marker.get_ydata() == [0.9]
    assert panel.values == {"coat": 1.0, "only_cats_black": False, "with_reference": False}


def test_the_third_bar_waits_for_its_bet(lecture):
    right, picture = lecture.kicks["scale"][2.0], KickAccuracyPicture()
    make_readable(picture)
    shown = [
        (kind, size, sizes[size], stored)
        for kind, sizes in lecture.kicks.items() for size in (0.2, 2.0) for stored in (False, True)
    ]
    check_picture(picture, *shown)
    third = picture.show(("scale", 2.0, right, False)).bars[0].bars[2]
    assert third.get_height() == 0 and picture.sentence.endswith("?% with stored statistics.")
    picture.show(("scale", 2.0, right, True))
    assert "66 ± 3% with stored statistics" in picture.sentence
    assert third.get_height() == pytest.approx(right[2].mean())


@pytest.mark.parametrize("tab", TABS)
def test_type_can_be_read_from_the_last_row(tab, board):
    board.bets["drift"].control.value = board.bets["drift"].control.options[-1][1]  # the latest
    if not isinstance(board.pages[tab].panel, Words):
        check_type(board.pages[tab].panel.picture)


def check_type(picture):
    texts = [text for text in picture.figure.findobj(Text) if text.get_text().strip()]
    small = [text.get_text() for text in texts if text.get_fontsize() < TYPE - 1e-6]
    assert texts and small == []
    free = [one for axes in picture.figure.axes for one in axes.texts if one.get_visible()]
    assert max((one.get_window_extent().x1 for one in free), default=0) < picture.figure.bbox.x1
    assert picture.figure._suptitle is None or not picture.figure._suptitle.get_text()


@pytest.mark.parametrize("name", sorted(set(SKETCHES) - {"network"}))  # that one has all the width
def test_sketches_can_be_read_and_say_nothing_yet(name, lecture):
    picture = SKETCHES[name](lecture)
    make_readable(picture)
    check_type(picture)
    assert not any(text.get_text() == "with batch norm" and text.get_visible()
                   for text in picture.figure.findobj(Text))


def test_each_plan_goes_from_the_race_to_the_card_and_its_minutes_add_up():
    for plan, minutes in PLANS.items():
        names = list(minutes)
        assert sum(minutes.values()) == int(plan.removesuffix(" min"))
        assert names[0] == "race" and names[-1] == "card"
        assert [name for name in BY_NAME if name in minutes] == names  # in one order
    assert set().union(*PLANS.values()) == set(BY_NAME)


def test_right_letters_are_spread_evenly(lecture):
    for minutes in PLANS.values():
        letters = Counter()
        for beat in (BETS[name] for name in minutes if name in BETS):
            bet = beat.ask()
            if not bet.is_number:
                letters[bet.lettered(bet.answer_of(beat.measured(lecture)))[0]] += 1
        assert set(letters) == set("ABC") and max(letters.values()) - min(letters.values()) <= 2


def test_the_board_shows_the_five_lines_and_the_verdicts_that_the_notebooks_show(lecture):
    cells = {cell.id: cell for cell in read(FOLDER / "02_batch_norm_mechanics.ipynb").cells}
    code = re.sub(r"  # .*", "", cells["s2-five-lines"].source)
    assert LINES in code and len(LINES.splitlines()) == 5
    cells = read(FOLDER / "05_weighing_the_evidence.ipynb").cells
    printed = " ".join("\n".join(map(printed_text, cells)).split())
    (told,) = (
        output["data"]["text/markdown"] for cell in cells if cell.id == "s5-view"
        for output in cell.outputs if "text/markdown" in output["data"]
    )
    for row in lecture.ledger:
        assert f"{row.claim.words} ({row.claim.source}) {row.verdict.upper()} [" in printed
        for one in (*row.effects, *row.beyond):
            assert one.sentence.removeprefix("undecided: ") in html.unescape(told)


def test_the_card_opens_a_row(board):
    board.go("claims")
    tell = board.pages["Claims"].panel
    assert "half" not in tell.image.value and "holds" not in tell.image.value
    board.go("card", "Play")
    assert tell.image.value.count("<tr>") == len(board.lecture.ledger)
    row = board.lecture.ledger[1]
    tell.controls["open"].value = row.claim.name
    assert tell.image.value.count("<tr>") == 1 + len(row.effects + row.beyond)
    assert all(html.escape(one.sentence) in tell.image.value for one in row.effects)


@pytest.mark.parametrize("plan", PLANS)
def test_one_button_gives_the_whole_lecture_and_another_undoes_it(plan, board):
    board.plan_buttons.value = plan
    steps = [(name, state) for name in PLANS[plan] for state in BY_NAME[name].states]
    board.go(*steps[0])
    for step in steps[1:]:
        said, before = board.next.description, board.beat
        board.next.click()
        assert where(board) == step
        assert said == (board.state if board.beat is before else f"Next: {board.beat.title}")
    assert board.next.description == "Start again"
    board.next.click()
    assert where(board) == steps[0]
    board.go(*steps[7])
    for step in steps[6::-1]:
        board.back.click()
        assert where(board) == step and board.back.disabled == (step == steps[0])


def test_a_beat_outside_of_the_plan_is_an_excursion(small):
    small.go("naive")
    small.menu.value = "control"
    assert where(small) == ("control", "Bet")
    small.state_buttons.value = "Play"
    assert small.next.description == "Next: 64 against 512"  # nobody has seen it yet
    small.go("naive", "Play")
    small.go("control", "Play")
    assert small.next.description == "Start again"
    for _ in STATES:
        small.back.click()
    assert where(small) == ("naive", "Play")


def test_before_a_tab_is_there_it_asks_and_says_so(small):
    small.go("naive")
    page = page_of(small)
    assert words(small) == small.bets["naive"].question and not page.is_built
    assert "is being prepared" in page.notice.value and page.bar in page.stage.children
    small.next.click()
    assert "nats" in words(small)
    build_all(small)
    assert page.panel.values == {"with_control": False} and not is_hidden(small)
    assert page.panel.image in page.stage.children


def test_the_tab_that_is_looked_at_is_built_first(lecture):
    beats = [replace(beat, before=None, after={}, sketch=None) for beat in BEATS]
    board, built = Board(lecture, beats, dict.fromkeys(TABS, TABS["Target"])), []
    board.go("target")
    while board.build_next():
        built += [tab for tab, page in board.pages.items() if page.is_built and tab not in built]
    assert built[:5] == ["Race", "Target", "Coats", "Rates", "Direction"]
    assert sorted(built) == sorted(TABS) and len(BY_NAME) == len(BEATS)


def test_a_tab_that_cannot_be_built_says_so_but_the_first_one_must(lecture):
    tabs = {"Target": TABS["Target"], "64 or 512": lambda lecture, bets: 1 / 0}
    beats = [BY_NAME["target"], BY_NAME["naive"]]
    board = Board(lecture, beats, tabs, {"short": dict(target=1, naive=1)})
    build_all(board)
    board.go("naive", "Play")
    assert "division by zero" in page_of(board).notice.value
    assert isinstance(page_of(board).error, ZeroDivisionError)
    assert page_of(board).below.children == ()
    with pytest.raises(ZeroDivisionError):
        Board(lecture, beats[::-1], tabs, {"short": dict(naive=1)})


def test_shown_it_is_a_picture_and_a_sentence_and_a_thread_builds_the_rest(small, monkeypatch):
    assert [page.is_built for page in small.pages.values()] == [False, True]
    monkeypatch.setattr(lecture_board, "SECONDS_TO_SETTLE", 0)
    shown = []
    monkeypatch.setattr(alive, "display", lambda bundle, **_options: shown.append(bundle))
    small._ipython_display_()
    line, view, still = shown
    assert line["text/plain"] == small.waking and small.waking in line["text/html"]
    assert view == alive.widget_view(small.view) and set(still) == {"image/png", "text/plain"}
    assert still["text/plain"].startswith("The instructor's board:")
    end = time.monotonic() + PATIENCE
    while not all(page.is_built for page in small.pages.values()):
        assert time.monotonic() < end
        time.sleep(0.01)


def test_the_whole_lecture_of_the_board_is_in_the_notebook():
    cells = {cell.id: cell.source for cell in read(FOLDER / "00_lecture_demos.ipynb").cells}
    rows = re.findall(r"^\| (.*?) \| (.*?) \| (.*?) \|", cells["beats"], re.MULTILINE)
    for beat, row in zip(BEATS, rows[1:], strict=True):
        minutes = [plan[:2] for plan in PLANS if beat.name in PLANS[plan]]
        what = beat.ask().question if beat.ask else beat.tells
        assert row == (beat.title, what, ", ".join(minutes))
    shortest = ", ".join(BY_NAME[name].title for name in PLANS["15 min"])
    assert f"**15 minutes:** {shortest}.\n" in cells["beats"]


def test_the_guide_has_each_plan_minute_by_minute():
    text = GUIDE.read_text(encoding="utf-8")
    for plan, minutes in PLANS.items():
        (section,) = re.findall(rf"^## {plan}utes$(.*?)^## ", text, re.MULTILINE | re.DOTALL)
        rows = re.findall(r"^\| (\d+) \| (.*?) \|", section, re.MULTILINE)
        starts = np.cumsum([0, *minutes.values()])[:-1]
        titles = [BY_NAME[name].title for name in minutes]
        assert rows == [(str(start), title) for start, title in zip(starts, titles)]
    for beat in BEATS:
        assert f"### {beat.title[0].upper()}{beat.title[1:]}\n" in text
