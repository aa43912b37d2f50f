"""The room of notebook 00: the instructor's board and what it shows."""
