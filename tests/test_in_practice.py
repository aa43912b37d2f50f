"""Notebook 06: its PyTorch lines, its three cases, its pictures."""

import re
from types import SimpleNamespace

import numpy as np
import pytest
from changed_cells import run_cells
from test_notebooks import FOLDER, code_cells, read

from helpers.arms import train_arms
from helpers.datasets import load_fashion_mnist
from helpers.in_practice import demos, experiments, pictures
from helpers.intervals import paired_interval
from helpers.layers import BatchNorm
from helpers.network import accuracy, inference_accuracy, multilayer_perceptron

NOTEBOOK = read(FOLDER / "06_in_practice.ipynb")
CASE_2 = ("setup", "s2-train", "s2-case1-check", "s2-case2-symptom", "s2-case2-check")
IMPORT = "from helpers.arms import watch_arms\n"
OF_SECTION_2 = (
    "from helpers.datasets import load_fashion_mnist\n"
    "from helpers.network import inference_accuracy\n"
)
SECTION_3 = ("setup", "s3-numpy", "s3-arms", "s3-run")


def small_data(n=40):
    rng = np.random.default_rng(0)
    return SimpleNamespace(
        train_inputs=rng.normal(size=(2, 64, 4)), train_targets=rng.integers(3, size=(2, 64)),
        test_inputs=rng.normal(size=(n, 4)), test_targets=rng.integers(3, size=n),
    )


def small_networks():
    rng = [np.random.default_rng(k) for k in range(2)]
    return multilayer_perceptron([4, 6, 6, 3], rng=rng, n_networks=2, dtype=np.float64)


def test_the_pytorch_lines_do_what_their_comments_say():
    torch = pytest.importorskip("torch", reason="PyTorch, of the extra bench, is not installed")
    markdown = "\n".join(cell.source for cell in NOTEBOOK.cells if cell.cell_type == "markdown")
    (lines,) = re.findall(r"```python\n(.*?)```", markdown, re.DOTALL)
    names = {"torch": torch}
    exec(lines, names)
    theirs, ours = names["norm"].double(), BatchNorm(64, momentum=0.9, dtype=np.float64)
    assert not theirs.training and names["dense"].bias is None
    inputs = np.random.default_rng(0).normal(3, 2, (16, 64))
    for training in (True, True, False):
        theirs.train(training)
        expected = theirs(torch.tensor(inputs)).detach().numpy()
        outputs = ours.forward(inputs, training=training)
        np.testing.assert_allclose(outputs, expected, rtol=1e-9, atol=1e-9)
    for name in ("running_mean", "running_var"):
        stored = getattr(theirs, name).numpy()
        np.testing.assert_allclose(getattr(ours, name), stored, rtol=1e-9)
    decayed, spared = names["sgd"].param_groups
    assert decayed["weight_decay"] > 0 == spared["weight_decay"]
    assert [len(one["params"]) for one in (decayed, spared)] == [1, 2]


def test_inference_ignores_size_and_order_of_the_test_batch_and_training_mode_does_not():
    networks, data = small_networks(), small_data()
    found = [
        experiments.evaluate(networks, data, size, order)
        for size, order in ((2, "shuffled"), (40, "shuffled"), (2, "one class at a time"))
    ]
    for one in found[1:]:
        np.testing.assert_array_equal(one["inference"], found[0]["inference"])
        assert (one["training mode"] != found[0]["training mode"]).any()
    order = np.random.default_rng(0).permutation(40)
    logits = experiments.as_the_colleague(networks, data.test_inputs[order], test_batch=2)
    found_by_hand = accuracy(logits, data.test_targets[order])
    np.testing.assert_array_equal(found_by_hand, found[0]["training mode"])


def test_fine_tuning_leaves_the_networks_alone_and_keeps_what_its_memory_says():
    networks, data = small_networks(), small_data()
    before = networks.layers[0].weights.copy()
    shares = []
    for memory in (0.5, 0.99):
        tuned, losses = experiments.fine_tune(
            networks, data.train_inputs + 5, data.train_targets, memory=memory, n_steps=3
        )
        assert losses.shape == (2,) and (tuned.layers[0].weights != before).any()
        (first, *_) = experiments.look_inside(tuned)
        shares.append(first)
    np.testing.assert_array_equal(networks.layers[0].weights, before)
    (first, *_), start = experiments.look_inside(networks), 1.0
    np.testing.assert_array_equal(first, start)
    assert (abs(shares[1] - start) < abs(shares[0] - start)).all()


