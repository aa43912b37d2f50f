"""A reader who drags wildly and clicks in between, while another cell runs, leaves no trace.

Afterwards the page shows the picture of the last values, computed directly. Nothing has moved by a
pixel, no error has been seen anywhere, no late frame follows, and the kernel has not grown.
"""

import random

import pytest

N_STROKES, MOVES_A_STROKE = 3, 20
MS_BETWEEN_MOVES = 25  # 60 moves within 1.5 s, if the machine keeps up
MS_TO_BE_LATE = 2000
MEGABYTES_TO_GROW = 20


def draggable(opened):
    """Return [(slider, other controls)], the first slider of each demo that has one."""
    by_demo = {}
    for control in opened.controls():
        if control.demo:
            by_demo.setdefault(control.demo, []).append(control)
    with_slider = [
        sorted(controls, key=lambda one: one.kind != "slider")
        for controls in by_demo.values()
        if any(one.kind == "slider" for one in controls)
    ]
    return [(slider, others) for slider, *others in with_slider]


def drag(slider, n_moves, ms_between=MS_BETWEEN_MOVES, seed=0):
    """Drag a slider to and fro with the mouse."""
    numbers = random.Random(seed)
    with slider.grabbed() as drag_to:
        for _ in range(n_moves):
            drag_to(numbers.uniform(0, len(slider.labels) - 1))
            slider.opened.page.wait_for_timeout(ms_between)


def test_a_storm_leaves_the_picture_of_the_last_values(opened):
    for slider, others in draggable(opened):
        opened.settle()
        picture = opened.kernel.ask(f"picture_of({slider.demo!r})")
        n_executed = opened.kernel.ask("n_executed()")
        with opened.watching(slider.demo) as recorded:
            opened.start_last_cell()
            for stroke in range(N_STROKES):
                drag(slider, MOVES_A_STROKE, seed=stroke)
                for other in others:
                    other.touch(stroke % len(other.labels))
            opened.kernel.ask(f"forget({slider.demo!r})")
            last = opened.settle()[picture]
            frames = recorded()["frames"]
            opened.page.wait_for_timeout(MS_TO_BE_LATE)
            after = recorded()
        assert opened.kernel.ask("n_executed()") == n_executed + 1
        assert frames[-1] == last and len(set(frames)) > 1, slider
        assert after["frames"] == frames, f"{slider}: a late frame"
        moved = [f"{name}: {seen}" for name, seen in after["places"].items() if len(seen) > 1]
        assert moved == [], f"{slider}: the layout has jumped"
        assert opened.all_errors() == [], slider


@pytest.mark.only_in("04_minibatch_noise.ipynb")  # a demo without training, and one with it
def test_500_moves_leave_the_memory_of_the_kernel_as_it_was(opened):
    for slider, _others in draggable(opened):
        drag(slider, 300, ms_between=1)  # what is loaded and kept once
        opened.settle()
        before = opened.kernel.ask("megabytes()")
        drag(slider, 500, ms_between=1, seed=1)
        opened.settle()
        grown = opened.kernel.ask("megabytes()") - before
        print(f"{opened.name}, {slider}: {before:.0f} MB, {grown:+.1f} MB after 500 moves")
        assert grown <= MEGABYTES_TO_GROW, slider
