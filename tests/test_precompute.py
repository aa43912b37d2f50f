"""The table in data/ is what the code computes, and is written whole or not at all."""

import numpy as np
import pytest

from helpers.experiments import precompute
from helpers.experiments.other_suspects import (
    MAP_FILE,
    load_learning_rate_map,
    measure_learning_rates,
)
from helpers.experiments.precompute import compute_learning_rate_map, save_learning_rate_map

SMALL = {"learning_rates": (0.1, 1.0), "n_networks": 2, "n_steps": 10, "n_train": 200}
SMALL_AXES = {
    "activation": ("relu", "tanh"), "depth": (3,), "init_scale": (1.0,), "batch_norm": (False, True)
}


# Another BLAS rounds differently. Where training goes well that stays at the 10th digit or so;
# where it is chaotic or diverges the same difference grows until nothing agrees. So the rates
# that train are compared, of cells that are far from that border.
@pytest.mark.parametrize(
    "cell", [("relu", 3, 1.0, True), ("tanh", 5, 1.0, False)], ids=["relu", "tanh"]
)
def test_the_table_is_what_the_code_computes(cell):
    names = ("activation", "depth", "init_scale", "batch_norm")
    stored = load_learning_rate_map().sweep(**dict(zip(names, cell)))
    calm = np.flatnonzero(stored.learning_rates <= 1)
    rates = stored.learning_rates[calm]
    # Four networks of sixteen: each depends on streams of its own only.
    computed = measure_learning_rates(*cell, learning_rates=rates, n_networks=4)
    np.testing.assert_allclose(computed.final_losses, stored.final_losses[calm, :4], rtol=1e-6)
    assert stored.trains.sum() >= 3


@pytest.fixture(scope="module")
def small_map():
    return compute_learning_rate_map(SMALL_AXES, on_cell=lambda text: None, **SMALL)


def test_every_combination_has_its_place(small_map):
    assert small_map.final_losses.shape == (2, 1, 1, 2, 2, 2)
    expected = measure_learning_rates("tanh", 3, 1.0, True, **SMALL)
    np.testing.assert_array_equal(small_map.final_losses[1, 0, 0, 1], expected.final_losses)
    np.testing.assert_array_equal(small_map.learning_rates, expected.learning_rates)


def test_progress_is_told_before_each_combination():
    told = []
    compute_learning_rate_map(SMALL_AXES, on_cell=told.append, **SMALL)
    assert len(told) == 4
    assert told[1] == "2 of 4: activation relu, depth 3, init_scale 1.0, batch_norm True"


def test_what_is_saved_is_read_back(tmp_path):
    whole, path = load_learning_rate_map(), tmp_path / MAP_FILE.name
    save_learning_rate_map(whole, path)
    again = load_learning_rate_map(path)
    np.testing.assert_array_equal(again.final_losses, whole.final_losses)
    np.testing.assert_array_equal(again.learning_rates, whole.learning_rates)
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_an_interruption_leaves_the_old_file_whole(tmp_path, monkeypatch, small_map):
    path = tmp_path / MAP_FILE.name
    path.write_bytes(b"the old table")

    def stop_half_way(file, **_arrays):
        file.write(b"half of")
        raise KeyboardInterrupt

    monkeypatch.setattr(precompute.np, "savez_compressed", stop_half_way)
    with pytest.raises(KeyboardInterrupt):
        save_learning_rate_map(small_map, path)
    assert path.read_bytes() == b"the old table"
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_the_table_is_small():
    assert MAP_FILE.stat().st_size < 100_000
