"""What would have helped, asked over HTTP."""

import pytest
from fastapi.testclient import TestClient

from serving.protocols.documents import Counselled
from tests.bundles import fake_bundle, record, records
from tests.worlds import COUNSEL, OFFICE, SCORE, World, doubting, doubting_world, problem


def test_help_is_asked_for_one_account_and_records_nothing(client: TestClient, world: World) -> None:
    helped = client.post(COUNSEL, json=record(status_0=4)).json()
    assert (helped["would_be"], helped["counterfactual"]["changes"][0]["field"]) == ("reduce", "status_0")
    assert helped["recorded"] is False
    assert not {"decision", "decision_id"} & (helped.keys() | helped["counterfactual"].keys())
    two = problem(client.post(COUNSEL, json={"records": records({"status_0": 4}, {"status_0": 5})}), 422)
    assert "one account" in two.hint
    assert "prohibited" in problem(client.post(COUNSEL, json=record() | {"sex": 1}), 422).errors[0].rule
    assert world.log.decisions == {}


@pytest.mark.parametrize("path", [SCORE, COUNSEL])
def test_a_month_to_come_is_neither_decided_nor_discussed(client: TestClient, world: World, path: str) -> None:
    assert client.post(path, json=record(snapshot_month="2005-08")).status_code == 200
    logged = len(world.log.decisions)
    said = problem(client.post(path, json=record(snapshot_month="2005-09")), 422)
    assert [(rule.field, rule.value) for rule in said.errors] == [("snapshot_month", "2005-09")]
    assert len(world.log.decisions) == logged


def test_an_account_that_is_kept_needs_no_help(world: World) -> None:
    world.promote(0.05, version=2)
    with TestClient(world.app()) as client:
        answered = client.post(COUNSEL, json=record(status_0=0)).json()
    assert (answered["would_be"], answered["counterfactual"]) == ("keep", None)
    assert answered["explanation"] == "It would be keep: nothing has to change."


def test_an_account_that_a_person_would_decide_is_told_what_leads_to_keep(world: World) -> None:
    """The person may reduce it."""
    world.promote(0.05, version=2)
    with TestClient(world.app()) as client:
        answered = client.post(COUNSEL, json=record(status_0=1)).json()
    Counselled.model_validate(answered)
    assert (answered["would_be"], answered["counterfactual"]["would_be"]) == ("review", "keep")
    assert [(change["field"], change["to"]) for change in answered["counterfactual"]["changes"]] == [("status_0", 0)]
    assert answered["explanation"].startswith(
        "It would be review: a person decides. With these values it would have been keep, without"
    )


def test_where_nothing_leads_past_a_person_this_is_said(client: TestClient) -> None:
    answered = client.post(COUNSEL, json=record(status_0=0)).json()
    assert (answered["would_be"], answered["counterfactual"]) == ("review", None)
    assert answered["explanation"].startswith("It would be review: a person decides. No change of status_0, bill_0, payment_0")
    assert answered["explanation"].endswith("leads to keep without a person.")


def test_an_account_unlike_any_other_is_told_what_is_odd_and_what_leads_to_keep() -> None:
    world = World()
    OFFICE.promote(world.channel, fake_bundle(0.05, parts=doubting()))
    with TestClient(world.app()) as client:
        answered = client.post(COUNSEL, json=record(status_0=0, bill_0=100_001.0)).json()
    assert "because of bill_0, unlike any" in answered["explanation"]
    assert answered["would_be"] == "review"
    assert [(c["field"], c["to"]) for c in answered["counterfactual"]["changes"]] == [("bill_0", 100_000.0)]


def test_to_become_like_others_and_still_be_decided_by_a_person_is_no_help() -> None:
    with TestClient(doubting_world().app()) as client:
        answered = client.post(COUNSEL, json=record(status_0=0, bill_0=100_001.0)).json()
    assert (answered["would_be"], answered["counterfactual"]) == ("review", None)


def test_where_nothing_helps_this_is_said(world: World) -> None:
    world.promote(0.5, version=2)
    with TestClient(world.app()) as client:
        answered = client.post(COUNSEL, json=record(status_0=0)).json()
    assert (answered["would_be"], answered["counterfactual"]) == ("reduce", None)
    assert answered["explanation"].startswith("No change of status_0, bill_0, payment_0")
