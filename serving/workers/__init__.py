"""Processes: the crew and one of its workers."""
