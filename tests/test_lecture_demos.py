"""The instructor's board: every beat in every state, the way through a lecture, the background."""

import html
import itertools
import re
import time
from dataclasses import replace
from functools import partial

import pytest
from matplotlib.text import Text
from test_documents import MARK, section_text
from test_notebooks import FOLDER, is_printed, measured_numerals, read
from test_picture import check_picture

from helpers.hidden_layer_stability.experiments import load_clothes, watch_drift
from helpers.intervals import Interval
from helpers.lecture import board as lecture_board
from helpers.lecture import tabs as lecture_tabs
from helpers.lecture.beats import BEATS, PLANS
from helpers.lecture.board import STATES, Board
from helpers.lecture.experiments import load_lecture
from helpers.lecture.pictures import TYPE_SHARE, KickInStepsPicture, make_readable
from helpers.lecture.tabs import TABS
from helpers.page import alive

PATIENCE = 60
BY_NAME = {beat.name: beat for beat in BEATS}


@pytest.fixture(scope="module")
def lecture():
    return load_lecture()


@pytest.fixture(scope="module")
def board(lecture):
    """A board with all tabs; two networks are enough to be kicked."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lecture_tabs, "load_clothes", partial(load_clothes, 2))
        patch.setattr(lecture_tabs, "watch_drift", partial(watch_drift, n_steps=20))
        board = Board(lecture)
        build_all(board)
    return board


@pytest.fixture
def small(lecture):
    """A board with two quick tabs, of which the second is built, that of its first beat."""
    tabs = {name: TABS[name] for name in ("64 or 512", "Target")}
    beats = [BY_NAME[name] for name in ("target", "naive", "control")]
    plans = {"short": ("target", "naive"), "long": ("target", "naive", "control")}
    return Board(lecture, beats, tabs, plans)


def build_all(board):
    while board.build_next():
        pass


def page_of(board):
    return board.pages[board.beat.tab]


def words(board):
    """Return what stands at the left, as text."""
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
    beat, bet = BY_NAME[name], BY_NAME[name].ask()
    marks = "".join(f"[{mark}]" for mark in beat.where.split(", "))
    printed = "\n".join(section_text(mark) for mark in MARK.finditer(marks))
    numerals = [one for line in beat.number(lecture) for one in measured_numerals(line)]
    assert [one for one in numerals if not is_printed(one, printed)] == []
    assert numerals or name in ("push", "pair", "rates")
    measured = beat.measured(lecture)
    if isinstance(measured, Interval) and not bet.is_number:
        assert bet.answer_of(measured.low) == bet.answer_of(measured.high)
    assert len(set(bet.because.values())) == len(bet.because) == 3


@pytest.mark.parametrize("name", BY_NAME)
def test_a_beat_in_three_states(name, board):
    beat, page = BY_NAME[name], board.pages[BY_NAME[name].tab]
    large = beat.number(board.lecture)[0].replace("-", "−")
    board.go(name)
    assert board.tabs.selected_index == list(TABS).index(beat.tab)
    assert board.menu.value == name and board.state_buttons.value == "Bet"
    assert words(board) == re.sub(r"\s+", " ", board.bets[name].question)
    assert page.below.children == (board.answers[name],)
    assert is_hidden(board) == (beat.before is None)
    assert page.sketch.children == (board.drawing if beat.draws else ())
    assert beat.before is None or not beat.draws
    assert (beat.before or {}).items() <= page.panel.values.items()

    board.forward()
    assert words(board).startswith(large) and beat.basis in words(board)
    assert page.below.children == page.sketch.children == () and not is_hidden(board)
    assert beat.after.items() <= page.panel.values.items()
    page.panel.wait(PATIENCE)
    assert page.panel.error is None and board.state_buttons.value == "Reveal"

    board.forward()
    assert words(board).startswith(large) and words(board).endswith(beat.what_if)
    assert page.below.children == tuple(page.panel.controls.values())


@pytest.mark.parametrize("name", BY_NAME)
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


def test_a_bet_stays_in_the_picture_and_moved_controls_do_not(board):
    board.bets["coats"].control.value = 0.9
    board.go("coats", "Play")
    panel = page_of(board).panel
    panel.set_values(coat=0.3, only_cats_black=True)
    board.go("reference")
    assert panel.picture.ghost.marker.get_ydata() == [0.9]
    assert panel.values == {"coat": 1.0, "only_cats_black": False, "with_reference": False}


def test_the_third_bar_waits_for_its_bet(lecture):
    kick, picture = lecture.kicks["scale"], KickInStepsPicture()
    make_readable(picture)
    check_picture(picture, *itertools.product(lecture.kicks.values(), (False, True)))
    third = picture.show((kick, False)).bars[0].bars[2]
    assert third.get_height() == 0
    said = "rises by 2.7 ± 0.2 without batch norm, 0.00 with fresh statistics (16 networks)."
    assert picture.sentence.endswith(said)
    assert "4.7 ± 0.8 with stored statistics" in picture.show((kick, True)).sentence
    assert third.get_height() == pytest.approx(kick["stored"].mean())


@pytest.mark.parametrize("tab", TABS)
def test_type_can_be_read_from_the_last_row(tab, board):
    figure = board.pages[tab].panel.picture.figure
    smallest = TYPE_SHARE * 72 * figure.get_figheight() - 1e-6
    texts = [text for text in figure.findobj(Text) if text.get_text().strip()]
    assert texts and [text.get_text() for text in texts if text.get_fontsize() < smallest] == []


@pytest.mark.parametrize("plan", PLANS)
def test_one_button_gives_the_whole_lecture_and_another_undoes_it(plan, board):
    board.plan_buttons.value = plan
    steps = [(name, state) for name in PLANS[plan] for state in STATES]
    board.go(*steps[0])
    for step in steps[1:]:
        said = board.next.description
        board.next.click()
        assert where(board) == step
        assert said == (f"Next: {board.beat.title}" if board.state == "Bet" else board.state)
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
    small.tabs.selected_index = 1
    assert where(small) == ("target", "Bet")
    small.tabs.selected_index = 0
    assert where(small) == ("naive", "Bet")


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
    beats = [replace(beat, before=None, after={}) for beat in BEATS]
    board, built = Board(lecture, beats, dict.fromkeys(TABS, TABS["Target"])), []
    board.go("rates")
    while board.build_next():
        built += [tab for tab, page in board.pages.items() if page.is_built and tab not in built]
    assert built[:5] == ["Coats", "Rates", "Kicks", "64 or 512", "Groups"]
    assert sorted(built) == sorted(TABS) and len(BY_NAME) == len(BEATS)


def test_a_tab_that_cannot_be_built_says_so_but_the_first_one_must(lecture):
    tabs = {"Target": TABS["Target"], "64 or 512": lambda lecture, bets: 1 / 0}
    beats = [BY_NAME["target"], BY_NAME["naive"]]
    board = Board(lecture, beats, tabs, {"short": ("target", "naive")})
    build_all(board)
    board.go("naive", "Play")
    assert "division by zero" in page_of(board).notice.value
    assert isinstance(page_of(board).error, ZeroDivisionError)
    assert page_of(board).below.children == ()
    with pytest.raises(ZeroDivisionError):
        Board(lecture, beats[::-1], tabs, {"short": ("naive",)})


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
    rows = re.findall(r"^\| (.*?) \| (.*?) \| (.*?) \| (.*?) \|", cells["beats"], re.MULTILINE)
    for beat, row in zip(BEATS, rows[1:], strict=True):
        minutes = [plan[:2] for plan in PLANS if plan != "all" and beat.name in PLANS[plan]]
        assert row == (beat.title, beat.tab, beat.ask().question, ", ".join(minutes) or "–")
