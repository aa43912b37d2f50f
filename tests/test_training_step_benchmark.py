"""The benchmark compares like with like. Nothing here looks at a clock."""

import sys

import numpy as np

from helpers.execute import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))

from contenders import Jax, Ours, Problem, Products, ScikitLearn, Setting
from training_step import N_CHECKED, TOLERANCE, follows, prepare

TINY = Setting((6, 5, 4, 10), 1, 16, batch_norm=False, dtype="float64")


def test_scikit_learn_follows_our_losses():
    ready, skipped = prepare(TINY, (Ours, Products, ScikitLearn))
    assert set(ready) == {"ours", "products", "sklearn"} and not skipped


def test_a_contender_that_does_other_work_gets_no_time():
    class Slower(ScikitLearn):
        def step(self):
            self._model.learning_rate_init = self._model._optimizer.learning_rate = 0.005
            return super().step()

    ready, skipped = prepare(TINY, (Ours, Slower))
    assert set(ready) == {"ours"} and "differ from ours" in skipped["sklearn"]


def test_ours_follows_itself():
    setting = Setting((6, 5, 10), 3, 8, group_size=4)
    reference = Ours(Problem(setting))
    losses = np.array([reference.losses(reference.step()) for _ in range(N_CHECKED)])
    assert follows(Ours(Problem(setting)), losses, TOLERANCE[setting.dtype]) == 0


def test_a_library_that_is_missing_or_cannot_do_the_work_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "jax", None)
    _, skipped = prepare(Setting((6, 5, 10), 3, 8), (Ours, ScikitLearn, Jax))
    assert "one network without batch norm" in skipped["sklearn"]
    assert "jax is not installed" in skipped[Jax.name]
