"""A real S3 store for tests: SeaweedFS, as the topology runs it, with a key that only the test knows."""

import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event

import boto3
import httpx

BUCKET = "lake"
PATIENCE = 60.0
DOORS = ("master", "volume", "filer", "s3")


def free_ports(number: int) -> list[int]:
    """All different: each is held until the last one is found."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(number)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]


@contextmanager
def running_store(folder: Path) -> Iterator[dict[str, str]]:
    """The variables under which clients find it. It has one bucket, and ends with the context."""
    key = {"accessKey": "test", "secretKey": secrets.token_urlsafe(24)}
    identities = folder / "identities.json"
    identities.write_text(
        json.dumps({"identities": [{"name": "test", "credentials": [key], "actions": ["Admin", "Read", "Write", "List"]}]})
    )
    found = iter(free_ports(2 * len(DOORS)))
    doors = {door: next(found) for door in DOORS}
    (folder / "data").mkdir()
    command = [
        str(Path(sys.executable).parent / "weed"),
        f"-logdir={folder}",
        "server",
        f"-dir={folder / 'data'}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-filer",
        "-s3",
        f"-s3.config={identities}",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-master.telemetry=false",
        "-master.volumeSizeLimitMB=64",  # with volumes of 30 GB a disk that is half full has room for none
        "-volume.max=0",
        "-volume.preStopSeconds=0",
        *(f"-{door}.port={port}" for door, port in doors.items()),
        *(f"-{door}.port.grpc={next(found)}" for door in DOORS),
    ]
    own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}  # it would let in who is named there
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log, env=own) as process:
        try:
            address = f"http://127.0.0.1:{doors['s3']}"
            _await(process, address, folder / "log")
            variables = {
                "AWS_ENDPOINT_URL": address,
                "AWS_ACCESS_KEY_ID": key["accessKey"],
                "AWS_SECRET_ACCESS_KEY": key["secretKey"],
                "AWS_REGION": "us-east-1",
                "AWS_SHARED_CREDENTIALS_FILE": str(_credentials(folder / "credentials", key)),
            }
            client = boto3.client(
                "s3",
                endpoint_url=address,
                aws_access_key_id=key["accessKey"],
                aws_secret_access_key=key["secretKey"],
                region_name="us-east-1",
            )
            client.create_bucket(Bucket=BUCKET)
            yield variables
        finally:
            process.kill()  # it would wait for clients that keep their connections; nothing of it is wanted any more


def _credentials(path: Path, key: dict[str, str]) -> Path:
    """The same key where a process finds it that was begun before the store."""
    named = f"aws_access_key_id = {key['accessKey']}\naws_secret_access_key = {key['secretKey']}\n"
    path.write_text(f"[default]\n{named}")
    return path


def _await(process: "subprocess.Popen[bytes]", address: str, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            if httpx.get(f"{address}/healthz", timeout=5, trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        assert process.poll() is None, log.read_text()[-2_000:]
        assert time.monotonic() < deadline, log.read_text()[-2_000:]
        Event().wait(0.1)
