"""Scans beside the linter's: known vulnerabilities of every lock, and secrets that lie in the tree."""
