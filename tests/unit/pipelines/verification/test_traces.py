"""A record that was taken away leaves traces; what nobody registered is not taken for released."""

from dataclasses import replace
from pathlib import Path

from models.adapters.folder_channel import FolderChannel
from models.governance import release
from pipelines.verification.traces import check_traces
from tests.fakes.channel import FakeChannel
from tests.office import MODEL, Bank, paper_bundle, validator


def test_a_home_in_which_nothing_happened_has_nothing_to_say() -> None:
    assert list(check_traces([], FakeChannel(), [])) == []


def test_a_ledger_that_was_taken_away_with_everything_signed_is_missed() -> None:
    bank = Bank()
    bank.ask("first")
    (found,) = check_traces([], bank.channel, ["var/channel/bundles", "var/evidence"])
    assert found.where == "ledger"
    assert "var/channel/bundles and 1 more" in found.problem
    assert "backup" in found.hint


def test_a_bundle_that_nobody_registered_is_named() -> None:
    bank = Bank()
    release.promote(bank.office, MODEL, bank.ask("first"))
    assert list(check_traces(bank.ledger.entries(), bank.channel, [])) == []

    smuggled = paper_bundle("smuggled")
    bank.channel.add_bundle(smuggled.digest, smuggled.files)
    (found,) = check_traces(bank.ledger.entries(), bank.channel, [])
    assert found.where == f"bundle {smuggled.digest[:12]}"


def test_what_lies_among_the_approvals_and_is_none_is_reported_and_voids_nothing(tmp_path: Path) -> None:
    bank = Bank(channel=FolderChannel(tmp_path))
    digest = bank.ask("first")
    release.promote(bank.office, MODEL, digest)
    folder = tmp_path / "approvals" / digest
    for name, data in {"junk.json": b"{", "mallory.json": b'{"document":{},"duty":"approve","signer":["x"]}'}.items():
        (folder / name).write_bytes(data)
    (folder / "notes.txt").write_text("ring me")
    (folder / "folder.json").mkdir()
    (tmp_path / "approvals" / "lost.json").write_text("{}")

    assert [signed.signer for signed in bank.channel.approvals(digest)] == [validator().name]
    assert bank.served() == digest
    where = {Path(found.where).name for found in check_traces(bank.ledger.entries(), bank.channel, [])}
    assert where == {"junk.json", "mallory.json", "notes.txt", "folder.json", "lost.json"}


def test_an_approval_whose_signer_is_no_name_counts_for_nothing_and_stops_nothing(tmp_path: Path) -> None:
    bank = Bank(channel=FolderChannel(tmp_path))
    digest = bank.ask("first")
    release.promote(bank.office, MODEL, digest)
    (approval,) = bank.channel.approvals(digest)
    odd = replace(approval, signer=["validator"])  # type: ignore[arg-type]
    (tmp_path / "approvals" / digest / "odd.json").write_bytes(odd.to_bytes())
    assert bank.served() == digest
