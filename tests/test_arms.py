"""Paired arms: the same as training by hand, watched from outside, whatever the number of cores."""

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from helpers.arms import Run, first_below, never_below, train_arms, watch_arms
from helpers.datasets import Examples
from helpers.layers import Dense
from helpers.network import Network, inference_accuracy, multilayer_perceptron
from helpers.randomness import spawn_streams
from helpers.training import train

K, N, D = 3, 40, 5
rng = np.random.default_rng(0)
INPUTS = rng.standard_normal((K, N, D)).astype(np.float32)
TARGETS = (INPUTS[..., 0] + 0.3 * rng.standard_normal((K, N)) > 0).astype(int)
DATA = Examples(INPUTS, TARGETS, INPUTS, TARGETS, ("no", "yes"))
PAIR = {"without": dict(batch_norm=False), "with": dict(batch_norm=True)}
SETTINGS = dict(hidden=[6, 6], n_steps=12, batch_size=8, learning_rate=0.1, seed=1)


def weights(run):
    return [layer.weights for layer in run.network.layers if isinstance(layer, Dense)]


def look_at_weights(network):
    return {"length": np.linalg.norm(network.layers[0].weights, axis=(-2, -1))}


@pytest.mark.parametrize("name", PAIR)
def test_an_arm_is_what_training_by_hand_gives(name):
    streams = spawn_streams(1, K)
    network = multilayer_perceptron(
        [D, 6, 6, 2], rng=streams.weights, dropout_rng=streams.dropout, n_networks=K, dropout=0.2,
        momentum=0.7, dtype=np.float64, **PAIR[name],
    )
    losses = [
        step.losses
        for step in train(
            network, INPUTS, TARGETS, n_steps=12, batch_size=8, learning_rate=0.1, momentum=0.5,
            rng=streams.order,
        )
    ]
    run = train_arms(PAIR, DATA, **SETTINGS, dropout=0.2, memory=0.7, momentum=0.5)[name]
    np.testing.assert_array_equal(run.losses, losses)
    for one, other in zip(network.layers, run.network.layers, strict=True):
        for attribute in {*one.parameters, "running_mean", "running_var"} & vars(one).keys():
            np.testing.assert_array_equal(getattr(one, attribute), getattr(other, attribute))


def test_looks_are_taken_every_few_steps_and_after_the_last():
    run = train_arms({"a": {}}, DATA, **SETTINGS, look=look_at_weights, every=5)["a"]
    assert run.steps.tolist() == [5, 10, 12]
    assert run["length"].shape == (3, K)
    np.testing.assert_array_equal(run["length"][-1], look_at_weights(run.network)["length"])
    first = train_arms(
        {"a": {}}, DATA, **SETTINGS, look=look_at_weights, every=5, look_first=True
    )["a"]
    assert first.steps.tolist() == [0, 5, 10, 12]
    np.testing.assert_array_equal(first["length"][1:], run["length"])


def test_without_every_there_is_one_look_and_without_a_look_none():
    assert train_arms(PAIR, DATA, **SETTINGS, look=look_at_weights)["with"].steps.tolist() == [12]
    run = train_arms(PAIR, DATA, **SETTINGS)["with"]
    assert run.steps.tolist() == [] and run.losses.shape == (12, K)
    with pytest.raises(KeyError, match="look must return 'loss' for this, but it returned nothing"):
        run["loss"]


def test_what_comes_is_a_growing_share_and_runs_where_there_was_a_look():
    pairs = list(watch_arms(PAIR, DATA, **SETTINGS, look=look_at_weights, every=6))
    shares = [share for share, _ in pairs]
    assert shares == sorted(set(shares)) and shares[-1] == 1
    seen = [runs["with"].steps.tolist() for _, runs in pairs if runs is not None]
    assert seen == [[6], [6, 12]] and len(pairs) > len(seen)


