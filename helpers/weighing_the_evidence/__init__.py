"""The room of notebook 05: what only this notebook needs."""
