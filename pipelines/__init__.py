"""How models come to be."""
