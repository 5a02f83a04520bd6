"""`python -m infra.topology.containers`: what `docker compose` needs before `make up`: the secrets, and who runs.

Secret files keep their owner in a container. A person's own stay that person's, and the services run as that person; those of
root are given to the user of the images, so that no service runs as root.
"""

import os
import sys
from pathlib import Path

from infra.topology import secret_files

SECRETS = Path("var/compose/secrets")
IMAGE_USER = 10001


def prepare(folder: Path) -> dict[str, str]:
    """The variables that the compose file asks for."""
    secret_files.make(folder)
    user, group = os.geteuid(), os.getegid()
    if user == 0:
        user = group = IMAGE_USER
        for path in (folder, *folder.iterdir()):
            os.chown(path, user, group)
    return {"STEWARD_USER": f"{user}:{group}", "STEWARD_SECRETS": str(folder.resolve())}


if __name__ == "__main__":
    sys.stdout.write("".join(f"{name}={value}\n" for name, value in prepare(SECRETS).items()))
