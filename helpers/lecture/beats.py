"""The beats of the lecture: what to ask, where the controls stand, what was measured.

A beat is a bet on one demo. Numbers come from the stored Lecture and are those that the notebooks
print; `docs/instructor_guide.md` says what to expect of a room.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from helpers.arms import first_below, never_below
from helpers.batch_norm_mechanics import demos as batch_norm_mechanics
from helpers.batch_norm_mechanics.experiments import normalise_one_batch
from helpers.covariate_shift import demos as covariate_shift
from helpers.hidden_layer_stability import demos as hidden_layer_stability
from helpers.hidden_layer_stability.experiments import (
    KICKS,
    kick_texts,
    load_clothes,
    run_kick,
    watch_drift,
)
from helpers.hidden_layer_stability.pictures import MovingTargetPicture
from helpers.intervals import (
    format_number,
    mean_interval,
    mean_intervals,
    median_text,
    paired_interval,
)
from helpers.lecture.pictures import KickInStepsPicture, OneRacePicture, SweepsPicture
from helpers.minibatch_noise import demos as minibatch_noise
from helpers.minibatch_noise.experiments import dropout_sd, microscope
from helpers.page.panel import Panel, choice, fraction_slider, switch
from helpers.page.prediction import Answer, predict
from helpers.page.progress import with_progress
from helpers.weighing_the_evidence import demos as weighing_the_evidence
from helpers.weighing_the_evidence.experiments import (
    load_learning_rate_map,
    pair_of,
    range_text,
    trains,
)


@dataclass(frozen=True)
class Beat:
    """One bet, one answer, one demo.

    name: short and unique. title: two or three words for buttons. tab: a key of TABS. where: the
    notebook and section that print the numbers, such as "01#1", or several. ask: () ->
    Prediction. measured: Lecture -> what the Prediction is compared with. number: Lecture ->
    lines of text, the first one large. before: where the controls stand while the room bets; None
    hides the picture. after: where they stand at the reveal. what_if: one line for the
    instructor, to play with. basis: what the intervals are over.
    """

    name: str
    title: str
    tab: str
    where: str
    ask: Callable
    measured: Callable
    number: Callable
    before: dict | None
    after: dict
    what_if: str
    basis: str = "95% intervals over 16 networks"


# -- the demos, one on each tab --


def show_kicks(bet):
    """Train the networks of notebook 03, then kick them: stored statistics on demand."""
    clothes = load_clothes()
    pair = with_progress("Training 16 pairs", watch_drift(clothes))
    return Panel(
        controls={
            "kind": choice(KICKS, "scale", "kick"),
            "size": fraction_slider("size, relative to the weights", 2.0, 0.0, 2.0, 0.1),
            "with_stored": switch("stored statistics, too", True),
        },
        compute=lambda kind, size, with_stored: (
            # A factor is the same each time; what is random is taken three times, as in 03.
            run_kick(pair, clothes, kind, size, n_kicks=1 if kind == "scale" else 3), with_stored
        ),
        picture=KickInStepsPicture(),
        bet=bet,
    )


def show_sweeps(sweeps):
    """Three batch sizes at equal epochs, with batch norm and on demand without it."""
    return Panel(
        controls={"with_control": switch("the same without batch norm")},
        compute=lambda with_control: sweeps if with_control else {"with": sweeps["with"]},
        picture=SweepsPicture(),
    )


def show_race(races, bet):
    """Batch norm with noise behind it against both others, at either learning rate."""
    return Panel(
        controls={"rate": choice(list(races), 0.1, "learning rate")},
        compute=lambda rate: {f"relu, learning rate {rate:g}": races[rate]},
        picture=OneRacePicture(),
        bet=bet,
    )


# Of each tab its title, and a function of the Lecture and of {name of a beat: Prediction}.
TABS = {
    "coats": (
        "Coats", lambda lecture, bets: covariate_shift.coat_demo(lecture.story, bets["coats"])
    ),
    "region": ("Region", lambda lecture, bets: covariate_shift.region_demo()),
    "batch": ("One batch", lambda lecture, bets: batch_norm_mechanics.one_batch_demo()),
    "averages": (
        "Averages", lambda lecture, bets: batch_norm_mechanics.averages_demo(bets["memory"])
    ),
    "ridge": ("Ridges", lambda lecture, bets: hidden_layer_stability.ridge_demo()),
    "kick": ("Kicks", lambda lecture, bets: show_kicks(bets["kick"])),
    "target": (
        "Target", lambda lecture, bets: Panel({}, lambda: lecture.damages, MovingTargetPicture())
    ),
    "microscope": ("Noise", lambda lecture, bets: minibatch_noise.microscope_demo()),
    "trap": ("64 or 512", lambda lecture, bets: show_sweeps(lecture.sweeps)),
    "groups": ("Groups", lambda lecture, bets: minibatch_noise.groups_demo()),
    "race": ("Race", lambda lecture, bets: show_race(lecture.races, bets["drift"])),
    "rates": ("Rates", lambda lecture, bets: weighing_the_evidence.learning_rate_demo()),
}


# -- bets that no notebook has as buttons --


def ask_reference():
    """How much of the drop is shift: the share of it that the reference net does not have."""
    return predict(
        "The detector learned from black faces. Another one, the reference net, learns from as "
        "many coloured faces. So is all of this drop covariate shift?",
        Answer(
            "yes, all of it", (0.9, 2),
            "Then the reference net would be as good on coloured faces as the other was on black "
            "ones. It is not: coloured faces are harder.",
        ),
        Answer(
            "about half of it", (0.25, 0.9),
            "The other half stays even with the right training pictures, since coloured faces are "
            "harder to tell apart.",
        ),
        Answer(
            "hardly any", (-1, 0.25),
            "Then the reference net would do no better. It does: the right training pictures "
            "bring a good part back.",
        ),
    )


def ask_reweighting():
    """What reweighting brings four standard deviations away, in accuracy."""
    return predict(
        "The rule stays, the test points lie four standard deviations away, and hardly any "
        "training point is there. Training points near them now count more. What does that do to "
        "the accuracy?",
        Answer(
            "it restores most of it", (0.2, 1),
            "A line needs few examples, and a few are near enough. The price: hundreds count as "
            "about a dozen.",
        ),
        Answer(
            "nothing, there are no examples", (-0.05, 0.2),
            "There are a few at the edge, and a line needs no more. The price: hundreds count as "
            "about a dozen.",
        ),
        Answer(
            "it makes it worse", (-1, -0.05),
            "It can: reweighted faces made a network worse (01, Go deeper). A line in two "
            "dimensions needs few examples.",
        ),
    )


def ask_random_kick():
    """Which share of the damage of a random kick fresh statistics take away."""
    return predict(
        "Now noise instead of a factor: random numbers as long as the weights themselves are "
        "added to layers 1 and 2. How much of the damage do fresh statistics take away?",
        Answer(
            "all of it, as with the factor", (0.9, 1.01),
            "Mean and width come back, as before. But noise also changes which images score high, "
            "and nothing brings that back.",
        ),
        Answer(
            "about half of it", (0.25, 0.9),
            "Mean and width come back. Which images score high does not.",
        ),
        Answer(
            "hardly any", (-1, 0.25),
            "Noise also moves means and widths, and those do come back.",
        ),
    )


def ask_moving_target():
    """From which drive of layers 1 and 2 batch norm protects; compare with an answer."""
    return predict(
        "After every step we move layers 1 and 2 ourselves: their weights grow by 2%, or they "
        "rotate. Only the later layers learn. From what does batch norm protect them?",
        Answer(
            "from both, about equally", None,
            "Growth is a factor, and a factor cancels. A rotation changes which images score high.",
        ),
        Answer(
            "from growth, hardly from rotation", None,
            "What is pinned is where and how wide, not which images score high.",
        ),
        Answer(
            "from rotation, hardly from growth", None,
            "It is the other way round: growth is a factor, and a factor cancels.",
        ),
    )


def ask_company():
    """Whether one value changes with its mini-batch: its standard deviation at size 64."""
    return predict(
        "The same image, the same weights, but 63 other images in its mini-batch. Does this "
        "hidden value change?",
        Answer(
            "not at all", (-1, 1e-9),
            "The image is the same, but it is measured against the mean and the width of its "
            "company.",
        ),
        Answer(
            "only by rounding", (1e-9, 0.01),
            "Mean and width of 64 images differ from batch to batch by much more than rounding.",
        ),
        Answer("clearly", (0.01, 10), "The batch mean wobbles, and so does the batch's width."),
    )


def ask_large_batch():
    """What is left of the noise at 512, as a share of that at 64."""
    return predict(
        "And in mini-batches of 512 images? How much of this value's noise is left?",
        Answer(
            "an eighth", (0, 0.18),
            "A mean of eight times as many wobbles by √8 less, not by 8.",
        ),
        Answer(
            "about a quarter", (0.18, 0.5),
            "A mean of eight times as many wobbles by √8 less, and 512 is half of all there are, "
            "so batches also resemble each other.",
        ),
        Answer(
            "all of it", (0.5, 2),
            "That is dropout: it never looks at the batch. Batch norm does.",
        ),
    )


def ask_control():
    """What the gap does from 64 to 512 without batch norm, in nats."""
    return predict(
        "Before you believe it: what else has changed? The same sweep without any batch norm. "
        "From 64 to 512 images, what does the gap do now?",
        Answer(
            "it falls as well", (0.1, 10),
            "So it is not the noise of batch norm. Equal epochs are not equal steps: 320 updates "
            "at 64, only 40 at 512.",
        ),
        Answer(
            "it stays level", (-0.1, 0.1),
            "Then batch norm's noise would be the reason. But equal epochs are not equal steps: "
            "320 updates at 64, only 40 at 512.",
        ),
        Answer(
            "it rises", (-10, -0.1),
            "The number of updates decides here, with batch norm or without: 320 at 64, only 40 "
            "at 512.",
        ),
    )


def ask_groups():
    """What groups of 64 instead of 512 change in the best test loss, in nats."""
    return predict(
        "Now only the noise changes. Every update uses the same 512 images; batch norm takes its "
        "statistics from all of them, or from groups of 64. With 64 the best test loss is ...",
        Answer(
            "lower, by 0.05 nats or more", (-10, -0.05),
            "The sign is right, the size is not: at 64 the noise is weak.",
        ),
        Answer(
            "a little lower", (-0.05, 0),
            "The lecture is right, and the effect is small: you need pairs of networks to see it "
            "at all.",
        ),
        Answer(
            "no lower", (0, 10),
            "It is lower, though so little that only pairs of networks show it.",
        ),
    )


def ask_rates():
    """How many of the map's ten rates train a deep relu network without batch norm."""
    return predict(
        "Relu, the usual initial weights, ten learning rates from 0.001 to 30. Three layers of "
        "weights train at several of them even without batch norm. And ten layers?",
        Answer(
            "at none", (0, 1),
            "One is left, and it only just passes. With batch norm there is room.",
        ),
        Answer(
            "at one", (1, 2),
            "The valley has closed. With batch norm there is room for large steps.",
        ),
        Answer(
            "at several", (2, 11),
            "With batch norm, yes. Without it the valley closes with depth.",
        ),
    )


