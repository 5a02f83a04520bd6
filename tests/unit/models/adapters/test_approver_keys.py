"""A person's key is the person's: encrypted, private, made once, and trusted only when somebody else says so."""

import stat
from pathlib import Path

import pytest

from models.adapters.approver_keys import ApproverKeys
from models.adapters.key_files import make_local_keys, trust
from models.errors import Conflict, Misconfigured, NotFound
from models.governance.signing import Duty

PASSPHRASE = "correct horse battery"


@pytest.fixture
def keys(tmp_path: Path) -> ApproverKeys:
    make_local_keys(tmp_path / "keys", tmp_path / "trust.json")
    return ApproverKeys(tmp_path / "own", tmp_path / "proposed", tmp_path / "trust.json")


def test_a_new_approver_counts_once_admitted_and_no_longer_once_dismissed(keys: ApproverKeys, tmp_path: Path) -> None:
    path, _ = keys.make("ana", PASSPHRASE)
    ana = keys.open("ana", PASSPHRASE)
    assert path.parent == tmp_path / "own"
    assert "ana" not in trust(tmp_path / "trust.json").keys[Duty.APPROVE]

    assert keys.admit("ana") == ana.public()
    trust(tmp_path / "trust.json").verify(ana.sign({}), Duty.APPROVE)

    assert keys.dismiss("ana") == ana.public()
    assert "ana" not in trust(tmp_path / "trust.json").keys[Duty.APPROVE]


def test_the_private_key_is_encrypted_and_only_its_owner_may_read_it(keys: ApproverKeys) -> None:
    path, proposal = keys.make("ana", PASSPHRASE)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert b"ENCRYPTED" in path.read_bytes()
    assert b"PRIVATE" not in proposal.read_bytes()
    for wrong in ("", "another passphrase"):
        with pytest.raises(Misconfigured, match="cannot be opened"):
            keys.open("ana", wrong)


def test_a_key_is_never_overwritten(keys: ApproverKeys) -> None:
    path, _ = keys.make("ana", PASSPHRASE)
    before = path.read_bytes()

    with pytest.raises(Conflict, match="has a key already"):
        keys.make("ana", PASSPHRASE)
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["pipeline", "demonstration-approver", "ledger"])
def test_a_refused_name_that_is_well_formed_is_called_reserved(name: str, keys: ApproverKeys) -> None:
    with pytest.raises(Misconfigured, match="reserved") as error:
        keys.make(name, PASSPHRASE)
    assert "small letters" not in error.value.hint


@pytest.mark.parametrize("name", ["", "Ana", "../ana", "ana/b", "pipeline", "demonstration-approver", "ledger"])
def test_a_name_that_could_leave_the_folder_or_stand_for_a_job_is_refused(name: str, keys: ApproverKeys) -> None:
    with pytest.raises(Misconfigured, match="cannot be an approver's name"):
        keys.make(name, PASSPHRASE)


def test_a_short_passphrase_is_refused_and_nothing_is_made(keys: ApproverKeys, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="too short"):
        keys.make("ana", "short")
    assert not (tmp_path / "own").exists()


def test_a_second_key_does_not_take_over_a_trusted_name(keys: ApproverKeys, tmp_path: Path) -> None:
    keys.make("ana", PASSPHRASE)
    keys.admit("ana")
    keys.admit("ana")
    other = ApproverKeys(tmp_path / "elsewhere", tmp_path / "proposed", tmp_path / "trust.json")
    other.make("ana", PASSPHRASE)

    with pytest.raises(Conflict, match="another key is trusted as ana"):
        keys.admit("ana")


def test_a_key_that_already_publishes_is_not_admitted_as_an_approver(keys: ApproverKeys, tmp_path: Path) -> None:
    publisher = trust(tmp_path / "trust.json").keys[Duty.PUBLISH]["pipeline"]
    keys.make("ana", PASSPHRASE)
    (tmp_path / "proposed" / "ana.json").write_text(f'{{"approve": {{"ana": "{publisher}"}}}}')

    with pytest.raises(Misconfigured, match="two names or two duties"):
        keys.admit("ana")


def test_whoever_is_not_there_cannot_be_admitted_or_dismissed(keys: ApproverKeys, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="nobody proposed"):
        keys.admit("ana")
    (tmp_path / "proposed").mkdir()
    (tmp_path / "proposed" / "ana.json").write_text('{"approve": {"ben": "%s"}}' % ("A" * 43 + "="))
    with pytest.raises(NotFound, match="nobody proposed"):
        keys.admit("ana")
    with pytest.raises(NotFound, match="not trusted"):
        keys.dismiss("ana")
