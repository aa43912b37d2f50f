"""Notebook 05's claims: what each says, how that is measured, and how much of it is needed.

Those of the lecture are here, those of later papers in `papers`.

Nothing is typed in: each `measure_...(seed)` trains the arms that its claim needs, 16 networks
each, paired by seed; arms that several claims need once. Where its docstring says so, runs are
shorter than in the notebooks.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from helpers.arms import train_arms
from helpers.covariate_shift.experiments import measure_coats
from helpers.datasets import load_fashion_mnist
from helpers.hidden_layer_stability.experiments import late_losses, load_clothes, watch_drift
from helpers.layer_statistics import with_statistics
from helpers.long_work import finish, remember
from helpers.minibatch_noise import experiments as minibatch_noise
from helpers.weighing_the_evidence import experiments


@dataclass(frozen=True)
class Claim:
    """A claim in plain words, before anything is measured.

    name: a short label. source: who says it. where: notebook and section of what shows it, such as
    "01#1, 03#deeper". measure: seed -> {statement: what was measured, as in `ledger.Effect`}, the
    main effect first and then the checks, which the claim says as well; and under BEYOND, in a dict
    of its own, what it does not say but is often heard to say.
    """

    name: str
    words: str
    where: str
    source: str
    measure: Callable


CLAIMS = []
BEYOND = "not part of the claim"


def claims(name, words, where, source="lecture"):
    """Decorate the function that measures a claim, which is then the last of CLAIMS."""

    def add(measure):
        CLAIMS.append(Claim(name, words, where, source, measure))
        return measure

    return add


def percent(values, reference):
    """Return values against reference, network by network, in percent."""
    return 100 * (values / reference - 1)


TENTH_OF_A_NAT = (
    "below", -0.1, "nats", "with a tenth of a nat less the right answer is a tenth more probable"
)


@claims(
    "C1", "A classifier trained on black cats fails on coloured ones, though the rule is the same.",
    "01#1, 01#2",
)
def measure_black_cats(seed):
    """C1. The networks of notebook 01, on black and on coloured faces."""
    (black, coloured), (bright,) = (
        measure_coats([name], coats=coats, seed=seed)[name]["accuracy"]
        for name, coats in (("plain", (0, 1)), ("reference", (1,)))  # in turn: half of the memory
    )
    drop, shift = black - coloured, bright - coloured
    return {
        "it recognises fewer faces in coloured coats": (
            "accuracy lost", 100 * drop, "above", 5, "points", "one face in twenty",
        ),
        BEYOND: {"the whole drop is covariate shift": (
            "share of the drop that is shift", 100 * shift / drop,
            "above", 90, "%", '"the whole", give or take a tenth',
            "part of the drop is no shift: coloured faces are harder to tell apart",
        )},
    }


@claims(
    "C2", "Batch norm makes deeper layers more robust to changes in earlier ones.", "03#3, 03#4",
)
def measure_moving_layers(seed):
    """C2. Notebook 03's moving target, 50 of its 120 steps."""
    clothes, drives = load_clothes(seed=seed), ("none", "rotation", "growth")
    still, turned, grown = (late_losses(clothes, one, n_steps=50, seed=seed) for one in drives)
    turning = {arm: turned[arm] - still[arm] for arm in still}
    return {
        "when the weights of layers 1 and 2 grow, the later layers suffer less": (
            "extra training loss: with batch norm, 0 by construction, minus without",
            still["without"] - grown["without"], *TENTH_OF_A_NAT,
        ),
        "when layers 1 and 2 rotate, the later layers suffer at most half as much": (
            "extra training loss: with batch norm, minus half of that without",
            turning["with"] - turning["without"] / 2,
            "below", 0, "nats", "half would do; growth does no damage at all",
            "when layers 1 and 2 rotate, they suffer more than half as much",
        ),
    }


@remember(maxsize=4)
def _drift(seed, n_steps=60, **arm):
    """Return {quantity: (n_looks, n_networks)} of an arm like notebook 03's, looked at in tens."""
    run = watch_drift(load_clothes(seed=seed), {"": arm}, n_steps=n_steps, seed=seed)
    return finish(run)[""].seen


