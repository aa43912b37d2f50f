"""Notebook 05's ledger: each claim, what was measured, and the verdict by one rule.

A claim names one main effect and up to three boundary checks. A check is something that the claim
would also say, so a check that does not hold is a caveat. Every effect has a sign, a smallest size
that matters and a reason for it; `intervals.verdict` decides. Nothing here is typed in: each
`measure_...(seed)` trains the arms that its verdict needs, 16 networks each, paired by seed. Runs
are shorter than in the notebooks, where a docstring says so, and arms that several claims need
are trained once.
"""

import os
import textwrap
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from helpers.arms import train_arms
from helpers.checks import check_choice, check_integer, check_number
from helpers.covariate_shift.experiments import measure_coats
from helpers.datasets import load_fashion_mnist
from helpers.hidden_layer_stability.experiments import late_losses, load_clothes, watch_drift
from helpers.intervals import Interval, clearance, mean_interval, paired_interval, verdict
from helpers.layer_statistics import layer_places, record, with_statistics
from helpers.layers import Dense
from helpers.long_work import finish, remember
from helpers.minibatch_noise import experiments as minibatch_noise
from helpers.network import Network, accuracy, one_blas_thread
from helpers.weighing_the_evidence.experiments import (
    best_rates,
    final_loss,
    load_learning_rate_map,
    long_steps,
    pair_of,
    run_noisy_race,
    train_small,
)

BY_CONSTRUCTION = "by construction"
SUPPORTED, WITH_CAVEAT = "supported", "supported, with a caveat"
NOT_SUPPORTED, UNDECIDED = "not supported here", "undecided"

# -- the rule --


@dataclass(frozen=True)
class Effect:
    """What a claim says, what was measured, and how much of it the claim needs.

    words: the claim's statement. quantity, unit: what the number is. The statement holds if all of
    `interval` lies beyond `margin` in the direction of `sign` (see `intervals.verdict`); reason:
    why this margin, in one line. Without an interval the statement is true by construction,
    whatever the data. Raises ValueError or TypeError for anything else.
    """

    words: str
    quantity: str = ""
    unit: str = ""
    interval: Interval | None = None
    sign: int = 1
    margin: float = 0.0
    reason: str = ""

    def __post_init__(self):
        check_choice("sign", self.sign, (1, -1))
        check_number("margin", self.margin)
        if not self.by_construction and not (self.quantity and self.reason):
            raise ValueError(f"quantity and reason must say what is measured for {self.words!r}")

    @property
    def by_construction(self):
        return self.interval is None

    @property
    def verdict(self):
        """Return "holds", "fails", "undecided" or "by construction"."""
        if self.by_construction:
            return BY_CONSTRUCTION
        return verdict(self.interval, self.margin, self.sign)

    @property
    def clearance(self):
        """Return how far the interval is from another verdict, in half-widths."""
        if self.by_construction:
            return float("inf")
        return clearance(self.interval, self.margin, self.sign)

    @property
    def measured_text(self):
        """Return what was measured, with its interval and number of networks."""
        if self.by_construction:
            return BY_CONSTRUCTION
        return f"{self.quantity}: {self.interval} {self.unit} (n = {self.interval.n_seeds})"

    @property
    def needed_text(self):
        """Return what the statement needs, and why."""
        if self.by_construction:
            return "nothing to measure"
        side = "above" if self.sign > 0 else "below"
        return f"{side} {self.sign * self.margin + 0.0:g} needed: {self.reason}"


