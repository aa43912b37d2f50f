"""The demos of the board's tabs: those of the notebooks, some of them shown in steps."""

from helpers.batch_norm_mechanics import demos as batch_norm_mechanics
from helpers.covariate_shift import demos as covariate_shift
from helpers.hidden_layer_stability import demos as hidden_layer_stability
from helpers.hidden_layer_stability.experiments import KICKS, load_clothes, run_kick, watch_drift
from helpers.hidden_layer_stability.pictures import MovingTargetPicture
from helpers.lecture.pictures import KickInStepsPicture, OneRacePicture
from helpers.minibatch_noise import demos as minibatch_noise
from helpers.minibatch_noise.pictures import NaiveSweepPicture
from helpers.page.panel import Panel, choice, fraction_slider, switch
from helpers.page.progress import with_progress
from helpers.weighing_the_evidence import demos as weighing_the_evidence


def show_kicks(bet):
    """Train the networks of notebook 03, then kick them: stored statistics on demand."""
    clothes = load_clothes()
    pair = with_progress("Training 16 pairs", watch_drift(clothes))
    return Panel(
        controls={
            "kind": choice(KICKS, "scale", "kick"),
            "size": fraction_slider("size, relative to the weights", 2.0, 0.0, 2.0, 0.1),
            "with_stored": switch("stored statistics, too"),
        },
        compute=lambda kind, size, with_stored: (
            # A factor is the same each time; what is random is taken three times, as in 03.
            run_kick(pair, clothes, kind, size, n_kicks=1 if kind == "scale" else 3), with_stored
        ),
        picture=KickInStepsPicture(),
        bet=bet,
    )


def show_sweeps(sweeps):
    """Three batch sizes at equal epochs, with batch norm and on demand without it."""
    return Panel(
        controls={"with_control": switch("the same without batch norm")},
        compute=lambda with_control: sweeps if with_control else {"with": sweeps["with"]},
        picture=NaiveSweepPicture("Equal epochs: who overfits more?", later=["without"]),
    )


def show_race(races, bet):
    """Batch norm with noise behind it against both others, at either learning rate."""
    return Panel(
        controls={"rate": choice(list(races), 0.1, "learning rate")},
        compute=lambda rate: {f"relu, learning rate {rate:g}": races[rate]},
        picture=OneRacePicture(),
        bet=bet,
    )


# {title of a tab: a function of the Lecture and of {name of a beat: its Prediction}}.
TABS = {
    "Coats": lambda lecture, bets: covariate_shift.coat_demo(lecture.story, bets["coats"]),
    "Region": lambda lecture, bets: covariate_shift.region_demo(),
    "One batch": lambda lecture, bets: batch_norm_mechanics.one_batch_demo(),
    "Averages": lambda lecture, bets: batch_norm_mechanics.averages_demo(bets["memory"]),
    "Ridges": lambda lecture, bets: hidden_layer_stability.ridge_demo(),
    "Kicks": lambda lecture, bets: show_kicks(bets["kick"]),
    "Target": lambda lecture, bets: Panel({}, lambda: lecture.damages, MovingTargetPicture()),
    "Noise": lambda lecture, bets: minibatch_noise.microscope_demo(),
    "64 or 512": lambda lecture, bets: show_sweeps(lecture.sweeps),
    "Groups": lambda lecture, bets: minibatch_noise.groups_demo(),
    "Race": lambda lecture, bets: show_race(lecture.races, bets["drift"]),
    "Rates": lambda lecture, bets: weighing_the_evidence.learning_rate_demo(),
}
