"""The ledger: its rule on made-up numbers, its places, and every verdict again from fresh seeds."""

import re

import numpy as np
import pytest
from test_notebooks import FOLDER, read

from helpers.datasets import load_fashion_mnist
from helpers.intervals import mean_interval, paired_interval, verdict
from helpers.layer_statistics import with_statistics
from helpers.network import mean_loss
from helpers.weighing_the_evidence import claims, experiments, ledger
from helpers.weighing_the_evidence.claims import BEYOND, Claim
from helpers.weighing_the_evidence.ledger import (
    BY_CONSTRUCTION,
    NOT_SUPPORTED,
    SUPPORTED,
    UNDECIDED,
    WITH_CAVEAT,
    Effect,
    Row,
)
from helpers.weighing_the_evidence.papers import CLAIMS

# -- every verdict, from networks that no notebook has seen --

EXPECTED = {  # of the claim, of its parts, and of what is measured beside it
    "C1": (SUPPORTED, "holds", "fails"),
    "C2": (WITH_CAVEAT, "holds", "fails"),
    "C3": (SUPPORTED, "holds", "holds"),
    "C4": (WITH_CAVEAT, "holds", BY_CONSTRUCTION, "fails", "fails"),
    "C5": (NOT_SUPPORTED, "fails", "holds", "holds", "fails"),
    "C6": (SUPPORTED, "holds", "fails"),
    "C7": (SUPPORTED, "holds", "holds", "fails"),
    "C8": (WITH_CAVEAT, "holds", "fails", "fails"),
    "C9": (SUPPORTED, "holds", "holds", "holds", "fails"),
    "C10": (SUPPORTED, "holds", "holds", "holds", "fails"),
    "P1": (WITH_CAVEAT, "holds", "holds", "fails", "fails", "fails"),
    "P2": (WITH_CAVEAT, "holds", "undecided", "holds"),
    "P3": (WITH_CAVEAT, "holds", "fails"),
    "P4": (SUPPORTED, "holds", BY_CONSTRUCTION, "holds"),
    "P5": (WITH_CAVEAT, "holds", "holds", "fails", "fails", "fails"),
}
FRESH, FRESHER = 101, 303  # 202 had a part in choosing the margins
THIN = 0.5  # half-widths: an interval end that is nearer to its threshold than this decides nothing


def in_half_widths(interval, margin, sign):
    """How far the nearer end is from the margin: near 0, other seeds may turn the verdict."""
    nearer = min(abs(sign * end - margin) for end in (interval.low, interval.high))
    return nearer / interval.half_width if interval.half_width else np.inf


@pytest.mark.thorough  # notebook 05 holds the verdicts of another seed
@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
@pytest.mark.parametrize("seed", [FRESH, FRESHER])
def test_a_fresh_seed_comes_to_the_same_verdict(claim, seed):
    row = ledger.weigh(claim, seed)
    effects = (*row.effects, *row.beyond)
    found = (row.verdict, *(one.verdict for one in effects))
    told = ledger.ledger_table([row])
    assert found == EXPECTED[claim.name], told
    assert all(one.otherwise for one in effects if one.verdict == "fails"), told
    measured = [one for one in effects if one.values is not None]
    thin = [one.words for one in measured if in_half_widths(*one.compared) < THIN]
    assert not thin, f"too near to another verdict: {thin}\n{told}"
    assert all(one.interval.n_seeds >= 16 for one in measured)


@pytest.mark.parametrize("seed", [FRESH, pytest.param(FRESHER, marks=pytest.mark.thorough)])
def test_units_are_compared_at_an_equal_fit(seed):
    data = load_fashion_mnist(512, 2, 7, 0.2, 16, seed=seed)
    losses = []
    for group_size, n_steps in ((8, claims.N_LIVE), (512, claims.N_EQUAL_FIT)):
        network = claims._live(seed, group_size=group_size, n_steps=n_steps).network
        fixed = with_statistics(network, data.train_inputs)
        logits = fixed.forward(data.train_inputs, training=False)
        losses.append(mean_loss(logits, data.train_targets))
    ahead = paired_interval(losses[1], losses[0])
    assert abs(ahead.mean) < 0.05, ahead  # nats; both at N_LIVE are 0.3 apart


@pytest.mark.thorough
@pytest.mark.parametrize("seed", [0, FRESH])
def test_with_groups_of_64_an_important_unit_costs_about_as_much_as_without_noise(seed):
    """What notebook 05 says of C10; 70 steps: about the fit that groups of 64 have at N_LIVE."""
    noisy, quiet, equal = (
        claims._cost_of_a_unit(seed, group_size=size, n_steps=n_steps)
        for size, n_steps in ((64, claims.N_LIVE), (512, claims.N_LIVE), (512, 70))
    )
    assert paired_interval(noisy, quiet).high > -1  # points; groups of 8 clear it
    assert abs(paired_interval(noisy, equal).mean) < 1


