"""`python -m infra.backup.containers take | restore`: of the containers of `make up`, by `infra.backup` in one of them.

What it reads and writes is mounted under the paths that it has outside, so that each word of it is true there, too.
"""

import argparse
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from infra.told import told
from infra.topology.containers import Compose, ensure_docker, owner_of_secrets
from infra.topology.once import BACKUP, RESTORE, VOLUMES
from models.errors import Conflict, Misconfigured, NotFound, Unavailable

_OUTBOX = ".being-taken"
_READ = ("folder", "archive", "later", "keys")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.backup.containers", description=__doc__)
    parser.add_argument("verb", choices=("take", "restore"))
    Compose.add_arguments(parser, "--state")
    for name in _READ:
        parser.add_argument(f"--{name}", type=lambda text: Path(text).absolute())
    parser.add_argument("--at")
    chosen = parser.parse_args(arguments)
    compose = Compose.chosen(chosen, chosen.state)
    given = {name: getattr(chosen, name) for name in (*_READ, "at") if getattr(chosen, name)}
    act = take if chosen.verb == "take" else restore

    def done() -> None:
        ensure_docker(os.environ.get("PATH", os.defpath))
        act(compose, **given)

    return told(done)


def take(compose: Compose, folder: Path, keys: Path | None = None) -> None:
    """They go on meanwhile. Raises `Conflict`, `Unavailable`."""
    compose.prepare()
    if not compose.call("ps", "--quiet", "--status", "running", "postgres", said=True).strip():
        raise Unavailable(f"PostgreSQL of {compose.project} does not run", hint=f"make up PROJECT={compose.project}")
    made = [path for path in (folder, keys) if path]
    with _outboxes(made) as boxes:
        mounts = [f"{box}:{parent}" for parent, box in boxes.items()]
        _run(compose, BACKUP, mounts, ["take", *_words(folder=folder, keys=keys)])
        for path in made:
            (boxes[path.parent] / path.name).rename(path)


def restore(
    compose: Compose,
    folder: Path,
    at: str = "",
    archive: Path | None = None,
    later: Path | None = None,
    keys: Path | None = None,
) -> None:
    """Into volumes of a new project; only its store runs. Raises `Conflict`, `Misconfigured`, `NotFound` or `Unavailable`."""
    read = list(dict.fromkeys(path for path in (folder, archive, later, keys) if path))
    _ensure_readable(read)
    compose.prepare()
    if compose.call("ps", "--all", "--quiet", said=True).strip():
        raise Conflict(
            f"there are containers of {compose.project}",
            hint="restore into a new project: PROJECT=name; what runs stays as it is meanwhile",
        )
    words = _words(folder=folder, at=at, archive=archive, later=later, keys=keys)
    compose.call("run", "--rm", "-T", VOLUMES)
    try:
        compose.call("up", "--no-build", "--detach", "--wait", "store")
        _run(compose, RESTORE, [f"{path}:{path}:ro" for path in read], ["restore", *words])
    finally:
        compose.call("down")


def _words(**given: object) -> list[str]:
    return [word for name, value in given.items() if value for word in (f"--{name}", str(value))]


def _run(compose: Compose, service: str, mounts: Sequence[str], words: Sequence[str]) -> None:
    options = [part for mount in mounts for part in ("--volume", mount)]
    command = ["python", "-m", "infra.backup", *words, "--inside", compose.project]
    compose.call("run", "--rm", "--no-deps", "-T", "--env", "BACKUP_PASSPHRASE", *options, service, *command)


@contextmanager
def _outboxes(made: Sequence[Path]) -> Iterator[dict[Path, Path]]:
    """By the folder in which something is to appear: one in it that a container may write to. What appears is whole or absent."""
    for path in made:
        if path.exists():
            raise Conflict(f"{path} is there already", hint="name a new one: a backup is never written over another")
    boxes: dict[Path, Path] = {}
    try:
        for parent in {path.parent for path in made}:
            boxes[parent] = _made(parent / _OUTBOX)
        yield boxes
    finally:
        for box in boxes.values():
            shutil.rmtree(box, ignore_errors=True)


def _made(box: Path) -> Path:
    try:
        box.mkdir(mode=0o700, parents=True)
    except FileExistsError as error:
        raise Conflict(f"{box} is there", hint="wait for the other backup; if it was killed, delete that folder") from error
    if os.geteuid() == 0:
        os.chown(box, owner_of_secrets(), owner_of_secrets())
    return box


def _ensure_readable(paths: Sequence[Path]) -> None:
    """The containers of root run as another, who reads only what is its own, or open to all."""
    for path in paths:
        if not path.exists():
            raise NotFound(f"there is no {path}", hint="FROM, LATER, ARCHIVE and KEYS name what there is")
        if os.geteuid() == 0 and path.stat().st_uid != owner_of_secrets() and not path.stat().st_mode & 0o004:
            raise Misconfigured(
                f"{path} cannot be read by the user of the containers", hint=f"chown -R {owner_of_secrets()} {path}"
            )


if __name__ == "__main__":
    sys.exit(main())
