"""What MLflow keeps in the store, by S3."""

import configparser
from pathlib import Path
from typing import Any

import boto3

from infra.topology.description import address
from infra.topology.services import BUCKET
from infra.topology.supervised import LocalPlace


def download(place: LocalPlace, to: Path) -> int:
    """Every object as a file; how many."""
    to.mkdir(mode=0o700, parents=True)
    keys = _keys(place)
    for key in keys:
        file = to / key
        file.parent.mkdir(parents=True, exist_ok=True)
        _store(place).download_file(BUCKET, key, str(file))
    return len(keys)


def upload(place: LocalPlace, folder: Path) -> int:
    store, files = _store(place), [path for path in folder.rglob("*") if path.is_file()]
    if files and not _there(store):
        store.create_bucket(Bucket=BUCKET)
    for path in files:
        store.upload_file(str(path), BUCKET, path.relative_to(folder).as_posix())
    return len(files)


def _keys(place: LocalPlace) -> list[str]:
    store = _store(place)
    if not _there(store):
        return []
    pages = store.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    return [found["Key"] for page in pages for found in page.get("Contents", ())]


def _there(store: Any) -> bool:
    return BUCKET in {bucket["Name"] for bucket in store.list_buckets()["Buckets"]}


def _store(place: LocalPlace) -> Any:
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
