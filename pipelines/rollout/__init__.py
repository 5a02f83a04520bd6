"""Judging a roll-out by what the decision log has of it, and acting on the verdict."""
