"""The ledger: its rule on made-up numbers, its places, and every verdict again from fresh seeds."""

import re
from dataclasses import replace

import numpy as np
import pytest
from nbformat import v4

from helpers.covariate_shift.experiments import measure_coats
from helpers.datasets import load_fashion_mnist
from helpers.execute import ROOT
from helpers.hidden_layer_stability.experiments import ARMS, load_clothes, watch_drift
from helpers.intervals import Interval, paired_interval
from helpers.layers import Dense, ReLU
from helpers.long_work import finish
from helpers.network import Network, mean_loss, multilayer_perceptron
from helpers.randomness import spawn_streams
from helpers.weighing_the_evidence import ledger as evidence
from helpers.weighing_the_evidence.ledger import (
    BY_CONSTRUCTION,
    CLAIMS,
    NOT_SUPPORTED,
    SUPPORTED,
    UNDECIDED,
    WITH_CAVEAT,
    Claim,
    Effect,
    Row,
    ledger,
    ledger_table,
    silence_units,
    surprises,
)

# -- every verdict, from networks that no notebook has seen --

EXPECTED = {
    "C1": (WITH_CAVEAT, "holds", "fails"),
    "C2": (WITH_CAVEAT, "holds", "fails"),
    "C3": (SUPPORTED, "holds", "holds"),
    "C4": (WITH_CAVEAT, "holds", BY_CONSTRUCTION, "fails", "fails"),
    "C5": (WITH_CAVEAT, "holds", "fails", "fails"),
    "C6": (WITH_CAVEAT, "holds", "fails"),
    "C7": (WITH_CAVEAT, "holds", "fails"),
    "C8": (WITH_CAVEAT, "holds", "fails", "fails"),
    "C9": (SUPPORTED, "holds", "holds"),
    "C10": (WITH_CAVEAT, "holds", "holds", "holds", "fails"),
    "P1": (WITH_CAVEAT, "holds", "holds", "fails", "fails"),
    "P2": (SUPPORTED, "holds", "holds", "holds"),
    "P3": (WITH_CAVEAT, "holds", "fails"),
}
FRESH, FRESHER = 101, 303  # 202 had a part in choosing the margins
THIN = 0.5  # half-widths: an interval end that is nearer to its margin than this decides nothing


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_a_fresh_seed_comes_to_the_same_verdict(claim):
    check_verdict(claim, FRESH)


@pytest.mark.thorough
@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_another_fresh_seed_comes_to_the_same_verdict(claim):
    check_verdict(claim, FRESHER)


def check_verdict(claim, seed):
    row = claim.weigh(seed)
    found = (row.verdict, *(one.verdict for one in row.effects))
    told = ledger_table([row])
    assert found == EXPECTED[claim.name], told
    thin = [one.words for one in row.effects if one.clearance < THIN]
    assert not thin, f"too near to another verdict: {thin}\n{told}"
    assert all(one.interval.n_seeds >= 16 for one in row.effects if not one.by_construction)


def test_every_claim_has_an_expected_verdict():
    assert [claim.name for claim in CLAIMS] == list(EXPECTED)


@pytest.mark.parametrize("seed", [FRESH, pytest.param(FRESHER, marks=pytest.mark.thorough)])
def test_units_are_compared_at_an_equal_fit(seed):
    data = load_fashion_mnist(512, 2, 7, 0.2, 16, rng=spawn_streams(seed, 16).data)
    losses = []
    for arm, step in (("group 8", evidence.N_LIVE), ("group 512", evidence.N_EQUAL_FIT)):
        network = evidence._live(seed, arm, step).network
        logits = network.forward(data.train_inputs, training=False)
        losses.append(mean_loss(logits, data.train_targets))
    ahead = paired_interval(losses[1], losses[0])
    assert abs(ahead.mean) < 0.05, ahead  # nats; both at N_LIVE are 0.3 apart


# -- the rule, on made-up numbers --


def effect(low, high, *, margin=1.0, sign=1, words="it grows", **options):
    interval = Interval((low + high) / 2, (high - low) / 2, 16)
    return Effect(words, "growth", "cm", interval, sign, margin, "one can see it", **options)


def claim(measure=None):
    return Claim("X1", "Everything grows.", "a book", "01#1", measure)


HOLDS, FAILS, OPEN = effect(2, 4), effect(-1, 0.5), effect(0, 3)
GIVEN = Effect("it is what it is")


