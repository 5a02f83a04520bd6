"""Who may do what where people sign in."""

import pytest

from models.governance.access import ALLOWED, Act, Person, Role, who_may


def person(*roles: Role) -> Person:
    return Person("ana", frozenset(roles))


def test_whoever_has_a_role_may_look_and_whoever_has_none_may_nothing() -> None:
    assert all(person(role).may(Act.LOOK) for role in Role)
    assert not any(person().may(act) for act in Act)


@pytest.mark.parametrize(
    ("act", "roles"),
    [
        (Act.READ_DECISIONS, {Role.APPROVER, Role.OPERATOR}),
        (Act.DECIDE, {Role.APPROVER}),
        (Act.ROLL_BACK, {Role.APPROVER, Role.OPERATOR}),
        (Act.STOP, {Role.OPERATOR}),
        (Act.HANDLE_ALERTS, {Role.DEVELOPER, Role.OPERATOR}),
    ],
)
def test_each_act_is_for_its_roles_and_for_no_other(act: Act, roles: set[Role]) -> None:
    assert {role for role in Role if person(role).may(act)} == roles


def test_roles_add_up() -> None:
    both = person(Role.DEVELOPER, Role.APPROVER)
    assert both.may(Act.DECIDE)
    assert both.may(Act.HANDLE_ALERTS)
    assert not both.may(Act.STOP)


def test_a_refusal_can_name_who_may() -> None:
    assert who_may(Act.READ_DECISIONS) == "approver or operator"


def test_no_role_is_forgotten_in_the_table() -> None:
    assert ALLOWED.keys() == set(Role)
