"""The room of notebook 01: what only this notebook needs."""
