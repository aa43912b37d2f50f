"""The tables in data/ are what the code computes, and are written whole or not at all.

Another BLAS rounds differently. Where training goes well that stays at the 10th digit or so; where
it is chaotic or diverges the same difference grows until nothing agrees. So what is compared is
calm, and has four networks of sixteen: each depends on streams of its own only.
"""

from functools import partial

import numpy as np
import pytest

from helpers.covariate_shift.experiments import measure_coats
from helpers.datasets import read_arrays, save_arrays
from helpers.hidden_layer_stability import experiments as stability
from helpers.lecture import experiments, precompute
from helpers.lecture.precompute import watch_learning_rate_map
from helpers.long_work import finish
from helpers.minibatch_noise import experiments as noise
from helpers.weighing_the_evidence import direction
from helpers.weighing_the_evidence import experiments as evidence
from helpers.weighing_the_evidence.papers import CLAIMS

FEW = 4
SMALL = {"n_networks": 2, "n_steps": 10}
SMALL_AXES = {
    "activation": ("relu", "tanh"), "depth": (3,), "init_scale": (1.0,),
    "batch_norm": (False, True), "learning_rates": (0.1, 1.0),
}


def assert_same(computed, stored):
    np.testing.assert_allclose(computed, stored[..., :FEW], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(
    ("activation", "depth", "arm"), [("relu", 3, "with"), ("tanh", 5, "without")]
)
def test_the_map_is_what_the_code_computes(activation, depth, arm):
    stored = evidence.pair_of(evidence.load_learning_rate_map(), activation, depth)[arm]
    rates = [rate for rate in evidence.LEARNING_RATES if rate <= 1]
    settings = dict(activation=activation, depth=depth, batch_norm=arm == "with", n_networks=FEW)
    assert_same(evidence.measure_learning_rates(rates, **settings), stored[: len(rates)])
    assert evidence.trains(stored).sum() >= 3


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_every_combination_has_its_place_whatever_the_number_of_workers(n_jobs):
    shares, results = zip(*watch_learning_rate_map(SMALL_AXES, n_jobs=n_jobs, **SMALL))
    assert shares == (0.25, 0.5, 0.75, 1) and results[:-1] == (None,) * 3
    arrays = results[-1]
    assert all(tuple(arrays[name].tolist()) == values for name, values in SMALL_AXES.items())
    assert arrays["final_losses"].shape == (2, 1, 1, 2, 2, 2)
    settings = dict(activation="tanh", batch_norm=True, **SMALL)
    expected = evidence.measure_learning_rates((0.1, 1.0), **settings)
    np.testing.assert_array_equal(arrays["final_losses"][1, 0, 0, 1], expected)


@pytest.mark.cluster
def test_a_cluster_changes_no_bit():
    import distributed
    from joblib import parallel_config

    here = finish(watch_learning_rate_map(SMALL_AXES, n_jobs=1, **SMALL))
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
    )
    with cluster, distributed.Client(cluster), parallel_config(backend="dask"):
        there = finish(watch_learning_rate_map(SMALL_AXES, **SMALL))
    np.testing.assert_array_equal(there["final_losses"], here["final_losses"])


@pytest.mark.parametrize(("arm", "rate"), [("free", 0.1), ("pinned", 1.0)])
def test_the_hidden_rates_are_what_the_code_computes(arm, rate):
    stored = direction.load_hidden_rates()[arm]
    place = direction.HIDDEN_RATES.index(rate)
    run = direction.train_at(rate, [arm], n_networks=FEW)[arm]
    assert_same(evidence.final_loss(run), stored["loss"][place])
    assert_same(run["growth"][-1], stored["growth"][place])
    assert_same(rate * run["inverse square"][-1], stored["effective rate"][place])


@pytest.mark.parametrize(
    ("file", "axes"),
    [(evidence.MAP_FILE, evidence.MAP_AXES), (direction.RATES_FILE, direction.RATES_AXES)],
)
def test_tables_have_the_axes_of_the_code(file, axes):
    arrays = read_arrays(file)
    assert {name: tuple(arrays[name].tolist()) for name in axes} == axes


