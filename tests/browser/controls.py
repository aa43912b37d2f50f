"""The controls of a demo as a reader finds them: what the keyboard and the mouse do to each.

`by_keyboard()` and `by_mouse()` use a control in all its ways; each value that this should give is
waited for in the page and in the kernel. The last one is another value than before. `touch(place)`
chooses the value with this index by one click and does not wait.
"""


from contextlib import contextmanager


class Control:
    """A control of an opened notebook; `labels` are the names of its values, in order."""

    def __init__(self, opened, tag, *, kind, name, labels, demo):
        self.opened, self.tag, self.kind, self.name = opened, tag, kind, name
        self.labels, self.demo = labels, demo
        self.element = opened.page.locator(f".{tag}")

    def __repr__(self):
        return self.name

    @property
    def label(self):
        """The name of the value that the page shows."""
        return self.opened.state_of(self.tag)

    def expect(self, label):
        """Wait until page and kernel agree on `label`; raise AssertionError if they never do."""

        def values():
            return self.label, self.opened.kernel.ask(f"state({self.tag!r})")

        self.opened.expect_soon(values, (label, label))


class Slider(Control):
    @property
    def handle(self):
        return self.element.get_by_role("slider")

    @property
    def track(self):
        return self.element.locator(".noUi-base")

    def by_keyboard(self):
        start, last = self.label, len(self.labels) - 1
        for key, place in [("End", last), ("ArrowLeft", last - 1), ("Home", 0), ("ArrowRight", 1)]:
            self.press(key, place)
        if self.label == start:
            self.press("Home", 0)

    def by_mouse(self):
        """Click on the far end of the track, then drag the handle to the middle or beside it."""
        start, last = self.labels.index(self.label), len(self.labels) - 1
        far = last if start < last / 2 else 0
        self.click_at(far)
        self.expect(self.labels[far])
        middle = (last + 1) // 2
        goal = middle if middle != start else middle - 1
        with self.grabbed() as drag_to:
            drag_to((far + goal) / 2)
            drag_to(goal)
        self.expect(self.labels[goal])

    def press(self, key, place):
        self.handle.press(key)
        self.expect(self.labels[place])

    def click_at(self, place):
        """Click on the track where the value with this index stands."""
        box = self.track.bounding_box()
        self.track.click(position={"x": self._share(place) * box["width"], "y": box["height"] / 2})

    touch = click_at

    def _share(self, place):
        return min(place / (len(self.labels) - 1), 0.999)  # its very end is outside

    @contextmanager
    def grabbed(self):
        """Hold the handle with the mouse: `with slider.grabbed() as drag_to: drag_to(3)`."""
        mouse = self.opened.page.mouse
        self.handle.hover()  # once it stands still: after a click it glides
        box = self.track.bounding_box()
        middle = box["y"] + box["height"] / 2
        mouse.down()
        yield lambda place: mouse.move(box["x"] + self._share(place) * box["width"], middle)
        mouse.up()


class Choice(Control):
    """Buttons or radio buttons, of which one is chosen."""

    def by_keyboard(self):
        # Space, since JupyterLab takes the arrow keys, with which radio buttons are used elsewhere.
        self._each(lambda button: button.press("Space"))

    def by_mouse(self):
        self._each(lambda button: button.click())

    def _each(self, use):
        start = self.label
        for label in sorted(self.labels, key=lambda one: one != start):
            use(self._button(self.labels.index(label)))
            self.expect(label)

    def touch(self, place):
        self._button(place).click()

    def _button(self, place):
        return self.element.locator("button, input").nth(place)


class Switch(Control):
    @property
    def box(self):
        return self.element.get_by_role("checkbox")

    def by_keyboard(self):
        self._turn(lambda: self.box.press("Space"))

    def by_mouse(self):
        self._turn(self.box.click)

    def _turn(self, use):
        start = self.label
        use()
        self.expect(not start)

    def touch(self, _place):
        self.box.click()


class Button(Control):
    """Has no value; the tests that know what a button does look for that."""

    def by_keyboard(self):
        self.element.press("Enter")

    def by_mouse(self):
        self.element.click()


KINDS = {"slider": Slider, "choice": Choice, "switch": Switch, "button": Button}
