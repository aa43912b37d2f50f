"""The beats of the lecture: what to ask, where the controls stand, what was measured.

A beat is a bet on one demo. Its numbers are those that the notebooks print;
`docs/instructor_guide.md` says what to expect of a room.
"""

from collections.abc import Callable
from dataclasses import dataclass
from string import Formatter

from helpers.batch_norm_mechanics.demos import memory_bet, pair_bet, push_bet
from helpers.covariate_shift.demos import coat_bet, non_cats_bet
from helpers.hidden_layer_stability.demos import kick_bet, ranking_bet, stored_bet
from helpers.lecture.numbers import numbers_of
from helpers.minibatch_noise.demos import dropout_bet, group_bet, naive_bet
from helpers.page.prediction import Answer, predict
from helpers.weighing_the_evidence.demos import fast_bet, slow_bet


@dataclass(frozen=True, kw_only=True)
class Beat:
    """One bet, one answer, one demo.

    name: short and unique. title: two or three words for buttons. tab: one of TABS. where: the
    notebook and section that print the numbers, such as "01#1", or several. ask: () ->
    Prediction. answer: which of the notebook's `numbers_of` it is compared with. says: lines of
    text with names of those numbers, the first one large. before, after: controls that stand
    elsewhere than at first, while the room bets and at the reveal; before=None hides the picture.
    draws: whether the network is drawn in the place of a hidden picture.
    what_if: one line for the instructor, to play with. basis: what the intervals are over.
    """

    name: str
    title: str
    tab: str
    where: str
    ask: Callable
    answer: str
    says: tuple
    before: dict | None
    after: dict
    what_if: str
    draws: bool = False
    basis: str = "95% intervals over 16 networks"

    def measured(self, lecture):
        """Return what a bet is compared with: an Interval, a number or an answer."""
        numbers = numbers_of(lecture, self.where[:2])
        return Formatter().get_field(self.answer, (), numbers)[0]

    def number(self, lecture):
        """Return lines of text, the first one large."""
        numbers = numbers_of(lecture, self.where[:2])
        return [line.format_map(numbers) for line in self.says]


