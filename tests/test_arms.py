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
    return {"weights": network.layers[0].weights}


def train_one(data=DATA, **options):
    return train_arms({"a": {}}, data, **SETTINGS, **options)["a"]


@pytest.mark.parametrize("name", PAIR)
def test_an_arm_is_what_training_by_hand_gives(name):
    streams = spawn_streams(1, K)
    learning = dict(momentum=0.5, weight_decay=0.1, sample_weights=np.arange(N) / N)
    network = multilayer_perceptron(
        [D, 6, 6, 2], rng=streams.weights, dropout_rng=streams.dropout, n_networks=K, dropout=0.2,
        momentum=0.7, dtype=np.float64, **PAIR[name],
    )
    steps = train(
        network, INPUTS, TARGETS, n_steps=12, batch_size=8, learning_rate=0.1, rng=streams.order,
        **learning,
    )
    losses = [step.losses for step in steps]
    run = train_arms(PAIR, DATA, **SETTINGS, dropout=0.2, memory=0.7, **learning)[name]
    np.testing.assert_array_equal(run.losses, losses)
    for one, other in zip(network.layers, run.network.layers, strict=True):
        for attribute in {*one.parameters, "running_mean", "running_var"} & vars(one).keys():
            np.testing.assert_array_equal(getattr(one, attribute), getattr(other, attribute))


def test_looks_are_taken_every_few_steps_and_after_the_last():
    run = train_one(look=look_at_weights, every=5)
    assert run.steps.tolist() == [5, 10, 12] and run["weights"].shape == (3, K, D, 6)
    np.testing.assert_array_equal(run["weights"][-1], run.network.layers[0].weights)
    assert np.ptp(run["weights"], axis=0).max() > 0  # kept as they were
    first = train_one(look=look_at_weights, every=5, look_first=True)
    assert first.steps.tolist() == [0, 5, 10, 12]
    np.testing.assert_array_equal(first["weights"][1:], run["weights"])
    assert train_one(look=look_at_weights).steps.tolist() == [12]
    run = train_one()
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
    class Count:
        n_looks = 0

        def __call__(self, network):
            self.n_looks += 1
            return {"looks": self.n_looks}

    look = Count()
    for run in train_arms(PAIR, DATA, **SETTINGS, look=look, every=4).values():
        assert run["looks"].tolist() == [1, 2, 3]
    assert look.n_looks == 0


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


def test_what_disturbs_comes_after_the_step_and_before_the_look():
    states = []

    def disturb(network, generators):
        states.append([one.bit_generator.state["state"]["state"] for one in generators])
        network.layers[0].weights[...] = 0

    run = train_one(disturb=disturb, look=look_at_weights, every=1)
    assert (run["weights"] == 0).all() and len(states) == 12
    of_seed = [one.bit_generator.state["state"]["state"] for one in spawn_streams(1, K).dropout]
    assert states[0] == of_seed


def test_networks_share_one_training_set_where_it_has_no_networks_axis():
    shared = Examples(INPUTS[0], TARGETS[0], INPUTS[0], TARGETS[0], DATA.class_names)
    one = train_one(shared)
    assert one.losses.shape == (12,)
    assert inference_accuracy(one.network, INPUTS[0], TARGETS[0]) > 0.5
    assert train_one(shared, n_networks=4).losses.shape == (12, 4)


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


def looks(*results):
    """Return a look that returns these results, one after the other."""
    following = iter(results)
    return lambda network: next(following)


@pytest.mark.parametrize(
    ("look", "error", "words"),
    [
        (looks(None), TypeError, r"look must return \{name: array\}, got NoneType"),
        (looks({"a": [1]}, {"b": [1]}), ValueError, "look must return the same arrays each time"),
        (looks({"a": [1]}, {"a": [1, 2]}), ValueError, "look must return the same arrays"),
        (looks({"a": [1]}, {"a": [1.5]}), ValueError, "'int64'.*, then .*'float64'"),
    ],
)
def test_a_look_that_returns_something_else_is_refused(look, error, words):
    with pytest.raises(error, match=words):
        train_one(every=4, look=look)


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
        train_one(look=look, every=5)
    walk = watch_arms({"a": {}}, DATA, **SETTINGS, look=look)
    next(walk)
    del walk
    assert len(looks) == 1


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"rng": 1}, TypeError, "multiple values for keyword argument 'rng'"),
        ({"n_networks": 4}, ValueError, r"got \(3, 40, 5\)"),
        ({"batchnorm": True}, TypeError, "arm 'without' does not know the option batchnorm"),
    ],
)
def test_impossible_arms_are_refused_at_the_call(change, error, words):
    with pytest.raises(error, match=words):
        watch_arms(PAIR, DATA, **{**SETTINGS, **change})


# -- when a loss falls below a threshold --


def test_first_steps_are_the_first_below_and_the_last_where_there_is_none():
    losses = np.array([[2, 1, 3], [1, 0.4, 2], [0.3, 0.6, 0.5]])
    run = Run(np.array([5, 10, 15]), {"loss": losses}, None, None)
    assert first_below(0.5, run).tolist() == [15, 10, 15]
    assert never_below(0.5, run).tolist() == [False, False, True]
