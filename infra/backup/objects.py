"""What lies in the store, by S3: MLflow's artefacts and the lake."""

import configparser
import os
from pathlib import Path
from typing import Any

import boto3

from infra.topology.description import Place, address
from infra.topology.services import BUCKETS


def download(place: Place, to: Path) -> None:
    """Every object as a file, below its bucket's name, with its time."""
    store = _store(place)
    for bucket in BUCKETS:
        (to / bucket).mkdir(mode=0o700, parents=True)
        for found in _objects(store, bucket):
            file = to / bucket / found["Key"]
            file.parent.mkdir(parents=True, exist_ok=True)
            store.download_file(bucket, found["Key"], str(file))
            written = found["LastModified"].timestamp()
            os.utime(file, (written, written))


def upload(place: Place, folder: Path) -> None:
    """Into a store that is empty."""
    store = _store(place)
    for bucket in BUCKETS:
        if bucket not in _there(store):
            store.create_bucket(Bucket=bucket)
        for path in (folder / bucket).rglob("*"):
            if path.is_file():
                store.upload_file(str(path), bucket, path.relative_to(folder / bucket).as_posix())


def _objects(store: Any, bucket: str) -> list[Any]:
    if bucket not in _there(store):
        return []
    pages = store.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return [found for page in pages for found in page.get("Contents", ())]


def _there(store: Any) -> set[str]:
    return {bucket["Name"] for bucket in store.list_buckets()["Buckets"]}


def _store(place: Place) -> Any:
    credentials = configparser.ConfigParser()
    credentials.read(f"{place.secrets}/store_credentials")
    default = credentials["default"]
    return boto3.client(
        "s3",
        endpoint_url=f"http://{address(place, 'store')}",
        aws_access_key_id=default["aws_access_key_id"],
        aws_secret_access_key=default["aws_secret_access_key"],
        region_name="us-east-1",
    )
