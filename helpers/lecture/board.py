"""The instructor's board: all demos on tabs, each beat in three states, and one button for all.

    Bet     the question and the answers; the result is hidden, its place is kept
    Reveal  the number with its interval, the reply to the chosen answer, the picture
    Play    the controls, for whoever asks "what if?"

The button at the top right always does the next thing, so the space bar alone gives the lecture.
Only the first tab is built at once. One thread builds the others behind it, the wanted one first.
"""


import ipywidgets
from ipywidgets import Layout

from helpers.lecture.beats import BEATS, PLANS, TABS
from helpers.lecture.experiments import load_lecture
from helpers.lecture.pictures import make_readable
from helpers.page.accessibility import spoken_names
from helpers.page.panel import paragraph, typeset
from helpers.page.picture import ONE_AT_A_TIME
from helpers.page.prediction import LETTERS
from helpers.page.progress import bars_in, widget_view
from helpers.page.workshop import Workshop

STATES = ("Bet", "Reveal", "Play")
ENLARGE = 4 / 3  # a picture of 936 pixels fills two thirds of a screen of 1920
SECONDS_TO_SETTLE = 3  # the front end first gets the board itself
ABOUT = (
    "The instructor's board: tabs with the demos of the course. Each beat of the lecture first "
    "shows a question and hides the result, then reveals picture, number and reply, then gives the "
    "controls to the room; one button does the next thing. Of the first tab: "
)


def lecture_board():
    """Return the Board with the stored Lecture."""
    return Board(load_lecture())


