"""The room of notebook 03: what only this notebook needs."""