# -- what was measured --


def _drop(lecture):
    black, coloured = lecture.story["plain"]["accuracy"][[0, -1]]
    return black, lecture.story["reference"]["accuracy"][-1], coloured


def _shift_share(lecture):
    black, reference, coloured = (one.mean() for one in _drop(lecture))
    return (reference - coloured) / (black - coloured)


def _number_of_coats(lecture):
    faces = mean_intervals(lecture.story["plain"]["accuracy"][[0, -1]])
    cats = mean_intervals(lecture.story["plain"]["cat_recall"][[0, -1]])
    return [
        f"{faces[0]} → {faces[1]}", "all faces recognised, from black to full colour",
        f"of the cats {cats[0]}, then {cats[1]}",
    ]


def _number_of_reference(lecture):
    black, reference, coloured = _drop(lecture)
    return [
        f"{paired_interval(reference, coloured)} of {paired_interval(black, coloured)}",
        "of the drop are shift",
        f"the reference net gets {mean_interval(reference)} right; "
        f"{paired_interval(black, reference)} is that coloured faces are harder",
    ]


def _found_by_shortcut(lecture):
    return mean_interval(lecture.story["shortcut"]["cat_recall"][-1])


def _number_of_shortcut(lecture):
    found = _found_by_shortcut(lecture)
    training = mean_interval(lecture.story["shortcut"]["train_accuracy"])
    return [str(found), "of the coloured cats found", f"accuracy in training: {training}"]


