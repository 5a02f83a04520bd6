"""Keys as files: their owner's alone, given once, read again only when they changed."""

from pathlib import Path

import pytest

from models.adapters.api_key_files import ApiKeyFiles, LatestApiKeys
from models.errors import Conflict, Misconfigured, NotFound
from models.governance.api_keys import ApiKey, issue
from tests.bundles import NOW


def key(name: str, secret: str = "secret") -> ApiKey:
    return issue(secret, name, models=["all"], actions=["score"], days=1, now=NOW)


def test_what_is_added_is_found_again_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    files = ApiKeyFiles(tmp_path)
    files.add(key("b"))
    files.add(key("a"))
    assert {path.stat().st_mode & 0o777 for path in files.folder.iterdir()} == {0o600}  # before anything reads and closes it
    assert files.folder.stat().st_mode & 0o777 == 0o700
    assert files.all() == [key("a"), key("b")]
    assert files.find("a") == key("a")
    with pytest.raises(NotFound, match="no key 'c'"):
        files.find("c")


def test_a_name_is_given_once(tmp_path: Path) -> None:
    files = ApiKeyFiles(tmp_path)
    files.add(key("a"))
    for again in (lambda: files.add(key("a", "another")), lambda: files.ensure_free("a")):
        with pytest.raises(Conflict, match="is or was a key 'a'"):
            again()
    assert files.all() == [key("a")]


def test_a_running_process_notices_what_is_added_revoked_and_taken_away(tmp_path: Path) -> None:
    files, latest = ApiKeyFiles(tmp_path), LatestApiKeys(tmp_path)
    assert (latest.look(), latest.any) == (False, False)
    files.add(key("a"))
    assert (latest.look(), latest.look(), latest.keys) == (True, False, [key("a")])
    revoked = key("a").model_copy(update={"revoked_at": NOW})
    files.replace(revoked)
    assert (latest.look(), latest.keys, latest.any) == (True, [revoked], True)
    (files.folder / "a.json").unlink()
    assert (latest.look(), latest.keys, latest.any) == (True, [], False)


def test_a_damaged_file_opens_nothing_is_told_at_every_look_and_hides_no_other(tmp_path: Path) -> None:
    files, latest = ApiKeyFiles(tmp_path), LatestApiKeys(tmp_path)
    files.add(key("a"))
    files.add(key("b"))
    latest.look()
    (files.folder / "a.json").write_bytes(b'{"digest": "deadbeef"')
    for _ in range(2):
        with pytest.raises(Misconfigured, match=r"a\.json cannot be read") as error:
            latest.look()
        assert "deadbeef" not in str(error.value)
        assert latest.keys == [key("b")]
        assert latest.any
    files.replace(key("a"))
    assert (latest.look(), latest.keys) == (True, [key("a"), key("b")])


def test_a_file_under_another_name_is_refused(tmp_path: Path) -> None:
    files = ApiKeyFiles(tmp_path)
    files.add(key("a"))
    (files.folder / "a.json").rename(files.folder / "b.json")
    with pytest.raises(Misconfigured, match="is of 'a'"):
        files.all()
