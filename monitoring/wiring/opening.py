"""To whom the console opens: whoever sits at the machine, in the local profile on loopback; everywhere else people sign in."""

import secrets
import time
from getpass import getuser
from hashlib import sha256
from urllib.parse import urlsplit

from models.adapters.user_files import UserFiles
from models.errors import Misconfigured
from models.governance.access import Person, Role
from monitoring.console.access.attempts import Attempts
from monitoring.console.access.guard import Guard
from monitoring.console.access.sessions import Sessions
from monitoring.console.app import Door
from monitoring.settings import MonitoringSettings

LOOPBACK = ["localhost", "127.0.0.1", "[::1]"]


def guard(chosen: MonitoringSettings) -> Guard:
    """Raises `Misconfigured` if nobody could sign in."""
    users = UserFiles(chosen.home / "keys")
    local = Person(_own_name(), frozenset(Role)) if _at_the_machine(chosen) else None
    if local is None and not any(user.removed_at is None for user in users.all()):
        raise Misconfigured(
            "people sign in here, and nobody can yet",
            hint='make user NAME=… ROLES=approver BY=… REASON="…"',
        )
    return Guard(users, Attempts(time.monotonic), Sessions(time.monotonic), local)


def door(chosen: MonitoringSettings) -> Door:
    """Raises `Misconfigured` if others reach it and nobody said under which address, or over plain http in production."""
    address, loopback = urlsplit(chosen.address), _on_loopback(chosen)
    if not loopback and not address.hostname:
        raise Misconfigured(
            f"STEWARD_MONITORING_HOST is {chosen.host}, which others reach",
            hint="say how they do: STEWARD_MONITORING_ADDRESS=https://steward.bank.example",
        )
    if chosen.profile != "local" and address.hostname and address.scheme != "https":
        raise Misconfigured(
            f"STEWARD_MONITORING_ADDRESS is {chosen.address}: passwords and sessions would travel in the open",
            hint="put a proxy that speaks https before the console, and name its address",
        )
    # A page elsewhere can point its own name at us, and no other: loopback's are those of a container's own health check, too.
    hosts = [*([address.hostname] if address.hostname else []), *LOOPBACK, *chosen.names]
    cookie = f"steward_{sha256(str(chosen.home.resolve()).encode()).hexdigest()[:8]}"
    return Door(hosts, secrets.token_urlsafe(32), cookie, secure=address.scheme == "https", address=chosen.address)


def _at_the_machine(chosen: MonitoringSettings) -> bool:
    """Behind an address that others reach, whoever asks from loopback may be their proxy."""
    return chosen.profile == "local" and _on_loopback(chosen) and not chosen.address


def _on_loopback(chosen: MonitoringSettings) -> bool:
    return chosen.host in {"localhost", "127.0.0.1", "::1"}


def _own_name() -> str:
    try:
        return getuser()
    except (OSError, KeyError):  # a container may run under a number that has no name
        return "local"