BEATS = (
    Beat(
        name="coats", title="the coats", tab="Coats", where="01#1", answer="coloured",
        ask=coat_bet, before=None, after=dict(coat=1.0),
        says=("{black} → {coloured}", "all faces recognised, from black to full colour",
              "of the cats {black cats}, then {coloured cats}"),
        what_if="What if the coats are only half as colourful? Go back to 0.5: hardly anything "
        "happens up to there.",
    ),
    Beat(
        name="reference", title="the reference net", tab="Coats", where="01#2", answer="share",
        ask=lambda: predict(
            "The detector learned from black faces. Another one, the reference net, learns from as "
            "many coloured faces. So is all of this drop covariate shift?",
            Answer("yes, all of it", (0.9, 2),
                   "Then the reference net would be as good on coloured faces as the other was on "
                   "black ones. It is not: coloured faces are harder."),
            Answer("about half of it", (0.25, 0.9),
                   "The other half stays even with the right training pictures, since coloured "
                   "faces are harder to tell apart."),
            Answer("hardly any", (-1, 0.25),
                   "Then the reference net would do no better. It does: the right training "
                   "pictures bring a good part back."),
        ),
        before=dict(coat=1.0), after=dict(coat=1.0, with_reference=True),
        says=("{shift} of {drop}", "of the drop are shift",
              "the reference net gets {bright} right; {harder} is that coloured faces are harder"),
        what_if="Draw this mark before you call a drop “shift”: how good is a net that trained "
        "on the new pictures?",
    ),
    Beat(
        name="shortcut", title="the shortcut", tab="Coats", where="01#3", answer="found",
        ask=non_cats_bet, before=dict(coat=1.0), after=dict(coat=1.0, only_cats_black=True),
        says=("{found}", "of the coloured cats found", "accuracy in training: {in training}"),
        what_if="What if the coats go back to black? Now it is the others that are crossed out: it "
        "reads the coat, not the face.",
    ),
    Beat(
        name="region", title="another region", tab="Region", where="01#4", answer="gain",
        ask=lambda: predict(
            "The rule stays, the test points lie four standard deviations away, and hardly any "
            "training point is there. Training points near them now count more. What does that do "
            "to the accuracy?",
            Answer("it restores most of it", (0.2, 1),
                   "A line needs few examples, and a few are near enough. The price: hundreds "
                   "count as about a dozen."),
            Answer("nothing, there are no examples", (-0.05, 0.2),
                   "There are a few at the edge, and a line needs no more. The price: hundreds "
                   "count as about a dozen."),
            Answer("it makes it worse", (-1, -0.05),
                   "It can: reweighted faces made a network worse (01, Go deeper). A line in two "
                   "dimensions needs few examples."),
        ),
        before=dict(distance=4.0), after=dict(distance=4.0, reweighted=True),
        says=("{as it is} → {reweighted}", "accuracy at 4 sd, as it is and reweighted",
              "a gain of {gain}"),
        what_if="What if the regions overlap more? At 2 sd the line is as good as new.",
        basis="95% interval over 16 training sets",
    ),
    Beat(
        name="push", title="one value in a batch", tab="One batch", where="02#2", answer="moved",
        ask=push_bet, before=dict(push=0.0), after=dict(push=6.0),
        says=("{moved} of {others}", "other outputs move",
              "by up to {furthest:.2f} standard deviations"),
        what_if="What if the batch is larger? Each of 16 moves less. And with γ or β?",
        basis="One mini-batch, computed exactly.",
    ),
    Beat(
        name="pair", title="a batch of two", tab="One batch", where="02#2", answer="pair",
        ask=pair_bet, before=dict(push=0.0), after=dict(push=0.0, batch_size=2),
        says=("+1 and −1", "only which one is larger survives"),
        what_if="What if there is one image only? It is its own mean, and nothing is left of it.",
        basis="By construction, whatever the images.",
    ),
    Beat(
        name="memory", title="whose mean?", tab="Averages", where="02#3", answer="slow",
        ask=memory_bet, before=dict(memory=0.9), after=dict(memory=0.999),
        says=("{usual} → {slow}", "% right, with memory 0.9 and 0.999",
              "with exact statistics {exact}"),
        what_if="What if the batches are small? Go to 4: now each test batch's own statistics are "
        "the bad ones.",
    ),
    Beat(
        name="ranking", title="the ranking", tab="Ridges", where="03#2", answer="left",
        ask=ranking_bet, before=None, after=dict(step=200), draws=True,
        says=("{ranking[without]} → {ranking[with]}",
              "ranking drift per 10 steps, without and with batch norm", "ratio {left}"),
        what_if="What if we listen behind the relu? Choose station h2, all that layer 3 sees.",
    ),
    Beat(
        name="kick", title="the kick", tab="Kicks", where="03#3", answer="rise",
        ask=kick_bet, before=dict(size=0.0), after=dict(size=2.0),
        says=("{scale[fresh]} nats", "with fresh statistics, by construction",
              "without batch norm {scale[without]} nats"),
        what_if="What if the kick is smaller? The middle bar stays at zero for any factor.",
    ),
    Beat(
        name="stored", title="the kick at test time", tab="Kicks", where="03#3", answer="more",
        ask=stored_bet, before=dict(size=2.0), after=dict(size=2.0, with_stored=True),
        says=("{scale[stored]} nats", "with stored statistics",
              "without batch norm {scale[without]}; {more} more, pair by pair"),
        what_if="What if the weights change little? At size 0.2 all three bars are nearly level.",
    ),
    Beat(
        name="random", title="a random kick", tab="Kicks", where="03#3", answer="undone",
        ask=lambda: predict(
            "Now noise instead of a factor: random numbers as long as the weights themselves are "
            "added to layers 1 and 2. How much of the damage do fresh statistics take away?",
            Answer("all of it, as with the factor", (0.9, 1.01),
                   "Mean and width come back, as before. But noise also changes which images score "
                   "high, and nothing brings that back."),
            Answer("about half of it", (0.25, 0.9),
                   "Mean and width come back. Which images score high does not."),
            Answer("hardly any", (-1, 0.25),
                   "Noise also moves means and widths, and those do come back."),
        ),
        before=dict(kind="random", size=0.0, with_stored=True),
        after=dict(kind="random", size=1.0, with_stored=True),
        says=("{random[fresh]} nats", "with fresh statistics, three kicks each",
              "without batch norm {random[without]}, with stored statistics {random[stored]}"),
        what_if="What if all units are pushed one way? Choose common direction, size 0.3.",
    ),
    Beat(
        name="target", title="the moving target", tab="Target", where="03#4", answer="spared",
        ask=lambda: predict(
            "After every step we move layers 1 and 2 ourselves: their weights grow by 2%, or they "
            "rotate. Only the later layers learn. From what does batch norm protect them?",
            Answer("from both, about equally", (-0.5, 0.5),
                   "Growth is a factor, and a factor cancels. A rotation changes which images "
                   "score high."),
            Answer("from growth, hardly from rotation", (0.5, 10),
                   "What is pinned is where and how wide, not which images score high."),
            Answer("from rotation, hardly from growth", (-10, -0.5),
                   "It is the other way round: growth is a factor, and a factor cancels."),
        ),
        before=None, after={}, draws=True,
        says=("{rotation[without]} → {rotation[with]}", "nats when they rotate",
              "when they grow {growth[without]} → {growth[with].mean:.2f}, by construction"),
        what_if="What is pinned is where and how wide, not which images score high.",
    ),
    Beat(
        name="company", title="the noise microscope", tab="Noise",
        where="04#1, 04#2", answer="sds[64]",
        ask=lambda: predict(
            "The same image, the same weights, but 63 other images in its mini-batch. Does this "
            "hidden value change?",
            Answer("not at all", (-1, 1e-9),
                   "The image is the same, but it is measured against the mean and the width of "
                   "its company."),
            Answer("only by rounding", (1e-9, 0.01),
                   "Mean and width of 64 images differ from batch to batch by much more than "
                   "rounding."),
            Answer("clearly", (0.01, 10), "The batch mean wobbles, and so does the batch's width."),
        ),
        before=None, after=dict(batch_size=64),
        says=("sd {sds[64]:.3f}", "of this value, in batches of 64",
              "random images of 16 networks: {noise[64]}"),
        what_if="What if the batch has only 4 images? Theory's curve misses, and a wall appears on "
        "the right.",
        basis="3,000 mini-batches; 95% interval over 16 networks",
    ),
    Beat(
        name="large", title="a batch of 512", tab="Noise", where="04#1, 04#2", answer="sd left",
        ask=lambda: predict(
            "And in mini-batches of 512 images? How much of this value's noise is left?",
            Answer("an eighth", (0, 0.18),
                   "A mean of eight times as many wobbles by √8 less, not by 8."),
            Answer("about a quarter", (0.18, 0.5),
                   "A mean of eight times as many wobbles by √8 less, and 512 is half of all there "
                   "are, so batches also resemble each other."),
            Answer("all of it", (0.5, 2),
                   "That is dropout: it never looks at the batch. Batch norm does."),
        ),
        before=dict(batch_size=64), after=dict(batch_size=512),
        says=("{sds[64]:.3f} → {sds[512]:.3f}", "sd of this value, at 64 and at 512",
              "16 networks: {noise[64]}, then {noise[512]}; dropout 0.2: {dropout:.1f} at any "
              "size"),
        what_if="Where are batch norm and dropout 0.2 alike? Only at about 4 images.",
        basis="3,000 mini-batches; 95% intervals over 16 networks",
    ),
    Beat(
        name="naive", title="64 against 512", tab="64 or 512", where="04#3", answer="gaps[with]",
        ask=naive_bet, before=None, after=dict(with_control=False),
        says=("{gaps[with]} nats", "larger gap at 64 than at 512", "with batch norm, seed by seed"),
        what_if="Then the lecture is wrong? Wait for it, and ask: what else has changed?",
    ),
    Beat(
        name="control", title="the control", tab="64 or 512", where="04#3", answer="gaps[without]",
        ask=lambda: predict(
            "Before you believe it: what else has changed? The same sweep without any batch norm. "
            "From 64 to 512 images, what does the gap do now?",
            Answer("it falls as well", (0.1, 10),
                   "So it is not the noise of batch norm. Equal epochs are not equal steps: 320 "
                   "updates at 64, only 40 at 512."),
            Answer("it stays level", (-0.1, 0.1),
                   "Then batch norm's noise would be the reason. But equal epochs are not equal "
                   "steps: 320 updates at 64, only 40 at 512."),
            Answer("it rises", (-10, -0.1),
                   "The number of updates decides here, with batch norm or without: 320 at 64, "
                   "only 40 at 512."),
        ),
        before=dict(with_control=False), after=dict(with_control=True),
        says=("{gaps[without]} nats", "larger gap at 64, without batch norm",
              "with batch norm {gaps[with]}"),
        what_if="Equal epochs are not equal steps. At equal steps, the images seen would differ.",
    ),
    Beat(
        name="groups", title="only the noise", tab="Groups", where="04#4", answer="gains[group 64]",
        ask=lambda: predict(
            "Now only the noise changes. Every update uses the same 512 images; batch norm takes "
            "its statistics from all of them, or from groups of 64. With 64 the best test loss is "
            "...",
            Answer("lower, by 0.05 nats or more", (-10, -0.05),
                   "The sign is right, the size is not: at 64 the noise is weak."),
            Answer("a little lower", (-0.05, 0),
                   "The lecture is right, and the effect is small: you need pairs of networks to "
                   "see it at all."),
            Answer("no lower", (0, 10),
                   "It is lower, though so little that only pairs of networks show it."),
        ),
        before=dict(group_size=512), after=dict(group_size=64),
        says=("{gains[group 64]} nats", "best test loss, 64 minus 512, seed by seed",
              "peeking at the test set, equally for both"),
        what_if="What if the groups are smaller? The room chooses one; 16 networks train at once.",
    ),
    Beat(
        name="dose", title="the best dose", tab="Groups", where="04#4", answer="best group",
        ask=group_bet, before=dict(group_size=64), after=dict(group_size=8),
        says=("{best group} images", "have the best test loss of the four",
              "minus 512: group 8 {gains[group 8]}, group 4 {gains[group 4]} nats"),
        what_if="What if there is even more noise? Go to 4: it also disturbs the fit.",
    ),
    Beat(
        name="dropout", title="and dropout", tab="Groups", where="04#4", answer="times[mean]",
        ask=dropout_bet, before=dict(group_size=64), after=dict(group_size=512, dropout=0.2),
        says=("{times[mean]:.1f} times as much",
              "{times[low]:.1f} to {times[high]:.1f} times at the ends of the interval of 64",
              "dropout 0.2: {gains[dropout 0.2]} nats, group 64: {gains[group 64]}"),
        what_if="What if both are used? Dropout 0.2 with group 64: is there still a difference?",
    ),
    Beat(
        name="drift", title="more drift", tab="Race", where="05#2", answer="fast[median]",
        ask=fast_bet, before=None, after=dict(rate=0.1),
        says=("{fast[noisy]} steps",
              "median with noise; {fast[without]} without batch norm, {fast[with]} with it",
              "saved against none: {fast[saved]} steps; drift {fast[drift][noisy]} sd a step, "
              "without batch norm {fast[drift][without]}"),
        what_if="So less drift is not why? One learning rate does not speak for all.",
    ),
    Beat(
        name="slow", title="drift, small steps", tab="Race", where="05#2", answer="slow[saved]",
        ask=slow_bet, before=dict(rate=0.1), after=dict(rate=0.02),
        says=("{slow[noisy]} steps",
              "median with noise; {slow[without]} without batch norm, {slow[with]} with it",
              "saved against none: {slow[saved]} steps; drift {slow[drift][noisy]} sd a step, "
              "without batch norm {slow[drift][without]}"),
        what_if="Both verdicts stand, side by side.",
    ),
    Beat(
        name="rates", title="room for large steps", tab="Rates", where="05#3", answer="n rates",
        ask=lambda: predict(
            "Relu, the usual initial weights, ten learning rates from 0.001 to 30. Three layers of "
            "weights train at several of them even without batch norm. And ten layers?",
            Answer("at none", (0, 1),
                   "One is left, and it only just passes. With batch norm there is room."),
            Answer("at one", (1, 2),
                   "The valley has closed. With batch norm there is room for large steps."),
            Answer("at several", (2, 11),
                   "With batch norm, yes. Without it the valley closes with depth."),
        ),
        before=dict(depth=3), after=dict(depth=10),
        says=("only {rates[without]}", "trains ten layers without batch norm",
              "with it, rates from {rates[with]}; a rate trains if the loss falls below 1"),
        what_if="What if it starts badly? Initial weights × 5, at depth 5. Another activation?",
        basis="Medians of 16 networks; no interval.",
    ),
)

_FIFTY = (
    "coats", "reference", "shortcut", "push", "pair", "memory", "kick", "stored", "random",
    "target", "company", "large", "naive", "control", "groups", "dropout",
)
PLANS = {
    "15 min": ("coats", "reference", "kick", "stored", "random", "naive", "control", "groups"),
    "50 min": _FIFTY,
    "90 min": (*_FIFTY, "drift", "slow", "rates"),
    "all": tuple(beat.name for beat in BEATS),
}