@claims("C3", "From layer 3's point of view, its inputs keep changing.", "03#1, 03#2")
def measure_changing_inputs(seed):
    """C3. Notebook 03's networks without batch norm, 120 of its 200 steps."""
    moves = _drift(seed, n_steps=120, batch_norm=False)["mean at h2"]
    quantity = "how far a unit's mean at h2 moves in 10 steps"
    pace = "above", 0.025, "sd", "kept up in one direction, that is half a sd in 200 steps"
    late = moves[-4:].mean(axis=0)
    return {
        "the means of layer 3's inputs keep moving": (quantity, moves.mean(axis=0), *pace),
        "they still move late, between steps 80 and 120": (quantity, late, *pace),
    }


@claims("C4", "Batch norm makes layer 3's inputs shift around less.", "03#2, 03#deeper")
def measure_calmer_inputs(seed):
    """C4. The same networks with and without batch norm, the first 60 of notebook 03's 200 steps.

    These early steps are rougher than later ones, and batch norm calms the ranking more in them.
    """
    relu = _drift(seed, batch_norm=True), _drift(seed, n_steps=120, batch_norm=False)
    tanh = [_drift(seed, batch_norm=one, activation="tanh") for one in (True, False)]

    def halved(words, pair, name, otherwise=""):
        change = percent(*(seen[name][:6].mean(axis=0) for seen in pair))
        quantity = f"change of {words}, with batch norm against without"
        reason = 'half, which notebook 03 calls "a lot"'
        return quantity, change, "below", -50, "%", reason, otherwise

    restless = "with {}, which images score high in a unit drifts more than half as far"

    return {
        "the means of layer 3's inputs drift at most half as far":
            halved("the means' drift at h2", relu, "mean at h2"),
        "mean and width at z2 move only as β and γ learn": (),
        "with relu, a unit's ranking of the images drifts at most half as far": halved(
            "the ranking's drift at z2", relu, "ranking at z2", restless.format("relu")
        ),
        "with tanh, a unit's ranking of the images drifts at most half as far": halved(
            "the ranking's drift at z2", tanh, "ranking at z2", restless.format("tanh")
        ),
    }


TENTH_OF_GUESSING = "below", -0.23, "nats", "a tenth of what guessing costs"
GAINED = "training loss, with batch norm minus without (diverged counts as guessing, 2.3)"


def gained(seed, depth, rates=None, needed=TENTH_OF_GUESSING):
    """Return the gain after 50 of notebook 05's 100 steps, as `ledger.Effect` wants it.

    rates: without and with batch norm; None: each arm's best of the map.
    """
    if rates is None:
        pair = experiments.pair_of(experiments.load_learning_rate_map(), depth=depth)
        rates = experiments.best_rates(pair).values()
    settings = dict(depth=depth, n_steps=50, seed=seed)
    losses = [
        experiments.measure_learning_rates([rate], batch_norm=one, **settings)[0]
        for one, rate in zip((False, True), rates)
    ]
    without, with_norm = np.minimum(losses, np.log(10))
    return GAINED, with_norm - without, *needed


@remember(maxsize=2)
def early_race(seed, learning_rate):
    """Return loss and drift in the first 30 steps of notebook 05's 160, on half of its images.

    Each {arm: array}: the training loss, its mean between steps 20 and 30, (n_networks,); the drift
    in 1, 10 and 40 steps, (3, n_networks), the last of them NaN.
    """
    race = experiments.run_noisy_race(learning_rate, n_steps=30, n_probe=128, seed=seed)
    loss = {arm: run["loss"][run.steps >= 20].mean(axis=0) for arm, run in race.items()}
    return loss, {arm: run["drift"][-1].T for arm, run in race.items()}


def against_none(seed, learning_rate):
    """Return that loss with noisy batch norm against none, in percent, as `Effect` wants it."""
    loss, _ = early_race(seed, learning_rate)
    quantity = f"training loss at rate {learning_rate:g}, noisy batch norm against none"
    return quantity, percent(loss["noisy"], loss["without"])


@claims(
    "C5", "With batch norm later layers learn more easily, because their inputs shift less.",
    "02#1, 05#2, 05#3",
)
def measure_easier_learning(seed):
    """C5. Notebook 05's networks of 10 and of 3 layers, 50 of their 100 steps, and its noisy race.

    Each arm of the first two learns at the rate that was best for it in notebook 05's map. Of the
    race we take the training loss between steps 20 and 30 instead of the steps to a loss of 0.5.
    """
    delayed = "above", 0, "%", "any delay would count"
    return {
        "less drift in a step is needed: once noise puts it back at rate 0.1, the gain is gone": (
            *against_none(seed, 0.1), *delayed,
            "at rate 0.1 less drift in a step is not all: with noise training is still faster",
        ),
        "ten layers learn more easily, each arm at its best learning rate":
            gained(seed, 10),
        BEYOND: {
            "once noise puts the drift in a step back at rate 0.02, the gain is gone": (
                *against_none(seed, 0.02), *delayed
            ),
            "three layers learn more easily as well, by the same measure": (
                *gained(seed, 3), "three layers gain less than a tenth of what guessing costs"
            ),
        },
    }


