"""Notebook 06's bets and demos: three cases to solve, and four norms at every batch size."""

from functools import partial

from helpers.in_practice.experiments import evaluate, watch_norms
from helpers.in_practice.pictures import EvaluationPicture, NormsPicture, TrainingPicture
from helpers.page.panel import Panel, batch_size_slider, choice, follow_bet
from helpers.page.prediction import Answer, Scale, predict

# The causes of the three cases, by number: the notebook's source must not give them away.
CAUSE_1, CAUSE_2, CAUSE_3 = (
    "the answer for an image depends on the images beside it",
    "batch norm still normalises with the old camera's statistics",
    "the stored variances are those of training, which differ from those of testing",
)


def report_bet():
    """Bet on the cause of case 1."""
    return predict(
        "The same networks and the same test images, but the smaller the test batch, the lower the "
        "accuracy. What is wrong?",
        Answer("small test batches are a matter of luck", None,
               "Luck makes single batches vary. These are averages over all 1000 images, and they "
               "differ by far more than their intervals."),
        Answer("the networks have overfitted", None,
               "An overfitted network is bad at test images however you batch them. Here only the "
               "batches change."),
        Answer(CAUSE_1, None,
               "A trained network should answer each image by itself. One whose score moves with "
               "the test batch was left in training mode."),
    )


def camera_bet():
    """Bet on the cause of case 2."""
    return predict(
        "After fine-tuning on pictures of another camera the training loss is low, but most test "
        "pictures of that camera are misclassified. What is wrong?",
        Answer(CAUSE_2, None,
               "Weights learn in a few steps; a slow average needs hundreds. Check the stored "
               "numbers before you blame the weights."),
        Answer("fine-tuning has overfitted the pictures it saw", None,
               "New statistics alone bring the accuracy back. An overfitted network would have "
               "stayed bad."),
        Answer("fine-tuning has destroyed what was learned", None,
               "If the weights were spoiled, no statistics would save them. These weights are "
               "fine."),
    )


def dropout_bet():
    """Bet on the cause of case 3."""
    return predict(
        "The stored statistics are measured again on the very same training images, no weight "
        "changes, and the test loss falls: clearly with dropout, hardly without. Why?",
        Answer("the running averages had not warmed up", None,
               "After 200 updates they have; and then the networks without dropout would gain as "
               "much."),
        Answer(CAUSE_3, None,
               "Dropout is on while batch norm collects and off when it is used: similar means, "
               "other variances."),
        Answer("the new measurement has seen the test images", None,
               "It has not: only training images go through. Read the cell again."),
    )


def enough_bet():
    """Bet on the batch size from which on batch norm is at least as good as layer norm."""
    return predict(
        "Networks with batch norm and with layer norm train on mini-batches of 2, 4, 8, 32 or 256 "
        "images, equally many updates each. From which batch size on is batch norm at least as "
        "good, on average?",
        Scale((2, 4, 8, 32, 256), tolerance=0, unit=" images", decimals=0,
              too_low="In a pair, normalising leaves only which of the two is larger. Four say "
              "more, but not yet enough.",
              close="Of two values normalising leaves only which is larger; eight say enough.",
              too_high="Smaller batches would do: two values can only say which of them is larger, "
              "but eight say much more."),
    )


def evaluation_demo(networks, data):
    """The same networks evaluated in both modes; test batch and its order are yours."""
    return Panel(
        controls={
            "batch_size": batch_size_slider([2, 4, 10, 20, 50, 100, 500], 20, "test batch"),
            "order": choice(["shuffled", "one class at a time"], "shuffled", "order"),
        },
        compute=partial(evaluate, networks, data),
        picture=EvaluationPicture(),
        about="A slider for the size of the test batch and buttons for the order of the test "
        "images change the accuracy in training mode; that of inference stays where it is.",
    )


def show_norms(accuracies, bet=None):
    """Show {norm: {batch size: accuracies}} and the bet of `enough_bet`."""
    return follow_bet(NormsPicture(), accuracies, bet)


def norms_demo():
    """Four norms along training; the batch size is yours."""
    return Panel(
        controls={"batch_size": batch_size_slider([2, 4, 8, 16, 32, 64, 128, 256], 4)},
        compute=watch_norms,
        picture=TrainingPicture(),
        about="A slider for the batch size trains networks with batch norm, batch norm in pairs, "
        "layer norm and group norm, and draws their test accuracy along training.",
    )
