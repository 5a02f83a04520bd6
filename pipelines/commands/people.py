"""The commands about people who sign in to the console, and about signing with one's own key what it asked for."""

import json
from argparse import Namespace
from pathlib import Path
from typing import Any

from models.errors import InputRefused
from models.governance.users import make, remove
from pipelines.commands.governing import approver
from pipelines.commands.loop import Ended
from pipelines.wiring import platform


def make_user(chosen: Namespace) -> Ended:
    parts = platform()
    user, password = make(parts.users, parts.ledger, parts.clock, chosen.name, chosen.roles, by=chosen.by, reason=chosen.reason)
    print(password)
    print(f"{user.name} may sign in to the console as {', '.join(user.roles)}.")
    print("The password is shown this once and kept nowhere. The same command again makes a new one, and ends open sessions.")
    return Ended.DONE


def list_users(_chosen: Namespace) -> Ended:
    users = platform().users.all()
    for user in users:
        gone = f"  removed {user.removed_at:%Y-%m-%d}" if user.removed_at else ""
        print(f"{user.name}  {', '.join(user.roles)}  since {user.made_at:%Y-%m-%d}{gone}")
    if not users:
        print("Nobody signs in: the console opens on this machine only, and only in the local profile.")
    return Ended.DONE


def remove_user(chosen: Namespace) -> Ended:
    parts = platform()
    user = remove(parts.users, parts.ledger, parts.clock, chosen.name, by=chosen.by, reason=chosen.reason)
    print(f"{user.name} cannot sign in any more, and open sessions have ended.")
    return Ended.DONE


def sign(chosen: Namespace) -> Ended:
    """What is signed is shown first, word by word: nobody signs what a page only says it is."""
    path = Path(chosen.document)
    if not path.is_file():
        raise InputRefused(f"there is no document {path}", hint="the console's page of the request offers it for download")
    drafted = _document(path)
    for name, value in drafted.items():
        print(f"  {name}: {value}")
    signature = approver(platform(), chosen.by).sign(drafted).signature
    print(f"\n{signature}\n")
    print("Next: paste this one line into the console's page.")
    return Ended.DONE


def _document(path: Path) -> dict[str, Any]:
    """Raises `InputRefused` for what is no document."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise InputRefused(f"{path} cannot be read as a document", hint="download it anew from the console") from error
    if not isinstance(found, dict):
        raise InputRefused(f"{path} is no document", hint="download it anew from the console")
    return found
