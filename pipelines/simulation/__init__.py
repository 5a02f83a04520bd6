"""Drift whose truth is known: months of real accounts, redrawn with stated shifts. Shares no code with what detects drift."""
