"""The instructor's board: one demo in front, each beat in up to three states, one button for all.

    Bet     the question, the answers and a field for the hands; the result is hidden
    Reveal  the number with its interval, the reply to the chosen answer, the picture
    Play    the controls, for whoever asks "what if?", and what the picture says in words

The button at the top right always does the next thing, and so do Space, Enter, Page Down and the
right arrow wherever the focus is: a clicker alone gives the lecture. Only the tab in front is built
at once. One thread builds the others behind it, the wanted one first. Where the lecture stands is
in the page's address (`address`), so a page that is loaded again goes on there, with its bets.
"""

import html
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Timer
from urllib.parse import parse_qsl, urlencode

import ipywidgets
from ipywidgets import HTML, HBox, Layout, VBox
from traitlets import TraitError, link

from helpers.lecture.beats import BEATS, PLANS
from helpers.lecture.experiments import load_lecture
from helpers.lecture.pictures import make_readable
from helpers.lecture.tabs import SKETCHES, TABS, Words
from helpers.page.accessibility import spoken_names
from helpers.page.alive import Alive
from helpers.page.panel import paragraph, typeset
from helpers.page.picture import one_at_a_time
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
    "The instructor's board: the demos of the course, one after the other. Each beat of the "
    "lecture first shows a question and hides the result, then reveals picture, number and reply, "
    "then gives the controls to the room; one button does the next thing. Of the first demo: "
)


def lecture_board():
    """Return the Board with the stored Lecture, where the page's address says.

    Voila hands the address to the kernel; in JupyterLab the lecture starts at its beginning.
    """
    return Board(load_lecture(), address=os.environ.get("QUERY_STRING", ""))


