"""What the board says without a picture: a demo of words, and the claims with their verdicts."""

import html

import ipywidgets

from helpers.page.panel import typeset
from helpers.weighing_the_evidence.demos import SIGNS, marked
from helpers.weighing_the_evidence.ledger import IN_SHORT


class Words:
    """A demo of words: the HTML that `tell` makes of the values of the controls.

    For a page it is a Panel whose `image` has no caption. wide: whether it needs all the width.
    """

    error = None

    def __init__(self, controls, tell, *, wide=False):
        self.controls, self.tell, self.wide = controls, tell, wide
        self.image = ipywidgets.HTML().add_class("demo-words")
        self.view = ipywidgets.VBox([self.image])
        for control in controls.values():
            control.observe(self._show, "value")
        self._show()

    @property
    def values(self):
        return {name: control.value for name, control in self.controls.items()}

    def set_values(self, **values):
        """Set several controls."""
        for name, value in values.items():
            self.controls[name].value = value

    def wait(self, timeout=None):
        """Return: it is there at once."""

    def _show(self, _change=None):
        self.image.value = self.tell(**self.values)

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/html": self.image.value, "text/plain": "words alone."}


def tell_claims(ledger, open, verdicts):
    """Return HTML of the Rows of a ledger, with or without verdicts, or of the one to `open`.

    A verdict says how many of the row's statements, its main one and its checks, are kept.
    """
    if open == "all":
        return f"<table>{''.join(_claim(row, verdicts) for row in ledger)}</table>"
    (row,) = (row for row in ledger if row.claim.name == open)
    effects = "".join(
        f"<tr><td>{mark}:</td><td>{typeset(words)}{' (not part of the claim)' * beyond}</td></tr>"
        for beyond, effects in enumerate((row.effects, row.beyond))
        for mark, words in map(marked, effects)
    )
    return f"<table>{_claim(row, True)}</table><table>{effects}</table>"


def _claim(row, verdicts):
    word = IN_SHORT[row.verdict]
    kept = f"{SIGNS[word]} {word}: {len(row.kept)} of {len(row.effects)}"
    cells = row.claim.name, row.claim.words, kept if verdicts else ""
    return f"<tr>{''.join(f'<td>{html.escape(one)}</td>' for one in cells)}</tr>"
