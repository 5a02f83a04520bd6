"""What results are judged with: the policy, and the inventory, whose exposure decides the tier.

Who edits either after results were seen may have done so because of them. So their digests are noted with every version that
is registered, and a later version is compared with what was noted, not only with what still lies in the channel.
"""

import json
from collections.abc import Mapping
from typing import Any

from models.bundle import Bundle, sha256
from models.governance.inventory import PART as INVENTORY

POLICY = "policy.json"
_PREFIXES = {POLICY: "", INVENTORY: "inventory"}


def yardstick(bundle: Bundle) -> dict[str, str]:
    """The digests of what this bundle is judged with, by name of the file."""
    return {name: sha256(bundle.files[name]) for name in _PREFIXES if name in bundle.files}


def edited(before: Bundle, now: Bundle) -> dict[str, list[Any]]:
    """What differs: field -> [before, now]; fields of the inventory begin with its name."""
    found: dict[str, list[Any]] = {}
    for name, prefix in _PREFIXES.items():
        if before.files.get(name) != now.files.get(name):
            found |= _differences(json.loads(before.files.get(name, b"{}")), json.loads(now.files.get(name, b"{}")), prefix)
    return found


def said(changes: Mapping[str, Any]) -> str:
    """As the reason why more people must look."""
    inventory = [name for name in changes if name.startswith(f"{_PREFIXES[INVENTORY]}.")]
    what = "the policy was" if not inventory else "policy and inventory were"
    what = "the inventory was" if len(inventory) == len(changes) else what
    return f"{what} edited after results were seen: {', '.join(changes)}"


def _differences(before: Any, now: Any, path: str) -> dict[str, list[Any]]:
    if isinstance(before, dict) and isinstance(now, dict):
        found: dict[str, list[Any]] = {}
        for name in sorted({*before, *now}):
            found |= _differences(before.get(name), now.get(name), f"{path}.{name}" if path else name)
        return found
    return {} if before == now else {path: [before, now]}