class Board:
    """All demos on tabs; `beat` and `state` say what is shown.

    plan: the name of one of PLANS, which `next` and `back` follow. Any tab or beat can be chosen
    at any time; the plan goes on from there, or from where it was left if the beat is not in it
    (that is with a beat whose result nobody has seen yet, else with the one behind it).
    """

    def __init__(self, lecture, beats=BEATS, tabs=TABS, plans=PLANS):
        self.lecture, self.plans = lecture, plans
        self.beats = {beat.name: beat for beat in beats}
        self.bets = {beat.name: beat.ask() for beat in beats}
        self.beat, self.state = beats[0], "Bet"
        self._place, self._was_revealed = 0, False  # in the plan; what comes next depends on it
        self.error = None
        self._is_moving = False
        self._build_controls()
        self.pages = {
            name: Page(title, [beat for beat in beats if beat.tab == name], self)
            for name, (title, _) in tabs.items()
        }
        self._tabs = tabs
        self._build_view()
        self._workshop = Workshop(self._build_next)
        self._prepare(self.beat.tab)
        if self.error is not None:
            raise self.error
        self._show()

    @property
    def plan(self):
        return self.plans[self.plan_buttons.value]

    # -- moving through the lecture --

    def go(self, name, state="Bet"):
        """Show the beat `name` in one of STATES."""
        with ONE_AT_A_TIME:
            self.beat, self.state = self.beats[name], state
            if name in self.plan:
                self._place, self._was_revealed = self.plan.index(name), state != "Bet"
            self._show()
        self._workshop.open()

    def forward(self):
        """Do the next thing: reveal, play, next beat; after the last one start again."""
        if self.state != "Play":
            self.go(self.beat.name, STATES[STATES.index(self.state) + 1])
        else:
            self.go(self._following() or self.plan[0])

    def backward(self):
        """Undo the last thing; before the first beat there is nothing."""
        if self.state != "Bet":
            self.go(self.beat.name, STATES[STATES.index(self.state) - 1])
        elif self.beat.name not in self.plan:
            self.go(self.plan[self._place], "Play")
        elif self._place:
            self.go(self.plan[self._place - 1], "Play")

    def _following(self):
        """Return the plan's next beat, None after the last."""
        place = self._place + self._was_revealed
        return self.plan[place] if place < len(self.plan) else None

    # -- what is on the screen --

    def _build_controls(self):
        self.plan_buttons = ipywidgets.ToggleButtons(
            options=list(self.plans), description="plan of the lecture",
        )
        self.menu = ipywidgets.Dropdown(
            options=[(beat.title, name) for name, beat in self.beats.items()], description="beat",
        )
        self.back = ipywidgets.Button(description="Back")
        self.state_buttons = ipywidgets.ToggleButtons(options=STATES, description="state")
        self.next = ipywidgets.Button(description="Reveal", button_style="primary")
        for widget, name in (
            (self.plan_buttons, "plan"), (self.menu, "menu"), (self.back, "back"),
            (self.state_buttons, "states"), (self.next, "next"),
        ):
            widget.add_class(f"lecture-{name}")
        self.next.on_click(lambda _: self.forward())
        self.back.on_click(lambda _: self.backward())
        self._when_set(self.plan_buttons, self._on_plan)
        self._when_set(self.menu, lambda name: self.go(name))
        self._when_set(self.state_buttons, lambda state: self.go(self.beat.name, state))

    def _build_view(self):
        self.tabs = ipywidgets.Tab(
            [page.view for page in self.pages.values()],
            titles=[page.title for page in self.pages.values()],
        )
        self._when_set(self.tabs, self._on_tab, "selected_index")
        row = ipywidgets.HBox(
            [self.plan_buttons, self.menu, self.back, self.state_buttons, self.next]
        )
        row.add_class("lecture-row")
        self.view = ipywidgets.VBox([ipywidgets.HTML(STYLE), row, self.tabs, spoken_names()])
        self.view.add_class("lecture-board")

    def _when_set(self, control, handler, trait="value"):
        """Call `handler(value)` when the reader, not the board, sets the control."""

        def on_change(change):
            if not self._is_moving:
                handler(change["new"])

        control.observe(on_change, names=trait)

    def _on_plan(self, _name):
        name = self.beat.name
        self.go(name if name in self.plan else self.plan[0], self.state)

    def _on_tab(self, place):
        page = list(self.pages.values())[place]
        names = [beat.name for beat in page.beats]
        self.go(next((name for name in names if name in self.plan), names[0]))

    def _show(self):
        self._is_moving = True
        try:
            self.menu.value, self.state_buttons.value = self.beat.name, self.state
            self.tabs.selected_index = list(self.pages).index(self.beat.tab)
            self.next.description = self._next_thing()
            self.back.disabled = self.state == "Bet" and self.beat.name == self.plan[0]
            self.pages[self.beat.tab].show(self.beat, self.state)
        finally:
            self._is_moving = False

    def _next_thing(self):
        if self.state != "Play":
            return STATES[STATES.index(self.state) + 1]
        following = self._following()
        return f"Next: {self.beats[following].title}" if following else "Start again"

    # -- building tabs --

    def prepare(self):
        """Build all tabs now, in this thread."""
        while self._build_next():
            pass

    def close(self):
        """Stop building; returns when nothing is half-way."""
        self._workshop.close()

    def _build_next(self):
        """Build the tab that is wanted most; return whether there was one."""
        wanted = [self.beat.tab, *(self.beats[name].tab for name in self.plan), *self.pages]
        name = next((one for one in wanted if not self.pages[one].is_built), None)
        if name is None:
            return False
        self._prepare(name)
        return True

    def _prepare(self, name):
        page, (_, build) = self.pages[name], self._tabs[name]
        try:
            with bars_in(page.bar):
                panel = build(self.lecture, self.bets)
            make_readable(panel.picture)
            panel.enlarge(ENLARGE)
        except Exception as error:
            self.error = error
            page.fail(error)
            return
        with ONE_AT_A_TIME:
            page.put(panel)
            if name == self.beat.tab:
                self._show()

    def _repr_mimebundle_(self, include=None, exclude=None):
        self._workshop.open(SECONDS_TO_SETTLE)
        first = self.pages[next(iter(self.beats.values())).tab].panel._repr_mimebundle_()
        return {**first, **widget_view(self.view), "text/plain": ABOUT + first["text/plain"]}