@dataclass(frozen=True)
class Row:
    """One line of the ledger: a claim, its main effect and its checks, as measured."""

    claim: "Claim"
    main: Effect
    checks: tuple = ()

    def __post_init__(self):
        if self.main.by_construction:
            raise ValueError("main must be a measured effect, got one by construction")
        check_integer("the number of checks", len(self.checks), 0, 3)

    @property
    def effects(self):
        return self.main, *self.checks

    @property
    def kept(self):
        """Return the effects that hold, those true by construction included."""
        return tuple(one for one in self.effects if one.verdict in ("holds", BY_CONSTRUCTION))

    @property
    def lost(self):
        """Return the effects that fail or are undecided."""
        return tuple(one for one in self.effects if one.verdict in ("fails", "undecided"))

    @property
    def verdict(self):
        """Return one of SUPPORTED, WITH_CAVEAT, NOT_SUPPORTED and UNDECIDED."""
        of_main = self.main.verdict
        if of_main != "holds":
            return NOT_SUPPORTED if of_main == "fails" else UNDECIDED
        return WITH_CAVEAT if self.lost else SUPPORTED


@dataclass(frozen=True)
class Claim:
    """A claim in plain words, before anything is measured.

    name: a short label. source: who says it. where: notebook and section of what shows it, such as
    "01#1, 03#deeper". measure: seed -> (main effect, *checks).
    """

    name: str
    words: str
    source: str
    where: str
    measure: Callable

    def weigh(self, seed=0):
        """Measure with the networks of `seed` and return the Row."""
        main, *checks = self.measure(check_integer("seed", seed, 0))
        return Row(self, main, tuple(checks))


CLAIMS = []


def claims(name, words, where, source="lecture"):
    """Decorate the function that measures a claim, which is then the last of CLAIMS."""

    def add(measure):
        CLAIMS.append(Claim(name, words, source, where, measure))
        return measure

    return add


def ledger(seed=0):
    """Return the Rows of all CLAIMS."""
    return finish(watch_ledger(seed))


def watch_ledger(seed=0):
    """Yield (share of the claims that are weighed, their Rows so far), in their order.

    As many claims at a time as there are cores, since not all that they measure is training: in
    turn they take half as long again.
    """
    rows = []
    with one_blas_thread(), ThreadPoolExecutor(os.cpu_count()) as pool:
        for row in pool.map(lambda claim: claim.weigh(seed), CLAIMS):
            rows = [*rows, row]
            yield len(rows) / len(CLAIMS), rows


def surprises(rows):
    """Return three checks that surprise: of C1, of C5 (the reason) and of C8 (the sweep)."""
    by_name = {row.claim.name: row for row in rows}
    return by_name["C1"].checks[0], by_name["C5"].checks[1], by_name["C8"].checks[0]


def ledger_table(rows, width=98):
    """Return the Rows as text, in lines of at most `width` characters."""
    legend = "Means with 95% intervals over n networks, each with data and weights of its own."
    blocks = [_wrap(legend, width, indent=0), *(_row_lines(row, width) for row in rows)]
    return "\n\n".join("\n".join(lines) for lines in blocks)


def _row_lines(row, width):
    head = f"{row.claim.name:5}{row.claim.words} ({row.claim.source})"
    lines = _wrap(head, width, indent=5)
    lines += _wrap(f"     {row.verdict.upper()}  [{row.claim.where}]", width, indent=5)
    for effect in row.effects:
        label = "true" if effect.by_construction else effect.verdict
        lines += _wrap(f"     {label:10} {effect.words}", width, indent=16)
        lines += _wrap(" " * 16 + effect.measured_text, width, indent=16)
        if not effect.by_construction:
            lines += _wrap(" " * 16 + effect.needed_text, width, indent=16)
    return lines


def _wrap(text, width, indent):
    return textwrap.wrap(text, width, subsequent_indent=" " * indent)


def _percent(values, reference):
    """Return the Interval of values against reference, network by network, in percent."""
    return mean_interval(100 * (values / reference - 1))


TENTH_OF_A_NAT = dict(
    unit="nats", sign=-1, margin=0.1,
    reason="a tenth of a nat makes the right answer a tenth more probable",
)

# -- 01: the story of the cats --


