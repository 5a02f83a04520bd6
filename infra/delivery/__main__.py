"""The way of a release on one machine: `make deliver`. The same commands as the workflow runs, in three homes.

It stops at the first command that fails (exit code 1) or waits for a person (3). The same call again goes on from there.
"""

import argparse
import os
import shutil
import sys
from pathlib import Path

from infra.delivery.chain import STAGES, Command, Homes, follow, introductions, run, settings, way
from models.adapters.folder_channel import FolderChannel
from models.adapters.key_files import make_local_keys
from models.adapters.sender_keys import SenderKeys

HELD = 3


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.delivery", description="dev, staging, production on one machine.")
    parser.add_argument("--folder", type=Path, default=Path("var/stages"), help="of the homes staging and production")
    parser.add_argument("--model", default="credit_default")
    parser.add_argument("--by", default=os.environ.get("USER", "operator"), help="who answers for it")
    parser.add_argument("--people", action="store_true", help="staging and production let only people's approvals count")
    parser.add_argument("--reason", default="a delivery on one machine")
    chosen = parser.parse_args()
    homes = Homes(Path(os.environ.get("STEWARD_HOME", "var")), chosen.folder, chosen.by, chosen.reason, chosen.people)
    bundle = _in_force(homes, chosen.model)
    if not bundle:
        print(f"{homes.dev} has no champion of {chosen.model}\n  -> make train", file=sys.stderr)
        return 1
    commands = way(homes, bundle)
    if not all((homes.of(stage) / "keys" / "trust.json").exists() for stage in STAGES[1:]):
        commands = [*_introduced(homes), *commands]
    shutil.rmtree(homes.folder / "parcels", ignore_errors=True)  # of the run before
    code, last = follow(commands, lambda command: run(command, homes))
    if last:
        how = "waits for a person" if code == HELD else "stopped"
        there = " ".join(f"{name}={value}" for name, value in settings(homes, last.stage).items())
        print(f"It {how} in {last.stage}, at {last.words[0]}. What is to be done there, with: {there} make …", file=sys.stderr)
    return code


def _in_force(homes: Homes, model: str) -> str:
    channel = FolderChannel(homes.dev / "channel")
    newest = channel.pointers(model)
    return str(channel.pointer(model, newest).document["bundle"]) if newest else ""


def _introduced(homes: Homes) -> list[Command]:
    """Keys as somebody would mount them, and who may deliver where."""
    senders = {}
    for stage in STAGES:
        folder = homes.of(stage) / "keys"
        make_local_keys(folder, folder / "trust.json")
        senders[stage] = SenderKeys(folder, folder / "trust.json").make(stage).public()
    return introductions(homes, senders.__getitem__)


if __name__ == "__main__":
    sys.exit(main())
