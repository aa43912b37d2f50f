"""Every slider, button and box of every demo and bet works, by keyboard and by mouse."""

import pytest
from test_training_demos import WITH_TRAINING

# What a button does only its own test knows.
BUTTONS = {
    "Button 'Reveal the next row'": "test_the_ledger_opens_row_by_row",
    "Button 'Reveal all'": "test_the_ledger_opens_row_by_row",
    "Button 'Stop'": "test_training_demos.py",
    "Button 'Show me'": "test_second_day.py",
}


def test_every_demo_shows_its_picture_and_its_sentence(opened):
    opened.settle()
    n_demos = opened.kernel.ask("n_demos()")
    assert opened.page.locator(".demo .demo-picture").count() == n_demos
    assert n_demos or opened.name == "07_closing_quiz.ipynb"
    assert opened.page.locator(".demo .demo-sentence").count() == n_demos
    shapes = opened.page.locator(".demo .demo-picture").evaluate_all(
        "all => all.map(one => [one.width / one.height, one.naturalWidth / one.naturalHeight])"
    )
    assert all(shown == pytest.approx(drawn, rel=0.01) for shown, drawn in shapes)  # no blank bands
    trains = opened.page.locator(".demo .demo-progress").count() > 0
    assert trains == (opened.name in WITH_TRAINING)


# Before the demos are used: a bet stands in the picture for the setting that it is about.
def test_a_bet_is_answered_and_stands_in_the_picture(opened):
    bets = opened.kernel.ask("bets()")
    assert bets
    for control in opened.controls():
        if control.tag in bets:
            before = opened.settle()
            control.by_keyboard()
            after = opened.settle()
            changed = {tag for tag in after if after[tag] != before[tag]}
            assert set(bets[control.tag]) <= changed, control


@pytest.mark.parametrize("way", ["by_keyboard", "by_mouse"])
def test_every_control_works(opened, way):
    controls = opened.controls()
    assert {str(one) for one in controls if one.kind == "button"} <= set(BUTTONS)
    for control in controls:
        if control.kind == "button":
            continue
        before = opened.settle()
        getattr(control, way)()
        after = opened.settle()  # the picture is that of the new value
        if control.demo:
            picture = opened.kernel.ask(f"picture_of({control.demo!r})")
            assert after[picture] != before[picture], control
        assert opened.all_errors() == [], control


@pytest.mark.only_in("05_weighing_the_evidence.ipynb")
def test_the_ledger_opens_row_by_row(opened):
    buttons = {str(one): one for one in opened.controls() if one.kind == "button"}
    one, everything = buttons["Button 'Reveal the next row'"], buttons["Button 'Reveal all'"]
    rows = opened.page.locator(".widget-html-content table tr:has(details)")
    for way in ("by_keyboard", "by_mouse"):
        n_rows = opened.kernel.ask("close_the_ledger()")
        for button, n_open in [(one, 1), (one, 2), (everything, n_rows)]:
            getattr(button, way)()
            opened.expect_soon(rows.count, n_open)
        opened.expect_soon(one.element.is_disabled, True)
        assert everything.element.is_disabled()
    opened.settle()