def _number_of_region(lecture):
    plain, reweighted = lecture.arrays["regions"]
    means = [format_number(one.mean(), 2) for one in (plain, reweighted)]
    gain = paired_interval(reweighted, plain)
    return [
        " → ".join(means), "accuracy at 4 sd, as it is and reweighted",
        f"a gain of {gain.rounded(2)}",
    ]


def _pushed(_lecture=None):
    pushed = normalise_one_batch(batch_size=8, push=6.0)
    return np.abs(pushed["after"] - pushed["quiet after"])[1:]


def _number_of_push(lecture):
    moves = _pushed()
    return [
        f"{(moves > 0.001).sum()} of {len(moves)}", "other outputs move",
        f"by up to {format_number(moves.max(), 2)} standard deviations",
    ]


def _number_of_memory(lecture):
    usual, slow = (lecture.averages[memory]["running"] for memory in (0.9, 0.999))
    exact = mean_interval(lecture.averages[0.9]["population"])
    return [
        f"{mean_interval(usual)} → {mean_interval(slow)}",
        "% right, with memory 0.9 and 0.999", f"with exact statistics {exact}",
    ]


def _number_of_ranking(lecture):
    without, with_norm = lecture.arrays["ranking"]
    return [
        f"{mean_interval(without)} → {mean_interval(with_norm)}",
        "ranking drift per 10 steps, without and with batch norm",
        f"ratio {_ranking_left(lecture)}",
    ]


