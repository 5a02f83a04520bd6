"""The viewer: what the platform knows about each model, for people. It reads and never changes anything."""