def test_hidden_rates_have_their_places():
    axes = {**direction.RATES_AXES, "hidden_rates": (0.1, 3.0)}
    shares, results = zip(*precompute.watch_hidden_rates(axes, **SMALL))
    assert shares == (0.5, 1) and results[0] is None
    assert results[1]["final_losses"].shape == (4, 2, 2)
    for row, (arm, run) in enumerate(direction.train_at(3.0, **SMALL).items()):
        assert arm == results[1]["arms"][row]
        np.testing.assert_array_equal(results[1]["final_losses"][row, 1], evidence.final_loss(run))
        np.testing.assert_array_equal(results[1]["growth"][row, 1], run["growth"][-1])


LECTURE = experiments.load_lecture()


def test_the_lecture_is_small_and_has_its_types():
    arrays = LECTURE.arrays
    assert experiments.LECTURE_FILE.stat().st_size < 100_000
    told = [name for name, part, *_ in arrays["ledger"].tolist() if part == experiments.PARTS[0]]
    assert {*told} >= {claim.name for claim in CLAIMS}
    for name, one in arrays.items():
        assert not one.flags.writeable
        if name != "ledger":
            assert one.dtype == (bool if name == "verdicts" else np.float64), name
            assert np.isfinite(one).all()


def test_the_lecture_is_what_the_code_computes():
    """Some cells of each notebook; the tests of the rooms compare them with what is printed."""
    arrays = LECTURE.arrays
    plain = measure_coats(["plain"], n_networks=FEW)["plain"]
    assert_same(plain["accuracy"], arrays["accuracy"][0])
    np.testing.assert_array_equal(plain["verdicts"], arrays["verdicts"][0])
    of_02 = experiments.measure_notebook_02()
    assert_same(of_02["averages"][:, :FEW], arrays["averages"])
    assert_same(of_02["repair"][:, :FEW], arrays["repair"])
    clothes = stability.load_clothes(FEW)
    pair = finish(stability.watch_drift(clothes))
    for kind, stored in zip(experiments.KICKS, arrays["kicks"]):
        assert_same(experiments.right_after(pair, clothes, kind, 0.5), stored[2])
    rotated = stability.late_losses(clothes, "rotation").values()
    assert_same(list(rotated), arrays["late_losses"][list(stability.DRIVES).index("rotation")])
    sweep = noise.sweep_batch_sizes(True, [512], n_networks=FEW)[512]
    assert sweep.steps == LECTURE.sweeps["with"][512].steps
    assert_same(sweep["training loss"][-1], arrays["sweep_train_losses"][0, -1])
    assert_same(sweep["test loss"][-1], arrays["sweep_test_losses"][0, -1])
    race = evidence.run_noisy_race(0.02, n_networks=FEW).values()
    assert_same([run["drift"][-1, :, 0] for run in race], arrays["race_drift"][-1])


def test_an_interruption_leaves_the_old_file_whole(tmp_path, monkeypatch):
    path = tmp_path / "table.npz"
    path.write_bytes(b"the old table")

    def stop_half_way(file, **_arrays):
        file.write(b"half of")
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez_compressed", stop_half_way)
    with pytest.raises(KeyboardInterrupt):
        save_arrays(path, {"a": np.zeros(3)})
    assert list(tmp_path.iterdir()) == [path] and path.read_bytes() == b"the old table"


@pytest.mark.parametrize(("what", "written"), [([], ["lecture", "map"]), (["map"], ["map"])])
def test_the_command_writes_what_is_named(what, written, tmp_path, capsys):
    watch = partial(precompute.watch_lecture, [dict, lambda: {"a": np.arange(3)}])
    works = {name: (tmp_path / name, watch) for name in ("map", "lecture")}
    precompute.main(what, works)
    assert sorted(one.name for one in tmp_path.iterdir()) == written
    assert all(np.load(tmp_path / name)["a"].tolist() == [0, 1, 2] for name in written)
    assert "map: 50%" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        precompute.main(["maps"], works)
