"""Steward's service beside what people use instead, in one run on one machine."""
