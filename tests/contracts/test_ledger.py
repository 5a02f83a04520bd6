"""What every ledger must do, the fake one too; and what the file must survive."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.adapters.file_ledger import FileLedger
from models.bundle import canonical
from models.errors import Integrity, NotApproved, Unavailable
from models.governance.ledger import Entry, Event, Ledger, accepted_definition, open_holds, verify_chain
from models.governance.signing import Duty, Signed, Signer, Trust
from tests.fakes.ledger import FakeLedger
from tests.office import signer
from tests.readers import only_reading, shared_folder

NOON = datetime(2005, 9, 1, 12, tzinfo=UTC)


@pytest.fixture(params=["memory", "file"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Ledger:
    makers: dict[str, Callable[[], Ledger]] = {"memory": FakeLedger, "file": lambda: FileLedger(tmp_path / "ledger.jsonl")}
    return makers[request.param]()


def note(ledger: Ledger, event: Event = Event.KEPT, model: str = "m", **facts: object) -> Entry:
    return ledger.append(event, model=model, actor="someone", at=NOON, facts=facts)


def test_entries_come_back_in_order_with_their_chain(ledger: Ledger) -> None:
    written = [note(ledger, reason=reason) for reason in ("one", "two", "three")]

    assert ledger.entries() == written
    assert [entry.number for entry in written] == [1, 2, 3]
    assert [entry.previous for entry in written] == ["", written[0].chain, written[1].chain]
    verify_chain(written)


def test_a_new_ledger_is_empty(ledger: Ledger) -> None:
    assert ledger.entries() == []


def test_one_models_entries_can_be_asked_for(ledger: Ledger) -> None:
    note(ledger, model="a")
    note(ledger, model="b")

    assert [entry.model for entry in ledger.entries("b")] == ["b"]


def test_an_edited_removed_or_reordered_entry_is_noticed(ledger: Ledger) -> None:
    entries = [note(ledger, reason=reason) for reason in ("one", "two", "three")]
    edited = Entry(**{**entries[1].__dict__, "actor": "somebody else"})

    reordered = [entries[1], entries[0], entries[2]]
    resealed = [entries[0], edited.sealed(), entries[2]]
    for forged, first in (
        ([entries[0], edited, entries[2]], 2),
        (entries[1:], 1),
        ([entries[0], entries[2]], 2),
        (reordered, 1),
        (resealed, 3),
    ):
        with pytest.raises(Integrity, match=f"entry {first} was edited, removed or reordered"):
            verify_chain(forged)


def test_holds_stay_open_until_they_are_released(ledger: Ledger) -> None:
    note(ledger, Event.HOLD_OPENED, month="2005-09", what="status_0")
    note(ledger, Event.HOLD_OPENED, month="2005-09", what="outcome")
    note(ledger, Event.HOLD_RELEASED, month="2005-09", what="status_0")

    assert [(hold.month, hold.what) for hold in open_holds(ledger.entries())] == [("2005-09", "outcome")]


def test_the_definition_accepted_last_is_in_force(ledger: Ledger) -> None:
    as_coded = {"repayment_status": 1, "published_label": 3}
    assert accepted_definition(ledger.entries(), as_coded, "repayment_status") == 1

    for version in (3, 2):
        note(ledger, Event.DEFINITION_ACCEPTED, version=version, codings=["repayment_status"])

    assert accepted_definition(ledger.entries(), as_coded, "repayment_status") == 2
    assert accepted_definition(ledger.entries(), as_coded, "published_label") == 3


def test_an_edited_line_of_the_file_is_noticed_on_the_next_read_and_append(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    ledger = FileLedger(path)
    note(ledger, reason="one")
    note(ledger, reason="two")
    path.write_bytes(path.read_bytes().replace(b'"one"', b'"won"'))

    with pytest.raises(Integrity, match="entry 1 was edited"):
        ledger.entries()
    with pytest.raises(Integrity, match="entry 1 was edited"):
        note(ledger, reason="three")


def test_what_did_not_change_is_read_and_verified_once_whoever_asks(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    note(FileLedger(path), reason="one")
    (before,) = FileLedger(path).entries()
    (again,) = FileLedger(path).entries()
    assert again is before
    note(FileLedger(path), reason="two")
    assert [entry.facts["reason"] for entry in FileLedger(path).entries()] == ["one", "two"]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(min_value=1), more=st.booleans())
def test_a_line_torn_by_a_crash_was_never_written(tmp_path: Path, cut: int, more: bool) -> None:
    """Whatever part of the last line reached the disk: the entries before it stay, and the next one takes its place."""
    path = tmp_path / "torn.jsonl"
    path.unlink(missing_ok=True)
    ledger = FileLedger(path)
    whole = [note(ledger, reason="one"), note(ledger, reason="two")]
    kept = path.read_bytes()
    note(ledger, reason="three")
    line = path.read_bytes()[len(kept) :]
    path.write_bytes(kept + line[: cut % len(line)])

    assert ledger.entries() == whole
    after = note(ledger, reason="four")
    assert ledger.entries() == [*whole, after]


def test_a_broken_line_in_the_middle_is_never_repaired(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    ledger = FileLedger(path)
    note(ledger, reason="one")
    path.write_bytes(path.read_bytes()[:-5] + b"\n")

    with pytest.raises(Integrity, match="entry 1 cannot be read"):
        ledger.entries()


def test_several_processes_append_to_one_unbroken_chain(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    program = f"""
from datetime import UTC, datetime
from pathlib import Path
from models.adapters.file_ledger import FileLedger
from models.governance.ledger import Event
for number in range(25):
    FileLedger(Path({str(path)!r})).append(
        Event.KEPT, model="m", actor="a", at=datetime(2005, 9, 1, tzinfo=UTC), facts={{"number": number}}
    )