@pytest.mark.parametrize("keep", [None, "running_mean", "running_var"])
def test_the_treatment_measures_anew_but_what_it_keeps(keep):
    networks, data = small_networks(), small_data()
    treated = experiments.treat(networks, data.train_inputs, keep)
    for name in ("running_mean", "running_var"):
        old, new = (getattr(one.layers[1], name) for one in (networks, treated))
        assert (old == new).all() == (name == keep)


def test_the_demo_trains_the_arms_of_the_notebook():
    (cell,) = [cell for cell in code_cells(NOTEBOOK) if cell.id == "s3-arms"]
    names = {"np": np, "LayerNorm": experiments.LayerNorm, "GroupNorm": experiments.GroupNorm,
             "load_fashion_mnist": lambda *args, **kwargs: small_data()}
    exec(cell.source, names)
    ours = {arm: {**options} for arm, options in experiments.NORMS.items()}
    group, theirs = ours["group norm"].pop("norm"), names["arms"]["group norm"].pop("norm")
    assert names["arms"] == ours
    assert (group.func, group.keywords) == (theirs.func, theirs.keywords)


def test_the_bet_on_a_batch_size_stays_in_the_figure():
    values = {  # more networks at 2
        norm: {m: np.array([0.2, 0.4, 0.9][:n]) for m, n in ((2, 3), (8, 2))}
        for norm in pictures.LOOKS
    }
    bet = demos.enough_bet()
    panel = demos.show_norms(values, bet)
    assert "at batch size 8: batch norm 30 ± 127%, layer norm" in panel.picture.sentence
    bet.control.value = 32.0
    np.testing.assert_array_equal(panel.picture.ghost.marker.get_data(), ([32], [4]))


@pytest.mark.thorough
@pytest.mark.parametrize("seed", [1003, 2003, 47])
def test_with_fresh_seeds_batch_norm_is_at_least_as_good_as_layer_norm_from_8_on(seed):
    clothes = load_fashion_mnist(2000, 1000, 7, n_networks=64, seed=seed)
    arms = {name: experiments.NORMS[name] for name in ("batch norm", "layer norm")}
    ahead = {}
    for m in (4, 8):
        runs = train_arms(arms, clothes, **experiments.SMALL, batch_size=m, seed=seed)
        ours, theirs = (
            inference_accuracy(run.network, clothes.test_inputs, clothes.test_targets)
            for run in runs.values()
        )
        ahead[m] = paired_interval(ours, theirs)
    assert ahead[4].high < 0 < ahead[8].low


@pytest.mark.thorough
def test_at_a_larger_rate_batch_norm_still_loses_at_2_and_leads_by_more_at_8():
    few = {", 32: 16, 256: 16}": "}", IMPORT: IMPORT + OF_SECTION_2}
    ahead = {}
    for rate in (0.02, 0.1):
        changes = few | {"learning_rate=0.02": f"learning_rate={rate}"}
        found = run_cells("06", SECTION_3, changes).names["accuracies"]
        ours, theirs = found["batch norm"], found["layer norm"]
        ahead[rate] = {m: paired_interval(ours[m], theirs[m]) for m in ours}
    assert ahead[0.1][2].high < 0
    assert abs(ours[2].mean() - 0.1) < 0.02  # of ten classes: it guesses
    assert 0 < ahead[0.02][8].low and ahead[0.02][8].mean < ahead[0.1][8].mean


@pytest.mark.thorough
def test_a_shorter_memory_saves_most_of_case_2_and_batch_norm_cancels_the_camera():
    short = run_cells("06", CASE_2, {"memory=0.99": "memory=0.9"}).names
    networks, (new, labels) = short["networks"], (short["test_images"], short["labels"])
    treated = experiments.treat(short["tuned"], short["train_images"])
    before, now, anew = (
        inference_accuracy(one, new, labels) for one in (networks, short["tuned"], treated)
    )
    assert paired_interval(now, before).low > 0.4 and paired_interval(anew, now).low > 0
    old = experiments.treat(networks, short["clothes"].train_inputs)
    same = short["predict"](short["again"], new).argmax(-1)
    np.testing.assert_array_equal(same, short["predict"](old, short["images"]).argmax(-1))