@pytest.mark.parametrize(
    ("main", "checks", "verdict"),
    [
        (HOLDS, (), SUPPORTED),
        (HOLDS, (HOLDS, HOLDS, HOLDS), SUPPORTED),
        (HOLDS, (GIVEN,), SUPPORTED),
        (HOLDS, (HOLDS, FAILS), WITH_CAVEAT),
        (HOLDS, (OPEN,), WITH_CAVEAT),
        (FAILS, (), NOT_SUPPORTED),
        (FAILS, (HOLDS, GIVEN), NOT_SUPPORTED),
        (OPEN, (), UNDECIDED),
        (OPEN, (FAILS,), UNDECIDED),
    ],
)
def test_a_row_is_judged_by_its_main_effect_and_then_its_checks(main, checks, verdict):
    assert Row(claim(), main, checks).verdict == verdict


def test_a_row_names_its_caveats_and_tells_its_halves():
    rotates = effect(-1, 0.5, words="it turns")
    flies = effect(0, 3, words="it flies")
    row = Row(claim(), HOLDS, (rotates, GIVEN, flies))
    assert row.verdict == WITH_CAVEAT
    assert row.lost == (rotates, flies)
    assert [one.verdict for one in row.lost] == ["fails", "undecided"]
    assert row.kept == (HOLDS, GIVEN)
    assert [one.verdict for one in row.kept] == ["holds", BY_CONSTRUCTION]
    failed = Row(claim(), FAILS, (HOLDS,))
    assert failed.verdict == NOT_SUPPORTED
    assert (failed.kept, failed.lost) == ((HOLDS,), (FAILS,))
    assert Row(claim(), HOLDS).lost == ()


def test_an_effect_tells_what_was_measured_and_what_it_needs():
    assert HOLDS.measured_text == "growth: 3 ± 1 cm (n = 16)"
    assert HOLDS.needed_text == "above 1 needed: one can see it"
    assert effect(-4, -2, sign=-1).needed_text == "below -1 needed: one can see it"
    assert effect(-4, -2, sign=-1, margin=-2).needed_text == "below 2 needed: one can see it"
    assert effect(-4, -2, sign=-1, margin=0).needed_text == "below 0 needed: one can see it"
    assert effect(-4, -2, sign=-1).verdict == "holds"
    assert GIVEN.measured_text == GIVEN.verdict == BY_CONSTRUCTION
    assert GIVEN.clearance == float("inf")


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: effect(0, 1, sign=0), ValueError, "sign must be one of"),
        (lambda: effect(0, 1, margin=np.inf), ValueError, "margin must be a finite number"),
        (lambda: Effect("it grows", interval=Interval(1, 1, 16)), ValueError, "quantity and"),
        (lambda: Row(claim(), GIVEN), ValueError, "main must be a measured effect"),
        (lambda: Row(claim(), HOLDS, (HOLDS,) * 4), ValueError, "between 0 and 3, got 4"),
        (lambda: claim().weigh(-1), ValueError, "seed must be at least 0"),
        (lambda: claim().weigh(0.5), TypeError, "seed must be an integer"),
    ],
)
def test_what_makes_no_sense_is_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_the_ledger_goes_through_the_claims_in_order(monkeypatch):
    seeds = []

    def measure(seed):
        seeds.append(seed)
        return HOLDS, FAILS

    claims = [claim(measure), claim(lambda seed: (FAILS,))]
    monkeypatch.setattr(evidence, "CLAIMS", claims)
    (half, first), (share, rows) = evidence.watch_ledger(7)
    assert (half, share) == (0.5, 1) and seeds == [7]
    assert rows[:1] == first and [row.claim for row in rows] == claims
    assert [row.verdict for row in rows] == [WITH_CAVEAT, NOT_SUPPORTED]
    assert ledger(7) == rows


def test_a_claim_that_fails_to_be_measured_is_raised(monkeypatch):
    def measure(seed):
        raise RuntimeError("no room")

    monkeypatch.setattr(evidence, "CLAIMS", [claim(lambda seed: (FAILS,)), claim(measure)])
    with pytest.raises(RuntimeError, match="no room"):
        ledger(0)


def test_the_table_says_it_all_in_narrow_lines():
    long = effect(-1, 0.5, words="it turns " * 30)
    table = ledger_table([Row(claim(), HOLDS, (long, GIVEN)), Row(claim(), OPEN)], width=60)
    assert max(map(len, table.splitlines())) <= 60
    assert table.count("Everything grows.") == 2
    flat = " ".join(table.split())
    for text in (
        "SUPPORTED, WITH A CAVEAT [01#1]", "UNDECIDED", "holds it grows", "fails it turns",
        "growth: 3 ± 1 cm (n = 16)", "above 1 needed: one can see it", BY_CONSTRUCTION,
    ):
        assert text in flat


# -- where the claims are shown --


