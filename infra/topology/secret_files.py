"""Secrets, generated on first use into files that only their owner can read: never in the tree, an argument or a log."""

import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from infra.topology.services import DATABASES

ACCESS_KEY = "steward"


def make(folder: Path) -> None:
    """Whatever is missing; what is there stays. Each file is whole or absent."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    for name, content in _contents(folder).items():
        if not (folder / name).exists():
            write(folder / name, content())


def _contents(folder: Path) -> dict[str, Callable[[], str]]:
    """In this order: a later one may quote an earlier one."""
    passwords: dict[str, Callable[[], str]] = {f"postgres_{user}": _password for user in ("superuser", *DATABASES)}
    pgpass: dict[str, Callable[[], str]] = {f"pgpass_{user}": _pgpass(folder, user) for user in DATABASES}
    return {
        **passwords,
        **pgpass,
        "pgpass_superuser": _pgpass(folder, "superuser", role="postgres", database="*"),
        "store_key": _password,
        "store_credentials": lambda: (
            f"[default]\naws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = {_read(folder / 'store_key')}\n"
        ),
        "store_identities.json": lambda: _identities(_read(folder / "store_key")),
        "security.toml": _store_security,
        "grafana_admin": _password,
    }


def _password() -> str:
    return secrets.token_urlsafe(32)


def _pgpass(folder: Path, user: str, *, role: str = "", database: str = "") -> Callable[[], str]:
    """The file from which PostgreSQL's clients take a password themselves, at whatever address."""
    return lambda: f"*:*:{database or user}:{role or user}:{_read(folder / f'postgres_{user}')}\n"


def _identities(key: str) -> str:
    """Who may ask the store: one, by signature."""
    credentials = [{"accessKey": ACCESS_KEY, "secretKey": key}]
    actions = ["Admin", "Read", "Write", "List", "Tagging"]
    return json.dumps({"identities": [{"name": ACCESS_KEY, "credentials": credentials, "actions": actions}]})


def _store_security() -> str:
    """The store's inner doors take signed requests only."""
    doors = ("jwt.signing", "jwt.signing.read", "jwt.filer_signing", "jwt.filer_signing.read")
    return "".join(f'[{door}]\nkey = "{_password()}"\n' for door in doors)


def _read(path: Path) -> str:
    return path.read_text().strip()


def write(path: Path, content: str) -> None:
    """Whole or not at all, and for its owner only."""
    waiting = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    waiting.rename(path)
