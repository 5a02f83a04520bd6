"""`make verify` in a home that somebody has been in."""

import base64
import json
import shutil
import signal
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from models.adapters.file_ledger import FileLedger
from models.adapters.parquet_lake import ParquetLake
from models.bundle import MANIFEST, Bundle, canonical
from models.clock import Month
from models.governance.ledger import Event
from models.lake import SNAPSHOTS
from tests.bundles import MODEL
from tests.e2e.test_governance import Home
from tests.samples import sealed

pytestmark = pytest.mark.integration

JULY = Month(2005, 7)
NOON = datetime(2005, 9, 1, 12, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A champion that was made of one partition."""
    made = Home(tmp_path)
    rows = {"account_id": np.array(["A1"]), "bill": np.array([1.0])}
    part = ParquetLake(tmp_path / "lake" / MODEL).write(SNAPSHOTS, JULY, rows, recorded_at=NOON)
    named = {"table": part.table, "month": str(part.month), "version": part.version, "digest": part.digest, "rows": part.rows}
    lineage = {"partitions": [named | {"recorded_at": part.recorded_at.isoformat()}]}
    parts = {name: data for name, data in sealed(seed=1).files.items() if name != MANIFEST}
    made.champion(Bundle.seal(MODEL, parts, lineage=lineage))
    yield made
    made.service.stop(signal.SIGKILL)


def partition(home: Home) -> Path:
    return home.path / "lake" / MODEL / SNAPSHOTS / "month=2005-07" / "v0001.parquet"


def test_an_untouched_home_holds_and_says_what_was_looked_at(home: Home) -> None:
    said = home.run("verify")
    assert "Every partition that credit_default was made of is in the lake, byte by byte." in said
    assert "each follows from its artefacts, figures and page." in said


def test_a_deleted_partition_is_named_with_its_file_and_what_to_do(home: Home) -> None:
    partition(home).unlink()
    said = home.run("verify", ends=1)
    assert f"{partition(home)}: it is gone" in said
    assert "make ingest" in said


def test_a_changed_partition_is_named_with_its_file(home: Home) -> None:
    stored = pq.read_table(partition(home))
    forged = stored.set_column(1, "bill", [[2.0]]).replace_schema_metadata(stored.schema.metadata)
    pq.write_table(forged, partition(home))
    assert str(partition(home)) in home.run("verify", ends=1)


def test_a_home_whose_whole_record_was_taken_away_does_not_pass(home: Home) -> None:
    for name in ("ledger.jsonl", "ledger.head.json"):
        (home.path / name).unlink()
    for name in ("pointers", "approvals"):
        shutil.rmtree(home.path / "channel" / name)
    said = home.run("verify", ends=1)
    assert "ledger: it is empty or gone, and models were made here" in said
    assert str(home.path / "channel" / "bundles") in said


def test_junk_among_the_approvals_is_reported(home: Home) -> None:
    (folder,) = (home.path / "channel" / "approvals").iterdir()
    (folder / "junk.json").write_text("{")
    assert f"{folder / 'junk.json'}: it lies among the approvals, and is none" in home.run("verify", ends=1)


def rechained(home: Home, facts: Any) -> bytes:
    """Somebody with the ledger's file and no key adds an entry and makes the head fit. What the ledger is then."""
    path, head = home.path / "ledger.jsonl", home.path / "ledger.head.json"
    last = FileLedger(path).entries()[-1]
    forged = replace(last, number=last.number + 1, event=Event.DECISIONS_SEALED, facts=facts, previous=last.chain).sealed()
    path.write_bytes(path.read_bytes() + canonical(asdict(forged)) + b"\n")
    head.write_text(json.dumps(json.loads(head.read_bytes()) | {"document": forged.head()}))
    return path.read_bytes()


@pytest.mark.parametrize("facts", [{}, {"lanes": [], "sealed": 3}, {"sequence": "one", "bundle": ["b"]}])
def test_a_ledger_that_was_chained_anew_is_named_whatever_it_says_and_nothing_is_added_to_it(home: Home, facts: Any) -> None:
    forged = rechained(home, facts)

    said = home.run("verify", ends=1)
    assert "its attestation does not hold" in said.splitlines()[0]
    assert "Traceback" not in said
    stopped = home.run("stop", "--by", "on-call", "--reason", "the record was edited", ends=1)
    assert f"{MODEL} is stopped, but the ledger could not record it: ledger entry 6: its attestation does not hold" in stopped
    for command in (["retain"], ["rotate-keys", "--by", "admin", "--reason", "they leaked today"]):
        assert "nothing was recorded" in home.run(*command, ends=1)
    assert (home.path / "ledger.jsonl").read_bytes() == forged
    assert len(list((home.path / "keys" / "accounts").glob("*.key"))) == 1


def test_an_anchor_that_is_set_and_not_there_is_missed_and_a_ledger_that_is_older_has_a_way_in(home: Home) -> None:
    anchor = home.path / "elsewhere.jsonl"
    on = {"STEWARD_LEDGER_ANCHOR": str(anchor)}
    missed = f"the anchor {anchor} is empty or not there, and the ledger has"
    assert missed in home.run("verify", ends=1, **on)
    rollback = ("rollback", "--by", "on-call", "--reason", "it is too strict")
    assert missed in home.run(*rollback, ends=1, **on)
    stopped = home.run("stop", "--by", "on-call", "--reason", "the feed is late", ends=1, **on)
    assert "is stopped, but the ledger could not record it" in stopped

    home.run("anchor", "--by", "admin", "--reason", "the anchor is mounted since today", **on)
    home.run("resume", "--by", "on-call", "--reason", "fine again", **on)
    assert "4 in the anchor" in home.run("verify", **on)
    (noted,) = [entry for entry in FileLedger(home.path / "ledger.jsonl").entries() if entry.event is Event.ANCHORED]
    assert (noted.actor, noted.facts["anchor"]) == ("admin", str(anchor))

    for lost in (lambda: anchor.write_bytes(b""), anchor.unlink):
        lost()
        assert missed in home.run("verify", ends=1, **on)
    first = FileLedger(home.path / "ledger.jsonl").entries()[0]
    anchor.write_bytes(first.signed_head().to_bytes() + b"\n")
    assert "ends at entry 1, and the ledger has" in home.run("verify", ends=1, **on)


def test_nobody_is_trusted_who_is_not_recorded_and_who_is_dismissed_is_so_whatever_the_ledger_says(home: Home) -> None:
    home.approver("ana")
    home.run("approver", "--name", "ben")
    (home.path / "ledger.head.json").unlink()
    named = ("--by", "admin", "--reason", "joined or left the bank")

    assert "no signed head" in home.run("trust", "--name", "ben", *named, ends=1)
    assert "ben" not in (home.path / "keys" / "trust.json").read_text()
    said = home.run("distrust", "--name", "ana", *named, ends=1)
    assert "ana is dismissed, but that is not recorded: the ledger has" in said
    assert "ana" not in (home.path / "keys" / "trust.json").read_text()


def test_a_publisher_s_key_that_was_put_into_the_trust_file_is_named(home: Home) -> None:
    path = home.path / "keys" / "trust.json"
    keys = json.loads(path.read_bytes())
    mallory = base64.b64encode(b"m" * 32).decode()
    path.write_text(json.dumps(keys | {"publish": {**keys["publish"], "mallory": mallory}}))
    assert "'mallory' may publish, and nobody noted that key" in home.run("verify", ends=1)
    home.run("signers", "--by", "admin", "--reason", "a second pipeline signs")
    home.run("verify")


def test_a_lost_witness_is_not_replaced_by_one_that_spoils_the_ledger(home: Home) -> None:
    path, before = home.path / "keys" / "attest-ledger.pem", (home.path / "ledger.jsonl").read_bytes()
    key = path.read_bytes()
    path.unlink()
    said = home.run("stop", "--by", "on-call", "--reason", "the feed is late", ends=1)
    assert f"{MODEL} is stopped, but the ledger could not record it: there is no private key to attest" in said
    assert (home.path / "ledger.jsonl").read_bytes() == before

    path.write_bytes(key)
    home.run("resume", "--by", "on-call", "--reason", "fine again")
    home.run("verify")
