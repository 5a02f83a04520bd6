"""A month's statistics over all rows: what is counted, in one pass, and what follows from the counts."""
