"""Who may do what where people sign in. Every door asks these rules; none has its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """A person may have several."""

    VIEWER = "viewer"
    DEVELOPER = "developer"
    APPROVER = "approver"
    OPERATOR = "operator"


class Act(StrEnum):
    LOOK = "look at the pages"
    READ_DECISIONS = "look at decisions on single accounts"
    DECIDE = "approve, reject and promote"
    ROLL_BACK = "roll back"
    STOP = "stop and resume"
    HANDLE_ALERTS = "acknowledge and close alerts"


ALLOWED: Mapping[Role, frozenset[Act]] = {
    Role.VIEWER: frozenset({Act.LOOK}),
    Role.DEVELOPER: frozenset({Act.LOOK, Act.HANDLE_ALERTS}),
    Role.APPROVER: frozenset({Act.LOOK, Act.READ_DECISIONS, Act.DECIDE, Act.ROLL_BACK}),
    Role.OPERATOR: frozenset({Act.LOOK, Act.READ_DECISIONS, Act.ROLL_BACK, Act.STOP, Act.HANDLE_ALERTS}),
}
"""Decisions on single accounts are for who must answer a customer or a validator, not for everybody who looks at figures."""


@dataclass(frozen=True)
class Person:
    """Whoever acts. `name` stands in the ledger under everything that is done."""

    name: str
    roles: frozenset[Role]

    def may(self, act: Act) -> bool:
        return any(act in ALLOWED[role] for role in self.roles)


def who_may(act: Act) -> str:
    """The roles that an act is for, for a message: approver or operator."""
    return " or ".join(role for role in Role if act in ALLOWED[role])
