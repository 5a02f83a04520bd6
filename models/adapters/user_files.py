"""Accounts in a folder, `users/<name>.json` below the home's keys, one file a person, which only its owner may read."""

import re
from pathlib import Path

from pydantic import ValidationError

from models.adapters import durable
from models.adapters.private import private_folder, tightened
from models.errors import Misconfigured, Unavailable
from models.governance.users import NAME, User

FOLDER = "users"
_NAME = re.compile(NAME)


class UserFiles:
    def __init__(self, keys: Path) -> None:
        self.folder = keys / FOLDER

    def all(self) -> list[User]:
        paths = sorted(self.folder.glob("[!.]*.json")) if self.folder.is_dir() else []
        return [_read(path) for path in paths]

    def find(self, name: str) -> User | None:
        """A name that could leave the folder is nobody's."""
        path = self.folder / f"{name}.json"
        return _read(path) if _NAME.fullmatch(name) and path.is_file() else None

    def keep(self, user: User) -> None:
        try:
            private_folder(self.folder)
            durable.replace(self.folder / f"{user.name}.json", user.model_dump_json(indent=1).encode(), 0o600)
        except OSError as error:
            raise Unavailable(
                f"{self.folder} cannot be written: {error.strerror}", hint="whoever keeps the home's keys makes this change"
            ) from error


def _read(path: Path) -> User:
    try:
        user = User.model_validate_json(tightened(path).read_bytes())
    except (OSError, ValidationError):
        raise Misconfigured(  # without the cause: it would show what stands in the file
            f"the account {path} cannot be read", hint="restore it from its backup, or take it away: nobody signs in with it"
        ) from None
    if user.name != path.stem:
        raise Misconfigured(f"the account {path} is of {user.name!r}", hint="put it back under its own name, or take it away")
    return user
