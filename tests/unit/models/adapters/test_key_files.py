"""Keys are private, made once, and one key never holds both duties."""

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from models.adapters.key_files import DEMONSTRATION_APPROVER, PUBLISHER, WITNESS, key_path, make_local_keys, signer, trust
from models.errors import Misconfigured
from models.governance.signing import Duty


def made(folder: Path) -> Path:
    make_local_keys(folder, folder / "trust.json")
    return folder


def test_the_keys_of_the_local_profile_sign_what_its_trust_file_accepts(tmp_path: Path) -> None:
    made(tmp_path)

    trust(tmp_path / "trust.json").verify(signer(tmp_path, PUBLISHER, Duty.PUBLISH).sign({}), Duty.PUBLISH)
    trust(tmp_path / "trust.json").verify(signer(tmp_path, DEMONSTRATION_APPROVER, Duty.APPROVE).sign({}), Duty.APPROVE)


def test_only_their_owner_may_read_private_keys(tmp_path: Path) -> None:
    keys = list(made(tmp_path).glob("*.pem"))

    assert [stat.S_IMODE(key.stat().st_mode) for key in keys] == [0o600, 0o600, 0o600]


def test_keys_are_made_once(tmp_path: Path) -> None:
    first = signer(made(tmp_path), PUBLISHER, Duty.PUBLISH).public()

    assert signer(made(tmp_path), PUBLISHER, Duty.PUBLISH).public() == first


def test_processes_that_start_together_agree_on_the_keys(tmp_path: Path) -> None:
    start = Barrier(6)

    def first_use(_: int) -> str:
        start.wait()
        return signer(made(tmp_path), PUBLISHER, Duty.PUBLISH).public()

    with ThreadPoolExecutor(6) as pool:
        seen = set(pool.map(first_use, range(6)))

    assert seen == {trust(tmp_path / "trust.json").keys[Duty.PUBLISH][PUBLISHER]}


def test_a_missing_key_is_never_made_up(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"publish-pipeline\.pem"):
        signer(tmp_path, PUBLISHER, Duty.PUBLISH)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "publish-pipeline.pem").write_text("not a key")

    with pytest.raises(Misconfigured):
        signer(tmp_path, PUBLISHER, Duty.PUBLISH)


def test_a_missing_trust_file_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"trust\.json"):
        trust(tmp_path / "trust.json")


@pytest.mark.parametrize(
    "content", ["", "[]", "{", '{"steal": {}}', '{"publish": {"a": "short"}}', '{"publish": 1}', '{"publish": {"a": 1}}']
)
def test_a_broken_trust_file_trusts_nobody(content: str, tmp_path: Path) -> None:
    (tmp_path / "trust.json").write_text(content)

    with pytest.raises(Misconfigured, match="cannot be read"):
        trust(tmp_path / "trust.json")


@pytest.mark.parametrize("others", [{"approve": {"boss": 0}}, {"approve": {}, "attest": {"ledger": 0}}, {"publish": {"twin": 0}}])
def test_one_key_has_one_name_and_one_duty(others: dict[str, dict[str, object]], tmp_path: Path) -> None:
    key = signer(made(tmp_path), PUBLISHER, Duty.PUBLISH).public()
    keys = {duty: dict.fromkeys(names, key) for duty, names in others.items()}
    keys["publish"] = keys.get("publish", {}) | {"pipeline": key}
    (tmp_path / "trust.json").write_text(json.dumps(keys))

    with pytest.raises(Misconfigured, match="one key two names or two duties"):
        trust(tmp_path / "trust.json")


def test_a_home_of_before_there_was_a_witness_gets_one_and_keeps_whom_it_trusts(tmp_path: Path) -> None:
    before = {duty: keys for duty, keys in trust(made(tmp_path) / "trust.json").keys.items() if duty is not Duty.ATTEST}
    before[Duty.APPROVE] = {}
    (tmp_path / "trust.json").write_text(json.dumps(before))

    after = trust(made(tmp_path) / "trust.json").keys
    assert after[Duty.ATTEST] == {WITNESS: signer(tmp_path, WITNESS, Duty.ATTEST).public()}
    assert after[Duty.APPROVE] == {}


@pytest.mark.parametrize(("name", "duty"), [(WITNESS, Duty.ATTEST), (PUBLISHER, Duty.PUBLISH)])
def test_a_lost_key_that_the_trust_file_lists_is_not_made_anew(tmp_path: Path, name: str, duty: Duty) -> None:
    listed = trust(made(tmp_path) / "trust.json").keys
    path = key_path(tmp_path, name, duty)
    path.unlink()
    make_local_keys(tmp_path, tmp_path / "trust.json")
    assert not path.exists()
    with pytest.raises(Misconfigured, match=f"there is no private key to {duty}") as refused:
        signer(tmp_path, name, duty)
    assert "from its backup" in refused.value.hint
    assert trust(tmp_path / "trust.json").keys == listed


def test_a_name_without_a_key_is_no_wrong_passphrase(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="there is no private key to approve") as refused:
        signer(tmp_path, "anna", Duty.APPROVE, "four words are enough")
    assert "is 'anna' the right name" in refused.value.hint
