"""The room of notebook 06: what only this notebook needs."""