@claims(
    "C1", "A classifier trained on black cats fails on coloured ones, though the rule stays.",
    "01#1, 01#2",
)
def measure_black_cats(seed):
    """C1. The networks of notebook 01, on black and on coloured faces."""
    judged = measure_coats(("plain", "reference"), coats=(0, 1), seed=seed)
    black, coloured = judged["plain"]["accuracy"]
    drop, shift = black - coloured, judged["reference"]["accuracy"][-1] - coloured
    return (
        Effect(
            "on coloured coats it recognises fewer faces", "accuracy lost", "points",
            mean_interval(100 * drop), margin=5, reason="one face in twenty",
        ),
        Effect(
            "all of that drop is shift", "share of the drop that is shift", "%",
            mean_interval(100 * shift / drop), margin=90, reason="'all', give or take a tenth",
        ),
    )


# -- 03: layer 3's inputs --


@claims(
    "C2", "Batch norm makes deeper layers more robust to changes in earlier ones.",
    "03#3, 03#4",
)
def measure_moving_layers(seed):
    """C2. Notebook 03's moving target, 50 of its 120 steps."""
    clothes, drives = load_clothes(seed=seed), ("none", "rotation", "growth")
    late = [late_losses(clothes, drive, n_steps=50, seed=seed) for drive in drives]
    still, *driven = [np.array(list(losses.values())) for losses in late]
    (turned_without, turned_with), (grown_without, _) = (losses - still for losses in driven)
    return (
        Effect(
            "when layers 1 and 2 grow, the later ones suffer less",
            "extra training loss, with batch norm (0 by construction) minus without",
            interval=mean_interval(-grown_without), **TENTH_OF_A_NAT,
        ),
        Effect(
            "when layers 1 and 2 rotate, they suffer at most half as much",
            "extra training loss, with batch norm minus half of that without", "nats",
            mean_interval(turned_with - turned_without / 2), sign=-1, margin=0,
            reason="half; of the damage by growth batch norm takes away all",
        ),
    )


@remember(maxsize=1)
def _drifting_without(seed):
    arms = {"without": dict(batch_norm=False)}
    return finish(watch_drift(load_clothes(seed=seed), arms, n_steps=120, seed=seed))["without"]


@claims("C3", "From layer 3's point of view, its inputs keep changing.", "03#1, 03#2")
def measure_changing_inputs(seed):
    """C3. Notebook 03's networks without batch norm, 120 of its 200 steps at rate 0.02."""
    moves = _drifting_without(seed)["mean at h2"]
    pace = dict(unit="sd", margin=0.025, reason="in one direction, half a sd in 200 steps")
    quantity = "how far a unit's mean at h2 moves in 10 steps"
    return (
        Effect(
            "what layer 3 receives keeps moving", quantity, interval=mean_interval(moves.mean(0)),
            **pace,
        ),
        Effect(
            "it still moves late, between steps 80 and 120", quantity,
            interval=mean_interval(moves[-4:].mean(0)), **pace,
        ),
    )


@claims("C4", "Batch norm reduces how much layer 3's inputs shift.", "03#2, 03#deeper")
def measure_calmer_inputs(seed):
    """C4. The same networks with and without batch norm, the first 60 of notebook 03's 200 steps.

    These early steps are rougher than later ones, and batch norm calms the ranking more in them.
    """
    arms = {
        "with": dict(batch_norm=True),
        "with, tanh": dict(batch_norm=True, activation="tanh"),
        "without, tanh": dict(batch_norm=False, activation="tanh"),
    }
    runs = finish(watch_drift(load_clothes(seed=seed), arms, n_steps=60, seed=seed))
    relu = runs["with"], _drifting_without(seed)
    tanh = runs["with, tanh"], runs["without, tanh"]

    def change(pair, name):
        return _percent(*(run[name][:6].mean(axis=0) for run in pair))

    half = dict(unit="%", sign=-1, margin=50, reason="half: 'a lot' in notebook 03's bet")
    return (
        Effect(
            "the means of what layer 3 receives drift at most half as much",
            "drift of h2's means, with batch norm against without",
            interval=change(relu, "mean at h2"), **half,
        ),
        Effect("mean and width at z2 move only as β and γ learn"),
        Effect(
            "a unit's ranking of images drifts at most half as much (relu)",
            "drift of z2's ranking, with batch norm against without",
            interval=change(relu, "ranking at z2"), **half,
        ),
        Effect(
            "a unit's ranking of images drifts at most half as much (tanh)",
            "drift of z2's ranking, with batch norm against without",
            interval=change(tanh, "ranking at z2"), **half,
        ),
    )


