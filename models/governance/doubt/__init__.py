"""How far a decision can be trusted: directions, intervals, unfamiliar and disturbed input, and the rule that follows."""