N_LIVE = 80  # steps, of notebook 04's 100
N_EQUAL_FIT = 48  # steps after which networks without noise fit what those with noise fit at N_LIVE
HALF_A_PERCENT = "below", -0.5, "%", "half a percent of the loss"


@remember(maxsize=8)
def _live(seed, n_steps=N_LIVE, **arm):
    """Return the Run of an arm like notebook 04's, looked at every 10 steps, not every 5."""
    runs = minibatch_noise.watch_live({"": arm}, n_steps=n_steps, every=10, seed=seed)
    return finish(runs)[""]


def _best_test_loss(seed, **arm):
    """Return the lowest test loss along the run, (n_networks,): stopping early by the test set."""
    return _live(seed, **arm)["test loss"].min(axis=0)


@claims("C6", "Mini-batch statistics add noise to hidden values, as dropout does.", "04#1, 04#2")
def measure_noise(seed):
    """C6. Notebook 04's untrained networks, one random image each, 500 mini-batches of 64."""
    values = minibatch_noise.pre_activations(n_units=16, n_networks=16, seed=seed)
    (noise,) = minibatch_noise.measure_noise(values, [64], seed=seed)["total"]
    return {
        "an image's hidden values change with the other 63 images of its batch": (
            "sd of one value over batches, in sd of its unit over images", noise,
            "above", 0.1, "sd", "a tenth of the spread between images",
        ),
        BEYOND: {"this noise is at least half as large as that of a mild dropout": (
            "its sd as a share of that of dropout 0.2",
            100 * noise / minibatch_noise.dropout_sd(0.2),
            "above", 50, "%", "half, to count as about as much",
            "this noise is less than half as large as that of a mild dropout",
        )},
    }


@claims("C7", "Batch norm's noise regularises, slightly.", "04#4")
def measure_regularising_noise(seed):
    """C7. Notebook 04's arms with statistics groups of 4, 8 and 512."""
    loud, noisy, quiet = (_best_test_loss(seed, group_size=size) for size in (4, 8, 512))
    against_quiet = "best test loss, groups of 8 against 512", percent(noisy, quiet)
    return {
        "statistics of 8 images lower the best test loss": (*against_quiet, *HALF_A_PERCENT),
        "only slightly": (*against_quiet, "above", -10, "%", "less than a tenth of the loss"),
        BEYOND: {f"within {N_LIVE} steps, still noisier statistics lower it further": (
            "best test loss, groups of 4 against 8", percent(loud, noisy),
            "below", 0, "%", "any further gain counts",
            f"within {N_LIVE} steps, still noisier statistics raise it again",
        )},
    }


@claims("C8", "A batch of 512 regularises less than one of 64.", "04#3, 04#4, 04#deeper")
def measure_batch_sizes(seed):
    """C8. Notebook 04's groups of 64 and 512, its naive sweep and its larger network.

    The test loss is averaged over steps 30 to 70, around the best moment of both arms: the lowest
    one differs more between networks. The sweep has 8 epochs instead of 20, the larger network half
    its images, in groups of 32 and 128 instead of 64 and 256: fitted as soon, in half the time.
    """
    runs = (_live(seed, group_size=size) for size in (64, 512))
    small, whole = (run["test loss"][2:7].mean(axis=0) for run in runs)
    sweep = minibatch_noise.sweep_batch_sizes(True, (64, 512), n_epochs=8, n_test=500, seed=seed)
    data = load_fashion_mnist(128, 500, 14, 0.2, 16, seed=seed)
    fitted = train_arms(
        {size: dict(group_size=size) for size in (32, 128)}, data, hidden=[64, 64], n_steps=60,
        batch_size=128, learning_rate=0.1, look=minibatch_noise.losses_on(data), seed=seed,
    )
    naive, late = ({size: run["gap"][-1] for size, run in one.items()} for one in (sweep, fitted))
    return {
        "all else equal, statistics of 64 images give a lower test loss than those of 512": (
            "test loss around its best moment, groups of 64 against 512", percent(small, whole),
            "below", 0, "%", "any difference counts",
        ),
        "just switching from batches of 512 to 64 makes networks overfit less": (
            "test minus training loss after 8 epochs, 64 minus 512", naive[64] - naive[512],
            *TENTH_OF_A_NAT,
            "just switching from batches of 512 to 64 does not make networks overfit less",
        ),
        BEYOND: {"smaller groups also overfit less at the end, when every label is fitted": (
            "test minus training loss, groups of 32 minus 128", late[32] - late[128],
            *TENTH_OF_A_NAT,
            "at the end, when every label is fitted, smaller groups do not overfit less",
        )},
    }


