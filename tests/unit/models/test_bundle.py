"""A bundle is verified byte by byte before anything of it is parsed."""

import json

import pytest

from models.bundle import MANIFEST, PARTS, Bundle, canonical, sha256
from models.errors import Integrity
from tests.office import paper_bundle


def test_a_sealed_bundle_verifies_against_its_digest() -> None:
    bundle = paper_bundle("first")

    assert Bundle.verified(bundle.files, bundle.digest) == bundle
    assert bundle.model == "credit_default"
    assert bundle.lineage == {"content": "first"}


def test_equal_content_seals_to_an_equal_digest() -> None:
    parts = dict.fromkeys(PARTS, b"same")

    assert Bundle.seal("m", parts, lineage={"seed": 1}).digest == Bundle.seal("m", parts, lineage={"seed": 1}).digest
    assert Bundle.seal("m", parts, lineage={"seed": 1}).digest != Bundle.seal("m", parts, lineage={"seed": 2}).digest


@pytest.mark.parametrize("part", PARTS)
def test_one_changed_byte_of_any_part_is_noticed(part: str) -> None:
    bundle = paper_bundle("first")
    changed = {**bundle.files, part: bundle.files[part][:-1] + b"!"}

    with pytest.raises(Integrity, match=part):
        Bundle.verified(changed, bundle.digest)


@pytest.mark.parametrize("missing", [*PARTS, MANIFEST])
def test_a_missing_file_is_noticed(missing: str) -> None:
    bundle = paper_bundle("first")

    with pytest.raises(Integrity):
        Bundle.verified({name: data for name, data in bundle.files.items() if name != missing}, bundle.digest)


def test_nothing_may_be_added_to_a_bundle() -> None:
    bundle = paper_bundle("first")

    with pytest.raises(Integrity, match="not those of its manifest"):
        Bundle.verified({**bundle.files, "extra.py": b"import os"}, bundle.digest)


def test_a_manifest_rewritten_to_fit_changed_files_has_another_digest() -> None:
    bundle = paper_bundle("first")
    manifest = bundle.manifest
    manifest["files"]["policy.json"] = sha256(b"milder")
    forged = {**bundle.files, "policy.json": b"milder", MANIFEST: canonical(manifest)}

    with pytest.raises(Integrity, match="expected"):
        Bundle.verified(forged, bundle.digest)


def test_a_format_of_another_time_is_refused() -> None:
    bundle = paper_bundle("first")
    files = {**bundle.files, MANIFEST: canonical(bundle.manifest | {"format": 99})}

    with pytest.raises(Integrity, match="format 99"):
        Bundle.verified(files)


@pytest.mark.parametrize("manifest", [b"", b"{", b"[]", b'{"format": 1}', b'{"format": 1, "files": []}', b"\xff\xfe"])
def test_a_manifest_that_is_no_manifest_is_an_integrity_error(manifest: bytes) -> None:
    with pytest.raises(Integrity):
        Bundle.verified({**paper_bundle("first").files, MANIFEST: manifest}, sha256(manifest))


def test_canonical_json_has_one_spelling() -> None:
    assert canonical({"b": 1, "a": "ä"}) == canonical(json.loads('{ "a": "ä",  "b": 1 }'))
