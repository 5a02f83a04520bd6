"""dev, staging, production: which of the platform's commands are run where, in which order."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from models.settings import of_own

DEV, STAGING, PRODUCTION = "dev", "staging", "production"
STAGES = (DEV, STAGING, PRODUCTION)


@dataclass(frozen=True)
class Homes:
    """Where each stage lives, and who answers for what is done."""

    dev: Path
    folder: Path
    by: str
    reason: str
    people: bool = False
    """Whether staging and production are as they would be: where only people's approvals count."""

    def of(self, stage: str) -> Path:
        return self.dev if stage == DEV else self.folder / stage

    def parcel(self, stage: str) -> Path:
        """What this stage sends."""
        return self.folder / "parcels" / f"from-{stage}"


@dataclass(frozen=True)
class Command:
    """One of `python -m pipelines`, in the home of a stage."""

    stage: str
    words: tuple[str, ...]


Runner = Callable[[Command], int]


def introductions(homes: Homes, key: Callable[[str], str]) -> list[Command]:
    """Each home lets the one before it deliver. `key` says with which key a stage sends."""
    signed = ("--by", homes.by, "--reason", homes.reason)
    before = pairwise(STAGES)
    return [Command(to, ("admit-sender", "--name", sender, "--key", key(sender), *signed)) for sender, to in before]


def way(homes: Homes, bundle: str) -> list[Command]:
    """In production a release is tried beside the champion first; in staging nobody asks, so that nothing could be compared."""
    signed = ("--by", homes.by, "--reason", homes.reason)
    return [
        Command(DEV, ("send", "--name", DEV, "--to", str(homes.parcel(DEV)))),
        Command(STAGING, ("receive", "--from", str(homes.parcel(DEV)), *signed)),
        Command(STAGING, ("promote", "--bundle", bundle)),
        Command(STAGING, ("send", "--name", STAGING, "--to", str(homes.parcel(STAGING)))),
        Command(PRODUCTION, ("receive", "--from", str(homes.parcel(STAGING)), *signed)),
        Command(PRODUCTION, ("advance", "--bundle", bundle, *signed)),
    ]


def follow(commands: Sequence[Command], run: Runner) -> tuple[int, Command | None]:
    """The first exit code that is not 0, and the command it came from; 0 and None at the end of the way."""
    for command in commands:
        if code := run(command):
            return code, command
    return 0, None


def settings(homes: Homes, stage: str) -> Mapping[str, str]:
    """What tells the platform's commands in whose home they are."""
    profile = {"STEWARD_PROFILE": stage} if homes.people and stage != DEV else {}
    return {"STEWARD_HOME": str(homes.dev)} if stage == DEV else {**of_own(homes.of(stage)), **profile}


def run(command: Command, homes: Homes) -> int:
    print(f"-- {command.stage}: {command.words[0]}", flush=True)
    words = [sys.executable, "-m", "pipelines", *command.words]
    return subprocess.run(words, env={**os.environ, **settings(homes, command.stage)}, check=False).returncode
