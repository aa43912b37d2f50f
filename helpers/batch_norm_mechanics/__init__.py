"""The room of notebook 02: what only this notebook needs."""
