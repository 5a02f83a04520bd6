"""Backups of a home and of the topology's databases and store, and their return. A restore is drilled in tests."""
