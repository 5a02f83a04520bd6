"""Charts as values: what is drawn, in words, and as a table. How they are drawn is an adapter's (ADR 37)."""
