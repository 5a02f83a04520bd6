"""The limits of a roll-out are plain data, refused where they make no sense, and fitted to the champion."""

import json
import math
from typing import Any

import pytest

from models.errors import Misconfigured
from models.guardrails import Guardrails, accounts_needed

REFERENCE = {
    "actions": {"keep": 600, "review": 250, "reduce": 150},
    "score": {"edges": [0.1, 0.2, 0.4], "counts": [250, 250, 250, 250]},
}


def test_they_survive_being_written_and_read_as_json() -> None:
    limits = Guardrails(drop=0.03, score_edges=(0.1, 0.2), longest_days=10, groups={"sex": ("female", "male")})

    assert Guardrails.from_dict(json.loads(json.dumps(limits.to_dict()))) == limits


def test_what_is_not_named_has_its_default() -> None:
    assert Guardrails.from_dict({"agreement": 0.8}) == Guardrails(agreement=0.8)


@pytest.mark.parametrize(
    "data",
    [
        {"agreement": 0.0},
        {"false_alarms": 0.01},
        {"tolerance": 1e9},
        {"tolerance": math.nan},
        {"latency_p50": 101},
        {"drop": math.nan},
        {"drop": 0.6},
        {"latency_p99": 0.5},
        {"latency_p50": math.inf},
        {"tolerance": 0.9},
        {"smallest_accounts": 0},
        {"longest_days": 1.5},
        {"longest_days": 32},
        {"score_edges": [0.2, 0.1]},
        {"score_edges": [0.1, math.inf]},
        {"error_rate": "much"},
        {"score_edges": 3},
        {"groups": 3},
        {"groups": {"sex": []}},
        {"friendliness": 1},
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(Misconfigured):
        Guardrails.from_dict(data)


def test_fitted_to_a_champion_they_have_its_bins_and_its_rate() -> None:
    limits = Guardrails(agreement=0.8).fitted(REFERENCE, share=0.2)

    assert limits.score_edges == (0.1, 0.2, 0.4)
    assert limits.favourable_rate == 0.6
    assert limits.smallest_accounts == accounts_needed(0.02, 0.6, 0.2)
    assert limits.agreement == 0.8


def test_a_smaller_drop_that_was_stated_needs_the_accounts_that_it_takes() -> None:
    limits = Guardrails().fitted(REFERENCE, 0.2, {"drop": 0.005, "agreement": 0.8})

    assert (limits.drop, limits.agreement) == (0.005, 0.8)
    assert limits.smallest_accounts == accounts_needed(0.005, 0.6, 0.2) > accounts_needed(0.02, 0.6, 0.2)


def test_accounts_and_rate_that_were_stated_stay_as_stated() -> None:
    limits = Guardrails().fitted(REFERENCE, 0.2, {"drop": 0.005, "smallest_accounts": 300, "favourable_rate": 0.7})

    assert (limits.smallest_accounts, limits.favourable_rate) == (300, 0.7)


def test_a_smaller_drop_and_a_more_uneven_share_need_more_accounts() -> None:
    assert accounts_needed(0.01, 0.6, 0.5) > accounts_needed(0.02, 0.6, 0.5)
    assert accounts_needed(0.02, 0.6, 0.1) > accounts_needed(0.02, 0.6, 0.5)
    assert accounts_needed(0.02, 0.6, 0.9) == accounts_needed(0.02, 0.6, 0.1)