# -- 05: what it buys --

GUESSING = np.log(10)  # the loss of guessing among ten classes
TENTH_OF_GUESSING = dict(
    unit="nats", sign=-1, margin=0.23, reason="a tenth of the loss of guessing"
)


GAINED = "training loss (diverged counts as guessing, 2.3), with batch norm minus without"


def _gain(seed, depth, rates):
    """Return the Interval of the final loss with batch norm minus without, at {arm: rate}.

    After 50 of notebook 05's 100 steps. What diverged counts as guessing.
    """
    arms = {arm: dict(batch_norm=arm == "with", learning_rate=rates[arm]) for arm in rates}
    runs = train_small(arms, depth=depth, n_steps=50, seed=seed)
    losses = {arm: np.minimum(final_loss(run), GUESSING) for arm, run in runs.items()}
    return paired_interval(losses["with"], losses["without"])


def _best_rates(depth):
    return best_rates(pair_of(load_learning_rate_map(), depth=depth))


# The first 30 of the 160 steps of notebook 05's race, watched on half of its images.
EARLY_RACE = dict(n_steps=30, n_probe=128)


@remember()
def _noisy_race(seed):
    return run_noisy_race(0.1, seed=seed, **EARLY_RACE)


def _against(arm, reference):
    """Return the Interval of the training loss between steps 20 and 30, in percent."""
    return _percent(*(run["loss"][run.steps >= 20].mean(axis=0) for run in (arm, reference)))


@claims("C5", "Because inputs shift less, later layers learn more easily.", "02#1, 05#2, 05#3")
def measure_easier_learning(seed):
    """C5. Notebook 05's networks of 10 and of 3 layers, 50 of their 100 steps, and its noisy race.

    Each arm of the first two learns at the rate that was best for it in notebook 05's map. Of the
    race we take the training loss between steps 20 and 30 instead of the steps to a loss of 0.5.
    """
    race = _noisy_race(seed)
    return (
        Effect(
            "the gain is large in a network of ten layers, each arm at its best rate", GAINED,
            interval=_gain(seed, 10, _best_rates(10)), **TENTH_OF_GUESSING,
        ),
        Effect(
            "a network of three layers gains a tenth of the loss of guessing, too", GAINED,
            interval=_gain(seed, 3, _best_rates(3)), **TENTH_OF_GUESSING,
        ),
        Effect(
            "less drift is the reason: with noise and more drift, batch norm falls behind none",
            "training loss at rate 0.1, noisy batch norm against none", "%",
            _against(race["noisy"], race["without"]), margin=0, reason="any delay would count",
        ),
    )


# -- 04: the noise --

N_LIVE = 80  # steps, of notebook 04's 100
N_EQUAL_FIT = 48  # steps after which networks without noise fit what those with noise fit at N_LIVE


LIVE_ARMS = minibatch_noise.LIVE_ARMS | {
    "64, dropout 0.2": {"group_size": 64, "dropout": 0.2},
    "dropout 0.2 alone": {"batch_norm": False, "dropout": 0.2},
}


