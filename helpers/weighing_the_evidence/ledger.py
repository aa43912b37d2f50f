"""Notebook 05's ledger: what was measured of each claim, and the verdict by one rule.

Every effect has a direction, a smallest size that matters and a reason for it;
`intervals.verdict` decides. A check that does not hold is a caveat.
"""

import os
import textwrap
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from helpers.intervals import mean_interval, verdict
from helpers.network import one_blas_thread
from helpers.weighing_the_evidence.claims import Claim
from helpers.weighing_the_evidence.papers import CLAIMS

BY_CONSTRUCTION = "by construction"
SUPPORTED, WITH_CAVEAT = "supported", "supported, with a caveat"
NOT_SUPPORTED, UNDECIDED = "not supported here", "undecided"
WIDTH = 98  # characters in a line of the table


@dataclass(frozen=True, eq=False)
class Effect:
    """What a claim says, what was measured, and how much of it the claim needs.

    words: the claim's statement. quantity, unit: what the `values` are, (n_networks,). The
    statement holds if all of their 95% interval lies on the `side`, "above" or "below", of the
    threshold; reason: why there, in one line. Without values the statement is true by
    construction, whatever the data.
    """

    words: str
    quantity: str = ""
    values: np.ndarray | None = None
    side: str = "above"
    threshold: float = 0.0
    unit: str = ""
    reason: str = ""

    @property
    def interval(self):
        return None if self.values is None else mean_interval(self.values)

    @property
    def compared(self):
        """Return what `intervals.verdict` and `clearance` take: interval, margin and sign."""
        sign = {"above": 1, "below": -1}[self.side]
        return self.interval, sign * self.threshold, sign

    @property
    def verdict(self):
        """Return "holds", "fails", "undecided" or "by construction"."""
        return BY_CONSTRUCTION if self.values is None else verdict(*self.compared)

    @property
    def needed_text(self):
        """Return where the interval must lie."""
        return f"{self.side} {self.threshold:g} needed"

    @property
    def texts(self):
        """Return what was measured, with its interval, and what is needed, and why."""
        if self.values is None:
            return (BY_CONSTRUCTION,)
        measured = f"{self.quantity}: {self.interval} {self.unit} (n = {len(self.values)})"
        return measured, f"{self.needed_text}: {self.reason}"


@dataclass(frozen=True)
class Row:
    """One line of the ledger: a claim, its main effect and then its checks, as measured."""

    claim: Claim
    effects: tuple

    @property
    def kept(self):
        """Return the effects that hold, those true by construction included."""
        return [one for one in self.effects if one not in self.lost]

    @property
    def lost(self):
        """Return the effects that fail or are undecided."""
        return [one for one in self.effects if one.verdict in ("fails", "undecided")]

    @property
    def verdict(self):
        """Return one of SUPPORTED, WITH_CAVEAT, NOT_SUPPORTED and UNDECIDED."""
        of_main = self.effects[0].verdict
        by_main = {"fails": NOT_SUPPORTED, "undecided": UNDECIDED}
        return by_main.get(of_main, WITH_CAVEAT if self.lost else SUPPORTED)


def weigh(claim, seed=0):
    """Measure a claim with the networks of `seed` and return its Row."""
    measured = claim.measure(seed)
    return Row(claim, tuple(Effect(words, *found) for words, found in measured.items()))


def watch_ledger(seed=0):
    """Yield (share of the claims that are weighed, their Rows so far), in their order.

    As many claims at a time as there are cores, since not all that they measure is training: in
    turn they take half as long again.
    """
    rows = []
    with one_blas_thread(), ThreadPoolExecutor(os.cpu_count()) as pool:
        for row in pool.map(lambda claim: weigh(claim, seed), CLAIMS):
            rows = [*rows, row]
            yield len(rows) / len(CLAIMS), rows


def surprises(rows):
    """Return three checks that surprise: of C1, of C5 (the reason) and of C8 (the sweep)."""
    by_name = {row.claim.name: row.effects for row in rows}
    return by_name["C1"][1], by_name["C5"][2], by_name["C8"][1]


def ledger_table(rows):
    """Return the Rows as text, in lines of at most WIDTH characters."""
    legend = "Means with 95% intervals over n networks, each with data and weights of its own."
    return "\n\n".join([legend, *("\n".join(_row_lines(row)) for row in rows)])


def _row_lines(row):
    claim = row.claim
    yield from _wrap(f"{claim.name:5}{claim.words} ({claim.source})", indent=5)
    yield f"     {row.verdict.upper()}  [{claim.where}]"
    for effect in row.effects:
        label = "true" if effect.values is None else effect.verdict
        yield from _wrap(f"     {label:10} {effect.words}", indent=16)
        for text in effect.texts:
            yield from _wrap(" " * 16 + text, indent=16)


def _wrap(text, indent):
    return textwrap.wrap(text, WIDTH, subsequent_indent=" " * indent)
