"""`python -m infra.topology.containers up | down`: the compose file with what it needs: secrets, who runs, and the first keys.

Secret files keep their owner in a container. A person's own stay that person's, and the services run as that person; those of
root are given to the user of the images, so that no service runs as root.
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from infra.told import told
from infra.topology import ports, secret_files
from infra.topology.compose import FOLDER as DESCRIBED
from infra.topology.compose import SCRAPER, VOLUMES
from models.errors import Misconfigured, Unavailable

FOLDER = Path("var/compose")
IMAGE_USER = 10001
_WORKER = "schedules"
_SIGNED = ("--by", "make-up", "--reason", "first start")
_FIRST = {
    "first_api_key": ("api/first", ("api-key", "--name", "first", "--actions", "score,read,counterfactual,review")),
    SCRAPER: ("api/prometheus", ("api-key", "--name", "prometheus", "--actions", "read")),
    "first_password": ("users/first", ("user", "--name", "first", "--roles", "developer,operator")),
}
"""Secrets that the platform itself makes, by the file that takes them: the record in the home, and the command."""
_KEYS_FOR = ("--models", "all", "--days", "365")

Run = Callable[[Sequence[str]], str]


def ensure_docker(path: str) -> None:
    """Raises `Misconfigured`; whether the engine answers, compose says itself."""
    hint = "docs.docker.com/engine/install; without Docker: make up-local"
    docker = shutil.which("docker", path=path)
    if docker is None:
        raise Misconfigured("Docker is not installed", hint=hint)
    if subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode:
        raise Misconfigured("Docker is here without its compose plugin", hint=hint)


def prepare(folder: Path) -> dict[str, str]:
    """The variables that the compose file asks for."""
    secret_files.make(folder)
    if not (folder / SCRAPER).exists():
        secret_files.write(folder / SCRAPER, "")  # a file that is mounted must be there before the key is made
    owner = _owner()
    if os.geteuid() == 0:
        for path in (folder, *folder.iterdir()):
            os.chown(path, owner, owner)
    return {"STEWARD_USER": f"{owner}:{owner if os.geteuid() == 0 else os.getegid()}", "STEWARD_SECRETS": str(folder.resolve())}


def make_first_keys(folder: Path, run: Run) -> None:
    """Without a key no replica answers in a container, and without a user nobody signs in to the console. What is there stays."""
    known = run(["sh", "-c", "cd /var/lib/steward/keys 2>/dev/null && ls -d api/* users/* || true"]).split()
    for name, (record, command) in _FIRST.items():
        if f"{record}.json" in known:
            continue
        words = [*command, *(_KEYS_FOR if command[0] == "api-key" else ()), *_SIGNED]
        secret_files.write(folder / name, run(["python", "-m", "pipelines", *words]).splitlines()[0])
        os.chown(folder / name, _owner(), -1)


def _owner() -> int:
    return os.geteuid() or IMAGE_USER


@dataclass(frozen=True)
class Compose:
    """Docker's compose, on the file of this project, and on others that say what differs."""

    folder: Path = FOLDER
    others: Sequence[Path] = field(default_factory=tuple)

    def call(self, *words: str, said: bool = False) -> str:
        """What it said, if asked for; else a person sees it. Raises `Unavailable`."""
        described = [part for file in (DESCRIBED / "compose.yaml", *self.others) for part in ("--file", str(file))]
        command = ["docker", "compose", "--env-file", str(self.folder / "env"), *described, *words]
        done = subprocess.run(command, text=True, check=False, stdout=subprocess.PIPE if said else None, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise Unavailable(
                f"docker compose {words[0]} ended with {done.returncode}", hint="the reason stands above; docker compose logs"
            )
        return done.stdout or ""

    def prepare(self) -> None:
        variables = prepare(self.folder / "secrets")
        (self.folder / "env").write_text("".join(f"{name}={value}\n" for name, value in variables.items()))

    def once(self, command: Sequence[str]) -> str:
        """A command of the platform, in a container of its own that reaches the home and nothing else need run for."""
        return self.call("run", "--rm", "--no-deps", "-T", _WORKER, *command, said=True)


def up(compose: Compose, *, built: bool) -> None:
    compose.prepare()
    if not built:
        compose.call("build")
    compose.call("run", "--rm", "-T", VOLUMES)
    secrets = compose.folder / "secrets"
    make_first_keys(secrets, compose.once)
    compose.call("up", "--no-build", "--detach", "--wait")
    print(f"""
  scoring   http://127.0.0.1:{ports.port("proxy")}   the key of clients: {secrets / "first_api_key"}
  console   http://127.0.0.1:{ports.port("console")}   sign in as first; the password: {secrets / "first_password"}
  grafana   http://127.0.0.1:{ports.port("grafana")}   sign in as admin; the password: {secrets / "grafana_admin"}
  a first champion: docker exec -it steward-{_WORKER}-1 python -m pipelines train
Next: make that champion. make down stops all of it and keeps the volumes""")


def down(compose: Compose) -> None:
    compose.prepare()
    compose.call("down")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.topology.containers", description=__doc__)
    parser.add_argument("verb", choices=("up", "down"))
    parser.add_argument("--built", action="store_true", help="the images are there: build none")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="of the secrets")
    parser.add_argument("--file", type=Path, action="append", default=[], help="a compose file that says what differs")
    chosen = parser.parse_args(arguments)
    compose = Compose(chosen.folder, chosen.file)

    def act() -> None:
        ensure_docker(os.environ.get("PATH", os.defpath))
        if chosen.verb == "up":
            up(compose, built=chosen.built)
        else:
            down(compose)

    return told(act)


if __name__ == "__main__":
    sys.exit(main())
