"""Months lived through again with the real parts, on an injected clock."""
