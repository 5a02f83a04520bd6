"""How often the interpreter looks for cyclic garbage in a worker that answers."""

import gc

EVERY = (20_000, 10, 10)
"""Containers made between two looks. By default 700: a batch of 10,000 records makes 10,000 of them, all still in use."""


def settle() -> None:
    """To be called once everything is loaded: what is there stays, so no look has to go through it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*EVERY)
