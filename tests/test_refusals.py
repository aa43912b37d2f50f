"""Arguments that would do no harm at once, such as the end of a range, are refused by name.

`test_bad_input` meets what makes a function fail, or its result; here stands what would only be
wrong. Each call is one of its table with other arguments; the first of them is the one named.
"""

import copy
import re

import numpy as np
import pytest
from test_bad_input import CASES, RNG, X32, X, Y, answer, state

from helpers.checks import check_axes, check_choice, check_integer, check_number
from helpers.layers import BatchNorm, Dense, Dropout, ReLU


def dense(n_inputs, n_outputs, n_networks=None):
    return Dense(n_inputs, n_outputs, rng=RNG, n_networks=n_networks)


OF_NORM = [dict(momentum=1.0), dict(eps=0), dict(dtype=int), dict(dtype=None)]
OF_INPUTS = [
    dict(inputs=one) for one in (
        X32[:, :3], X32[0], np.stack([X32] * 3), X32[:0], X32 == 1, X32 * np.inf,
        np.full((6, 4), -1e20),
    )
]
HUGE = np.full(6, 2**63, np.uint64)  # negative as an int64
OF_TARGETS = [dict(targets=one) for one in (Y + 3, Y - 1, HUGE, Y[:2], Y == 1, Y * 1.0)]
REFUSED = {
    "Dense": [dict(bias="no"), dict(weight_sd=-1), dict(weight_sd=1e39), dict(n_networks=0)],
    "BatchNorm": [*OF_NORM, dict(group_size=1), dict(n_networks=0)],
    "GroupNorm": [dict(n_groups=2, n_features=5), dict(n_groups=4), dict(n_groups=2.0)],
    "Dropout": [dict(probability=1.0)],
    "Dense.backward": [dict(to_inputs="no")],
    "BatchNorm.forward": [*OF_INPUTS, dict(inputs=np.ones((6, 4), np.float16))],
    "BatchNorms.forward": [dict(inputs=np.stack([X32] * 3))],
    "Network": [
        dict(layers=one) for one in (
            [], [ReLU()] * 2, [BatchNorm(3, 2), BatchNorm(3, 3)], [BatchNorm(3), dense(3, 2, 2)],
            [dense(3, 4), ReLU(), dense(5, 2)], [BatchNorm(3), dense(4, 2)],
            [dense(3, 4), Dropout(0.5, rng=RNG), dense(5, 2)], [3],
        )
    ],
    "Network.forward": OF_INPUTS,
    "Network.backward": [
        dict(grad_logits=X[:, 0]), dict(grad_logits=X[:5, :2]),
        dict(grad_logits=np.ones((6, 2), int)), dict(to_inputs="no"),
    ],
    "predict": OF_INPUTS,
    "multilayer_perceptron": [
        *OF_NORM, dict(momentum=np.nan, batch_norm=False), dict(sizes=[5]), dict(batch_norm="no"),
        dict(activation="swish"), dict(activation=np.array(["relu"])), dict(dropout=1.0),
        dict(dropout=False), dict(init_scale=0),
    ],
    "softmax_cross_entropy": [
        *OF_TARGETS, dict(logits=X[0]), dict(logits=X[:0]), dict(logits=X.astype(int)),
        dict(sample_weights=np.ones(7)), dict(sample_weights=-np.ones(6)),
    ],
    "accuracy": OF_TARGETS,
    "SGD": [
        dict(momentum=1.0), dict(learning_rate=0.0), dict(learning_rate=1e-50),
        dict(learning_rate=1e40), dict(learning_rate=[0.1, 0.2]), dict(weight_decay=-1e-4),
        dict(layers=[]), dict(layers=[dense(2, 2), BatchNorm(2, dtype=float)]),
    ],
    "train": [
        *OF_INPUTS, *OF_TARGETS, dict(batch_size=1), dict(batch_size=7), dict(learning_rate=0.0),
        dict(momentum=1.0), dict(weight_decay=-1.0), dict(sample_weights=np.ones(7)),
        dict(sample_weights=-np.ones(6)),
    ],
    "minibatches": [dict(n_networks=0)],
    "watch_arms": [dict(look_first="no"), dict(every=3), dict(arms={"a": None}), dict(hidden=6)],
    "spawn_streams": [dict(seed=-1), dict(n_networks=0)],
    "one_per_network": [dict(rng=RNG.spawn(2)), dict(rng=[RNG] * 2, n_networks=2)],
    "load_fashion_mnist": [
        dict(n_train=0), dict(n_train=2001), dict(n_test=401), dict(label_noise=-0.1),
        *(dict(classes=one) for one in ("Bag", [4], [8, "Bag"], [0, 10], [-1, 0], ["Bag", "Cat"])),
    ],
    "shifted_regions": [dict(distance=-1)],
    "draw_faces": [dict(image_size=11), dict(image_size=65), dict(kinds=[0, 4])],
    "Recoloured.in_coats": [dict(colourfulness=1.5), dict(colourfulness=-0.1)],
    "record": [dict(statistics="new")],
    "with_statistics": [dict(group_size=4), dict(share_weights="no")],
    "domain_auc": [
        dict(source=X[:4]), dict(target=X[0]), dict(target=X[:, :3]), dict(squares="no")
    ],
    "importance_weights": [dict(source=X + 1e150)],  # its squares are too large
    "effective_sample_size": [dict(weights=np.zeros(4)), dict(weights=[1, -1])],
    "mean_interval": [dict(values=[1.0]), dict(values=X), dict(values=[1.0, np.nan])],
    "paired_interval": [dict(reference=X[:1, 1])],
    "verdict": [dict(sign=0), dict(margin=np.nan)],
    "show_table": [dict(columns={"a": [1], "b": []})],
}


@pytest.mark.parametrize(
    ("name", "changed"), [(name, changed) for name in REFUSED for changed in REFUSED[name]],
    ids=lambda one: one if isinstance(one, str) else " ".join(one),
)
def test_what_would_be_wrong_is_refused_by_name_and_changes_nothing(name, changed):
    function, valid = CASES[name]
    arguments = copy.deepcopy({**valid, **changed})
    before = state(arguments)
    with pytest.raises((ValueError, TypeError)) as caught:
        answer(function, arguments)
    assert re.search(rf"\b{next(iter(changed))}\b.* must .*got ", str(caught.value))
    assert state(arguments) == before


@pytest.mark.parametrize(
    ("refuse", "message"),
    [
        (lambda: check_integer("n", 0), "n must be at least 1, got 0"),
        (lambda: check_integer("n", 7, 2, 6, high_is="the batch"),
         "n must be between 2 and 6 (the batch), got 7"),
        (lambda: check_integer("n", True), "n must be an integer, got True (bool)"),
        (lambda: check_number("p", 1.0, 0, 1, high_open=True),
         "p must be a finite number in [0, 1), got 1.0"),
        (lambda: check_choice("a", "x", ("b", "c")), "a must be one of 'b', 'c', got 'x'"),
        (lambda: check_axes(X, 3, 2),
         "inputs must have shape (batch, 3) or (2, batch, 3), got (6, 4)"),
    ],
)
def test_a_refusal_says_what_is_allowed_and_what_was_given(refuse, message):
    with pytest.raises((ValueError, TypeError), match=re.escape(message)):
        refuse()
