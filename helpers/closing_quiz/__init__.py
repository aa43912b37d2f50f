"""The room of notebook 07: what only this notebook needs."""