def test_each_arm_has_its_own_copy_of_a_look_that_remembers():
    class Change:
        before = None

        def __call__(self, network):
            now = network.layers[0].weights.copy()
            change = 0 * now if self.before is None else now - self.before
            self.before = now
            return {"change": np.abs(change).max(axis=(-2, -1))}

    look = Change()
    together = train_arms(PAIR, DATA, **SETTINGS, look=look, every=4)
    alone = train_arms({"with": PAIR["with"]}, DATA, **SETTINGS, look=look, every=4)
    np.testing.assert_array_equal(together["with"]["change"], alone["with"]["change"])
    assert look.before is None


def test_an_arm_may_differ_in_anything():
    def build(sizes, *, rng, n_networks, dtype, **_others):
        layers = [Dense(sizes[0], sizes[-1], rng=rng, n_networks=n_networks, dtype=dtype)]
        return Network(layers)

    other = Examples(-INPUTS[:, :20], TARGETS[:, :20], INPUTS, TARGETS, ("a", "b", "c"))
    arms = {
        "as it is": {}, "data": dict(data=other), "wide": dict(hidden=[9], batch_size=20),
        "long": dict(n_steps=20, learning_rate=0.2), "linear": dict(build=build, hidden=[]),
        "small": dict(dtype=np.float32), "looked at": dict(look=look_at_weights, every=3),
    }
    runs = train_arms(arms, DATA, **SETTINGS)
    assert [one.shape[-1] for one in weights(runs["data"])] == [6, 6, 3]
    assert [one.shape[-1] for one in weights(runs["wide"])] == [9, 2]
    assert len(runs["long"].losses) == 20 and len(weights(runs["linear"])) == 1
    assert weights(runs["small"])[0].dtype == np.float32
    assert runs["looked at"].steps.tolist() == [3, 6, 9, 12]
    np.testing.assert_array_equal(runs["looked at"].losses, runs["as it is"].losses)


