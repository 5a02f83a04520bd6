"""How we know that a model still holds."""
