"""The instructor's board: all demos on tabs, each beat in three states, and one button for all.

    Bet     the question and the answers; the result is hidden, its place is kept
    Reveal  the number with its interval, the reply to the chosen answer, the picture
    Play    the controls, for whoever asks "what if?"

The button at the top right always does the next thing, and so do Space, Enter, Page Down and the
right arrow wherever the focus is: a clicker alone gives the lecture. Only the tab in front is built
at once. One thread builds the others behind it, the wanted one first. Where the lecture stands is
in the page's address (`address`), so a page that is loaded again goes on there, with its bets.
"""

import html
import os
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from threading import Timer
from urllib.parse import parse_qsl, urlencode

from ipywidgets import (
    HTML,
    Button,
    Dropdown,
    HBox,
    Image,
    IntProgress,
    Layout,
    Tab,
    Text,
    ToggleButtons,
    VBox,
)
from traitlets import TraitError, link

from helpers.lecture.beats import BEATS, PLANS
from helpers.lecture.experiments import load_lecture
from helpers.lecture.pictures import make_readable
from helpers.lecture.tabs import TABS
from helpers.page.accessibility import spoken_names
from helpers.page.alive import Alive
from helpers.page.drawing import draw_network
from helpers.page.panel import paragraph, typeset
from helpers.page.picture import ONE_AT_A_TIME
from helpers.page.prediction import LETTERS
from helpers.page.progress import bars_in

STATES = ("Bet", "Reveal", "Play")
ENLARGE = 4 / 3  # a picture of 936 pixels fills two thirds of a screen of 1920
SECONDS_TO_SETTLE = 3  # the front end first gets the board itself
STYLE, SCRIPT = (Path(__file__).with_name(f"board.{kind}") for kind in ("css", "js"))
LOST = (
    "Python has stopped answering. Load this page again (F5): the lecture goes on here, with its "
    "bets. In JupyterLab, run the cell again."
)
ABOUT = (
    "The instructor's board: tabs with the demos of the course. Each beat of the lecture first "
    "shows a question and hides the result, then reveals picture, number and reply, then gives the "
    "controls to the room; one button does the next thing. Of the first tab: "
)


def lecture_board():
    """Return the Board with the stored Lecture, where the page's address says.

    Voila hands the address to the kernel; in JupyterLab the lecture starts at its beginning.
    """
    return Board(load_lecture(), address=os.environ.get("QUERY_STRING", ""))


