"""The tables in data/ are what the code computes, and are written whole or not at all."""

import numpy as np
import pytest

from helpers.covariate_shift.experiments import measure_coats, measure_lines
from helpers.hidden_layer_stability.experiments import (
    ARMS,
    DRIVES,
    HURT,
    late_losses,
    load_clothes,
    run_kick,
    watch_drift,
)
from helpers.lecture import precompute as precompute
from helpers.lecture.experiments import (
    DETECTORS,
    KICKS,
    LECTURE_FILE,
    MEASURES,
    RACE_RATES,
    SHAPES,
    SWEEP_SIZES,
    SWEEP_STEPS,
    load_lecture,
    measure_notebook_02,
)
from helpers.lecture.precompute import (
    main,
    save_arrays,
    watch_learning_rate_map,
    watch_lecture,
)
from helpers.long_work import finish
from helpers.minibatch_noise.experiments import LIVE_ARMS, sweep_batch_sizes, watch_live
from helpers.weighing_the_evidence.experiments import (
    LEARNING_RATES,
    MAP_AXES,
    MAP_FILE,
    load_learning_rate_map,
    measure_learning_rates,
    pair_of,
    run_noisy_race,
    trains,
)

SMALL = {"n_networks": 2, "n_steps": 10, "n_train": 200}
SMALL_AXES = {
    "activation": ("relu", "tanh"), "depth": (3,), "init_scale": (1.0,),
    "batch_norm": (False, True), "learning_rates": (0.1, 1.0),
}


# Another BLAS rounds differently. Where training goes well that stays at the 10th digit or so;
# where it is chaotic or diverges the same difference grows until nothing agrees. So the rates
# that train are compared, of cells that are far from that border.
@pytest.mark.parametrize(
    ("setting", "arm"), [(("relu", 3, 1.0), "with"), (("tanh", 5, 1.0), "without")]
)
def test_the_table_is_what_the_code_computes(setting, arm):
    stored = pair_of(load_learning_rate_map(), *setting)[arm]
    calm = [place for place, rate in enumerate(LEARNING_RATES) if rate <= 1]
    # Four networks of sixteen: each depends on streams of its own only.
    settings = dict(zip(("activation", "depth", "init_scale"), setting))
    rates = [LEARNING_RATES[place] for place in calm]
    computed = measure_learning_rates(rates, batch_norm=arm == "with", n_networks=4, **settings)
    np.testing.assert_allclose(computed, stored[calm, :4], rtol=1e-6)
    assert trains(stored).sum() >= 3


@pytest.fixture(scope="module")
def watched():
    return list(watch_learning_rate_map(SMALL_AXES, **SMALL))


def test_every_combination_has_its_place(watched):
    shares, results = zip(*watched)
    assert shares == (0.25, 0.5, 0.75, 1) and results[:-1] == (None,) * 3
    arrays = results[-1]
    assert {name: arrays[name].tolist() for name in SMALL_AXES} == {
        name: list(values) for name, values in SMALL_AXES.items()
    }
    assert arrays["final_losses"].shape == (2, 1, 1, 2, 2, 2)
    expected = measure_learning_rates((0.1, 1.0), activation="tanh", batch_norm=True, **SMALL)
    np.testing.assert_array_equal(arrays["final_losses"][1, 0, 0, 1], expected)


def test_what_is_saved_is_read_back(tmp_path):
    whole, path = load_learning_rate_map(), tmp_path / MAP_FILE.name
    axes = {name: np.array(values) for name, values in MAP_AXES.items()}
    save_arrays(path, {**axes, "final_losses": whole})
    np.testing.assert_array_equal(load_learning_rate_map(path), whole)
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_an_interruption_leaves_the_old_file_whole(tmp_path, monkeypatch):
    path = tmp_path / MAP_FILE.name
    path.write_bytes(b"the old table")

    def stop_half_way(file, **_arrays):
        file.write(b"half of")
        raise KeyboardInterrupt

    monkeypatch.setattr(precompute.np, "savez_compressed", stop_half_way)
    with pytest.raises(KeyboardInterrupt):
        save_arrays(path, {"a": np.zeros(3)})
    assert path.read_bytes() == b"the old table"
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_the_tables_are_small():
    assert MAP_FILE.stat().st_size < 100_000
    assert LECTURE_FILE.stat().st_size < 100_000


# --- the lecture ---------------------------------------------------------------------------------

N_AGAIN = 4  # networks of sixteen: each depends on streams of its own only


@pytest.fixture(scope="module")
def arrays():
    return load_lecture().arrays


def assert_same(computed, stored):
    np.testing.assert_allclose(computed, stored, rtol=1e-6, atol=1e-9)


def test_the_lecture_has_its_shapes_and_types(arrays):
    assert {name: one.shape for name, one in arrays.items()} == SHAPES
    for name, one in arrays.items():
        assert one.dtype == (bool if name == "verdicts" else np.float64), name
        assert not one.flags.writeable
        assert np.isfinite(one).all()


