"""Notebook 04: the noise is what theory says, arms differ in what they should, pictures hold."""

import numpy as np
import pytest
from test_picture import check_picture

from helpers.datasets import load_fashion_mnist
from helpers.demos import minibatch_noise as demos
from helpers.demos.minibatch_noise import groups_demo, microscope_demo
from helpers.demos.prediction import NO_BET
from helpers.experiments import minibatch_noise as experiments
from helpers.experiments.arm import accuracy, last_result
from helpers.experiments.minibatch_noise import (
    curve,
    differences,
    draw_batches,
    draw_ranks,
    dropout_sd,
    microscope,
    naive_sweep,
    noise_by_batch_size,
    pre_activations,
    run_reference,
    theory_sd,
    train_arms,
    train_run,
    typical_place,
)
from helpers.figures.minibatch_noise import (
    DifferencesPicture,
    EndGapPicture,
    GroupCurvesPicture,
    MicroscopePicture,
    NaiveSweepPicture,
    NoiseSizePicture,
)
from helpers.intervals import mean_interval, paired_interval
from helpers.layers import BatchNorm
from helpers.randomness import spawn_streams

# Few networks and steps: enough for the sign of a large effect, not for the course's numbers.
QUICK = {"n_networks": 4, "n_steps": 20, "evaluate_every": 5, "n_test": 200}


@pytest.fixture(scope="module")
def values():
    return pre_activations(n_units=8)


def test_drawn_values_are_those_of_batch_norm(values):
    example = 3
    ranks = draw_ranks(5, len(values), example, np.random.default_rng(0))
    draws = draw_batches(values, example, 16, ranks)
    # In units of the population's sd eps weighs differently, by less than this tolerance.
    for rank, x_hat in zip(ranks, draws.x_hat):
        rows = np.argsort(rank)[:16]
        assert rows[0] == example
        expected = BatchNorm(8, dtype=np.float64).forward(values[rows], training=True)[0]
        np.testing.assert_allclose(x_hat, expected, rtol=1e-4, atol=1e-4)


def test_every_row_of_ranks_is_a_permutation_led_by_the_example():
    ranks = draw_ranks(20, 50, 7, np.random.default_rng(0))
    assert (np.sort(ranks, axis=1) == np.arange(50)).all()
    assert (ranks[:, 7] == 0).all()
    assert len(np.unique(ranks, axis=0)) == 20


@pytest.mark.parametrize("batch_size, rtol", [(16, 0.2), (64, 0.1), (512, 0.05)])
def test_theory_predicts_the_noise_of_every_unit(values, batch_size, rtol):
    example, _ = typical_place(values)
    ranks = draw_ranks(2000, len(values), example, np.random.default_rng(1))
    measured = draw_batches(values, example, batch_size, ranks).x_hat.std(axis=0)
    np.testing.assert_allclose(measured, theory_sd(values, example, batch_size), rtol)


def test_the_finite_population_correction_is_needed(values):
    example, _ = typical_place(values)
    ranks = draw_ranks(2000, len(values), example, np.random.default_rng(1))
    noise = draw_batches(values, example, 512, ranks).mean.std(axis=0)
    with_correction = np.sqrt(512 / 1023 / 512)
    np.testing.assert_allclose(noise, with_correction, rtol=0.06)
    assert (noise < 0.8 * np.sqrt(1 / 512)).all()


def test_the_whole_population_has_no_noise(values):
    ranks = draw_ranks(3, len(values), 0, np.random.default_rng(0))
    draws = draw_batches(values, 0, len(values), ranks)
    np.testing.assert_allclose(draws.x_hat.std(axis=0), 0, atol=1e-10)
    assert (theory_sd(values, 0, len(values)) == 0).all()