class Board(Alive):
    """All demos on tabs; `beat` and `state` say what is shown.

    plan: the name of one of PLANS, which `next` and `back` follow. Any tab or beat can be chosen
    at any time; the plan goes on from there, or from where it was left if the beat is not in it
    (that is with a beat whose result nobody has seen yet, else with the one behind it).
    """

    def __init__(self, lecture, beats=BEATS, tabs=TABS, plans=PLANS, address=""):
        self.lecture, self.plans = lecture, plans
        self.beats = {beat.name: beat for beat in beats}
        self.bets = {beat.name: beat.ask() for beat in beats}
        self.beat, self.state = beats[0], "Bet"
        self._place = 0  # in the plan, of what comes next
        self.pages = {tab: Page(self, make) for tab, make in tabs.items()}
        self._build_view()
        self.answers = {name: self._answers_to(bet) for name, bet in self.bets.items()}
        self.comparisons = {}  # those of the bets that were revealed
        self.workshop = ThreadPoolExecutor(1)
        self._return_to(address)
        self.pages[self.beat.tab].build()
        for bet in self.bets.values():
            bet.observe(self._tell_page)

    @property
    def plan(self):
        return self.plans[self.plan_buttons.value]

    @cached_property
    def drawing(self):
        """The network and what is seen in it: a picture and a sentence."""
        picture = draw_network()
        picture.enlarge(ENLARGE)
        drawing = Image(value=picture.png()), HTML(paragraph(picture.sentence))
        for one, name in zip(drawing, ("demo-picture", "demo-sentence")):
            one.add_class(name)
        return drawing

    # -- the page's address --

    @property
    def address(self):
        """Where the lecture stands, as the query of an address; of each bet its place."""
        bets = {name: bet.control.index for name, bet in self.bets.items() if bet.value is not None}
        where = {"plan": self.plan_buttons.value, "beat": self.beat.name, "state": self.state}
        return urlencode({**where, **bets})

    def _return_to(self, address):
        """Go where an `address` says; what it says wrong, as an old one may, is passed over."""
        said = dict(parse_qsl(address))
        for name in self.bets.keys() & said.keys():
            try:
                self.bets[name].control.index = int(said[name])
            except (TraitError, ValueError, IndexError):
                pass
        if said.get("plan") in self.plans:
            self.plan_buttons.value = said["plan"]
        name, state = said.get("beat"), said.get("state")
        if name in self.beats:
            self.go(name, state if state in STATES else "Bet")

    def _tell_page(self, _change=None):
        """Say in a hidden place where the lecture stands, and what the page asked last."""
        echo, address = html.escape(self.pulse.value), html.escape(self.address)
        self.place.value = f'<i data-echo="{echo}" data-address="{address}"></i>'

    # -- moving through the lecture --

    def go(self, name, state="Bet"):
        """Show the beat `name` in one of STATES."""
        with ONE_AT_A_TIME:
            self.beat, self.state = self.beats[name], state
            if name in self.plan:
                self._place = self.plan.index(name) + (state != "Bet")
            self.show()

    def forward(self):
        """Do the next thing: reveal, play, next beat; after the last one start again."""
        self.go(*(self._step(+1) or (self.plan[0], "Bet")))

    def backward(self):
        """Undo the last thing; before the first beat there is nothing."""
        self.go(*(self._step(-1) or (self.beat.name, self.state)))

    def _step(self, distance):
        """Return the beat's name and the state so many steps away, None beyond the ends.

        A beat outside of the plan comes before one that nobody has seen yet, else behind it.
        """
        names = list(self.plan)
        if self.beat.name not in names:
            names.insert(self._place, self.beat.name)
        steps = [(name, state) for name in names for state in STATES]
        place = steps.index((self.beat.name, self.state)) + distance
        return steps[place] if 0 <= place < len(steps) else None

    def reply(self, beat):
        """Return what the bet on a beat is answered, as HTML."""
        bet, measured = self.bets[beat.name], beat.measured(self.lecture)
        if bet.value is not None:
            if beat.name not in self.comparisons:  # it follows its bet from now on
                self.comparisons[beat.name] = bet.compare(measured)
            return f'<div class="lecture-reply">{self.comparisons[beat.name].text.value}</div>'
        if bet.is_number:
            return _html("reply", bet.because["close"])
        right = bet.answer_of(measured)
        return _html("reply", f"It is {bet.lettered(right)}. {bet.because[right]}")

    # -- what is on the screen --

    def _build_view(self):
        self.plan_buttons = _buttons("plan", list(self.plans), "plan of the lecture")
        titles = [(beat.title, name) for name, beat in self.beats.items()]
        self.menu = _of_class("menu", Dropdown(options=titles, description="beat"))
        self.back = _of_class("back", Button(description="Back"))
        self.state_buttons = _buttons("states", STATES, "state")
        self.next = _of_class("next", Button(description="Reveal", button_style="primary"))
        self.tabs = Tab([page.view for page in self.pages.values()], titles=list(self.pages))
        self.plan_buttons.observe(self._on_plan, "value")
        self.menu.observe(self._on_menu, "value")
        self.back.on_click(lambda _button: self.backward())
        self.state_buttons.observe(self._on_state, "value")
        self.next.on_click(lambda _button: self.forward())
        row = [self.plan_buttons, self.menu, self.back, self.state_buttons, self.next]
        self.place, self.pulse = _of_class("place", HTML()), _of_class("pulse", Text("0"))
        self.pulse.observe(self._tell_page, "value")
        style, script = (one.read_text(encoding="utf-8") for one in (STYLE, SCRIPT))
        hidden = [self.place, self.pulse, HTML(f"<style>{style}</style>")]
        # Last of all, when what it looks for is there.
        hidden.append(HTML(f'<style onload="{html.escape(script)}"></style>'))
        rows = [_of_class("row", HBox(row)), _of_class("notice-lost", HTML(paragraph(LOST)))]
        self.view = _of_class("board", VBox([*rows, self.tabs, spoken_names(), *hidden]))

    def _answers_to(self, bet):
        """Return the bet's slider, or a button for each answer that sets the bet."""
        if bet.is_number:
            bet.control.layout = Layout()
            return bet.control
        lettered = [(f"{letter}  {one}", one) for letter, one in zip(LETTERS, bet.options)]
        answers = _buttons("answers", lettered, "answers", value=None)
        link((answers, "value"), (bet.control, "value"))
        # Back to the button that reveals: the space bar goes on.
        answers.observe(lambda _change: self.next.focus(), "value")
        return answers

    # `show` sets these controls, too: then they say what is shown already.

    def _on_plan(self, _change):
        self.go(self.beat.name if self.beat.name in self.plan else self.plan[0], self.state)

    def _on_menu(self, change):
        if change["new"] != self.beat.name:
            self.go(change["new"])

    def _on_state(self, change):
        if change["new"] != self.state:
            self.go(self.beat.name, change["new"])

    def show(self):
        """Let all controls, and the page in front, say where the lecture stands."""
        self.menu.value, self.state_buttons.value = self.beat.name, self.state
        self.tabs.selected_index = list(self.pages).index(self.beat.tab)
        name, state = self._step(+1) or (None, "Start again")
        self.next.description = f"Next: {self.beats[name].title}" if state == "Bet" else state
        self.back.disabled = self._step(-1) is None
        self.pages[self.beat.tab].show(self.beat, self.state)
        self._tell_page()

    # -- building tabs --

    def build_next(self):
        """Build the tab that is wanted most; return whether there was one."""
        wanted = [self.beat.tab, *(self.beats[name].tab for name in self.plan), *self.pages]
        page = next((self.pages[tab] for tab in wanted if not self.pages[tab].is_built), None)
        if page is None:
            return False
        try:
            page.build()
        except Exception as error:
            page.fail(error)
        return True

    def build_all(self):
        """Build the tabs that are missing; once Python ends, none after the one under way."""
        if self.build_next():
            self.workshop.submit(self.build_all)

    def _ipython_display_(self):
        settled = Timer(SECONDS_TO_SETTLE, self.workshop.submit, [self.build_all])
        settled.daemon = True
        settled.start()
        super()._ipython_display_()

    def _repr_mimebundle_(self, include=None, exclude=None):
        first = self.pages[self.beat.tab].panel._repr_mimebundle_()
        return {**first, "text/plain": ABOUT + first["text/plain"]}