def _ranking_left(lecture):
    without, with_norm = lecture.arrays["ranking"]
    return mean_interval(with_norm / without)


def _number_of_fresh_kick(lecture):
    without, fresh, _ = kick_texts(lecture.kicks["scale"]).values()
    return [
        f"{fresh} nats", "with fresh statistics, by construction",
        f"without batch norm {without} nats",
    ]


def _number_of_stored_kick(lecture):
    without, _, stored = kick_texts(lecture.kicks["scale"]).values()
    return [
        f"{stored} nats", "with stored statistics",
        f"without batch norm {without}; {_stored_minus_none(lecture)} more, pair by pair",
    ]


def _stored_minus_none(lecture):
    kick = lecture.kicks["scale"]
    return paired_interval(kick["stored"], kick["without"])


def _number_of_random_kick(lecture):
    without, fresh, stored = kick_texts(lecture.kicks["random"]).values()
    return [
        f"{fresh} nats", "with fresh statistics, three kicks each",
        f"without batch norm {without}, with stored statistics {stored}",
    ]


def _share_undone(lecture):
    kick = lecture.kicks["random"]
    return 1 - kick["fresh"].mean() / kick["without"].mean()


def _number_of_target(lecture):
    turn, grow = lecture.damages["rotation"], lecture.damages["growth"]
    return [
        f"{mean_interval(turn['without'])} → {mean_interval(turn['with'])}",
        "nats when they rotate",
        f"when they grow {mean_interval(grow['without'])} → "
        f"{format_number(grow['with'].mean(), 2)}, "
        "by construction",
    ]


def _protects_from(lecture):
    """Return the answer: what is left of each damage with batch norm decides."""
    left = {}
    for drive in ("rotation", "growth"):
        damage = lecture.damages[drive]
        left[drive] = damage["with"].mean() / damage["without"].mean() < 0.5
    if left["rotation"] == left["growth"]:
        return "from both, about equally"
    kept, lost = ("growth", "rotation") if left["growth"] else ("rotation", "growth")
    return f"from {kept}, hardly from {lost}"


def _sd_at(batch_size):
    return microscope(batch_size)["x_hat"].std()


def _number_of_company(lecture):
    return [
        f"sd {format_number(_sd_at(64), 3)}", "of this value, in batches of 64",
        f"random images of 16 networks: {mean_interval(lecture.arrays['noise'][0])}",
    ]


def _number_of_large_batch(lecture):
    small, large = (format_number(_sd_at(size), 3) for size in (64, 512))
    over = [mean_interval(one) for one in lecture.arrays["noise"]]
    return [
        f"{small} → {large}", "sd of this value, at 64 and at 512",
        f"16 networks: {over[0]}, then {over[1]}; dropout 0.2: "
        f"{format_number(dropout_sd(0.2), 1)} at any size",
    ]


