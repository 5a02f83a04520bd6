"""Faults put in on purpose, on a copy of a home, to see whether, when and by what the platform notices them: `make drill`."""
