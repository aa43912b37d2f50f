"""Notebook 06's pictures: an evaluation, four norms against the batch size, and along training."""

from helpers.page.parts import BarsPicture, Ghost, NamedCurves
from helpers.page.picture import (
    REFERENCE,
    SECOND,
    STORED_STATISTICS,
    WARNING,
    WITH_BATCH_NORM,
    Picture,
)

LOOKS = {
    "batch norm": (WITH_BATCH_NORM, "batch norm"),
    "batch norm in pairs": (WARNING, "in pairs"),
    "layer norm": (REFERENCE, "layer norm"),
    "group norm": (SECOND, "group norm"),
}


class EvaluationPicture(BarsPicture):
    """The test accuracy of the same networks, evaluated in two ways."""

    def __init__(self):
        super().__init__(
            "Same networks, same test images, two modes",
            {"inference:\nstored statistics": STORED_STATISTICS,
             "training mode:\nstatistics of the test batch": WITH_BATCH_NORM},
            width=8, height=4.4, bar_width=0.5, ylabel="test accuracy (%)", ylim=(0, 100),
        )

    def show(self, result):
        """Show what `experiments.evaluate` returns."""
        (found,) = self.show_bars([100 * result[one] for one in ("inference", "training mode")])
        self.sentence = (
            f"Test batches of {result['batch_size']}, {result['order']}: {found[0]}% in inference, "
            f"{found[1]}% in training mode."
        )
        return self


class NormsPicture(Picture):
    """Test accuracy against the batch size, a curve for each norm; a bet at the bottom."""

    def __init__(self):
        super().__init__(title="With few images in its statistics, batch norm falls behind")
        self.axes = self.figure.subplots()
        self.axes.set(
            xlabel="batch size m in training (equal numbers of updates)",
            ylabel="test accuracy (%)", ylim=(0, 90), xscale="log", xlim=(1.6, 900),
        )
        self.axes.minorticks_off()
        self.curves = NamedCurves(self, self.axes, LOOKS, bands=False, points=True)
        self.ghost = self.moves(Ghost(self.axes))

    def show(self, accuracies):
        """Show {norm: {batch size: accuracies (n_networks,)}}, of networks that all sizes have."""
        fewest = min(len(one) for of_norm in accuracies.values() for one in of_norm.values())
        curves = {
            norm: (list(of_norm), [100 * one[:fewest] for one in of_norm.values()])
            for norm, of_norm in accuracies.items()
        }
        sizes = next(iter(curves.values()))[0]
        self.axes.set_xticks(sizes, map(str, sizes))
        found = self.curves.set(curves)
        # Training on pairs magnifies rounding errors until two computers disagree.
        told = [f"{name} {one[-1]}%" for name, one in found.items() if name != "in pairs"]
        self.sentence = (
            f"Test accuracy at batch size {sizes[-1]}: {', '.join(told)}; in pairs less, and all "
            f"norms less at {sizes[0]}."
        )
        return self

    def set_ghost(self, value):
        """Show the bet on a batch size, or none (None)."""
        self.ghost.set(value or 2, value and 4)


class TrainingPicture(Picture):
    """Test accuracy of the four norms along training, at one batch size."""

    def __init__(self):
        super().__init__(title="Four norms, one batch size")
        self.axes = self.figure.subplots()
        self.axes.set(
            xlabel="training step", ylabel="test accuracy (%)", xlim=(0, 128), ylim=(0, 90),
            xticks=range(0, 101, 25),
        )
        self.curves = NamedCurves(self, self.axes, LOOKS)
        self.size = self.moves(self.axes.text(2, 83, ""))

    def show(self, result):
        """Show what `experiments.watch_norms` yields."""
        found = self.curves.set({
            norm: (run.steps, 100 * run["accuracy"]) for norm, run in result["runs"].items()
        })
        self.size.set_text(f"batch size {result['batch_size']}")
        told = ", ".join(f"{name} {one[-1]}%" for name, one in found.items())
        n_steps = next(iter(result["runs"].values())).steps[-1]
        self.sentence = (
            f"Batch size {result['batch_size']}, after {n_steps} steps: {told}. "
            "95% intervals over 8 networks."
        )
        return self
