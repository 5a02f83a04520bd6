"""A cluster with `spark.authenticate`: who has the secret in a `spark-defaults.conf` may work there, and nobody else."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

import pytest

from tests import sparks

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]  # Spark gives a master up after a minute

CLIENT = """
import sys
from pathlib import Path
import pyarrow as pa
from models.adapters.spark_session import Spark, numbers

def squared(batches):
    for number in numbers(batches):
        yield pa.RecordBatch.from_pydict({"n": [number * number]})

spark = Spark(sys.argv[1], Path(sys.argv[2]))
print(sorted(row.n for row in spark.mapped(squared, 4, "n bigint").collect()), flush=True)
sys.stdin.readline()
spark.close()
"""


@pytest.fixture(scope="module")
def secret() -> str:
    return secrets.token_urlsafe(32)


@pytest.fixture(scope="module")
def settings(secret: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What every node and every client is given."""
    folder = tmp_path_factory.mktemp("conf")
    path = folder / "spark-defaults.conf"
    path.touch(mode=0o600)
    path.write_text(
        dedent(f"""
        spark.authenticate true
        spark.authenticate.secret {secret}
        spark.network.crypto.enabled true
        """)
    )
    return folder


@pytest.fixture(scope="module")
def master(settings: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    sparks.skip_without()
    with sparks.cluster(tmp_path_factory.mktemp("cluster"), settings) as url:
        yield url


@contextmanager
def client(master: str, folder: Path, settings: Path | None) -> Iterator["subprocess.Popen[str]"]:
    """A process of its own: Spark reads its settings once in a process. It ends when it is written a line."""
    given = {"SPARK_CONF_DIR": str(settings)} if settings else {}
    environment = {name: value for name, value in os.environ.items() if name != "SPARK_CONF_DIR"} | given
    command = [sys.executable, "-c", CLIENT, master, str(folder)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment, text=True, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def command_lines() -> str:
    """Of every process of this machine."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes())
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue  # it ended meanwhile, or is another user's
    return b"\n".join(found).decode(errors="replace")


def test_whoever_has_the_secret_works_there_and_nobody_can_read_it_off_a_command(
    master: str, settings: Path, secret: str, tmp_path: Path
) -> None:
    with client(master, tmp_path, settings) as process:
        assert process.stdout
        assert process.stdout.readline() == "[0, 1, 4, 9]\n", process.communicate()[1]

        told = command_lines()  # executors live until the client ends
        assert "CoarseGrainedExecutorBackend" in told
        assert secret not in told

        _, said = process.communicate("\n")
        assert process.returncode == 0, said


def test_whoever_has_no_secret_or_another_is_refused(master: str, tmp_path: Path) -> None:
    wrong = tmp_path / "conf"
    wrong.mkdir()
    (wrong / "spark-defaults.conf").write_text("spark.authenticate true\nspark.authenticate.secret guessed\n")

    with client(master, tmp_path / "none", None) as none, client(master, tmp_path / "wrong", wrong) as guessing:
        for process in (none, guessing):
            answered, said = process.communicate("\n")
            assert (answered, process.returncode) == ("", 1)
            assert f"Spark did not begin at {master}" in said
