"""Fairness reports: the one door to the audit columns, the candidates, and what is made of both."""