class Board(Alive):
    """All demos, one of them in front; `beat` and `state` say what is shown.

    plan: {name of a beat: minutes}, the one of PLANS that is chosen, which `next` and `back`
    follow. Any beat can be chosen at any time; the plan goes on from there, or from where it was
    left if the beat is not in it (that is with a beat whose result nobody has seen yet, else with
    the one behind it).
    """

    def __init__(self, lecture, beats=BEATS, tabs=TABS, plans=PLANS, address=""):
        self.lecture, self.plans = lecture, plans
        self.beats = {beat.name: beat for beat in beats}
        self.bets = {beat.name: beat.ask() for beat in beats if beat.ask}
        self.hands = {name: self._count_hands(bet) for name, bet in self.bets.items()}
        self.beat, self.state = beats[0], beats[0].states[0]
        self.sketches = {}
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

    def sketch(self, name):
        """Return what stands for a hidden demo, one of SKETCHES, as a widget; None for None."""
        if name is not None and name not in self.sketches:
            picture = SKETCHES[name](self.lecture)
            if name != "network":  # that one is drawn for all the width
                make_readable(picture)
            picture.enlarge(ENLARGE)
            image = ipywidgets.Image(value=picture.png())
            self.sketches[name] = image.add_class("demo-picture")
        return self.sketches.get(name)

    # -- the page's address --

    @property
    def address(self):
        """Where the lecture stands, as the query of an address; of each bet its place."""
        bets = {name: bet.control.index for name, bet in self.bets.items() if bet.value is not None}
        where = {"plan": self.plan_buttons.value, "beat": self.beat.name, "state": self.state}
        hands = {name: "-".join(str(one.value) for one in of) for name, of in self.hands.items()}
        counted = {f"hands-{name}": one for name, one in hands.items() if one.strip("0-")}
        return urlencode({**where, **bets, **counted})

    def _return_to(self, address):
        """Go where an `address` says; what it says wrong, as an old one may, is passed over."""
        said = dict(parse_qsl(address))
        for name in said.keys() & self.bets.keys():
            try:
                self.bets[name].control.index = int(said[name])
            except (TraitError, ValueError, IndexError):
                pass
        for name, fields in self.hands.items():
            for field, count in zip(fields, said.get(f"hands-{name}", "").split("-")):
                # The field cuts off what is above its end; Python does not read 5000 digits.
                field.value = int(count[:9]) if count.isdecimal() else 0
        if said.get("plan") in self.plans:
            self.plan_buttons.value = said["plan"]
        name, state = said.get("beat"), said.get("state")
        if name in self.beats:
            self.go(name, state)

    def _tell_page(self, _change=None):
        """Say in a hidden place where the lecture stands, and what the page asked last."""
        echo, address = html.escape(self.pulse.value), html.escape(self.address)
        self.place.value = f'<i data-echo="{echo}" data-address="{address}"></i>'

    # -- moving through the lecture --

    @one_at_a_time
    def go(self, name, state=None):
        """Show the beat `name` in one of its states; in its first one if it lacks `state`."""
        self.beat = beat = self.beats[name]
        self.state = state if state in beat.states else beat.states[0]
        if name in self.plan:
            self._place = list(self.plan).index(name) + (self.state != "Bet")
        self.show()

    def forward(self):
        """Do the next thing: reveal, play, next beat; after the last one start again."""
        self.go(*(self._step(+1) or (next(iter(self.plan)), None)))

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
        steps = [(name, state) for name in names for state in self.beats[name].states]
        place = steps.index((self.beat.name, self.state)) + distance
        return steps[place] if 0 <= place < len(steps) else None

    def reply(self, beat):
        """Return what the bet on a beat is answered, as HTML, and how many hands there were."""
        if beat.ask is None:
            return _html("reply", beat.tells)
        bet, measured = self.bets[beat.name], beat.measured(self.lecture)
        if bet.value is not None:
            if beat.name not in self.comparisons:  # it follows its bet from now on
                self.comparisons[beat.name] = bet.compare(measured)
            reply = f'<div class="lecture-reply">{self.comparisons[beat.name].text.value}</div>'
        elif bet.is_number:
            reply = _html("reply", bet.because["close"])
        else:
            right = bet.answer_of(measured)
            reply = _html("reply", f"It is {bet.lettered(right)}. {bet.because[right]}")
        hands = self.hands[beat.name]
        if any(one.value for one in hands):
            counts = " · ".join(f"{one.description} {one.value}" for one in hands)
            reply += _html("counts", f"Hands: {counts}")
        return reply

    # -- what is on the screen --

    def _build_view(self):
        self.plan_buttons = _buttons("plan", list(self.plans), "plan of the lecture")
        titles = [(beat.title, name) for name, beat in self.beats.items()]
        self.menu = ipywidgets.Dropdown(options=titles, description="beat")
        self.back = ipywidgets.Button(description="Back").add_class("lecture-back")
        self.state_buttons = _buttons("states", STATES, "state")
        self.next = ipywidgets.Button(button_style="primary").add_class("lecture-next")
        self.tabs = ipywidgets.Tab(
            [page.view for page in self.pages.values()], titles=list(self.pages)
        )
        self.plan_buttons.observe(self._on_plan, "value")
        self.menu.add_class("lecture-menu").observe(self._on_menu, "value")
        self.back.on_click(lambda _button: self.backward())
        self.state_buttons.observe(self._on_state, "value")
        self.next.on_click(lambda _button: self.forward())
        row = HBox([self.plan_buttons, self.menu, self.back, self.state_buttons, self.next])
        lost = HTML(paragraph(LOST)).add_class("lecture-notice-lost")
        self.place = HTML().add_class("lecture-place")
        self.pulse = ipywidgets.Text("0").add_class("lecture-pulse")
        self.pulse.observe(self._tell_page, "value")
        style, script = (one.read_text(encoding="utf-8") for one in (STYLE, SCRIPT))
        self.view = VBox([
            row.add_class("lecture-row"), lost, self.tabs, spoken_names(), self.place, self.pulse,
            HTML(f"<style>{style}</style>"),
            # Last of all, when what it looks for is there.
            HTML(f'<style onload="{html.escape(script)}"></style>'),
        ]).add_class("lecture-board")

    def _count_hands(self, bet):
        """Return a field for each answer's hands; a number is called out, not counted."""
        letters = () if bet.is_number else LETTERS[: len(bet.options)]
        fields = [ipywidgets.BoundedIntText(max=9999, description=one) for one in letters]
        for field in fields:
            field.observe(self._tell_page, "value")
        return fields

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
        is_there = self.beat.name in self.plan
        self.go(self.beat.name if is_there else next(iter(self.plan)), self.state)

    def _on_menu(self, change):
        if change["new"] != self.beat.name:
            self.go(change["new"])

    def _on_state(self, change):
        if change["new"] != self.state:
            self.go(self.beat.name, change["new"])

    def show(self):
        """Let all controls, and the page in front, say where the lecture stands."""
        self.menu.value, self.state_buttons.value = self.beat.name, self.state
        name, state = self._step(+1) or (None, "Start again")
        is_next = name not in (None, self.beat.name)
        self.next.description = f"Next: {self.beats[name].title}" if is_next else state
        self.back.disabled = self._step(-1) is None
        self.pages[self.beat.tab].show(self.beat, self.state)
        # Last: nobody sees a result before it is hidden.
        self.tabs.selected_index = list(self.pages).index(self.beat.tab)
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
            page.error = error  # for whoever wants the traceback
            page.notice.value = paragraph(f"This demo could not be prepared: {error}")
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
        self.words = HTML().add_class("lecture-words")
        self.below = VBox().add_class("lecture-below")
        self.notice = HTML(paragraph("This demo is being prepared.")).add_class("lecture-notice")
        self.bar = ipywidgets.IntProgress(max=1).add_class("lecture-bar")
        self.stage = VBox([self.notice, self.bar]).add_class("lecture-stage")
        self.sketch = VBox().add_class("lecture-sketch")  # where the stage is, while that is hidden
        side = VBox([self.words, self.below]).add_class("lecture-side")
        self.view = HBox([side, self.stage, self.sketch]).add_class("lecture-page")

    @property
    def is_built(self):
        return self.panel is not None or self.error is not None

    def build(self):
        """Make the demo, as it is drawn for a projector, and show it if it is this tab's turn."""
        with bars_in(self.bar):
            panel = self._make(self.board.lecture, self.board.bets)
        for control in panel.controls.values():
            control.layout = Layout()  # the board's own widths
        stage = panel.view.children
        if not isinstance(panel, Words):
            make_readable(panel.picture)
            panel.enlarge(ENLARGE)
            stage = [one for one in stage[bool(panel.controls) :] if one is not panel.caption]
        for beat in self.board.beats.values():
            if self.board.pages[beat.tab] is self:
                self.board.sketch(beat.sketch)  # takes half a second, too
        self._open(panel, stage)

    @one_at_a_time
    def _open(self, panel, stage):
        self.panel, self._at_first = panel, panel.values
        self.board.show()  # before it is seen
        self.stage.children = stage

    def show(self, beat, state):
        """Show a beat in one of its states; nothing changes its place."""
        values = beat.before if state == "Bet" else beat.after
        (self.stage.add_class if values is None else self.stage.remove_class)("lecture-hidden")
        if self.panel is not None:
            # Once for each beat and state: a control that was moved stays where it is.
            if values is not None and self._shown != (beat.name, values):
                self.panel.set_values(**{**self._at_first, **values})
            self._shown = (beat.name, values)
        below = []
        if state == "Bet":
            self.words.value = _html("question", self.board.bets[beat.name].question)
            below, hands = [self.board.answers[beat.name]], self.board.hands[beat.name]
            if hands:
                fields = HBox([ipywidgets.Label("hands"), *hands])
                below.append(fields.add_class("lecture-hands"))
        elif state == "Reveal":
            large, *small = beat.number(self.board.lecture)
            lines = [_html("number", large), *(_html("small", line) for line in small)]
            lines += [_html("basis", beat.basis)] * bool(beat.basis)
            lines.append(self.board.reply(beat))
            self.words.value = "".join(lines)
        else:
            self.words.value = _html("what-if", beat.what_if)
            if self.panel is not None:
                below = [*self.panel.controls.values(), getattr(self.panel, "caption", HTML())]
        self.below.children = below
        sketch = self.board.sketch(beat.sketch) if state == "Bet" else None
        self.sketch.children = [sketch] if sketch else []
        is_wide = getattr(self.panel, "wide", False) or (sketch and beat.sketch == "network")
        (self.view.add_class if is_wide else self.view.remove_class)("lecture-wide")


def _buttons(name, options, description, **value):
    buttons = ipywidgets.ToggleButtons(options=options, description=description, **value)
    return buttons.add_class(f"lecture-{name}")


def _html(name, text):
    return f'<div class="lecture-{name}">{typeset(text)}</div>'