class Page:
    """One tab: words and answers or controls at the left, the picture at the right.

    panel: its demo, None before it is built. beats: those that are played here.
    """

    def __init__(self, title, beats, board):
        self.title, self.beats, self.board = title, beats, board
        self.panel, self._shown = None, None
        self._answers = {beat.name: self._answers_to(board.bets[beat.name]) for beat in beats}
        self.words = ipywidgets.HTML()
        self.below = ipywidgets.VBox()
        self.bar = ipywidgets.IntProgress(max=1)
        self.notice = ipywidgets.HTML(paragraph("This demo is being prepared."))
        side = ipywidgets.VBox([self.words, self.below])
        self.stage = ipywidgets.VBox([self.notice, self.bar])
        self.view = ipywidgets.HBox([side, self.stage])
        for widget, name in (
            (self.words, "words"), (self.below, "below"), (side, "side"), (self.stage, "stage"),
            (self.view, "page"), (self.bar, "bar"), (self.notice, "notice"),
        ):
            widget.add_class(f"lecture-{name}")

    @property
    def is_built(self):
        return self.panel is not None or self.bar is None

    def put(self, panel):
        """Take in the finished demo."""
        for control in panel.controls.values():
            control.layout = Layout()  # the board's own widths
        self.panel, self.bar = panel, None
        self._controls = list(panel.controls.values())
        self.stage.children = panel.view.children[1:] if self._controls else panel.view.children

    def fail(self, error):
        """Say that the demo could not be built."""
        self.bar = None
        self.notice.value = paragraph(f"This demo could not be prepared: {error}")

    def show(self, beat, state):
        """Show a beat in one of STATES; nothing changes its place."""
        bet = self.board.bets[beat.name]
        if state == "Bet":
            self.words.value = _of_class("question", bet.question)
            self.below.children = [self._answers[beat.name]]
        elif state == "Reveal":
            self.words.value = self._number(beat) + self._reply(beat, bet)
            self.below.children = []
        else:
            # The controls need the room of the smaller lines.
            self.words.value = self._number(beat, n_lines=1) + _of_class("what-if", beat.what_if)
            self.below.children = self._controls if self.panel is not None else []
        self._set_stage(beat, state)

    def _set_stage(self, beat, state):
        if self.panel is None:
            return
        values = beat.before if state == "Bet" else beat.after
        if values and self._shown != (beat.name, values):
            self.panel.set_values(**values)
        self._shown = (beat.name, values)
        hide = self.stage.add_class if values is None else self.stage.remove_class
        hide("lecture-hidden")

    def _number(self, beat, n_lines=None):
        large, *small = beat.number(self.board.lecture)
        lines = [_of_class("small", line) for line in small] + [_of_class("basis", beat.basis)]
        return _of_class("number", large) + "".join(lines[:n_lines])

    def _reply(self, beat, bet):
        comparison = bet.compare(beat.measured(self.board.lecture))
        if bet.value is not None:
            return f'<div class="lecture-reply">{comparison.text.value}</div>'
        right = "close" if bet.is_number else comparison.right
        lead = "" if bet.is_number else f"It is {bet.lettered(right)}. "
        return _of_class("reply", lead + comparison.because[right])

    def _answers_to(self, bet):
        """Return the bet's slider, or a button for each answer that sets the bet."""
        if bet.is_number:
            bet.control.layout = Layout()
            return bet.control
        answers = ipywidgets.ToggleButtons(
            options=[(f"{letter}  {one}", one) for letter, one in zip(LETTERS, bet.options)],
            value=None, description="answers",
        )
        answers.add_class("lecture-answers")
        ipywidgets.link((answers, "value"), (bet.control, "value"))
        # Back to the button that reveals: the space bar goes on.
        answers.observe(lambda _change: self.board.next.focus(), names="value")
        return answers


def _of_class(name, text):
    return f'<div class="lecture-{name}">{typeset(text)}</div>'


