"""What a token must say, and what it allows."""

from datetime import timedelta
from typing import Any

import pytest

from models.errors import PlatformError, Unavailable
from models.governance.api_keys import Action, Allowance
from serving.door.needs import Need, to_score
from serving.door.refusals import NotAuthenticated, NotPermitted, TooManyRequests
from serving.door.tokens import LONGEST, Role, Rules, Tokens, admitted
from tests.bundles import MODEL, NOW
from tests.issuers import AUDIENCE, ISSUER, ROLES, claims

RULES = Rules(ISSUER, AUDIENCE, {name: Role.model_validate(role) for name, role in ROLES.items()})
AT = NOW.timestamp()


class Trusting:
    """Says what it is told to have found in any token."""

    def __init__(self, **said: Any) -> None:
        self.said = claims(**said)
        self.generation = 0
        self.asked = 0
        self.known = True

    def ensure_known(self) -> None:
        if not self.known:
            raise Unavailable("the token issuer's keys are not known")

    def claims(self, token: bytes) -> dict[str, Any]:
        self.asked += 1
        return self.said

    def notes(self) -> dict[str, PlatformError]:
        return {}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"aud": ["another", AUDIENCE]},
        {"nbf": None},
        {"iat": None},
        {"exp": AT - 29},
        {"nbf": AT + 29},
        {"exp": AT + 60, "nbf": AT - 86_340, "iat": None},
        {"exp": AT + 60, "nbf": AT - 60, "iat": AT - 29 * 86_400},
        {"roles": "scorer auditor"},
        {"roles": ["unknown", "scorer", 7]},
    ],
)
def test_a_token_that_says_what_it_must_is_in_force(changes: dict[str, Any]) -> None:
    assert admitted(claims(**changes), RULES, AT).subject.name == "sub:u-17"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"iss": None}, "another issuer"),
        ({"iss": ISSUER + "/"}, "another issuer"),
        ({"iss": [ISSUER]}, "another issuer"),
        ({"aud": None}, "another audience"),
        ({"aud": "scoring-too"}, "another audience"),
        ({"aud": [["scoring"]]}, "another audience"),
        ({"aud": {"scoring": 1}}, "another audience"),
        ({"exp": None}, "from when until when"),
        ({"nbf": None, "iat": None}, "from when until when"),
        ({"exp": AT - 31}, "not in force"),
        ({"nbf": AT + 31}, "not in force"),
        ({"iat": AT + 31}, "not in force"),
        ({"exp": AT + 86_401}, "longer than tokens may be"),
        ({"exp": AT + 60, "nbf": AT - 86_341, "iat": None}, "longer than tokens may be"),
        ({"exp": AT + 60, "iat": AT - 29 * 86_400, "nbf": None}, "longer than tokens may be"),
        ({"exp": str(AT + 60)}, "exp is no instant"),
        ({"exp": True}, "exp is no instant"),
        ({"exp": float("inf")}, "exp is no instant"),
        ({"exp": float("nan")}, "exp is no instant"),
        ({"nbf": "0"}, "nbf is no instant"),
        ({"sub": None}, "no subject"),
        ({"sub": ""}, "no subject"),
        ({"sub": 17}, "no subject"),
        ({"sub": "x" * 256}, "no subject"),
        ({"sub": "a\nb"}, "no subject"),
        ({"roles": None}, "no role"),
        ({"roles": []}, "no role"),
        ({"roles": ["unknown"]}, "no role"),
        ({"roles": {"scorer": 1}}, "no role"),
    ],
)
def test_a_token_that_says_otherwise_opens_nothing_and_is_not_repeated(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(NotAuthenticated, match=said) as caught:
        admitted(claims(**changes), RULES, AT)
    assert "u-17" not in str(caught.value)


def test_roles_allow_each_its_own_and_nothing_together() -> None:
    holder = Tokens(RULES, Trusting(roles=["scorer", "officer"])).admit(b"t", NOW)
    holder.permit(to_score(MODEL))
    holder.permit(Need(frozenset({Action.REVIEW}), "other"))
    for need in (to_score("other"), Need(frozenset({Action.REVIEW}), MODEL), Need(frozenset({Action.COUNTERFACTUAL}), MODEL)):
        with pytest.raises(NotPermitted):
            holder.permit(need)
    assert (holder.covers("other", Action.REVIEW), holder.covers(MODEL, Action.REVIEW)) == (True, False)


def test_roles_may_lie_deeper() -> None:
    rules = Rules(ISSUER, AUDIENCE, RULES.roles, roles_claim="realm_access.roles")
    assert admitted(claims(realm_access={"roles": ["auditor"]}), rules, AT).subject.grants[0].actions == {Action.READ}
    with pytest.raises(NotAuthenticated):
        admitted(claims(realm_access=["auditor"]), rules, AT)


def test_a_token_brings_reviews_of_whom_it_names() -> None:
    Tokens(RULES, Trusting()).admit(b"t", NOW).permit_reviewer("r.lin")
    for whose in ({}, {"preferred_username": None}, {"preferred_username": ["a.ito"]}):
        with pytest.raises(NotPermitted):
            Tokens(RULES, Trusting(**whose)).admit(b"t", NOW).permit_reviewer("a.ito")


def test_a_token_is_verified_once_while_the_keys_stay_the_same_and_judged_each_time() -> None:
    verifier = Trusting()
    tokens = Tokens(RULES, verifier)
    first = tokens.admit(b"t", NOW)
    assert tokens.admit(b"t", NOW) is first
    assert verifier.asked == 1
    with pytest.raises(NotAuthenticated, match="not in force"):
        tokens.admit(b"t", NOW + timedelta(seconds=3_631))
    verifier.generation += 1
    tokens.admit(b"t", NOW)
    assert verifier.asked == 2


def test_a_token_that_was_verified_opens_nothing_once_the_issuers_keys_are_not_known_any_more() -> None:
    verifier = Trusting()
    tokens = Tokens(RULES, verifier)
    tokens.admit(b"t", NOW)
    verifier.known = False
    with pytest.raises(Unavailable, match="not known"):
        tokens.admit(b"t", NOW)


def test_the_allowance_is_the_subject_s_whatever_token_it_shows_and_whichever_roles() -> None:
    verifier = Trusting()
    tokens = Tokens(Rules(ISSUER, AUDIENCE, RULES.roles, allowance=Allowance(requests_per_second=0.001, burst=1)), verifier)
    tokens.admit(b"one", NOW).count()
    verifier.said = claims(roles=["auditor"])
    with pytest.raises(TooManyRequests):
        tokens.admit(b"two", NOW).count()
    verifier.said = claims(sub="u-18")
    tokens.admit(b"three", NOW).count()


def test_requests_at_a_time_are_the_subject_s_whichever_roles_each_came_with() -> None:
    verifier = Trusting()
    tokens = Tokens(Rules(ISSUER, AUDIENCE, RULES.roles, allowance=Allowance(in_flight=2)), verifier)
    first = tokens.admit(b"one", NOW)
    first.enter()
    verifier.said = claims(roles=["auditor"])
    tokens.admit(b"two", NOW).enter()
    for token in (b"one", b"two"):
        with pytest.raises(TooManyRequests, match="at a time"):
            tokens.admit(token, NOW).enter()
    first.leave()
    tokens.admit(b"two", NOW).enter()


def test_a_token_of_any_length_is_not_read() -> None:
    verifier = Trusting()
    with pytest.raises(NotAuthenticated, match="longer than"):
        Tokens(RULES, verifier).admit(b"x" * (LONGEST + 1), NOW)
    assert verifier.asked == 0
