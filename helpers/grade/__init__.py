"""Grades handed-in notebooks: `python -m helpers.grade`, see __main__ and docs/homework.md."""