class Page:
    """One tab: words and answers or controls at the left, the picture at the right.

    make: as in TABS. panel: the demo, None before it is built.
    """

    def __init__(self, board, make):
        self.board, self._make = board, make
        self.panel, self.error, self._shown = None, None, None
        self.words = _of_class("words", HTML())
        self.below = _of_class("below", VBox())
        self.notice = _of_class("notice", HTML(paragraph("This demo is being prepared.")))
        self.bar = _of_class("bar", IntProgress(max=1))
        self.stage = _of_class("stage", VBox([self.notice, self.bar]))
        self.sketch = _of_class("sketch", VBox())  # where the stage is, while that is hidden
        side = _of_class("side", VBox([self.words, self.below]))
        self.view = _of_class("page", HBox([side, self.stage, self.sketch]))

    @property
    def is_built(self):
        return self.panel is not None or self.error is not None

    def build(self):
        """Make the demo, as it is drawn for a projector, and show it if it is this tab's turn."""
        with bars_in(self.bar):
            panel = self._make(self.board.lecture, self.board.bets)
        make_readable(panel.picture)
        panel.enlarge(ENLARGE)
        for control in panel.controls.values():
            control.layout = Layout()  # the board's own widths
        with ONE_AT_A_TIME:
            self.panel, self._at_first = panel, panel.values
            self.stage.children = panel.view.children[1 if panel.controls else 0 :]
            self.board.show()

    def fail(self, error):
        """Say that the demo could not be built; `error` is kept for whoever wants the traceback."""
        self.error = error
        self.notice.value = paragraph(f"This demo could not be prepared: {error}")

    def show(self, beat, state):
        """Show a beat in one of STATES; nothing changes its place."""
        if state == "Bet":
            self.words.value = _html("question", self.board.bets[beat.name].question)
            self.below.children = [self.board.answers[beat.name]]
        elif state == "Reveal":
            self.words.value = self._number(beat) + self.board.reply(beat)
            self.below.children = []
        else:
            # The controls need the room of the smaller lines.
            self.words.value = self._number(beat, n_lines=2) + _html("what-if", beat.what_if)
            self.below.children = list(self.panel.controls.values()) if self.panel else []
        is_drawn = beat.draws and state == "Bet"
        self.sketch.children = self.board.drawing if is_drawn else ()
        if self.panel is not None:
            self._set_stage(beat.name, beat.before if state == "Bet" else beat.after)

    def _set_stage(self, name, values):
        """Set the controls once for each beat and state; None hides the picture."""
        if values is not None and self._shown != (name, values):
            self.panel.set_values(**{**self._at_first, **values})
        self._shown = (name, values)
        hide = self.stage.add_class if values is None else self.stage.remove_class
        hide("lecture-hidden")

    def _number(self, beat, n_lines=None):
        large, *small = beat.number(self.board.lecture)
        lines = [_html("number", large), *(_html("small", line) for line in small)]
        return "".join([*lines, _html("basis", beat.basis)][:n_lines])


def _buttons(name, options, description, **value):
    return _of_class(name, ToggleButtons(options=options, description=description, **value))


def _of_class(name, widget):
    widget.add_class(f"lecture-{name}")
    return widget


def _html(name, text):
    return f'<div class="lecture-{name}">{typeset(text)}</div>'