# One unit of length is a hundredth of the board's width, so that it looks the same on any screen.
STYLE = """<style>
.lecture-board { container-type: inline-size; width: 100%; overflow: hidden; }
.lecture-board > * {
  --jp-widgets-font-size: 1.7cqw; --jp-ui-font-size1: 1.7cqw;
  --jp-widgets-inline-height: 3cqw; --jp-widgets-inline-width: 100%;
  --jp-widgets-inline-width-short: 100%; --jp-widgets-inline-label-width: auto;
  --jp-widgets-slider-handle-size: 1.6cqw; --jp-widgets-slider-track-thickness: 0.4cqw;
  --jp-widgets-horizontal-tab-height: 3cqw; --jp-widgets-horizontal-tab-width: auto;
  font-size: 1.7cqw; line-height: 1.3;
}
.lecture-board .widget-html, .lecture-board .widget-html-content { height: auto; width: 100%;
  font-size: inherit; line-height: inherit; margin: 0; }
.lecture-board .demo-sentence div, .lecture-board .lecture-reply div,
.lecture-board .lecture-notice div { font-size: inherit !important;
  line-height: inherit !important; }
.lecture-board > .widget-html { display: none; }
/* Names for screen readers: there, but not to be seen. */
.lecture-row .widget-label, .lecture-answers > .widget-label { position: absolute;
  width: 1px !important; height: 1px; overflow: hidden; clip-path: inset(50%); margin: 0; }
.lecture-board .lecture-row { align-items: center; gap: 1cqw; overflow: hidden;
  padding: 0.3cqw 0 0.6cqw; }
.lecture-row > *, .lecture-row button { width: max-content; margin: 0; }
.lecture-row button { padding: 0 0.9cqw; }
.lecture-board .lecture-menu { flex: 1 1 10cqw; min-width: 0; }
.lecture-board .lecture-row > .lecture-next { width: 27cqw; flex: none; font-weight: bold; }
.lecture-board button:focus-visible, .lecture-board .lm-TabBar-tab:focus-visible,
.lecture-board select:focus-visible, .lecture-board .noUi-handle:focus-visible,
.lecture-board input:focus-visible { outline: 0.25cqw solid var(--jp-ui-font-color0, #111111);
  outline-offset: 0.1cqw; }
.lecture-board .lm-TabBar-tab { padding: 0 0.8cqw; min-width: 0; flex: 0 1 auto; }
.lecture-board .lm-TabBar-tabLabel { font-size: 1.7cqw; line-height: 3cqw;
  color: var(--jp-ui-font-color1, #222222); }
.lecture-board .lm-TabPanel-tabContents, .lecture-board .widget-tab-contents {
  padding: 0.8cqw; overflow: hidden; }
.lecture-board .lecture-page { gap: 1.4cqw; align-items: flex-start; overflow: hidden; }
.lecture-board .lecture-side { flex: 0 0 33cqw; width: 33cqw; gap: 1cqw; overflow: hidden; }
.lecture-board .lecture-stage { flex: 1 1 auto; min-width: 0; overflow: hidden; }
.lecture-hidden, .lecture-hidden * { visibility: hidden !important; }
/* A web page made by Voila shows nothing but the board. */
body[data-voila] { padding: 0 !important; }
body[data-voila] div[cell-index]:not(:has(.lecture-board)) { display: none; }
body[data-voila] .jp-Cell, body[data-voila] .jp-OutputArea-child { padding: 0; margin: 0; }
body[data-voila] .jp-OutputPrompt { display: none; }
.lecture-question { font-size: 1.9cqw; }
.lecture-number { font-size: 2.7cqw; font-weight: bold; line-height: 1.2; }
.lecture-basis { font-style: italic; }
.lecture-reply, .lecture-what-if { margin-top: 1cqw; }
.lecture-what-if { font-weight: bold; }
.lecture-board .demo-picture { width: 100% !important; height: auto !important; margin: 0; }
.lecture-board .demo-sentence { max-width: none !important; min-height: 6.7cqw !important; }
.lecture-board .lecture-below { gap: 0.6cqw; overflow: hidden; width: 100%; padding: 0.2cqw; }
.lecture-below > * { width: 100%; flex-wrap: wrap; height: auto; margin: 0; }
.lecture-below .widget-label { flex: none; margin: 0 0.6cqw 0 0; }
.lecture-below .widget-slider { overflow: visible; }
.lecture-below .widget-slider .widget-label { flex: 1 1 10cqw; text-align: left;
  white-space: normal; height: auto; }
.lecture-below .slider-container { order: 3; flex: none; width: calc(100% - 2cqw);
  height: 2.2cqw; margin: 0 1cqw; display: flex; align-items: center; overflow: visible; }
.lecture-below .slider-container > * { flex: 1; }
.lecture-below .widget-readout { font-size: inherit; width: auto; flex: none; }
.lecture-below .widget-toggle-buttons > div { gap: 0.4cqw; }
.lecture-below button { width: max-content; padding: 0 0.9cqw; }
.lecture-board .lecture-answers > div { display: flex; flex-direction: column; gap: 0.7cqw;
  width: 100%; }
.lecture-board .lecture-answers button { width: 100%; height: auto; white-space: normal;
  text-align: left; line-height: 1.25; padding: 0.7cqw 0.9cqw; margin: 0; }
.lecture-below input[type="checkbox"] { width: 1.6cqw; height: 1.6cqw; }
</style>"""