def _gap_change(sweep):
    return paired_interval(*(sweep[m]["gap"][-1] for m in (64, 512)))


def _number_of_sweep(lecture):
    return [
        f"{_gap_change(lecture.sweeps['with'])} nats", "larger gap at 64 than at 512",
        "with batch norm, seed by seed",
    ]


def _number_of_control(lecture):
    return [
        f"{_gap_change(lecture.sweeps['without'])} nats", "larger gap at 64, without batch norm",
        f"with batch norm {_gap_change(lecture.sweeps['with'])}",
    ]


def _gain(lecture, arm):
    """Return the paired interval of the best test loss, minus that of the group of 512."""
    return paired_interval(lecture.best_test_losses[arm], lecture.best_test_losses["group 512"])


def _number_of_groups(lecture):
    return [
        f"{_gain(lecture, 'group 64')} nats", "best test loss, 64 minus 512, seed by seed",
        "peeking at the test set, equally for both",
    ]


def _best_group(lecture):
    sizes = (512, 64, 8, 4)
    return sizes[int(np.argmin([lecture.best_test_losses[f"group {m}"].mean() for m in sizes]))]


def _number_of_best_group(lecture):
    return [
        f"{_best_group(lecture)} images", "have the best test loss of the four",
        f"minus 512: group 8 {_gain(lecture, 'group 8')}, group 4 {_gain(lecture, 'group 4')} nats",
    ]


def _times_as_much(lecture):
    dropout, group = _gain(lecture, "dropout 0.2"), _gain(lecture, "group 64")
    return [dropout.mean / one for one in (group.mean, group.low, group.high)]


def _number_of_dropout(lecture):
    ratio, low, high = (format_number(one, 1) for one in _times_as_much(lecture))
    return [
        f"{ratio} times as much", f"{low} to {high} times at the ends of the interval of 64",
        f"dropout 0.2: {_gain(lecture, 'dropout 0.2')} nats, "
        f"group 64: {_gain(lecture, 'group 64')}",
    ]


def _first_steps(lecture, rate):
    return {arm: first_below(0.5, run) for arm, run in lecture.races[rate].items()}


def _saved_despite_noise(lecture, rate):
    first = _first_steps(lecture, rate)
    return paired_interval(first["without"], first["noisy"])


def _number_of_race(rate):
    def number(lecture):
        race = lecture.races[rate]
        without, with_norm, noisy = (
            median_text(first, never_below(0.5, race[arm]).sum())
            for arm, first in _first_steps(lecture, rate).items()
        )
        drifts = mean_intervals(lecture.arrays["race_drift"][list(lecture.races).index(rate)])
        return [
            f"{noisy} steps",
            f"median with noise; {without} without batch norm, {with_norm} with it",
            f"saved against none: {_saved_despite_noise(lecture, rate)} steps; drift {drifts[2]} "
            f"sd a step, without batch norm {drifts[0]}",
        ]

    return number


def _deep_pair(_lecture=None):
    return pair_of(load_learning_rate_map(), "relu", 10, 1.0)


def _number_of_rates(lecture):
    pair = _deep_pair()
    rates = {arm: range_text(pair[arm]) for arm in ("without", "with")}
    return [
        f"only {rates['without']}", "trains ten layers without batch norm",
        f"with it, rates from {rates['with']}; a rate trains if the loss falls below 1",
    ]


# -- the lecture --