def test_coats_are_what_the_code_computes(arrays):
    (name,) = DETECTORS[:1]
    plain = measure_coats([name], n_networks=N_AGAIN)[name]
    for name in ("accuracy", "cat_recall", "other_recall", "train_accuracy"):
        assert_same(plain[name], arrays[name][0, ..., :N_AGAIN])
    np.testing.assert_array_equal(plain["coats"], arrays["coats"])
    np.testing.assert_array_equal(plain["verdicts"], arrays["verdicts"][0])


def test_regions_are_what_the_code_computes(arrays):
    lines = measure_lines(distance=4, n_networks=N_AGAIN)
    # Weights come from a solver that stops at a tolerance.
    assert np.allclose(lines["plain"], arrays["regions"][0, :N_AGAIN], atol=0.002)
    assert np.allclose(lines["reweighted"], arrays["regions"][1, :N_AGAIN], atol=0.005)


def test_averages_are_what_the_code_computes(arrays):
    assert_same(measure_notebook_02()["averages"], arrays["averages"])


def test_drift_and_kicks_are_what_the_code_computes(arrays):
    clothes = load_clothes(N_AGAIN)
    pair = finish(watch_drift(clothes))
    ranking = [pair[arm]["ranking at z2"].mean(axis=0) for arm in ARMS]
    assert_same(ranking, arrays["ranking"][:, :N_AGAIN])
    for kick, stored in zip(KICKS, arrays["kicks"]):
        rises = run_kick(pair, clothes, *kick)
        assert_same([rises[name] for name in HURT], stored[:, :N_AGAIN])


def test_a_moving_target_is_what_the_code_computes(arrays):
    losses = late_losses(load_clothes(N_AGAIN), "rotation")
    stored = arrays["late_losses"][list(DRIVES).index("rotation"), :, :N_AGAIN]
    assert_same([losses[arm] for arm in ARMS], stored)


def test_sweeps_and_arms_are_what_the_code_computes(arrays):
    sweep = sweep_batch_sizes(True, SWEEP_SIZES[1:], n_networks=N_AGAIN)
    assert [run.steps.tolist() for run in sweep.values()] == [[n] for n in SWEEP_STEPS[1:]]
    for loss in ("training", "test"):
        stored = arrays["sweep_train_losses" if loss == "training" else "sweep_test_losses"]
        computed = [run[f"{loss} loss"][-1] for run in sweep.values()]
        assert_same(computed, stored[0, 1:, :N_AGAIN])
    arms = {"group 64": LIVE_ARMS["group 64"]}
    run = finish(watch_live(arms, n_networks=N_AGAIN))["group 64"]
    place = list(LIVE_ARMS).index("group 64")
    assert_same(run["test loss"].min(axis=0), arrays["best_test_losses"][place, :N_AGAIN])


def test_a_race_is_what_the_code_computes(arrays):
    place = RACE_RATES.index(0.02)
    race = run_noisy_race(0.02, n_networks=N_AGAIN)
    losses = [run["loss"] for run in race.values()]
    assert_same(losses, arrays["race_losses"][place][..., :N_AGAIN])
    drift = [run["drift"][-1] for run in race.values()]
    assert_same(drift, arrays["race_drift"][place][:, :N_AGAIN])


def test_the_lecture_is_put_together_from_all_notebooks():
    pairs = list(watch_lecture([lambda: {"a": 1}, lambda: {"b": 2}]))
    assert pairs == [(0.5, {"a": 1}), (1, {"a": 1, "b": 2})] and len(MEASURES) == 5


@pytest.mark.parametrize("damage", ["shape", "missing"])
def test_a_damaged_lecture_says_how_to_get_it_back(damage, arrays, tmp_path):
    altered = {**arrays, "ranking": arrays["ranking"][:1]}
    if damage == "missing":
        del altered["ranking"]
    path = tmp_path / LECTURE_FILE.name
    save_arrays(path, altered)
    with pytest.raises(ValueError, match=r"ranking.*git checkout -- data/lecture_demos.npz"):
        load_lecture(path)


@pytest.mark.parametrize(
    ("arguments", "written"),
    [([], {"map", "lecture"}), (["map"], {"map"}), (["lecture"], {"lecture"})],
)
def test_the_command_writes_what_is_named(arguments, written, tmp_path, capsys):
    works = {
        name: (tmp_path / name, lambda: iter([(0.5, None), (1.0, {"a": np.arange(3)})]))
        for name in ("map", "lecture")
    }
    main(arguments, works)
    assert {one.name for one in tmp_path.iterdir()} == written
    told = capsys.readouterr().out
    assert all(f"{name}: 50%" in told for name in written)
    for name in written:
        with np.load(tmp_path / name) as arrays:
            assert arrays["a"].tolist() == [0, 1, 2]


def test_the_command_knows_no_other_name(capsys):
    with pytest.raises(SystemExit):
        main(["maps"])
    assert "map" in capsys.readouterr().err