"""
    writers = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(3)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]

    assert len(FileLedger(path).entries()) == 75


def test_times_and_nested_facts_survive_the_file(tmp_path: Path) -> None:
    ledger = FileLedger(tmp_path / "ledger.jsonl")
    at = NOON + timedelta(microseconds=1)
    written = ledger.append(Event.KEPT, model="m", actor="é", at=at, facts={"auc": 0.1 + 0.2, "months": ["2005-07"]})

    assert ledger.entries() == [written]
    assert datetime.fromisoformat(written.recorded_at) == at


def test_a_file_that_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()

    with pytest.raises(Unavailable, match="ledger"):
        note(FileLedger(tmp_path / "folder"))


WITNESS = signer("ledger", Duty.ATTEST)


def witnessed(tmp_path: Path) -> FileLedger:
    """A ledger with a witness, and an anchor in another folder."""
    (tmp_path / "elsewhere").mkdir(exist_ok=True)
    return FileLedger(tmp_path / "ledger.jsonl", lambda: WITNESS, tmp_path / "elsewhere" / "anchor.jsonl")


def test_every_entry_is_attested_and_its_head_stands_beside_the_ledger_and_in_the_anchor(tmp_path: Path) -> None:
    ledger = witnessed(tmp_path)
    written = [note(ledger, reason=reason) for reason in ("one", "two")]

    assert ledger.entries() == written
    trusted = Trust({Duty.ATTEST: {"ledger": WITNESS.public()}})
    heads = [signed for _, signed in ledger.heads()]
    assert [signed.document["number"] for signed in heads] == [2, 1, 2]
    for signed in heads:
        trusted.verify(signed, Duty.ATTEST)


def test_nothing_is_appended_to_a_ledger_whose_end_was_cut_off(tmp_path: Path) -> None:
    ledger = witnessed(tmp_path)
    for reason in ("one", "two"):
        note(ledger, reason=reason)
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])

    with pytest.raises(Integrity, match="ends at entry 1, and its signed head names another entry 2"):
        note(ledger, reason="hides it")
    assert len(ledger.entries()) == 1


def test_nothing_is_appended_to_a_ledger_whose_head_was_taken_away(tmp_path: Path) -> None:
    ledger = witnessed(tmp_path)
    for reason in ("one", "two"):
        note(ledger, reason=reason)
    ledger.head_path.unlink()

    with pytest.raises(Integrity, match="2 entries and no signed head") as refused:
        note(ledger, reason="makes a new head")
    assert "from its backup, or write the last line of the anchor" in refused.value.hint

    (tmp_path / "ledger.head.json").write_bytes((tmp_path / "elsewhere" / "anchor.jsonl").read_bytes().splitlines()[-1])
    assert note(ledger, reason="three").number == 3


def test_a_process_killed_before_the_head_of_the_first_entry_keeps_nobody_from_the_next(tmp_path: Path) -> None:
    ledger = witnessed(tmp_path)
    before_the_first = WITNESS.sign({"number": 0, "chain": ""}).to_bytes()
    note(ledger, reason="one")
    ledger.head_path.write_bytes(before_the_first)

    assert note(ledger, reason="two").number == 2


def test_an_entry_whose_head_a_killed_process_did_not_write_stands_and_the_next_one_makes_up_for_it(tmp_path: Path) -> None:
    ledger = witnessed(tmp_path)
    note(ledger, reason="one")
    head = ledger.head_path.read_bytes()
    note(ledger, reason="two")
    ledger.head_path.write_bytes(head)

    after = note(ledger, reason="three")
    assert Signed.from_bytes(ledger.head_path.read_bytes()).document == after.head()


def test_an_entry_that_cannot_be_anchored_is_not_made(tmp_path: Path) -> None:
    ledger = FileLedger(tmp_path / "ledger.jsonl", lambda: WITNESS, tmp_path / "not mounted" / "anchor")

    with pytest.raises(Unavailable, match="anchor"):
        note(ledger, reason="one")
    assert ledger.entries() == []
    assert ledger.heads() == []


@pytest.mark.parametrize("line", [b"[" * 100_000, b'{"event":"kept"}', b"[]", b"null"])
def test_a_line_that_is_no_entry_is_refused_and_named(tmp_path: Path, line: bytes) -> None:
    (tmp_path / "ledger.jsonl").write_bytes(line + b"\n")

    with pytest.raises(Integrity, match="entry 1 cannot be read"):
        FileLedger(tmp_path / "ledger.jsonl").entries()


@pytest.mark.parametrize(
    "change", [{"facts": []}, {"facts": "x"}, {"model": {}}, {"number": True}, {"recorded_at": 5}, {"attestation": None}]
)
def test_an_entry_with_a_field_of_another_type_is_refused_and_named(tmp_path: Path, change: dict[str, Any]) -> None:
    path = tmp_path / "ledger.jsonl"
    note(FileLedger(path))
    path.write_text(json.dumps(json.loads(path.read_bytes()) | change) + "\n")

    with pytest.raises(Integrity, match="entry 1 cannot be read"):
        FileLedger(path).entries()


def test_facts_that_no_process_could_have_sealed_are_named(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    note(FileLedger(path))
    path.write_bytes(path.read_bytes().replace(b'"facts":{}', b'"facts":{"auc":NaN}'))

    with pytest.raises(Integrity, match="entry 1 was edited"):
        FileLedger(path).entries()


@pytest.mark.parametrize("document", [{}, {"number": "six", "chain": ""}, {"sequence": 3}])
def test_a_signed_document_that_is_no_head_is_named_with_its_file(tmp_path: Path, document: dict[str, Any]) -> None:
    ledger = witnessed(tmp_path)
    note(ledger, reason="one")
    ledger.head_path.write_bytes(WITNESS.sign(document).to_bytes())

    with pytest.raises(Integrity, match=r"ledger\.head\.json is no head of a ledger"):
        note(ledger, reason="two")


@pytest.mark.parametrize(
    ("content", "said"), [(b"{", "cannot be read"), (b'{"document":{},"signer":"l","duty":"attest"}', "has no sig")]
)
def test_a_head_that_is_no_signed_document_is_named_with_its_file(tmp_path: Path, content: bytes, said: str) -> None:
    ledger = witnessed(tmp_path)
    note(ledger, reason="one")
    ledger.head_path.write_bytes(content)

    for use in (ledger.heads, lambda: note(ledger, reason="two")):
        with pytest.raises(NotApproved, match=rf"ledger\.head\.json {said}"):
            use()


def forge(tmp_path: Path, *, head: bool) -> FileLedger:
    """Chained anew without the witness's key; the head fits and keeps its old signature."""
    ledger = witnessed(tmp_path)
    first, last = (note(ledger, reason=reason) for reason in ("one", "two"))
    forged = replace(last, facts={"reason": "better"}).sealed()
    (tmp_path / "ledger.jsonl").write_bytes(b"".join(canonical(asdict(entry)) + b"\n" for entry in (first, forged)))
    signed = Signed.from_bytes(ledger.head_path.read_bytes()) if head else first.signed_head()
    ledger.head_path.write_bytes(replace(signed, document=forged.head() if head else first.head()).to_bytes())
    return ledger


