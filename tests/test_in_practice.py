"""Notebook 06: its PyTorch lines, its three cases, its pictures."""

import re
from types import SimpleNamespace

import numpy as np
import pytest
from test_notebooks import FOLDER, code_cells, read

from helpers.in_practice import demos, experiments, pictures
from helpers.layers import BatchNorm
from helpers.network import accuracy, multilayer_perceptron

NOTEBOOK = read(FOLDER / "06_in_practice.ipynb")


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
    targets = data.test_targets[experiments.one_class_at_a_time(data.test_targets)]
    assert (np.diff(targets) >= 0).all()


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


def test_the_demo_trains_the_arms_of_the_notebook():
    (cell,) = [cell for cell in code_cells(NOTEBOOK) if cell.id == "s3-arms"]
    names = {"np": np, "LayerNorm": experiments.LayerNorm, "GroupNorm": experiments.GroupNorm,
             "load_fashion_mnist": lambda *args, **kwargs: None}
    exec(cell.source, names)
    ours = {arm: {**options} for arm, options in experiments.NORMS.items()}
    group, theirs = ours["group norm"].pop("norm"), names["arms"]["group norm"].pop("norm")
    assert names["arms"] == ours
    assert (group.func, group.keywords) == (theirs.func, theirs.keywords)


def test_the_demo_of_the_norms_shows_what_it_trained():
    *_, (share, last) = experiments.watch_norms(4, n_networks=2)
    assert share == 1 and set(last["runs"]) == set(pictures.LOOKS)
    picture = pictures.TrainingPicture().show(last)
    assert picture.sentence.startswith("Batch size 4, after 100 steps: batch norm ")


def test_the_bet_on_a_batch_size_stays_in_the_figure():
    values = {norm: {m: np.array([0.2, 0.4]) for m in (2, 8)} for norm in pictures.LOOKS}
    bet = demos.enough_bet()
    panel = demos.show_norms(values, bet)
    assert "at batch size 8: batch norm 30 ± 127%, layer norm" in panel.picture.sentence
    bet.control.value = 32.0
    np.testing.assert_array_equal(panel.picture.ghost.marker.get_data(), ([32], [4]))
