"""People who sign in: let in and taken out by somebody who answers for it, with a password that nobody keeps."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from models.adapters.user_files import UserFiles
from models.clock import FixedClock
from models.errors import Conflict, InputRefused, Integrity, Misconfigured, NotFound, Unavailable
from models.governance.access import Role
from models.governance.ledger import Event
from models.governance.users import check_users, make, remove, signed_in
from tests.fakes.ledger import FakeLedger

CLOCK = FixedClock(datetime(2005, 9, 1, tzinfo=UTC))


class Home:
    def __init__(self, folder: Path) -> None:
        self.users, self.ledger = UserFiles(folder / "keys"), FakeLedger()

    def let_in(self, name: str = "ana", *roles: str) -> str:
        return make(self.users, self.ledger, CLOCK, name, roles or ("viewer",), by="ben", reason="she validates models")[1]

    def take_out(self, name: str = "ana") -> None:
        remove(self.users, self.ledger, CLOCK, name, by="ben", reason="she left")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_whoever_was_let_in_signs_in_with_the_password_that_was_shown(home: Home) -> None:
    password = home.let_in("ana", "approver", "viewer")
    user = signed_in(home.users, "ana", password)
    assert user is not None
    assert user.person.roles == {Role.APPROVER, Role.VIEWER}


def test_nothing_that_is_kept_has_the_password_in_it_and_only_its_owner_may_read_it(home: Home) -> None:
    password = home.let_in()
    (kept,) = home.users.folder.iterdir()
    assert password not in kept.read_text()
    assert password not in str(home.ledger.entries())
    assert kept.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(("name", "password"), [("ana", "wrong"), ("ana", ""), ("nobody", "any"), ("../ana", "any")])
def test_a_wrong_name_or_password_lets_nobody_in(home: Home, name: str, password: str) -> None:
    home.let_in()
    assert signed_in(home.users, name, password) is None


def test_two_people_with_one_password_would_be_kept_differently(home: Home) -> None:
    home.let_in("ana")
    home.let_in("ben")
    assert len({user.salt for user in home.users.all()}) == 2


def test_a_new_password_takes_the_place_of_the_former(home: Home) -> None:
    former, newer = home.let_in(), home.let_in("ana", "operator")
    assert signed_in(home.users, "ana", former) is None
    user = signed_in(home.users, "ana", newer)
    assert user is not None
    assert user.roles == (Role.OPERATOR,)


def test_whoever_was_taken_out_signs_in_no_longer_and_the_ledger_says_by_whom(home: Home) -> None:
    password = home.let_in()
    home.take_out()
    assert signed_in(home.users, "ana", password) is None
    entry = home.ledger.entries()[-1]
    assert (entry.event, entry.actor) == (Event.USER_REMOVED, "ben")
    assert (entry.facts["name"], entry.facts["reason"]) == ("ana", "she left")
    with pytest.raises(Conflict, match="ana was removed"):
        home.take_out()


def test_nobody_can_be_taken_out_who_was_never_let_in(home: Home) -> None:
    with pytest.raises(NotFound, match="nobody signs in as 'ana'"):
        home.take_out()


@pytest.mark.parametrize(("name", "roles"), [("Ana", ["viewer"]), ("../ana", ["viewer"]), ("ana", ["root"]), ("ana", [])])
def test_no_strange_name_and_no_unknown_role_gets_in(home: Home, name: str, roles: list[str]) -> None:
    with pytest.raises(InputRefused):
        make(home.users, home.ledger, CLOCK, name, roles, by="ben", reason="why not")
    assert home.users.all() == []


def test_somebody_answers_for_letting_in(home: Home) -> None:
    with pytest.raises(InputRefused, match="a person answers"):
        make(home.users, home.ledger, CLOCK, "ana", ["viewer"], by="", reason="")


def test_nobody_gets_in_whom_the_ledger_cannot_record(home: Home) -> None:
    class Broken(FakeLedger):
        def append(self, *given: object, **more: object) -> None:  # type: ignore[override]
            raise Unavailable("the disk is full")

    with pytest.raises(Unavailable):
        make(home.users, Broken(), CLOCK, "ana", ["viewer"], by="ben", reason="she validates models")
    assert home.users.all() == []
    home.let_in()
    with pytest.raises(Integrity, match="cannot sign in any more, but that is not recorded"):
        remove(home.users, Broken(), CLOCK, "ana", by="ben", reason="she left")
    assert home.users.all()[0].removed_at is not None


def test_an_account_that_was_edited_or_written_by_hand_is_a_finding(home: Home) -> None:
    home.let_in()
    assert list(check_users(home.ledger.entries(), home.users.all())) == []
    (user,) = home.users.all()
    home.users.keep(user.model_copy(update={"roles": (Role.APPROVER,)}))
    home.users.keep(user.model_copy(update={"name": "eve"}))
    found = {finding.where: finding.problem for finding in check_users(home.ledger.entries(), home.users.all())}
    assert "edited" in found["user ana"]
    assert "does not say who let them" in found["user eve"]


def test_a_damaged_account_is_named_without_showing_what_stands_in_it(home: Home) -> None:
    home.let_in()
    (kept,) = home.users.folder.iterdir()
    kept.write_text('{"name": "ana", "digest": "secret"}')
    with pytest.raises(Misconfigured, match=r"ana\.json cannot be read") as found:
        home.users.all()
    assert "secret" not in str(found.value)
