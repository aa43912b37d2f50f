"""The beats of the lecture: what to ask, where the controls stand, what was measured.

Most beats are bets on a demo. Their numbers are those that the notebooks print;
`docs/instructor_guide.md` says what to expect of a room.
"""

from collections.abc import Callable
from dataclasses import dataclass
from string import Formatter

from helpers.batch_norm_mechanics.demos import memory_bet, push_bet
from helpers.covariate_shift.demos import coat_bet, non_cats_bet
from helpers.lecture.numbers import numbers_of
from helpers.minibatch_noise.demos import dropout_bet, naive_bet
from helpers.page.prediction import Answer, predict
from helpers.weighing_the_evidence.demos import fast_bet, length_bet, slow_bet


@dataclass(frozen=True, kw_only=True)
class Beat:
    """One bet, or one thing to show, in one demo.

    name: short and unique. title: two or three words for buttons. tab: one of TABS. where: the
    notebook and section that print the numbers, such as "01#1", or several. ask: () ->
    Prediction, or None where nothing is bet. answer: which of the notebook's `numbers_of` it is
    compared with. says: lines of text with names of those numbers, the first one large. tells:
    what is said where nothing replies to a bet. before, after: controls that stand elsewhere than
    at first, while the room bets and at the reveal; before=None hides the demo, and shows a sketch,
    one of SKETCHES, in its place. what_if: one line for the instructor, to play with. basis: what
    the intervals are over.
    """

    name: str
    title: str
    tab: str
    where: str
    says: tuple
    after: dict
    ask: Callable | None = None
    answer: str = ""
    tells: str = ""
    before: dict | None = None
    sketch: str | None = None
    what_if: str = ""
    basis: str = "95% intervals over 16 networks"

    @property
    def states(self):
        """Return which of "Bet", "Reveal" and "Play" the beat has, in this order."""
        has = {"Bet": self.ask, "Reveal": True, "Play": self.what_if}
        return tuple(state for state, one in has.items() if one)

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
        name="race", title="the race", tab="Race", where="02#1", answer="faster[median]",
        ask=lambda: predict(
            "Five hidden layers, ReLU, learning rate 0.1. Without batch norm the median network "
            "needs 132 steps to a training loss of 0.5. With batch norm, from the same initial "
            "weights and with the same mini-batches?",
            Answer("about 50", (0, 66),
                   "So batch norm works here. Why it does is the question of this lecture."),
            Answer("about 100", (66, 120),
                   "It works better than that. Why it does is the question of this lecture."),
            Answer("about 130, but it ends at a lower loss", (120, 1000),
                   "It also gets there sooner. Why it does is the question of this lecture."),
        ),
        before=dict(rate=0.1), after=dict(rate=0.1, with_norm=True),
        says=("{faster[without]} → {faster[with]} steps", "medians, without and with batch norm",
              "saved, pair by pair: {faster[saved]} steps"),
        what_if="What if the learning rate is smaller? At 0.02 batch norm saves far fewer steps.",
        basis="95% interval over 16 pairs of networks",
    ),
    Beat(
        name="coats", title="the coats", tab="Coats", where="01#1", answer="coloured",
        ask=coat_bet, before=None, sketch="faces", after=dict(coat=1.0),
        says=("{black} → {coloured}", "all faces recognised, from black to full colour",
              "of the cats {black cats}, then {coloured cats}"),
        what_if="What if the coats are only half as colourful? Go back to 0.5: most of the "
        "fall comes after it.",
    ),
    Beat(
        name="reference", title="the reference net", tab="Coats", where="01#2", answer="share",
        ask=lambda: predict(
            "The detector learned from black faces. Another one, the reference net, learns from as "
            "many coloured faces. So is all of this drop covariate shift?",
            Answer("yes, nearly all: more than two thirds", (2 / 3, 2),
                   "Then the reference net would be nearly as good on coloured faces as the other "
                   "was on black ones. It is not: coloured faces are harder."),
            Answer("about half: one to two thirds", (1 / 3, 2 / 3),
                   "The other half stays even with the right training pictures, since coloured "
                   "faces are harder to tell apart."),
            Answer("hardly any: less than a third", (-1, 1 / 3),
                   "Then the reference net would hardly do better. It does: the right training "
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
        name="lines", title="five lines of NumPy", tab="Lines", where="02#2", after={},
        says=("this is batch norm", "z, x_hat and outputs are (8, units), all others (units,)"),
        tells="Eight images in, eight images out, a column for each unit. Next, somebody pushes "
        "one of the eight.",
        basis="In training. At test time stored numbers stand in for mean and var.",
    ),
    Beat(
        name="push", title="one value in a batch", tab="One batch", where="02#2", answer="moved",
        ask=push_bet, before=dict(push=0.0), after=dict(push=6.0),
        says=("{moved} of {others}", "other outputs move",
              "by up to {furthest:.2f} standard deviations"),
        what_if="What if there are 16 images, or two? Of 16 they move less on average; of two "
        "only +1 and −1 are left. And of one?",
        basis="One mini-batch, computed exactly.",
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
        name="repair", title="fresh statistics", tab="Repair", where="02#4", after={},
        says=("{repair[stored]}% → {repair[fresh]}%",
              "of the coloured faces right, with stored and with fresh statistics",
              "without batch norm {repair[without]}%, with the same help {repair[helped]}%"),
        tells="The cat detector again, now with batch norm, which at first makes it worse. Then no "
        "weight changes, only mean and width become those of the coloured pictures, and what batch "
        "norm had lost is back. But give the other detector the same help, and it gains, too.",
    ),
    Beat(
        name="stored", title="the kick", tab="Kick", where="03#3", answer="scale[stored]",
        ask=lambda: predict(
            "Trained networks get about 82 of 100 test images right. Now all weights of layers 1 "
            "and 2 are multiplied by 3. Without batch norm, and with fresh statistics, still about "
            "82 are right. And with stored statistics, taken before, as at test time?",
            Answer("far fewer", (0, 77),
                   "A factor cancels only against statistics that see it. The stored means are a "
                   "third of the true ones in layer 1, about a ninth in layer 2: the rest pushes."),
            Answer("about 82 as well, for a factor is only a factor", (77, 87),
                   "Without batch norm, yes. But the stored means are a third of the true ones in "
                   "layer 1, about a ninth in layer 2: the rest pushes."),
            Answer("more, since batch norm still protects", (87, 101),
                   "What protected was measuring afresh. The stored means are a third of the true "
                   "ones in layer 1, about a ninth in layer 2: the rest pushes."),
        ),
        before=dict(size=2.0), after=dict(size=2.0, with_stored=True),
        says=("{scale[stored]} of 100", "right with stored statistics",
              "without batch norm {scale[without]}, with fresh statistics {scale[fresh]}"),
        what_if="What if it is noise, not a factor? Choose random, size 1.0: fresh statistics now "
        "help in part: which images score high has changed.",
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
        before=None, after={}, sketch="network",
        says=("{rotation[without]} → {rotation[with]}", "nats when they rotate",
              "when they grow {growth[without]} → {growth[with].mean:.2f}, by construction"),
        what_if="Do real layers rotate like this? Not so evenly: here we drive them.",
    ),
    Beat(
        name="naive", title="64 against 512", tab="64 or 512", where="04#3", answer="gaps[with]",
        ask=naive_bet, before=None, sketch="gaps", after=dict(with_control=False),
        says=("{gaps[with]} nats", "larger gap at 64 than at 512", "with batch norm, seed by seed"),
        what_if="Is the lecture wrong, then? What would you check first?",
    ),
    Beat(
        name="control", title="the control", tab="64 or 512", where="04#3", answer="gaps[without]",
        ask=lambda: predict(
            "Before you believe it: what else has changed? The same sweep without any batch norm. "
            "From 64 to 512 images, what does the gap do now?",
            Answer("it falls as well", (0.1, 10),
                   "So the sweep speaks neither for nor against batch norm's noise. Equal epochs "
                   "are not equal steps: 320 updates at 64, only 40 at 512."),
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
        name="groups", title="only the noise", tab="Groups", where="04#4",
        after=dict(group_size=64),
        says=("{gains[group 64]} nats", "best test loss, 64 minus 512, seed by seed",
              "peeking at the test set, equally for both"),
        tells="Now every update uses the same 512 images. Only batch norm's statistics come from "
        "groups of 64: so the lecture is right about the noise, and the effect is small.",
        what_if="What if the groups are smaller? The room chooses one; 16 networks train at once.",
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
        ask=fast_bet, before=dict(rate=0.1, with_norm=True),
        after=dict(rate=0.1, with_norm=True, with_noise=True),
        says=("{fast[noisy]} steps",
              "median with noise; {fast[without]} without batch norm, {fast[with]} with it",
              "saved against none: {fast[saved]} steps; drift {fast[drift][noisy]} sd a step, "
              "without batch norm {fast[drift][without]}"),
        what_if="So less drift is not why? One learning rate does not speak for all.",
    ),
    Beat(
        name="slow", title="drift, small steps", tab="Race", where="05#2", answer="slow[saved]",
        ask=slow_bet, before=dict(rate=0.1, with_norm=True, with_noise=True),
        after=dict(rate=0.02, with_norm=True, with_noise=True),
        says=("{slow[noisy]} steps",
              "median with noise; {slow[without]} without batch norm, {slow[with]} with it",
              "saved against none: {slow[saved]} steps; drift {slow[drift][noisy]} sd a step, "
              "without batch norm {slow[drift][without]}"),
        what_if="Is less drift the reason after all? Open: noise that moves no means takes the "
        "gain here, too.",
    ),
    Beat(
        name="rates", title="room for large steps", tab="Rates", where="05#3", answer="n rates",
        ask=lambda: predict(
            "ReLU, the usual initial weights, ten learning rates from 0.001 to 30. Three layers of "
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
    Beat(
        name="direction", title="only direction counts", tab="Direction", where="05#4",
        answer="same", ask=length_bet, sketch="network", before=None, after=dict(rate=1000.0),
        says=("the same, step by step", "apart from what ε sees of the length",
              "at rate 1000 the weights end {growth} times as long, "
              "and by then hardly turn"),
        what_if="So is any rate fine? Grey: layers that never learn do as well as those at 1000. "
        "Long weights turn slowly: a brake, often too strong a one.",
        basis="By construction. In the picture: 16 networks.",
    ),
    Beat(
        name="claims", title="which would you keep?", tab="Claims", where="05#5", after={},
        says=("which of these would you keep?",),
        tells="In pairs: one row each. One argues for it, one against.",
        basis="",
    ),
    Beat(
        name="card", title="what is left", tab="Claims", where="05#5", after=dict(verdicts=True),
        says=("what the evidence kept",),
        tells="Batch norm's outputs ignore the length of hidden weights, which fits its room for "
        "large steps. Whether less shift helps as well, these data leave open.",
        what_if="Which row?",
        basis="2 of 3: so many of a row's statements are kept. Without its main one a row fails.",
    ),
)

# {name of a plan: {beat: its minutes}}: from "it works" to "why", with a card at the end.
PLANS = {
    "15 min": dict(race=3, coats=3, reference=2, rates=3, direction=3, card=1),
    "50 min": dict(
        race=5, coats=4, reference=3, lines=2, push=4, memory=5, repair=2, stored=5, naive=4,
        control=4, groups=2, rates=3, direction=5, card=2,
    ),
    "90 min": dict(
        race=5, coats=5, reference=4, shortcut=4, lines=3, push=4, memory=5, repair=3, stored=6,
        target=5, naive=5, control=4, groups=3, dropout=3, drift=5, slow=4, rates=5, direction=6,
        claims=8, card=3,
    ),
}
