"""The room of notebook 04: what only this notebook needs."""
