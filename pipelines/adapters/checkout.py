"""Which code is running: the git commit and the lock file of the checkout."""

import subprocess
from pathlib import Path

from models.bundle import sha256
from pipelines.packaging import Origin

UNKNOWN = "unknown"
LOCK_FILE = "requirements.lock"


def origin(root: Path) -> Origin:
    """`root` is the folder that holds the code. A commit with local changes ends in "-dirty"."""
    lock = root / LOCK_FILE
    return Origin(_commit(root), sha256(lock.read_bytes()) if lock.is_file() else UNKNOWN)


def _commit(root: Path) -> str:
    command = ["git", "--no-optional-locks", "-C", str(root), "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return UNKNOWN  # no git on this machine: an image carries the code without its history
    return done.stdout.strip() if done.returncode == 0 else UNKNOWN