BEATS = (
    Beat(
        "coats", "the coats", "coats", "01#1", covariate_shift.coat_bet,
        lambda lecture: mean_interval(_drop(lecture)[-1]), _number_of_coats,
        before=None, after={"coat": 1.0, "shortcut": False, "with_reference": False},
        what_if="What if the coats are only half as colourful? Go back to 0.5: hardly anything "
        "happens up to there.",
    ),
    Beat(
        "reference", "the reference net", "coats", "01#2", ask_reference, _shift_share,
        _number_of_reference,
        before={"coat": 1.0, "shortcut": False, "with_reference": False},
        after={"coat": 1.0, "shortcut": False, "with_reference": True},
        what_if="Draw this mark before you call a drop “shift”: how good is a net that trained "
        "on the new pictures?",
    ),
    Beat(
        "shortcut", "the shortcut", "coats", "01#3", covariate_shift.shortcut_bet,
        _found_by_shortcut, _number_of_shortcut,
        before={"coat": 1.0, "shortcut": False, "with_reference": False},
        after={"coat": 1.0, "shortcut": True, "with_reference": False},
        what_if="What if the coats go back to black? Now it is the others that are crossed out: it "
        "reads the coat, not the face.",
    ),
    Beat(
        "region", "another region", "region", "01#4", ask_reweighting,
        lambda lecture: paired_interval(*lecture.arrays["regions"][::-1]), _number_of_region,
        before={"distance": 4.0, "reweighted": False},
        after={"distance": 4.0, "reweighted": True},
        what_if="What if the regions overlap more? At 2 sd the line is as good as new.",
        basis="95% interval over 16 training sets",
    ),
    Beat(
        "push", "one value in a batch", "batch", "02#2", batch_norm_mechanics.push_bet,
        lambda lecture: int((_pushed() > 0.001).sum()), _number_of_push,
        before={"batch_size": 8, "push": 0.0, "gamma": 1.0, "beta": 0.0},
        after={"batch_size": 8, "push": 6.0, "gamma": 1.0, "beta": 0.0},
        what_if="What if the batch is larger? Each of 16 moves less. And with γ or β?",
        basis="One mini-batch, computed exactly.",
    ),
    Beat(
        "pair", "a batch of two", "batch", "02#2", batch_norm_mechanics.pair_bet,
        lambda lecture: "only +1 and −1",
        lambda lecture: ["+1 and −1", "only which one is larger survives"],
        before={"batch_size": 8, "push": 0.0, "gamma": 1.0, "beta": 0.0},
        after={"batch_size": 2, "push": 0.0, "gamma": 1.0, "beta": 0.0},
        what_if="What if there is one image only? It is its own mean, and nothing is left of it.",
        basis="By construction, whatever the images.",
    ),
    Beat(
        "memory", "whose mean?", "averages", "02#3", batch_norm_mechanics.memory_bet,
        lambda lecture: mean_interval(lecture.averages[0.999]["running"]), _number_of_memory,
        before={"batch_size": 64, "memory": 0.9}, after={"batch_size": 64, "memory": 0.999},
        what_if="What if the batches are small? Go to 4: now each test batch's own statistics are "
        "the bad ones.",
    ),
    Beat(
        "ranking", "the ranking", "ridge", "03#2", hidden_layer_stability.ranking_bet,
        _ranking_left, _number_of_ranking,
        before={"step": 0, "batch_size": 128, "station": "z2", "learning_rate": 0.02},
        after={"step": 200, "batch_size": 128, "station": "z2", "learning_rate": 0.02},
        what_if="What if we listen behind the relu? Choose station h2, all that layer 3 sees.",
    ),
    Beat(
        "kick", "the kick", "kick", "03#3", hidden_layer_stability.kick_bet,
        lambda lecture: lecture.kicks["scale"]["fresh"].mean(), _number_of_fresh_kick,
        before={"kind": "scale", "size": 0.0, "with_stored": False},
        after={"kind": "scale", "size": 2.0, "with_stored": False},
        what_if="What if the kick is smaller? The middle bar stays at zero for any factor.",
    ),
    Beat(
        "stored", "the kick at test time", "kick", "03#3", hidden_layer_stability.stored_bet,
        _stored_minus_none, _number_of_stored_kick,
        before={"kind": "scale", "size": 2.0, "with_stored": False},
        after={"kind": "scale", "size": 2.0, "with_stored": True},
        what_if="What if the weights change little? At size 0.2 all three bars are nearly level.",
    ),
    Beat(
        "random", "a random kick", "kick", "03#3", ask_random_kick, _share_undone,
        _number_of_random_kick,
        before={"kind": "random", "size": 0.0, "with_stored": True},
        after={"kind": "random", "size": 1.0, "with_stored": True},
        what_if="What if all units are pushed one way? Choose common direction, size 0.3.",
    ),
    Beat(
        "target", "the moving target", "target", "03#4", ask_moving_target, _protects_from,
        _number_of_target, before=None, after={},
        what_if="What is pinned is where and how wide, not which images score high.",
    ),
    Beat(
        "company", "the noise microscope", "microscope", "04#1, 04#2", ask_company,
        lambda lecture: float(_sd_at(64)), _number_of_company,
        before=None, after={"batch_size": 64},
        what_if="What if the batch has only 4 images? Theory's curve misses, and a wall appears on "
        "the right.",
        basis="3,000 mini-batches; 95% interval over 16 networks",
    ),
    Beat(
        "large", "a batch of 512", "microscope", "04#1, 04#2", ask_large_batch,
        lambda lecture: float(_sd_at(512) / _sd_at(64)), _number_of_large_batch,
        before={"batch_size": 64}, after={"batch_size": 512},
        what_if="Where are batch norm and dropout 0.2 alike? Only at about 4 images.",
        basis="3,000 mini-batches; 95% intervals over 16 networks",
    ),
    Beat(
        "naive", "64 against 512", "trap", "04#3", minibatch_noise.naive_bet,
        lambda lecture: _gap_change(lecture.sweeps["with"]), _number_of_sweep,
        before=None, after={"with_control": False},
        what_if="Then the lecture is wrong? Wait for it, and ask: what else has changed?",
    ),
    Beat(
        "control", "the control", "trap", "04#3", ask_control,
        lambda lecture: _gap_change(lecture.sweeps["without"]), _number_of_control,
        before={"with_control": False}, after={"with_control": True},
        what_if="Equal epochs are not equal steps. At equal steps, the images seen would differ.",
    ),
    Beat(
        "groups", "only the noise", "groups", "04#4", ask_groups,
        lambda lecture: _gain(lecture, "group 64"), _number_of_groups,
        before={"group_size": 512, "dropout": 0.0}, after={"group_size": 64, "dropout": 0.0},
        what_if="What if the groups are smaller? The room chooses one; 16 networks train at once.",
    ),
    Beat(
        "dose", "the best dose", "groups", "04#4", minibatch_noise.group_bet, _best_group,
        _number_of_best_group,
        before={"group_size": 64, "dropout": 0.0}, after={"group_size": 8, "dropout": 0.0},
        what_if="What if there is even more noise? Go to 4: it also disturbs the fit.",
    ),
    Beat(
        "dropout", "and dropout", "groups", "04#4", minibatch_noise.dropout_bet,
        lambda lecture: _times_as_much(lecture)[0], _number_of_dropout,
        before={"group_size": 64, "dropout": 0.0}, after={"group_size": 512, "dropout": 0.2},
        what_if="What if both are used? Dropout 0.2 with group 64: is there still a difference?",
    ),
    Beat(
        "drift", "more drift", "race", "05#2", weighing_the_evidence.fast_bet,
        lambda lecture: float(np.median(_first_steps(lecture, 0.1)["noisy"])),
        _number_of_race(0.1),
        before=None, after={"rate": 0.1},
        what_if="So less drift is not why? One learning rate does not speak for all.",
    ),
    Beat(
        "slow", "drift, small steps", "race", "05#2", weighing_the_evidence.slow_bet,
        lambda lecture: _saved_despite_noise(lecture, 0.02), _number_of_race(0.02),
        before={"rate": 0.1}, after={"rate": 0.02},
        what_if="Both verdicts stand, side by side.",
    ),
    Beat(
        "rates", "room for large steps", "rates", "05#3", ask_rates,
        lambda lecture: int(trains(_deep_pair()["without"]).sum()), _number_of_rates,
        before={"activation": "relu", "depth": 3, "init_scale": 1.0},
        after={"activation": "relu", "depth": 10, "init_scale": 1.0},
        what_if="What if it starts badly? Initial weights × 5, at depth 5. Another activation?",
        basis="Medians of 16 networks; no interval.",
    ),
)

_FIFTEEN = (
    "coats", "reference", "kick", "stored", "random", "naive", "control", "groups",
)
_FIFTY = (
    "coats", "reference", "shortcut", "push", "pair", "memory", "kick", "stored", "random",
    "target", "company", "large", "naive", "control", "groups", "dropout",
)
PLANS = {
    "15 min": _FIFTEEN,
    "50 min": _FIFTY,
    "90 min": (*_FIFTY, "drift", "slow", "rates"),
    "all": tuple(beat.name for beat in BEATS),
}