@remember(maxsize=len(LIVE_ARMS) + 1)
def _live(seed, arm, n_steps=N_LIVE):
    """Return the Run of an arm like notebook 04's, looked at every 10 steps, not every 5.

    Its networks have the statistics of all training images.
    """
    data = load_fashion_mnist(512, 1000, 7, 0.2, 16, seed=seed)
    settings = minibatch_noise.LIVE | dict(n_steps=n_steps, every=10, seed=seed)
    look = minibatch_noise.losses_on(data)
    run = train_arms({arm: LIVE_ARMS[arm]}, data, look=look, **settings)[arm]
    fixed = with_statistics(run.network, data.train_inputs)
    # Layers remember their last inputs: let that be one image, not a thousand.
    fixed.forward(data.test_inputs[:1], training=False)
    return replace(run, network=fixed)


def _best_test_loss(seed, arm):
    """Return the lowest test loss along the run, (n_networks,): stopping early by the test set."""
    return _live(seed, arm)["test loss"].min(axis=0)


@claims("C6", "Mini-batch statistics add noise, similar to dropout.", "04#1, 04#2")
def measure_noise(seed):
    """C6. Notebook 04's untrained networks, one random image each, 500 mini-batches of 64."""
    values = minibatch_noise.pre_activations(n_units=16, n_networks=16, seed=seed)
    (noise,) = minibatch_noise.measure_noise(values, [64], seed=seed)["total"]
    return (
        Effect(
            "the same image gets other hidden values in other batches of 64",
            "standard deviation of a value, in those of its unit", "sd",
            mean_interval(noise), margin=0.1, reason="a tenth of the spread between images",
        ),
        Effect(
            "it is at least half as large as that of a mild dropout",
            "sd as a share of that of dropout 0.2", "%",
            mean_interval(100 * noise / minibatch_noise.dropout_sd(0.2)), margin=50,
            reason="half, to be called similar",
        ),
    )


@claims("C7", "Batch norm's noise regularises slightly.", "04#4")
def measure_regularising_noise(seed):
    """C7. Notebook 04's arms with statistics groups of 4, 8 and 512."""
    loud, noisy, quiet = (
        _best_test_loss(seed, arm) for arm in ("group 4", "group 8", "group 512")
    )
    return (
        Effect(
            "noisy statistics lower the best test loss", "groups of 8 against 512", "%",
            _percent(noisy, quiet), sign=-1, margin=0.5, reason="half a percent of the loss",
        ),
        Effect(
            "the more noise, the better", "best test loss, groups of 4 against 8", "%",
            _percent(loud, noisy), sign=-1, margin=0, reason="any further gain counts",
        ),
    )


@claims("C8", "A batch of 512 regularises less than one of 64.", "04#3, 04#4, 04#deeper")
def measure_batch_sizes(seed):
    """C8. Notebook 04's groups of 64 and 512, its naive sweep and its larger network.

    The test loss is averaged over steps 30 to 70, around the best moment of both arms: the single
    lowest loss differs more from network to network. The sweep has 8 epochs instead of 20, the
    larger network half its images, in groups of 32 and 128 instead of 64 and 256: it fits them as
    soon, in half the time.
    """
    small, whole = (_live(seed, arm) for arm in ("group 64", "group 512"))
    around_best = (small.steps >= 30) & (small.steps <= 70)
    losses = [run["test loss"][around_best].mean(axis=0) for run in (small, whole)]
    sweep = minibatch_noise.sweep_batch_sizes(True, (64, 512), n_epochs=8, n_test=500, seed=seed)
    data = load_fashion_mnist(128, 500, 14, 0.2, 16, seed=seed)
    fitted = train_arms(
        {size: dict(group_size=size) for size in (32, 128)}, data, hidden=[64, 64], n_steps=60,
        batch_size=128, learning_rate=0.1, look=minibatch_noise.losses_on(data), seed=seed,
    )
    naive, late = ([run["gap"][-1] for run in runs.values()] for runs in (sweep, fitted))
    return (
        Effect(
            "with groups of 64 the test loss is lower, all else equal",
            "around its best moment, groups of 64 against 512", "%",
            _percent(*losses), sign=-1, margin=0, reason="the claim is only which is less",
        ),
        Effect(
            "whoever just trains with 64 instead of 512 overfits less, too",
            "test minus training loss at equal epochs, 64 minus 512",
            interval=paired_interval(*naive), **TENTH_OF_A_NAT,
        ),
        Effect(
            "at the end of training, so do smaller groups even in a network that fits every label",
            "test minus training loss, groups of 32 minus 128",
            interval=paired_interval(*late), **TENTH_OF_A_NAT,
        ),
    )


