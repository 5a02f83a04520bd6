"""The swap set: who is treated otherwise by one version than by another, before it takes everybody."""
