"""Notebook 05's ledger: what was measured of each claim, and the verdict by one rule.

Every effect has a direction, a smallest size that matters and a reason for it;
`intervals.verdict` decides. A check that does not hold is a caveat. What a claim does not say, but
is often heard to say, is measured as well and costs it nothing.
"""

import os
import textwrap
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from helpers.intervals import mean_interval, verdict
from helpers.network import one_blas_thread
from helpers.weighing_the_evidence.claims import BEYOND, Claim
from helpers.weighing_the_evidence.papers import CLAIMS

BY_CONSTRUCTION = "by construction"
VERDICTS = SUPPORTED, WITH_CAVEAT, NOT_SUPPORTED, UNDECIDED = "holds", "half", "fails", "undecided"
WIDTH = 98  # characters in a line of the table


@dataclass(frozen=True, eq=False)
class Effect:
    """What a claim says, what was measured, and how much of it the claim needs.

    words: the claim's statement. quantity, unit: what the `values` are, (n_networks,). The
    statement holds if all of their 95% interval lies on the `side`, "above" or "below", of the
    threshold; reason: why there, in one line; otherwise: what is true if all of it lies on the
    other side. Without values the statement is true by construction, whatever the data.
    """

    words: str
    quantity: str = ""
    values: np.ndarray | None = None
    side: str = "above"
    threshold: float = 0.0
    unit: str = ""
    reason: str = ""
    otherwise: str = ""

    @property
    def interval(self):
        return None if self.values is None else mean_interval(self.values)

    @property
    def compared(self):
        """Return what `intervals.verdict` takes: interval, margin and sign."""
        sign = {"above": 1, "below": -1}[self.side]
        return self.interval, sign * self.threshold, sign

    @property
    def amount(self):
        """Return what was measured, with its unit."""
        return f"{self.interval}{self.unit}" if self.unit == "%" else f"{self.interval} {self.unit}"

    @property
    def verdict(self):
        """Return "holds", "fails", "undecided" or "by construction"."""
        return BY_CONSTRUCTION if self.values is None else verdict(*self.compared)

    @property
    def sentence(self):
        """Return what is true, in words alone."""
        return {
            "fails": self.otherwise or f"not so: {self.words}",
            "undecided": f"undecided: {self.words}",
        }.get(self.verdict, self.words)

    @property
    def needed_text(self):
        """Return where the interval must lie."""
        return f"{self.side} {self.threshold:g} needed"

    @property
    def texts(self):
        """Return what was measured, with its interval, and what is needed, and why."""
        if self.values is None:
            return (BY_CONSTRUCTION,)
        measured = f"{self.quantity}: {self.amount} (n = {len(self.values)})"
        return measured, f"{self.needed_text}: {self.reason}"


@dataclass(frozen=True)
class Row:
    """One line of the ledger: a claim, its main effect and then its checks, as measured.

    beyond: effects that are not part of the claim.
    """

    claim: Claim
    effects: tuple
    beyond: tuple = ()

    @property
    def lost(self):
        """Return the effects that fail or are undecided."""
        return [one for one in self.effects if one.verdict in (NOT_SUPPORTED, UNDECIDED)]

    @property
    def verdict(self):
        """Return one of SUPPORTED, WITH_CAVEAT, NOT_SUPPORTED and UNDECIDED."""
        main = self.effects[0]
        if main in self.lost:
            return main.verdict
        return WITH_CAVEAT if self.lost else SUPPORTED


def weigh(claim, seed=0):
    """Measure a claim with the networks of `seed` and return its Row."""
    said = claim.measure(seed)
    beyond = said.pop(BEYOND, {})
    if not next(iter(said.values())):
        raise ValueError(f"{claim.name}: the main effect must be measured")
    return Row(claim, *(
        tuple(Effect(words, *found) for words, found in one.items()) for one in (said, beyond)
    ))


def watch_ledger(seed=0):
    """Yield (share of the claims that are weighed, their Rows so far), in their order.

    As many claims at a time as there are cores, since not all that they measure is training: in
    turn they take half as long again.
    """
    rows = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for row in pool.map(lambda claim: one_blas_thread(weigh, claim, seed), CLAIMS):
            rows = [*rows, row]
            yield len(rows) / len(CLAIMS), rows


def surprises(rows):
    """Return three effects that surprise: of C1, of C5 (the reason) and of C8 (the sweep)."""
    by_name = {row.claim.name: row for row in rows}
    return by_name["C1"].beyond[0], by_name["C5"].effects[0], by_name["C8"].effects[1]


def count_verdicts(rows):
    """Return how many Rows came to each verdict, in one sentence."""
    found = [row.verdict for row in rows]
    counts = [f"{found.count(one)} × {one}" for one in VERDICTS if one in found]
    return f"{len(rows)} claims: {', '.join(counts)}."


def ledger_table(rows):
    """Return the Rows as text, in lines of at most WIDTH characters."""
    legend = "Means with 95% intervals over n networks, each with data and weights of its own."
    lines = ["\n".join(_row_lines(row)) for row in rows]
    return "\n\n".join([legend, *lines, count_verdicts(rows)])


def _row_lines(row):
    claim = row.claim
    yield from _wrap(f"{claim.name:5}{claim.words} ({claim.source})", indent=5)
    yield f"     {row.verdict.upper()}  [{claim.where}]"
    for effect in (*row.effects, *row.beyond):
        label = "true" if effect.values is None else effect.verdict
        note = "(not part of the claim) " if effect in row.beyond else ""
        yield from _wrap(f"     {label:10} {note}{effect.words}", indent=16)
        for text in effect.texts:
            yield from _wrap(" " * 16 + text, indent=16)


def _wrap(text, indent):
    return textwrap.wrap(text, WIDTH, subsequent_indent=" " * indent)
