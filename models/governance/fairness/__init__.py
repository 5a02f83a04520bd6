"""Fairness on the audit columns: figures, groups, proxies, alternatives."""