def headings_of(number):
    (path,) = (ROOT / "notebooks").glob(f"{number}_*.ipynb")
    cells = v4.reads(path.read_text(encoding="utf-8")).cells
    texts = [cell.source for cell in cells if cell.cell_type == "markdown"]
    return re.findall(r"^## (.+)$", "\n".join(texts), re.MULTILINE)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_every_claim_has_its_place(claim):
    assert claim.where
    for mark in claim.where.split(", "):
        number, section = mark.split("#")
        start = f"{section}. " if section.isdigit() else f"Go {section}"
        assert any(heading.startswith(start) for heading in headings_of(number)), mark


def test_the_surprises_are_those_that_their_picture_names():
    rows = [Row(one, HOLDS, (replace(FAILS, words=one.name), OPEN, OPEN)) for one in CLAIMS]
    first, second, third = surprises(rows)
    assert (first.words, second, third.words) == ("C1", OPEN, "C8")


# -- single units --


def test_only_units_that_tell_something_cost_accuracy():
    rng = np.random.default_rng(0)
    network = multilayer_perceptron(
        [2, 3, 2], rng=rng, batch_norm=False, n_networks=2, dtype=np.float64
    )
    first, last = network.layers[0], network.layers[-1]
    # Unit 0 hands on x[0], unit 1 a constant, unit 2 is not listened to.
    first.weights[...] = [[1, 0, 1], [0, 0, 1]]
    first.bias[...] = [0, 5, 0]
    last.weights[...] = [[-1, 1], [1, 0], [0, 0]]
    last.bias[...] = [-4.5, 0]
    inputs = np.abs(rng.standard_normal((40, 2)))
    targets = (inputs[:, 0] > 0.25).astype(int)
    lost = silence_units(network, inputs, targets)
    assert lost.shape == (3, 2)
    np.testing.assert_allclose(lost[0], 100 * (targets == 0).mean())  # its mean is above 0.25
    np.testing.assert_array_equal(lost[1:], 0)


def test_units_are_silenced_in_every_hidden_layer_and_the_network_stays():
    rng = np.random.default_rng(0)
    network = multilayer_perceptron([4, 5, 6, 3], rng=rng, n_networks=2, dtype=np.float64)
    inputs, targets = rng.standard_normal((30, 4)), rng.integers(3, size=30)
    before = network.forward(inputs, training=False)
    assert silence_units(network, inputs, targets).shape == (5 + 6, 2)
    np.testing.assert_array_equal(network.forward(inputs, training=False), before)


def test_a_silent_unit_keeps_its_mean():
    # With 0 in its place, the first class would win for every image.
    first, last = (
        Dense(n_in, n_out, rng=[np.random.default_rng(0)], n_networks=1, dtype=np.float64)
        for n_in, n_out in ((1, 1), (1, 2))
    )
    first.weights[...], last.weights[...], last.bias[...] = 1, [0, 1], [0.5, 0]
    inputs = np.array([[0.9], [1.1]])
    lost = silence_units(Network([first, ReLU(), last]), inputs, np.array([1, 1]))
    np.testing.assert_array_equal(lost, [[0]])


# -- one arm alone is the arm of the whole experiment --


def test_claims_about_drift_use_the_runs_of_notebook_03():
    clothes = load_clothes(2)
    pair = finish(watch_drift(clothes, n_steps=20))
    for arm, options in ARMS.items():
        alone = finish(watch_drift(clothes, {"": options}, n_steps=10))[""]
        np.testing.assert_array_equal(alone.losses, pair[arm].losses[:10])
        np.testing.assert_array_equal(alone["shape at h2"], pair[arm]["shape at h2"][:1])


def test_two_detectors_are_those_of_all_four():
    small = dict(n_networks=2, n_faces=100, n_steps=10)
    whole = measure_coats(("plain", "reference", "shortcut", "with"), **small)
    some = measure_coats(("plain", "reference"), coats=(0, 1), **small)
    assert list(some) == ["plain", "reference"]
    for name, kind in (("plain", "accuracy"), ("reference", "verdicts")):
        np.testing.assert_array_equal(some[name][kind], whole[name][kind][[0, -1]])
    with pytest.raises(ValueError, match="detectors must be one of"):
        measure_coats(("plain", "blind"), **small)


def test_networks_stop_on_the_way_of_a_longer_training():
    run, shorter = (evidence._live(FRESH, "group 8", n_steps) for n_steps in (20, 10))
    assert run.steps.tolist() == [10, 20]
    np.testing.assert_array_equal(shorter["test loss"][-1], run["test loss"][0])
    data = load_fashion_mnist(512, 1000, 7, 0.2, 16, seed=FRESH)
    for one in (run, shorter):
        logits = one.network.forward(data.test_inputs, training=False)
        np.testing.assert_allclose(mean_loss(logits, data.test_targets), one["test loss"][-1])
