"""The way of a release through its homes, on one machine."""
