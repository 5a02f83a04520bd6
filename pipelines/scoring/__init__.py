"""Batch scoring: a month, or whatever lies at a path, decided part by part, and each row once. See docs/scale.md."""