@pytest.mark.parametrize("batch_size", [1, 1025])
def test_impossible_batch_sizes_are_refused(batch_size):
    with pytest.raises(ValueError, match="batch_size must be between 2 and 1024"):
        microscope(batch_size)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: draw_ranks(2, 32_768, 0, None), "n_samples must be between 2 and 32767"),
        (lambda: draw_ranks(2, 10, 10, None), "example must be between 0 and 9"),
        (lambda: draw_ranks(0, 10, 0, None), "n_batches must be at least 1"),
        (lambda: dropout_sd(1), r"probability must be a finite number in \[0, 1\), got 1"),
        (lambda: dropout_sd(-0.1), "probability must be"),
        (lambda: theory_sd(np.eye(4), 0, 0), "batch_size must be between 1 and 4"),
        (lambda: train_run(**QUICK | {"evaluate_every": 0}), "evaluate_every must be at least 1"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_microscope_shows_a_typical_value():
    scope = microscope(64)
    assert scope.value == pytest.approx(1, abs=0.01)
    assert scope.x_hat.std() == pytest.approx(scope.theory_sd, rel=0.05)
    area = (scope.heights * np.diff(scope.edges)).sum() / (scope.theory_sd * np.sqrt(2 * np.pi))
    assert area == pytest.approx(1, abs=0.01)  # hardly any batch falls outside the bins
    assert scope.dropout_sds[0.2] == pytest.approx(0.5)


def test_only_batch_norms_noise_depends_on_the_batch_size():
    noise = noise_by_batch_size((8, 64), n_batches=200, n_networks=3, n_units=8)
    assert noise.total.shape == noise.additive.shape == (2, 3)
    assert (noise.total[0] > 2 * noise.total[1]).all()
    assert (noise.additive > noise.multiplicative)[1].all()
    for probability, sds in noise.dropout.items():
        np.testing.assert_allclose(sds, dropout_sd(probability), rtol=0.05)
        assert sds[0] != sds[1]  # drawn anew, not the same draws twice


@pytest.fixture(scope="module")
def runs():
    return train_arms(**QUICK)


def test_runs_are_evaluated_on_schedule(runs):
    for run in runs.values():
        assert run.steps.tolist() == [5, 10, 15, 20]
        assert run.train_losses.shape == run.test_losses.shape == (4, 4)
    run = train_run(**QUICK | {"n_steps": 7})
    assert run.steps.tolist() == [5, 7]


def test_arms_are_paired_and_differ_in_the_noise_only():
    first = QUICK | {"n_steps": 1, "evaluate_every": 1, "learning_rate": 1e-12}
    arms = train_arms({k: experiments.LIVE_ARMS[k] for k in ("group 512", "group 4")}, **first)
    np.testing.assert_allclose(  # no step has been taken: same data, same initial weights
        arms["group 4"].test_losses, arms["group 512"].test_losses, rtol=1e-8
    )
    again = train_run(group_size=4, **first)
    np.testing.assert_array_equal(again.test_losses, arms["group 4"].test_losses)


def test_much_noise_fits_the_training_images_less(runs):
    whole = runs["group 512"].train_losses[-1]
    assert (runs["group 4"].train_losses[-1] > whole).all()
    assert (runs["dropout 0.5"].train_losses[-1] > whole).all()


def test_best_test_loss_and_gap_follow_their_definitions(runs):
    run = runs["group 64"]
    assert (run.best_test_loss <= run.test_losses).all()
    np.testing.assert_array_equal(run.end_gap, run.test_losses[-1] - run.train_losses[-1])
    best, gap = differences(runs)["group 64"]
    reference = runs["group 512"]
    assert best.mean == pytest.approx((run.best_test_loss - reference.best_test_loss).mean())
    assert gap.mean == pytest.approx((run.end_gap - reference.end_gap).mean())
    assert "group 512" not in differences(runs)


@pytest.fixture(scope="module")
def sweeps():
    quick = {"n_epochs": 8, "n_networks": 4, "n_test": 300}
    return [naive_sweep(batch_norm, **quick) for batch_norm in (True, False)]


def test_the_trap_does_not_need_batch_norm(sweeps):
    for sweep in sweeps:
        assert sweep.n_steps == (512, 128, 16)
        assert sweep.gaps.shape == (3, 4)
        assert (sweep.gaps[1] > sweep.gaps[2]).all()


def test_pictures_hold(runs, sweeps):
    noise = [
        noise_by_batch_size((4, 64, 512), n_batches=n, n_networks=3, n_units=4) for n in (50, 60)
    ]
    check_picture(MicroscopePicture(), microscope(4), microscope(64), microscope(512))
    check_picture(NoiseSizePicture(), *noise)
    check_picture(NaiveSweepPicture("with"), sweeps[:1])
    check_picture(NaiveSweepPicture("with and without"), sweeps)
    check_picture(DifferencesPicture(), differences(runs))
    along = [curve(run.steps, run.gaps) for run in (runs["group 64"], runs["group 4"])]
    check_picture(EndGapPicture(), along, along[::-1])


def test_end_gap_sentence_names_the_signs():
    steps, low, high = np.array([1, 2]), np.array([-3.0, -3.0]), np.array([-1.0, -1.0])
    below = experiments.Curve(steps, (low + high) / 2, low, high)
    above = experiments.Curve(steps, -below.mean, -high, -low)
    across = experiments.Curve(steps, 0 * low, low, -low)
    picture = EndGapPicture()
    assert "smaller in the small net and larger" in picture.show([below, above]).sentence
    assert "larger in the small net and not different" in picture.show([above, across]).sentence


def test_microscope_demo_follows_its_slider():
    panel = microscope_demo()
    assert "Batch size 64" in panel.caption.value
    panel.controls["batch_size"].value = 4
    assert "Batch size 4" in panel.caption.value


@pytest.fixture
def quick(monkeypatch):
    """Fewer networks, steps and images in whatever trains."""
    watch, halves = experiments.watch_run, experiments.watch_halves
    monkeypatch.setattr(experiments, "watch_run", lambda **options: watch(**QUICK | options))
    monkeypatch.setattr(experiments, "watch_halves", lambda **options: halves(**QUICK | options))


def test_groups_demo_compares_with_the_whole_batch(quick):
    panel = groups_demo()
    assert "Group 64, dropout 0:" in panel.caption.value
    panel.controls["dropout"].value = 0.5
    assert "Group 64, dropout 0.5:" in panel.caption.value
    panel.controls["dropout"].value = 0.0
    panel.controls["group_size"].value = 512
    assert "reference arm itself" in panel.caption.value
    panel.wait()
    assert panel.error is None


def test_a_comparison_grows_and_ends_as_if_it_had_been_made_at_once(quick):
    reference = run_reference()
    pairs = list(experiments.watch_comparison(reference, 4, 0.2))
    assert [share for share, _ in pairs] == pytest.approx(np.arange(1, 21) / 20)
    grown = [one for _, one in pairs if one is not None]
    assert [list(one.train.steps) for one in grown] == [[5], [5, 10], [5, 10, 15], [5, 10, 15, 20]]
    arm = last_result(experiments.watch_halves(group_size=4, dropout=0.2, dtype=np.float32))
    assert grown[-1].difference == paired_interval(arm.best_test_loss, reference.best_test_loss)
    assert grown[-1].end_gap == mean_interval(arm.end_gap)
    first = [one.test_losses[0] for one in (arm, reference)]  # like with like on the way, too
    assert grown[0].difference == paired_interval(*first)
    ((share, itself),) = experiments.watch_comparison(reference, 512, 0.0)
    assert share == 1 and itself.difference is None
    check_picture(GroupCurvesPicture(), grown[-1], itself, grown[0])


def test_each_step_of_the_reference_is_counted_once(quick):
    calls = []
    run_reference(lambda: calls.append("reference"))
    assert calls == QUICK["n_steps"] * ["reference"]


def test_the_bet_stands_at_its_group_in_the_figure(runs):
    bet = demos.group_bet()
    panel = demos.show_differences(differences(runs), bet)
    picture, empty = panel.picture, panel.image.value
    axes = picture.figure.axes[0]
    places = dict(zip([text.get_text() for text in axes.get_yticklabels()], axes.get_yticks()))
    heights = []
    for size in demos.TRAINED_GROUPS:
        bet.control.value = size
        (height,) = picture.ghost.marker.get_ydata()
        heights.append(height)
        assert panel.image.value != empty
        assert picture.ghost.text.get_window_extent().x1 < axes.bbox.x1
        assert height == places[f"group {size}"]
    np.testing.assert_allclose(np.diff(heights), [-1, -3, -3])  # one for each factor of two
    bet.control.value = NO_BET
    assert panel.image.value == empty


def test_the_bet_offers_the_groups_that_were_trained():
    question = demos.group_bet().question
    assert "Of groups of 4, 8, 64 and 512 images" in question
    sizes = {one["group_size"] for one in experiments.LIVE_ARMS.values() if "group_size" in one}
    assert sizes == set(demos.TRAINED_GROUPS) == set(demos.group_bet().options.values)


def test_the_larger_network_fits_every_label():
    small = experiments.SATURATED | {"n_test": 100, "n_networks": 4}
    for arm in experiments.SATURATED_ARMS.values():
        run = train_run(**small, **arm, keep_at=(80,))
        data = load_fashion_mnist(256, 100, 14, 0.2, 4, rng=spawn_streams(0, 4).data)
        logits = run.kept[80].forward(data.train_inputs.astype(np.float64), training=False)
        assert accuracy(logits, data.train_targets).min() == 1


@pytest.mark.thorough
def test_the_neighbours_of_group_8_that_the_notebook_leaves_out_are_not_better():
    arms = {f"group {size}": {"group_size": size} for size in (512, 32, 16, 8)}
    runs = train_arms(arms)
    for name in ("group 16", "group 32"):
        best, _ = differences({name: runs[name], "group 8": runs["group 8"]}, "group 8")[name]
        assert best.low > 0
