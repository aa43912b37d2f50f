"""The instructor's board: every beat in every state, the way through a lecture, the background."""

import html
import itertools
import re
from dataclasses import replace
from functools import partial

import pytest
from matplotlib.text import Text
from test_documents import MARK, section_text
from test_notebooks import FOLDER, is_printed, measured_numerals, read
from test_picture import check_picture

from helpers.hidden_layer_stability.experiments import load_clothes, watch_drift
from helpers.intervals import Interval
from helpers.lecture import beats as lecture_beats
from helpers.lecture import board as lecture_demos
from helpers.lecture.beats import BEATS, PLANS, TABS
from helpers.lecture.board import STATES, Board
from helpers.lecture.experiments import load_lecture
from helpers.lecture.pictures import (
    TYPE_SHARE,
    KickInStepsPicture,
    OneRacePicture,
    SweepsPicture,
    make_readable,
)
from helpers.page.panel import typeset

PATIENCE = 60
BY_NAME = {beat.name: beat for beat in BEATS}


@pytest.fixture(scope="module")
def lecture():
    return load_lecture()


@pytest.fixture(scope="module")
def board(lecture):
    """A board with all tabs; two networks are enough to be kicked."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lecture_beats, "load_clothes", partial(load_clothes, 2))
        patch.setattr(lecture_beats, "watch_drift", partial(watch_drift, n_steps=20))
        board = Board(lecture)
        board.prepare()
    yield board
    board.close()


@pytest.fixture
def small(lecture):
    """A board with two quick tabs, of which the first is built."""
    tabs = {name: TABS[name] for name in ("trap", "target")}
    beats = [beat for beat in BEATS if beat.tab in tabs]
    plans = {"short": ("target", "naive"), "long": ("target", "naive", "control")}
    board = Board(lecture, sorted(beats, key=lambda beat: beat.tab), tabs, plans)
    yield board
    board.close()


@pytest.mark.parametrize("is_readable", [False, True])
def test_pictures_shown_in_steps(lecture, is_readable):
    pictures = KickInStepsPicture(), SweepsPicture(), OneRacePicture()
    if is_readable:
        for one in pictures:
            make_readable(one)
    kicks, sweeps, race = pictures
    check_picture(kicks, *itertools.product(lecture.kicks.values(), (False, True)))
    at_first = {"with": lecture.sweeps["with"]}
    check_picture(sweeps.show(at_first), at_first, lecture.sweeps)
    named = [{f"relu, learning rate {rate:g}": one} for rate, one in lecture.races.items()]
    check_picture(race, *named)


def page_of(board):
    return board.pages[board.beat.tab]


def words(board):
    """Return what stands at the left, as text."""
    return read_from(re.sub(r"<[^>]*>", " ", page_of(board).words.value))


def read_from(markup):
    return re.sub(r"\s+", " ", html.unescape(markup).replace("\xa0", " ")).strip()


def is_hidden(board):
    return "lecture-hidden" in page_of(board).stage._dom_classes


# --- the beats ---------------------------------------------------------------------------------


def test_names_are_unique_and_plans_and_tabs_know_them():
    assert len(BY_NAME) == len(BEATS)
    assert {beat.tab for beat in BEATS} == set(TABS)
    assert {name for plan in PLANS.values() for name in plan} == set(BY_NAME)
    for plan in PLANS.values():
        assert [name for name in BY_NAME if name in plan] == list(plan)  # in the same order


@pytest.mark.parametrize("name", BY_NAME)
def test_every_number_is_printed_by_the_notebook(name, lecture):
    beat = BY_NAME[name]
    printed = "\n".join(section_text(mark) for mark in MARK.finditer(_marks(beat)))
    numerals = [one for line in beat.number(lecture) for one in measured_numerals(line)]
    assert [one for one in numerals if not is_printed(one, printed)] == []
    assert numerals or name in ("push", "pair", "rates")


def _marks(beat):
    return "".join(f"[{mark}]" for mark in beat.where.split(", "))


@pytest.mark.parametrize("name", BY_NAME)
def test_the_whole_interval_makes_the_same_answer_right(name, lecture):
    beat, bet = BY_NAME[name], BY_NAME[name].ask()
    measured = beat.measured(lecture)
    right = bet.answer_of(measured)
    if isinstance(measured, Interval) and not bet.is_number:
        assert bet.answer_of(measured.low) == bet.answer_of(measured.high) == right


@pytest.mark.parametrize("name", BY_NAME)
def test_a_bet_has_a_sentence_for_each_answer(name):
    bet = BY_NAME[name].ask()
    answers = ("too low", "close", "too high") if bet.is_number else bet.options
    assert set(bet.because) == set(answers)
    assert len(set(bet.because.values())) == len(answers) == 3


# --- three states ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BY_NAME)
def test_a_beat_in_three_states(name, board):
    beat, bet = BY_NAME[name], board.bets[name]
    large = read_from(typeset(beat.number(board.lecture)[0]))
    board.go(name)
    page = page_of(board)
    assert board.tabs.selected_index == list(TABS).index(beat.tab)
    assert board.menu.value == name and board.state_buttons.value == "Bet"
    assert words(board) == re.sub(r"\s+", " ", bet.question)
    assert page.below.children == (page._answers[name],)
    assert is_hidden(board) == (beat.before is None)
    if beat.before:
        assert beat.before.items() <= page.panel.values.items()

    board.forward()
    assert board.state_buttons.value == board.state == "Reveal"
    assert words(board).startswith(large) and beat.basis in words(board)
    assert page.below.children == () and not is_hidden(board)
    assert beat.after.items() <= page.panel.values.items()
    page.panel.wait(PATIENCE)
    assert page.panel.error is None

    board.forward()
    assert board.state_buttons.value == board.state == "Play"
    assert words(board).startswith(large) and words(board).endswith(beat.what_if)
    assert page.below.children == tuple(page.panel.controls.values())
    assert board.error is None


@pytest.mark.parametrize("name", BY_NAME)
def test_the_reply_is_to_the_chosen_answer(name, board):
    bet = board.bets[name]
    right = bet.answer_of(BY_NAME[name].measured(board.lecture))
    board.go(name, "Reveal")
    assert bet.because["close" if bet.is_number else right] in words(board)
    if bet.is_number:
        board.go(name)
        bet.control.value = value = bet.control.options[1][1]
        side = bet.side_of(value, BY_NAME[name].measured(board.lecture))
        replies = {side: read_from(typeset(f"You bet {bet.options.text(value)}: {side}."))}
    else:
        replies = {answer: f"You bet {bet.lettered(answer)}:" for answer in bet.options}
    for answer, said in replies.items():
        board.go(name)
        if not bet.is_number:
            page_of(board)._answers[name].value = answer
            assert bet.value == answer
        board.go(name, "Reveal")
        assert said in words(board) and bet.because[answer] in words(board)


def test_a_bet_on_a_number_stays_in_the_picture(board):
    board.bets["coats"].control.value = 0.9
    board.go("coats", "Reveal")
    assert page_of(board).panel.picture.ghost.marker.get_ydata() == [0.9]


def test_the_race_shows_the_bet_where_it_belongs(board):
    board.bets["drift"].control.value = 40.0
    board.go("drift", "Reveal")
    ghost = page_of(board).panel.picture.ghost.marker
    assert list(ghost.get_xdata()) == [40]
    board.go("slow", "Reveal")
    assert list(ghost.get_xdata()) == []


def test_the_third_bar_waits_for_its_bet(board):
    board.go("stored")
    (bars,) = page_of(board).panel.picture.bars
    assert bars.bars[2].get_height() == 0 and "stored" not in page_of(board).panel.caption.value
    board.go("stored", "Reveal")
    assert bars.bars[2].get_height() > 0 and "stored" in page_of(board).panel.caption.value


def test_the_control_is_taken_back(board):
    board.go("control", "Reveal")
    picture = page_of(board).panel.picture
    line = picture.curves.parts[1][0].line  # of "without"
    assert len(line.get_xdata()) == 3 and picture.notes[0].get_text()
    board.go("control")
    assert len(line.get_xdata()) == 0 and not picture.notes[0].get_text()


@pytest.mark.parametrize("tab", TABS)
def test_type_can_be_read_from_the_last_row(tab, board):
    figure = board.pages[tab].panel.picture.figure
    smallest = TYPE_SHARE * 72 * figure.get_figheight() - 1e-6
    texts = [text for text in figure.findobj(Text) if text.get_text().strip()]
    assert texts and [text.get_text() for text in texts if text.get_fontsize() < smallest] == []


# --- the way through a lecture -----------------------------------------------------------------


@pytest.mark.parametrize("plan", PLANS)
def test_one_button_gives_the_whole_lecture(plan, board):
    board.plan_buttons.value = plan
    board.go(PLANS[plan][0])
    seen = []
    for _ in range(3 * len(PLANS[plan])):
        seen.append((board.beat.name, board.state))
        said = board.next.description
        board.next.click()
        if said != "Start again":
            assert said in (board.state, f"Next: {board.beat.title}")
    assert seen == [(name, state) for name in PLANS[plan] for state in STATES]
    assert said == "Start again" and (board.beat.name, board.state) == (PLANS[plan][0], "Bet")


def test_back_undoes_each_step(small):
    assert small.back.disabled
    places = []
    for _ in range(5):
        places.append((small.beat.name, small.state))
        small.next.click()
    for place in reversed(places):
        assert not small.back.disabled
        small.back.click()
        assert (small.beat.name, small.state) == place
    assert small.back.disabled


def test_a_beat_outside_of_the_plan_is_an_excursion(small):
    small.go("naive", "Play")
    small.menu.value = "control"
    assert (small.beat.name, small.state) == ("control", "Bet")
    small.go("control", "Play")
    assert small.next.description == "Start again"  # "naive" was the plan's last
    small.back.click()
    small.back.click()
    small.back.click()
    assert (small.beat.name, small.state) == ("naive", "Play")


def test_an_excursion_comes_back_to_a_beat_that_nobody_has_seen(small):
    small.next.click()
    small.next.click()
    small.next.click()
    assert (small.beat.name, small.state) == ("naive", "Bet")
    small.menu.value = "control"
    small.go("control", "Play")
    assert small.next.description == f"Next: {BY_NAME['naive'].title}"


def test_a_tab_opens_its_first_beat_of_the_plan(small):
    small.tabs.selected_index = 0
    assert (small.beat.name, small.state) == ("naive", "Bet")


def test_a_state_can_be_chosen(small):
    small.state_buttons.value = "Play"
    assert (small.beat.name, small.next.description) == ("target", "Next: 64 against 512")


# --- tabs that are built when they are needed --------------------------------------------------


def test_only_the_first_tab_is_built_at_once(small):
    assert [page.is_built for page in small.pages.values()] == [False, True]


def test_before_a_tab_is_there_it_asks_and_says_so(small):
    small._workshop.close()
    small.go("naive")
    page = page_of(small)
    assert words(small) == small.bets["naive"].question and not page.is_built
    assert "is being prepared" in page.notice.value and page.bar in page.stage.children
    small.next.click()
    assert "nats" in words(small)
    small.prepare()
    assert page.panel.values == {"with_control": False} and not is_hidden(small)
    assert page.panel.image in page.stage.children


def test_the_tab_that_is_looked_at_is_built_first(lecture):
    built = []

    def tab(name):
        def build(lecture, bets):
            built.append(name)
            return TABS["target"][1](lecture, bets)

        return name, build

    beats = [replace(beat, before=None, after={}) for beat in BEATS]
    board = Board(lecture, beats, {name: tab(name) for name in TABS})
    board.close()
    board.go("rates")
    board.prepare()
    wanted = ["coats", "rates", "kick", "trap", "groups"]
    assert built[: len(wanted)] == wanted and sorted(built) == sorted(TABS)


def test_a_tab_that_cannot_be_built_says_so_and_the_others_are_there(lecture):
    def fail(lecture, bets):
        raise RuntimeError("no <room>")

    tabs = {"trap": TABS["trap"], "target": ("Target", fail)}
    board = Board(lecture, [beat for beat in BEATS if beat.tab in tabs][::-1], tabs,
                  {"short": ("control", "target")})
    board.prepare()
    board.go("target", "Play")
    assert "no &lt;room&gt;" in page_of(board).notice.value
    assert isinstance(board.error, RuntimeError) and page_of(board).below.children == ()
    board.close()


def test_a_first_tab_that_fails_is_raised(lecture):
    def fail(lecture, bets):
        raise RuntimeError("no room")

    with pytest.raises(RuntimeError, match="no room"):
        Board(lecture, BEATS[:1], {"coats": ("Coats", fail)}, {"short": ("coats",)})


def test_the_thread_builds_the_rest_and_ends(small, monkeypatch):
    monkeypatch.setattr(lecture_demos, "SECONDS_TO_SETTLE", 0)
    small._repr_mimebundle_()
    small._workshop.wait(PATIENCE)
    assert all(page.is_built for page in small.pages.values())


# --- the stored form ---------------------------------------------------------------------------


def test_the_stored_form_is_a_view_a_picture_and_a_sentence(small):
    bundle = small._repr_mimebundle_()
    assert set(bundle) == {
        "application/vnd.jupyter.widget-view+json", "image/png", "text/plain"
    }
    (view,) = (value for key, value in bundle.items() if "widget" in key)
    assert view["model_id"] == small.view.model_id
    assert bundle["text/plain"].startswith("The instructor's board:")


def test_the_whole_lecture_of_the_board_is_in_the_notebook():
    (table,) = (
        cell.source for cell in read(FOLDER / "00_lecture_demos.ipynb").cells if cell.id == "beats"
    )
    rows = re.findall(r"^\| (.*?) \| (.*?) \| (.*?) \| (.*?) \|", table, re.MULTILINE)[1:]
    assert rows == [
        (
            beat.title, TABS[beat.tab][0], beat.ask().question,
            ", ".join(plan.removesuffix(" min") for plan, names in PLANS.items()
                      if beat.name in names and plan != "all") or "–",
        )
        for beat in BEATS
    ]