def test_examples_of_an_arm_may_have_weights():
    sample_weights = np.where(np.arange(N) < N // 2, 2.0, 0.0)
    first_half = Examples(INPUTS[:, : N // 2], TARGETS[:, : N // 2], INPUTS, TARGETS, ("no", "yes"))
    settings = {**SETTINGS, "batch_norm": False}
    runs = train_arms({
        "weighted": dict(sample_weights=sample_weights, batch_size=N),
        "half": dict(data=first_half, batch_size=N // 2),
    }, DATA, **settings)
    np.testing.assert_allclose(runs["weighted"].losses, runs["half"].losses, rtol=1e-10)


def test_what_disturbs_comes_after_the_step_and_before_the_look():
    states = []

    def disturb(network, generators):
        states.append([one.bit_generator.state["state"]["state"] for one in generators])
        network.layers[0].weights[...] = 0

    run = train_arms(
        {"a": {}}, DATA, **SETTINGS, disturb=disturb, look=look_at_weights, every=1
    )["a"]
    assert (run["length"] == 0).all() and len(states) == 12
    of_seed = [one.bit_generator.state["state"]["state"] for one in spawn_streams(1, K).dropout]
    assert states[0] == of_seed


def test_networks_share_one_training_set_where_it_has_no_networks_axis():
    shared = Examples(INPUTS[0], TARGETS[0], INPUTS[0], TARGETS[0], DATA.class_names)
    one = train_arms({"a": {}}, shared, **SETTINGS)["a"]
    assert one.losses.shape == (12,)
    assert inference_accuracy(one.network, INPUTS[0], TARGETS[0]) > 0.5
    four = train_arms({"a": {}}, shared, n_networks=4, **SETTINGS)["a"]
    assert four.losses.shape == (12, 4)


def test_the_number_of_cores_changes_no_bit_and_blas_stays_as_it_was(monkeypatch):
    losses = []
    with threadpool_limits(2, user_api="blas"):
        before = threadpool_info()
        for n_cores in (1, 3):
            monkeypatch.setattr("os.cpu_count", lambda n=n_cores: n)
            runs = train_arms(PAIR, DATA, **SETTINGS)
            losses.append({name: run.losses for name, run in runs.items()})
            assert threadpool_info() == before
        walk = watch_arms(PAIR, DATA, **SETTINGS)
        next(walk)
        assert threadpool_info() == before
        walk.close()
    np.testing.assert_equal(*losses)


def test_what_is_seen_is_kept_as_it_was():
    run = train_arms(
        {"a": {}}, DATA, **SETTINGS, every=4, look=lambda network: {"w": network.layers[0].weights}
    )["a"]
    assert np.ptp(run["w"], axis=0).max() > 0


def looks(*results):
    """Return a look that returns these results, one after the other."""
    following = iter(results)
    return lambda network: next(following)


@pytest.mark.parametrize(
    ("look", "error", "words"),
    [
        (looks(None), TypeError, r"look must return \{name: array\}, got NoneType"),
        (looks({"a": [1]}, {"b": [1]}), ValueError, "the same arrays each time: {'a': .*{'b': "),
        (looks({"a": [1]}, {"a": [1, 2]}), ValueError, r"\(1,\), 'int64'\)}, then {'a': \(\(2,"),
        (looks({"a": [1]}, {"a": [1.5]}), ValueError, "'int64'.*, then .*'float64'"),
    ],
)
def test_a_look_that_returns_something_else_is_refused(look, error, words):
    with pytest.raises(error, match=words):
        train_arms({"a": {}}, DATA, **SETTINGS, every=4, look=look)


def test_an_error_names_the_arm():
    with pytest.raises(ValueError, match="learning_rate") as caught:
        watch_arms({"a": {}, "b": dict(learning_rate=-2)}, DATA, **SETTINGS)
    assert caught.value.__notes__ == ["(in arm 'b')"]


def test_what_a_look_raises_is_raised_and_stopping_early_cancels():
    looks = []

    def look(network):
        looks.append(1)
        raise RuntimeError("cannot look")

    with pytest.raises(RuntimeError, match="cannot look"):
        train_arms({"a": {}}, DATA, **SETTINGS, look=look, every=5)
    walk = watch_arms({"a": {}}, DATA, **SETTINGS, look=look)
    next(walk)
    del walk
    assert len(looks) == 1


@pytest.mark.parametrize(
    ("arms", "change", "error", "words"),
    [
        ({"a": None}, {}, TypeError, "arms must be {name: dict of options}"),
        (PAIR, {"look_first": "no"}, TypeError, "look_first must be True or False, got 'no'"),
        (PAIR, {"rng": 1}, TypeError, "multiple values for keyword argument 'rng'"),
        (PAIR, {"hidden": 6}, TypeError, r"hidden must be a list of widths such as \[64, 64\]"),
        (PAIR, {"every": 13}, ValueError, r"every must be between 1 and 12 \(n_steps\), got 13"),
        (PAIR, {"n_networks": 4}, ValueError, r"got \(3, 40, 5\)"),
        (PAIR, {"batchnorm": True}, TypeError, "arm 'without' does not know the option batchnorm"),
    ],
)
def test_impossible_arms_are_refused_at_the_call(arms, change, error, words):
    with pytest.raises(error, match=words):
        watch_arms(arms, DATA, **{**SETTINGS, **change})


def test_a_missing_option_is_named():
    settings = {name: one for name, one in SETTINGS.items() if name not in ("seed", "n_steps")}
    with pytest.raises(TypeError, match=r"missing .* arguments: 'seed' and 'n_steps'"):
        watch_arms(PAIR, DATA, **settings)


# -- when a loss falls below a threshold --


def run_with(losses):
    losses = np.array(losses, dtype=float)
    return Run(5 * np.arange(1, len(losses) + 1), {"loss": losses}, None, None)


def test_first_steps_are_the_first_below_and_the_last_where_there_is_none():
    run = run_with([[2, 1, 3], [1, 0.4, 2], [0.3, 0.6, 0.5]])
    assert first_below(0.5, run).tolist() == [15, 10, 15]
    assert never_below(0.5, run).tolist() == [False, False, True]