def test_what_ten_layers_gain_at_0_1_is_undecided_after_100_steps_as_well():
    """What notebook 05 says of P2, from the map; after 50 steps they gain more."""
    pair = experiments.pair_of(experiments.load_learning_rate_map(), depth=10)
    losses = experiments.losses_at(pair, {"without": 0.1, "with": 0.1})
    gained = paired_interval(losses["with"], losses["without"])
    assert gained.mean > -0.3 and verdict(gained, -0.3) == UNDECIDED


# -- the rule, on made-up numbers --

SPREAD = np.tile([-1.0, 1.0], 8)
SPREAD /= mean_interval(SPREAD).half_width


def effect(low, high, *, side="above", threshold=1.0, words="it grows"):
    values = (low + high) / 2 + (high - low) / 2 * SPREAD
    return Effect(words, "growth", values, side, threshold, "cm", "one can see it", "it shrinks")


def claim(measure=None):
    return Claim("X1", "Everything grows.", "01#1", "a book", measure)


HOLDS, FAILS, OPEN = effect(2, 4), effect(-1, 0.5), effect(0, 3)
GIVEN = Effect("it is what it is")


@pytest.mark.parametrize(
    ("effects", "verdict"),
    [
        ((HOLDS, HOLDS, GIVEN), SUPPORTED),
        ((HOLDS, HOLDS, FAILS), WITH_CAVEAT),
        ((HOLDS, OPEN), WITH_CAVEAT),
        ((FAILS, HOLDS, GIVEN), NOT_SUPPORTED),
        ((OPEN,), UNDECIDED),
        ((OPEN, FAILS), UNDECIDED),
    ],
)
def test_a_row_is_judged_by_its_main_effect_and_then_its_checks(effects, verdict):
    row = Row(claim(), effects)
    assert row.verdict == verdict
    assert row.lost == [one for one in effects if one in (FAILS, OPEN)]
    assert Row(claim(), effects, (FAILS, OPEN)).verdict == verdict


def test_a_sentence_says_what_is_true():
    told = [one.sentence for one in (HOLDS, FAILS, OPEN, GIVEN)]
    assert told == ["it grows", "it shrinks", "undecided: it grows", "it is what it is"]


def test_a_direction_or_a_threshold_that_makes_no_sense_is_refused():
    with pytest.raises(KeyError, match="beside"):
        _ = effect(0, 1, side="beside").verdict
    with pytest.raises(ValueError, match="margin must be a finite number"):
        _ = effect(0, 1, threshold=np.inf).verdict


def test_the_ledger_goes_through_the_claims_in_order(monkeypatch):
    seeds = []

    def measure(seed):
        seeds.append(seed)
        size = "size", SPREAD + 3, "above", 1, "cm", "why"
        return {"it grows": size, "it is": (), BEYOND: {"it shines": size}}

    def fail(seed):
        raise RuntimeError("no room")

    monkeypatch.setattr(ledger, "CLAIMS", [claim(measure), claim(measure)])
    (half, first), (share, rows) = ledger.watch_ledger(7)
    assert (half, share) == (0.5, 1) and seeds == [7, 7] and rows[:1] == first
    assert [one.words for one in rows[1].effects] == ["it grows", "it is"]
    assert [one.words for one in rows[1].beyond] == ["it shines"]
    monkeypatch.setattr(ledger, "CLAIMS", [claim(measure), claim(fail)])
    with pytest.raises(RuntimeError, match="no room"):
        list(ledger.watch_ledger(0))


# -- where the claims are shown --


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_every_claim_has_its_place(claim):
    for mark in claim.where.split(", "):
        number, section = mark.split("#")
        (path,) = FOLDER.glob(f"{number}_*.ipynb")
        cells = [cell for cell in read(path).cells if cell.cell_type == "markdown"]
        start = rf"{section}\. " if section.isdigit() else f"Go {section}"
        assert any(re.search(rf"^## {start}", one.source, re.MULTILINE) for one in cells), mark


def test_the_surprises_are_those_that_their_picture_names():
    rows = [
        Row(one, *([effect(0, 1, words=one.name + part) for part in pair] for pair in ("ab", "cd")))
        for one in CLAIMS
    ]
    assert [one.words for one in ledger.surprises(rows)] == ["C1c", "C5a", "C8b"]
