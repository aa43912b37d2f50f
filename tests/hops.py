"""How many of our functions does a key press run, and how far is it from a slider to batch norm?

    python tests/hops.py

Of each demo that does not train the first slider is moved by one step: counted are the functions
of `helpers` that are called, and their files. In notebook 04's groups demo: the functions between
the slider and a training step's `BatchNorm.forward`, to the first frame and behind it, where a
thread would train.
"""

import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import helpers
from helpers.batch_norm_mechanics.demos import one_batch_demo
from helpers.covariate_shift.demos import coat_demo
from helpers.covariate_shift.experiments import measure_coats
from helpers.hidden_layer_stability.demos import kick_demo
from helpers.hidden_layer_stability.experiments import load_clothes, watch_drift
from helpers.layers import BatchNorm
from helpers.long_work import finish
from helpers.minibatch_noise.demos import groups_demo, microscope_demo
from helpers.weighing_the_evidence.demos import learning_rate_demo

OURS = str(Path(helpers.__file__).parent)


def main():
    clothes = load_clothes()
    demos = {
        "01 coats": lambda: coat_demo(measure_coats(("plain", "reference", "only_cats_black"))),
        "02 one batch": one_batch_demo,
        "03 kick": lambda: kick_demo(finish(watch_drift(clothes)), clothes),
        "04 microscope": microscope_demo,
        "05 rates": learning_rate_demo,
    }
    for name, make in demos.items():
        panel = make()
        called = functions_called(move, panel)
        files = {file for file, _ in called}
        print(f"{name:14}{len(called):4} functions in {len(files):2} files", flush=True)
        if "-v" in sys.argv:
            print(*(f"    {file}: {function}" for file, function in sorted(called)), sep="\n")
    for way in ways_to_batch_norm(groups_demo()):
        print(f"04 groups     {len(way):4} hops to batch norm:", *way, sep="\n    ")


def move(panel):
    """Move the first slider by one step."""
    slider = next(one for one in panel.controls.values() if "Slider" in type(one).__name__)
    if hasattr(slider, "index"):
        slider.index += 1 if slider.index + 1 < len(slider.options) else -1
    else:
        slider.value += slider.step if slider.value < slider.max else -slider.step


def functions_called(act, panel):
    """Return {(file, function)} of ours that `act(panel)` calls; comprehensions are none."""
    called = set()

    def note(frame, event, _argument):
        code = frame.f_code
        is_function = not code.co_name.endswith(("comp>", "genexpr>"))
        if event == "call" and code.co_filename.startswith(OURS) and is_function:
            called.add((code.co_filename.removeprefix(OURS), code.co_qualname))

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        act(panel)
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return called


def ways_to_batch_norm(panel):
    """Return all ways from a move of the demo to a training step's `BatchNorm.forward`.

    Threads get no work: it is done by who hands it out, so that all stands on one stack.
    """
    ways, forward = set(), BatchNorm.forward

    def do_at_once(_pool, function, *args):
        future = Future()
        future.set_result(function(*args))
        return future

    def noted_forward(norm, inputs, *, training):
        frame, names = sys._getframe(1), ["BatchNorm.forward"]
        while frame is not None:
            if frame.f_code.co_filename.startswith(OURS):
                names.insert(0, frame.f_code.co_qualname)
            frame = frame.f_back
        if "train.<locals>.steps" in names:
            ways.add(tuple(names))
        return forward(norm, inputs, training=training)

    ThreadPoolExecutor.submit, BatchNorm.forward = do_at_once, noted_forward
    move(panel)
    panel.wait()
    if panel.error is not None:
        raise panel.error
    return sorted(ways, key=len)


if __name__ == "__main__":
    main()