@claims("C9", "Batch norm and dropout together regularise more than either alone.", "04#5")
def measure_dropout(seed):
    """C9. Notebook 04's networks: groups of 64, dropout 0.2, and both.

    Dropout 0.5 is left out: it is still learning when the others are at their best.
    Dropout alone is without batch norm, so that what it lacks is the normalisation as well.
    """
    quiet = _best_test_loss(seed, group_size=512)
    plain = _best_test_loss(seed, group_size=64)
    both = _best_test_loss(seed, group_size=64, dropout=0.2)
    calm = _best_test_loss(seed, group_size=512, dropout=0.2)
    alone = _best_test_loss(seed, batch_norm=False, dropout=0.2)
    return {
        "adding dropout 0.2 to batch norm lowers the best test loss": (
            "best test loss, groups of 64, with dropout 0.2 against without", percent(both, plain),
            *HALF_A_PERCENT,
        ),
        "adding batch norm to dropout 0.2 lowers the best test loss": (
            "best test loss, groups of 64 against no batch norm, both with dropout",
            percent(both, alone), *HALF_A_PERCENT,
        ),
        "dropout 0.2 adds more than batch norm's own noise": (
            "what dropout 0.2 takes off the best test loss, minus what groups of 64 take off that "
            "of 512", percent(both, plain) - percent(plain, quiet), "below", 0, "%",
            "any difference counts",
        ),
        BEYOND: {"at least half of what batch norm adds to dropout 0.2 is its noise": (
            "what groups of 64 take off the best test loss of 512, minus half of what they take "
            "off that of no batch norm, all with dropout",
            percent(both, calm) - percent(both, alone) / 2, "below", 0, "%", "half would do",
            "most of what batch norm adds to dropout 0.2 is its normalisation, not its noise",
        )},
    }


N_IMPORTANT = 5  # of 64 hidden units: the single worst one differs more from network to network


def _cost_of_a_unit(seed, **arm):
    """Return the accuracy lost with one of the N_IMPORTANT units, their mean, (n_networks,)."""
    data = minibatch_noise.load_live(seed=seed)
    network = with_statistics(_live(seed, **arm).network, data.train_inputs)
    lost = experiments.silence_units(network, data.test_inputs, data.test_targets)
    return np.sort(lost, axis=0)[-N_IMPORTANT:].mean(axis=0)


@claims("C10", "Batch norm's noise keeps units from relying too much on any one unit.", "05#5")
def measure_single_units(seed):
    """C10. Silence each hidden unit of notebook 04's networks, and take the most important ones.

    Accuracy, not the loss: networks that fit more are more certain, and lose more of their loss
    whatever is done to them. Notebook 04 does not show this.
    """
    noisy, quiet = (_cost_of_a_unit(seed, group_size=size) for size in (8, 512))
    quiet_early = _cost_of_a_unit(seed, group_size=512, n_steps=N_EQUAL_FIT)
    dropped = _cost_of_a_unit(seed, group_size=512, dropout=0.2)
    lost = f"accuracy lost with one of the {N_IMPORTANT} most important units, groups of 8"
    one_point = "below", -1, "points", "one test image in a hundred"
    return {
        "with statistics of 8 images, losing an important unit costs less accuracy": (
            f"{lost} minus 512", noisy - quiet, *one_point,
        ),
        "it still costs less when both arms fit the training images equally well": (
            f"the same, but 512 stopped at step {N_EQUAL_FIT}, at about the same training loss",
            noisy - quiet_early, "below", 0, "points", "any gain counts once the fit is equal",
        ),
        BEYOND: {
            "dropout lowers that cost as well": (
                "accuracy lost, with dropout 0.2 minus without", dropped - quiet, *one_point,
            ),
            "with noise, no single unit matters any more": (
                lost, noisy, "below", 1, "points", "one test image in a hundred is tolerated",
                "with noise, single units still matter",
            ),
        },
    }
