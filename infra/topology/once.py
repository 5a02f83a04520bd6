"""Containers that do one thing and end: give the volumes to whoever runs the services, save what these hold, bring it back."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from infra.topology.description import Place
from infra.topology.services import DATABASES

USER = "${STEWARD_USER:?run make up}"
"""Whose the secrets are. Every service runs as this user, so that nobody else need read them, and none is root."""
VOLUMES = "volumes"
"""It runs first, as Docker gives volumes to root or to an image's user."""
BACKUP, RESTORE = SAVERS = ("backup", "restore")
"""Run by `make backup PROJECT=…` and `make restore PROJECT=…` alone, which add the folders that they read and write."""
SECRETS = ("pgpass_superuser", "postgres_superuser", *(f"postgres_{name}" for name in DATABASES), "store_credentials")
"""Of the savers: a backup is tried in a cluster of its own, which gets the passwords of its place."""


def owner(image: Mapping[str, Any], volumes: Sequence[str]) -> dict[str, Any]:
    """root may do one thing here, and reaches nobody."""
    folders = {name: f"/volumes/{name}" for name in volumes}
    return {
        **image,
        "restart": "no",
        "user": "0:0",
        "network_mode": "none",
        "read_only": True,
        "cap_drop": ["ALL"],
        "cap_add": ["CHOWN"],
        "security_opt": ["no-new-privileges:true"],
        "command": ["chown", USER, *folders.values()],
        "volumes": [f"{name}:{folder}" for name, folder in folders.items()],
        "healthcheck": {"disable": True},
    }


def savers(place: Place, image: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """A backup asks PostgreSQL; only a restore reaches its files, while it does not run."""
    common = {
        **image,
        "profiles": ["backup"],
        "restart": "no",
        "user": USER,
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "command": ["python", "-m", "infra.backup", "--help"],
        "depends_on": {VOLUMES: {"condition": "service_completed_successfully"}},
        "secrets": list(SECRETS),
        "healthcheck": {"disable": True},
    }
    home = f"home:{place.home}"
    return {
        BACKUP: {**deepcopy(common), "volumes": [home]},  # a copy: YAML would refer from one to the other
        RESTORE: {**deepcopy(common), "volumes": [home, f"postgres:{place.data('postgres')}"]},
    }