@claims("C9", "Use batch norm together with dropout for a stronger effect.", "04#4")
def measure_dropout(seed):
    """C9. Notebook 04's networks: groups of 64, dropout 0.2, and both.

    Dropout 0.5 is left out: it is still learning when the others are at their best.
    """
    plain, both, alone = (
        _best_test_loss(seed, arm)
        for arm in ("group 64", "64, dropout 0.2", "dropout 0.2 alone")
    )
    half = dict(unit="%", sign=-1, margin=0.5, reason="half a percent of the loss")
    return (
        Effect(
            "dropout 0.2 lowers the best test loss of batch norm",
            "groups of 64, with dropout 0.2 against without",
            interval=_percent(both, plain), **half,
        ),
        Effect(
            "and batch norm that of dropout 0.2",
            "best test loss, groups of 64 against no batch norm, both with dropout",
            interval=_percent(both, alone), **half,
        ),
    )


def silence_units(network, inputs, targets):
    """Return the accuracy lost, in points, (n_units, n_networks), unit by unit.

    A silent hidden unit hands on its mean over `inputs`, whatever the image, so that only what it
    tells about the image is lost. (Morcos et al. 2018 silence units of larger networks and find
    that batch norm makes them rely less on single ones.) inputs: (batch, features), targets:
    (batch,), shared by all networks.
    """
    right = accuracy(network.forward(inputs, training=False), targets)
    received, lost = record(network, inputs), []
    for place in layer_places(network, Dense)[1:]:
        above = Network(network.layers[place:])
        for unit in range(received[place].shape[-1]):
            values = received[place].copy()
            values[..., unit] = values[..., unit].mean(axis=-1, keepdims=True)
            lost.append(right - accuracy(above.forward(values, training=False), targets))
    return 100 * np.array(lost)


N_IMPORTANT = 5  # of 64 hidden units: the single worst one differs more from network to network


def _cost_of_a_unit(seed, arm, step=N_LIVE):
    """Return the accuracy lost with one of the N_IMPORTANT units, their mean, (n_networks,)."""
    data = load_fashion_mnist(image_size=7, rng=np.random.default_rng(seed))
    lost = silence_units(_live(seed, arm, step).network, data.test_inputs, data.test_targets)
    return np.sort(lost, axis=0)[-N_IMPORTANT:].mean(axis=0)


@claims("C10", "Batch norm's noise keeps units from relying on any one unit.", "05#5")
def measure_single_units(seed):
    """C10. Silence each hidden unit of notebook 04's networks, and take the most important ones.

    Accuracy, not the loss: networks that fit more are more certain, and lose more of their loss
    whatever is done to them. Notebook 04 does not show this.
    """
    quiet = _cost_of_a_unit(seed, "group 512")
    quiet_early = _cost_of_a_unit(seed, "group 512", N_EQUAL_FIT)
    noisy, dropped = (_cost_of_a_unit(seed, arm) for arm in ("group 8", "dropout 0.2"))
    points = dict(unit="points", sign=-1)
    lost = f"accuracy lost with one of the {N_IMPORTANT} most important units, groups of 8"
    one_point = dict(margin=1, reason="one test image in a hundred")
    return (
        Effect(
            "with noise, losing an important unit costs less",
            f"{lost} minus 512", interval=paired_interval(noisy, quiet), **points, **one_point,
        ),
        Effect(
            "not just because noise keeps networks from overfitting",
            f"the same, 512 stopped at step {N_EQUAL_FIT}, at about the same training loss",
            interval=paired_interval(noisy, quiet_early), margin=0, **points,
            reason="any gain counts once the fit is equal",
        ),
        Effect(
            "dropout does the same", "accuracy lost, with dropout 0.2 minus without",
            interval=paired_interval(dropped, quiet), **points, **one_point,
        ),
        Effect(
            "no single unit matters any more",
            lost, interval=mean_interval(noisy), margin=-1, **points,
            reason="one test image in a hundred is tolerated",
        ),
    )


