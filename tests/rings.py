"""Keys of pseudonyms for tests: the same in every run."""

from models.governance.pseudonyms import KEY_BYTES, Keyring
from monitoring.chain import ChainKeys


def ring(letters: str) -> Keyring:
    """One key for each letter."""
    return Keyring(tuple(letter.encode() * KEY_BYTES for letter in letters))


ACCOUNTS, AUDIT_KEYS = ring("a"), ring("z")
LOG_KEYS = ChainKeys((b"l" * KEY_BYTES,))


def log_keys() -> ChainKeys:
    return LOG_KEYS
