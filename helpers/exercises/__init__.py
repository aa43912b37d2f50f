"""Exercises: reference answers, checks that name the mistake, and `reveal`. One file per notebook.

    exercise          Exercise, Feedback and reveal: for all

In a notebook the blank is `...`. `check_forward(forward)` compares the learner's function with
the reference on random inputs; `reveal("forward")` shows the reference, folded up.
"""
