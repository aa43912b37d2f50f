"""Notebook 05's claims P1 to P5, of later papers. CLAIMS is complete once this is imported."""

import numpy as np

from helpers.weighing_the_evidence import direction, experiments
from helpers.weighing_the_evidence.claims import (
    BEYOND,
    CLAIMS,
    TENTH_OF_A_NAT,
    TENTH_OF_GUESSING,
    against_none,
    claims,
    early_race,
    gained,
    percent,
)

__all__ = ["CLAIMS"]


@claims("P1", "More drift does not slow training.", "05#2", "Santurkar et al. 2018, section 2.1")
def measure_harmless_drift(seed):
    """P1. Notebook 05's noisy race: the training loss between steps 20 and 30 of 160."""
    loss, drift = early_race(seed, 0.1)
    in_one, in_ten, _ = drift["noisy"] / drift["without"]
    return {
        "at learning rate 0.1, noisy batch norm is even faster than none": (
            *against_none(seed, 0.1), "below", -5, "%", "a twentieth of the loss"
        ),
        "there, layer 3's inputs drift more in one step with it than without batch norm": (
            "drift in one step, noisy batch norm against none", in_one,
            "above", 2, "times", "at least twice as far",
        ),
        "there, they drift more in ten steps as well": (
            "drift in ten steps, noisy batch norm against none", in_ten,
            "above", 1, "times", "any more would count",
            "in ten steps, they drift less: noise jitters, natural drift goes on",
        ),
        "at learning rate 0.02, it is not slower than none": (
            *against_none(seed, 0.02), "below", 0, "%", "any delay would count",
            "at learning rate 0.02, it is slower than none",
        ),
        "at learning rate 0.1, the noise costs next to nothing": (
            "training loss at rate 0.1, noisy against quiet batch norm",
            percent(loss["noisy"], loss["with"]),
            "below", 5, "%", "a twentieth of the loss is tolerated",
            "at learning rate 0.1, the noise itself costs speed",
        ),
    }


@claims(
    "P2", "What batch norm mainly gives is room for larger learning rates.", "05#3",
    "Bjorck et al. 2018, abstract",
)
def measure_large_rates(seed):
    """P2. Notebook 05's networks of ten and of three layers."""
    pair = experiments.pair_of(experiments.load_learning_rate_map(), depth=10)
    best = experiments.best_rates(pair)["without"]
    little = "above", -0.3, "nats", "a fifth of the gain at the large rate"
    return {
        "ten layers still train at ten times the rate that is best without batch norm":
            gained(seed, 10, [10 * best] * 2),
        "at the rate that is best without batch norm, 0.1, ten layers gain little":
            gained(seed, 10, [best] * 2, little),
        "at 0.1, three layers gain little": gained(seed, 3, [0.1] * 2, little),
    }


@claims(
    "P3", "Batch norm makes the loss smoother.", "05#deeper", "Santurkar et al. 2018, section 3",
)
def measure_smoother_loss(seed):
    """P3. Notebook 05's walk along the gradient, from the first 2 of its 3 halts."""

    def smoother(activation, otherwise=""):
        change = experiments.long_steps(activation, at=(6, 16), seed=seed)
        quantity = "change of the loss in one long step, with batch norm minus without"
        return quantity, change["with"] - change["without"], *TENTH_OF_A_NAT, otherwise

    return {
        "with relu, batch norm makes the loss smoother along the gradient": smoother("relu"),
        "with tanh, batch norm makes the loss smoother along the gradient":
            smoother("tanh", "with tanh, it does not"),
    }


def _late_losses(seed, rate, *arms, **settings):
    """Return the loss of each arm at the end of 40 of notebook 05's 160 steps, (n_networks,) each.

    rate: of the hidden weights. What diverged counts as guessing.
    """
    runs = direction.train_at(rate, arms, n_steps=40, seed=seed, **settings).values()
    return [np.minimum(experiments.final_loss(run), np.log(10)) for run in runs]


@claims(
    "P4", "With batch norm longer hidden weights train as before, at a rate raised to match.",
    "05#4", "van Laarhoven 2017",
)
def measure_length(seed):
    """P4. Notebook 05's networks, whose hidden weights start ten times as long."""
    (plain,), (both,), (long,) = (
        _late_losses(seed, rate, "free", hidden_scale=scale)
        for rate, scale in ((0.1, 1.0), (10.0, 10.0), (0.1, 10.0))
    )
    return {
        "ten times the length and a hundred times the rate: nearly the same training": (
            "training loss, how far it differs", np.abs(both - plain),
            "below", 0.1, "nats", "a tenth of a nat is tolerated",
        ),
        "exactly the same but for ε, which still sees the length": (),
        "at the same rate, weights ten times as long learn more slowly": (
            "training loss, longer weights minus shorter ones", long - plain,
            "above", 0.1, *TENTH_OF_A_NAT[2:],
        ),
    }


@claims(
    "P5", "With batch norm hidden weights train at any rate: they grow, and so slow down.",
    "05#4", "after Arora et al. 2019",
)
def measure_brake(seed):
    """P5. The same networks, their hidden weights at rate 1000, all else at 0.1."""
    guessing, rate = np.log(10), 1000.0
    free, pinned, frozen = _late_losses(seed, rate, "free", "pinned", "frozen")
    (all_layers,) = _late_losses(seed, rate, "free", learning_rate=10.0)
    quantity = "training loss at rate 1000"
    return {
        "hidden weights at rate 1000 do not explode": (
            f"{quantity}, minus guessing", free - guessing, *TENTH_OF_GUESSING,
        ),
        "growing weights are a brake: with their length pinned the loss is higher": (
            f"{quantity}, free minus pinned", free - pinned, *TENTH_OF_GUESSING,
        ),
        "at that rate they still learn much, frozen ones do worse": (
            f"{quantity}, minus that with the hidden layers frozen", free - frozen,
            *TENTH_OF_GUESSING, "at that rate they learn little: frozen ones do nearly as well",
        ),
        BEYOND: {
            "without that brake they explode": (
                f"{quantity}, with their length pinned, minus guessing", pinned - guessing,
                "above", *TENTH_OF_GUESSING[1:], "without that brake they do not explode either",
            ),
            "all layers may learn at rate 10": (
                "training loss with every layer at rate 10, minus guessing", all_layers - guessing,
                *TENTH_OF_GUESSING, "with every layer at rate 10, they do not train",
            ),
        },
    }