# -- 05: the papers --


@claims(
    "P1", "More drift does not make training slow.",
    "05#2", "Santurkar et al. 2018, section 2.1",
)
def measure_harmless_drift(seed):
    """P1. Notebook 05's noisy race: the training loss between steps 20 and 30 of 160."""
    fast = _noisy_race(seed)
    slow = run_noisy_race(0.02, arms=("without", "noisy"), seed=seed, **EARLY_RACE)
    twentieth = dict(unit="%", sign=-1, margin=5, reason="a twentieth of the loss")
    quantity = "training loss, noisy batch norm against none"
    return (
        Effect(
            "at learning rate 0.1 noisy batch norm is faster than none", quantity,
            interval=_against(fast["noisy"], fast["without"]), **twentieth,
        ),
        Effect(
            "although its inputs drift more", "drift in one step, noisy batch norm against none",
            "times", mean_interval(fast["noisy"]["drift"][-1] / fast["without"]["drift"][-1]),
            margin=2, reason="at least twice as far",
        ),
        Effect(
            "so it is at learning rate 0.02", quantity,
            interval=_against(slow["noisy"], slow["without"]), **twentieth,
        ),
        Effect(
            "the noise costs nothing, compared with quiet batch norm",
            "training loss at rate 0.1, noisy against quiet batch norm", "%",
            _against(fast["noisy"], fast["with"]), sign=-1, margin=-5,
            reason="a twentieth of the loss is tolerated",
        ),
    )


@claims(
    "P2", "What batch norm mainly gives is room for larger learning rates.",
    "05#3", "Bjorck et al. 2018, abstract",
)
def measure_large_rates(seed):
    """P2. Notebook 05's networks of ten and of three layers."""
    little = dict(unit="nats", margin=-0.3, reason="a fifth of the gain at the large rate")
    large = 10 * _best_rates(10)["without"]
    return (
        Effect(
            "ten layers still train at ten times the best rate without batch norm", GAINED,
            interval=_gain(seed, 10, {"without": large, "with": large}), **TENTH_OF_GUESSING,
        ),
        Effect(
            "at a rate that is small for both, 0.03, they gain little", GAINED,
            interval=_gain(seed, 10, {"without": 0.03, "with": 0.03}), **little,
        ),
        Effect(
            "so do three layers at 0.1", GAINED,
            interval=_gain(seed, 3, {"without": 0.1, "with": 0.1}), **little,
        ),
    )


@claims("P3", "Batch norm makes the loss smoother.", "05#4", "Santurkar et al. 2018, section 3")
def measure_smoother_loss(seed):
    """P3. Notebook 05's walk along the gradient, from the first 2 of its 3 halts."""
    relu, tanh = (
        paired_interval(changes["with"], changes["without"])
        for changes in (long_steps(one, at=(6, 16), seed=seed) for one in ("relu", "tanh"))
    )
    quantity = "change of the loss in one long step, with batch norm minus without"
    return (
        Effect(
            "with relu the loss is smoother along the gradient", quantity, interval=relu,
            **TENTH_OF_A_NAT,
        ),
        Effect("so it is with tanh", quantity, interval=tanh, **TENTH_OF_A_NAT),
    )
