"""What decides: the rules of a model's life, and one folder per use case."""
