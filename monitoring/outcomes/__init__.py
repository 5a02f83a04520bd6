"""How well a model does: estimated before the outcomes are known, beside what was realised once they are."""