@pytest.mark.parametrize(("head", "said"), [(True, "the head of the ledger"), (False, "the attestation of ledger entry 2")])
def test_nothing_is_appended_to_what_the_witness_did_not_sign(tmp_path: Path, head: bool, said: str) -> None:
    ledger = forge(tmp_path, head=head)
    (tmp_path / "elsewhere" / "anchor.jsonl").write_bytes(ledger.head_path.read_bytes() + b"\n")

    with pytest.raises(Integrity, match=said):
        note(ledger, reason="vouches for it")
    assert len(ledger.entries()) == 2


def test_nothing_is_appended_to_a_ledger_whose_end_only_the_anchor_still_knows(tmp_path: Path) -> None:
    ledger = witnessed(tmp_path)
    note(ledger, reason="one")
    kept = (tmp_path / "ledger.jsonl").read_bytes(), ledger.head_path.read_bytes()
    note(ledger, reason="two")
    (tmp_path / "ledger.jsonl").write_bytes(kept[0])
    ledger.head_path.write_bytes(kept[1])

    with pytest.raises(Integrity, match=r"a head in .*anchor\.jsonl names another entry 2"):
        note(ledger, reason="hides it")


def test_a_process_killed_between_anchor_and_head_keeps_nobody_from_the_next(tmp_path: Path) -> None:
    ledger = witnessed(tmp_path)
    note(ledger, reason="one")
    head = ledger.head_path.read_bytes()
    note(ledger, reason="two")
    ledger.head_path.write_bytes(head)

    assert [signed.document["number"] for _, signed in ledger.heads()] == [1, 1, 2]
    assert note(ledger, reason="three").number == 3


def test_a_witness_that_is_not_trusted_spoils_no_ledger(tmp_path: Path) -> None:
    """Somebody lost its key, and another one was made."""
    trusted = Trust({Duty.ATTEST: {"ledger": WITNESS.public()}})
    other = Signer("ledger", Duty.ATTEST, Ed25519PrivateKey.generate())
    note(FileLedger(tmp_path / "ledger.jsonl", lambda: WITNESS, trust=lambda: trusted), reason="one")

    with pytest.raises(Integrity, match="the witness's key here is not the one that is trusted"):
        note(FileLedger(tmp_path / "ledger.jsonl", lambda: other, trust=lambda: trusted), reason="two")
    assert len(FileLedger(tmp_path / "ledger.jsonl").entries()) == 1


def test_who_may_only_read_reads_and_is_told_that_nothing_was_recorded() -> None:
    with shared_folder() as folder:
        written = note(FileLedger(folder / "ledger.jsonl"))
        with only_reading(folder):
            ledger = FileLedger(folder / "ledger.jsonl")
            assert ledger.entries() == [written]
            with pytest.raises(Unavailable, match="Permission denied"):
                note(ledger)
