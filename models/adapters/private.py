"""What only its owner may read: keys, and the folder of the audit columns. Whatever is found more open is tightened."""

import logging
from collections.abc import Callable
from pathlib import Path

from models.errors import Misconfigured

logger = logging.getLogger("steward.private")

_OTHERS, _GROUP_AND_OTHERS, _OWNER = 0o007, 0o077, 0o700


def private_folder(path: Path) -> Path:
    """The folder, made if it is not there. Raises `Misconfigured` if others may look into it and that cannot be ended."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return tightened(path)


def tightened(path: Path, change: Callable[[Path, int], None] = Path.chmod) -> Path:
    """A file or folder that is there, closed to group and others.

    Where it is somebody else's to close, as a secret that is mounted, a file for the group may stay and one for everybody may
    not: raises `Misconfigured`.
    """
    mode = path.stat().st_mode & 0o777
    if not mode & _GROUP_AND_OTHERS:
        return path
    try:
        change(path, mode & _OWNER)
    except OSError as error:
        if mode & _OTHERS and path.is_file():
            raise Misconfigured(
                f"{path} may be read by everybody on this machine (mode {mode:03o})",
                hint="mount it with mode 0440 or less, and replace the key: it is no secret any more",
            ) from error
        return path
    logger.warning("%s was open to others (mode %03o) and is no more; if others use this machine, rotate the keys", path, mode)
    return path
