"""Keys of homes that deliver."""

from pathlib import Path

import pytest

from models.adapters.key_files import make_local_keys, trust
from models.adapters.sender_keys import SenderKeys
from models.errors import Conflict, Misconfigured, NotFound
from models.governance.signing import Duty


@pytest.fixture
def keys(tmp_path: Path) -> SenderKeys:
    make_local_keys(tmp_path, tmp_path / "trust.json")
    return SenderKeys(tmp_path, tmp_path / "trust.json")


def test_a_home_keeps_its_key(keys: SenderKeys, tmp_path: Path) -> None:
    assert keys.make("dev").public() == keys.make("dev").public() == keys.own("dev").public()
    assert (tmp_path / "deliver-dev.pem").stat().st_mode & 0o077 == 0
    with pytest.raises(Misconfigured, match="no private key to deliver"):
        keys.own("staging")


def test_a_sender_counts_once_it_is_written_and_no_longer_once_it_is_taken_out(keys: SenderKeys, tmp_path: Path) -> None:
    public = keys.make("dev").public()
    changed = keys.proposed("dev", public)
    assert Duty.DELIVER not in trust(tmp_path / "trust.json").keys
    keys.write(changed)
    assert trust(tmp_path / "trust.json").keys[Duty.DELIVER] == {"dev": public}
    with pytest.raises(Conflict, match="another key is listed"):
        keys.proposed("dev", keys.make("other").public())
    keys.write(keys.without("dev"))
    assert trust(tmp_path / "trust.json").keys[Duty.DELIVER] == {}
    with pytest.raises(NotFound, match="does not deliver here"):
        keys.without("dev")


def test_a_publisher_cannot_be_listed_as_a_sender_too(keys: SenderKeys, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="two duties"):
        keys.proposed("dev", trust(tmp_path / "trust.json").keys[Duty.PUBLISH]["pipeline"])


@pytest.mark.parametrize(("name", "key"), [("../dev", "x"), ("dev", "no key"), ("dev", "c2hvcnQ=")])
def test_what_is_no_name_or_no_key_is_refused(name: str, key: str, keys: SenderKeys) -> None:
    with pytest.raises(Misconfigured):
        keys.proposed(name, key)
