"""Demos: controls wired to an experiment and a picture, one file per notebook.

panel.py holds what all demos share, progress.py the bar for work that takes seconds.
"""
