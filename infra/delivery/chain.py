"""dev, staging, production: which of the platform's commands are run where, in which order."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

DEV, STAGING, PRODUCTION = "dev", "staging", "production"
STAGES = (DEV, STAGING, PRODUCTION)


@dataclass(frozen=True)
class Homes:
    """Where each stage lives, and who answers for what is done."""

    dev: Path
    folder: Path
    by: str
    reason: str

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


Runner = Callable[[Command, Path], int]


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


def follow(commands: Sequence[Command], homes: Homes, run: Runner) -> tuple[int, Command | None]:
    """The first exit code that is not 0, and the command it came from; 0 and None at the end of the way."""
    for command in commands:
        if code := run(command, homes.of(command.stage)):
            return code, command
    return 0, None


def environment(home: Path) -> Mapping[str, str]:
    return {**os.environ, "STEWARD_HOME": str(home)}


def run(command: Command, home: Path) -> int:
    print(f"-- {command.stage}: {command.words[0]}", flush=True)
    return subprocess.run([sys.executable, "-m", "pipelines", *command.words], env=environment(home), check=False).returncode
