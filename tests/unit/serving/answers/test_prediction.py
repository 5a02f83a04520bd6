"""Check, predict, record; and swap."""

import json
from dataclasses import replace
from hashlib import sha256
from itertools import count
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from models.bundle import canonical
from models.channel import release
from models.clock import FixedClock, Month
from models.errors import Conflict, InputRefused, Integrity, Misconfigured, NoChampion, NotFound, Unavailable
from models.governance.doubt.rule import Rule
from models.governance.explanation.reasons import Reason
from serving.answers.answer import Ask
from serving.answers.loaded import LoadedModel
from tests.answering import Answering
from tests.bundles import MODEL, NOW, USE_CASE, Office, fake_bundle, record, records
from tests.fakes.channel import FakeChannel
from tests.fakes.decisions import InMemoryDecisionLog
from tests.fakes.scorer import FakeScorer
from tests.rings import ACCOUNTS
from tests.rules import all_familiar, plain

OFFICE = Office()
REDUCE = USE_CASE.policy.cut_offs.reduce


def loaded(*bases: float, model: str = MODEL) -> list[LoadedModel]:
    """One release for each base probability, published one after the other: versions 1, 2, ..."""
    channel, models = FakeChannel(), []
    for version, base in enumerate(bases, start=1):
        OFFICE.promote(channel, fake_bundle(base, model=model), version=version)
        models.append(LoadedModel.load(release(channel, OFFICE.trust, model, now=NOW), FakeScorer, 1_000))
    return models


@pytest.fixture
def log() -> InMemoryDecisionLog:
    return InMemoryDecisionLog()


@pytest.fixture
def predictor(log: InMemoryDecisionLog) -> Answering:
    numbers = count(1)
    made = Answering(log, FixedClock(NOW), ACCOUNTS.pseudonym, lambda: f"id{next(numbers)}")
    made.swap(loaded(0.1)[0])
    return made


def ask(*records: dict[str, Any], key: str = "", model: str = MODEL) -> Ask:
    return Ask(model, json.dumps({"records": records}).encode(), "r1", key)


def test_every_record_gets_its_decision_in_order(predictor: Answering) -> None:
    answered = predictor.answer(ask(*records({"status_0": 0}, {"status_0": 2}, {"status_0": 5})))
    response = json.loads(answered.response)
    for said in ("reasons", "no_notice", "no_notice_basis"):
        response["answers"][2].pop(said)
    assert response == {
        "request_id": "r1",
        "model": MODEL,
        "version": 1,
        "bundle": predictor.models[MODEL].pointer.bundle,
        "answers": [
            {"decision_id": "id1-0", "decision": "review", "probability": 0.1, "interval": [0.0, 1.0]},
            {"decision_id": "id1-1", "decision": "review", "probability": 0.3, "interval": [0.0, 1.0]},
            {"decision_id": "id1-2", "decision": "reduce", "probability": 0.6, "interval": [REDUCE, 1.0]},
        ],
    }


def doubting(log: InMemoryDecisionLog, **uncertainty: Any) -> Answering:
    """Serves a bundle with these parts of its rule."""
    own = plain(USE_CASE.contract, USE_CASE.policy)
    rule = Rule.made(own.policy, uncertainty.get("intervals", own.intervals), uncertainty.get("familiar", own.familiar))
    made, channel = Answering(log, FixedClock(NOW), ACCOUNTS.pseudonym, lambda: "id"), FakeChannel()
    OFFICE.promote(channel, fake_bundle(0.1, parts={"uncertainty.json": canonical(rule.to_dict())}))
    made.swap(LoadedModel.load(release(channel, OFFICE.trust, MODEL, now=NOW), FakeScorer, 100))
    return made


def test_who_is_like_nobody_that_the_model_was_made_from_goes_to_a_person(log: InMemoryDecisionLog) -> None:
    usual = all_familiar(USE_CASE.contract)
    ranges = tuple(replace(each, high=100_000.0) if each.column.startswith("bill") else each for each in usual.ranges)
    predictor = doubting(log, familiar=replace(usual, ranges=ranges))
    asked = records({"status_0": 5}, {"status_0": 5, "bill_0": 100_001.0, "bill_1": 200_000.0})

    plainly, strange = json.loads(predictor.answer(ask(*asked)).response)["answers"]

    assert (plainly["decision"], strange["decision"]) == ("reduce", "review")
    assert strange["out_of_distribution"] == ["bill_0", "bill_1"]
    assert strange["probability"] == plainly["probability"]
    assert not {"out_of_distribution"} & plainly.keys() | {"reasons"} & strange.keys()
    assert [log.find(f"id-{n}").out_of_distribution for n in range(2)] == [(), ("bill_0", "bill_1")]


def test_a_score_whose_interval_a_cut_off_runs_through_goes_to_a_person(log: InMemoryDecisionLog) -> None:
    """Reduced is from .346 on; here nobody is surely above it before .6."""
    own = plain(USE_CASE.contract, USE_CASE.policy).intervals
    predictor = doubting(log, intervals=replace(own, lower_from=(0.6,)))
    answers = json.loads(predictor.answer(ask(*records({"status_0": 4}, {"status_0": 5}))).response)["answers"]

    assert [(each["probability"], each["decision"], each["interval"][0]) for each in answers] == [
        (0.5, "review", 0.0),
        (0.6, "reduce", REDUCE),
    ]


def test_a_rule_that_does_not_follow_from_its_bundle_is_not_served(log: InMemoryDecisionLog) -> None:
    part = plain(USE_CASE.contract, USE_CASE.policy).to_dict()
    part["band"]["reduce"] = 0.9
    channel = FakeChannel()
    OFFICE.promote(channel, fake_bundle(0.1, parts={"uncertainty.json": canonical(part)}))

    with pytest.raises(Integrity, match="does not follow"):
        LoadedModel.load(release(channel, OFFICE.trust, MODEL, now=NOW), FakeScorer, 100)


def test_what_is_answered_is_in_the_log_with_what_it_was_about(predictor: Answering, log: InMemoryDecisionLog) -> None:
    predictor.answer(ask(record(account_id="A9", snapshot_month="2005-06", status_0=1)))
    logged = log.find("id1-0")
    assert (logged.account_id, logged.month, logged.recorded_at) == (ACCOUNTS.pseudonym("A9"), Month(2005, 6), NOW)
    assert (logged.model, logged.version, logged.bundle) == (MODEL, 1, predictor.models[MODEL].pointer.bundle)
    assert (logged.probability, logged.action, logged.request_id) == (0.2, "review", "r1")
    assert logged.inputs == {name: record(status_0=1)[name] for name in USE_CASE.contract.inputs}


def test_a_reduction_says_why_and_the_log_keeps_what_was_said(predictor: Answering, log: InMemoryDecisionLog) -> None:
    answered = predictor.answer(ask(*records({"status_0": 0}, {"status_0": 5}, {"status_0": 3})))
    kept, *reduced = json.loads(answered.response)["answers"]
    assert kept.keys() == {"decision_id", "decision", "probability", "interval"}
    adverse = USE_CASE.policy.adverse
    assert adverse is not None
    for number, answer in enumerate(reduced, start=1):
        assert 1 <= len(answer["reasons"]) <= 4
        assert answer["reasons"][0]["group"] == "repayment status"
        assert answer["reasons"][0]["text"] == adverse.groups[0].notice
        assert tuple(map(Reason.from_dict, answer["reasons"])) == log.find(f"id1-{number}").reasons
        assert (answer["no_notice"], answer["no_notice_basis"]) == (True, log.find(f"id1-{number}").no_notice)
    assert (log.find("id1-0").reasons, log.find("id1-0").no_notice) == ((), "")


def test_the_reduction_of_an_account_that_is_not_behind_needs_a_notice(log: InMemoryDecisionLog) -> None:
    predictor = Answering(log, FixedClock(NOW), ACCOUNTS.pseudonym, lambda: "id")
    predictor.swap(loaded(0.5)[0])
    [answer] = json.loads(predictor.answer(ask(record(status_0=0))).response)["answers"]
    assert (answer["decision"], answer["no_notice"], len(answer["reasons"])) == ("reduce", False, 1)
    assert "no_notice_basis" not in answer
    assert log.find("id-0").no_notice == ""


def test_a_reduction_is_explained_alike_alone_and_among_others(predictor: Answering) -> None:
    asked = records(*({"status_0": status, "bill_0": 1000.0 * status} for status in (0, 3, 4, 0, 5, 6)))
    together = json.loads(predictor.answer(ask(*asked)).response)["answers"]
    alone = [json.loads(predictor.answer(ask(each)).response)["answers"][0] for each in asked]
    assert [each.get("reasons") for each in together] == [each.get("reasons") for each in alone]


@pytest.mark.parametrize("part", ["reasons.json", "policy.json"])
def test_a_bundle_that_cannot_give_reasons_is_not_loaded(part: str) -> None:
    bundle, channel = fake_bundle(), FakeChannel()
    content = bundle.part(part)
    if part == "policy.json":
        content["adverse"]["groups"][0]["inputs"].remove("status_1")
    else:
        content["baseline"][0][0] = 50_000.0
    OFFICE.promote(channel, fake_bundle(parts={part: canonical(content)}))
    with pytest.raises((Integrity, Misconfigured), match=r"baseline accounts do not lie|no reason group holds status_1"):
        LoadedModel.load(release(channel, OFFICE.trust, MODEL, now=NOW), FakeScorer, 10)


def test_of_a_refused_batch_nothing_is_recorded(predictor: Answering, log: InMemoryDecisionLog) -> None:
    with pytest.raises(InputRefused):
        predictor.answer(ask(record(), record(bill_0="x")))
    assert log.decisions == {}


def test_without_the_log_there_is_no_answer(predictor: Answering, log: InMemoryDecisionLog) -> None:
    log.down = Unavailable("the decision log does not answer")
    with pytest.raises(Unavailable):
        predictor.answer(ask(record()))
    log.down = None
    assert log.decisions == {}


def test_the_example_of_a_model_is_accepted_by_it(predictor: Answering) -> None:
    example = predictor.models[MODEL].example()
    assert b"decision_id" in predictor.answer(Ask(MODEL, json.dumps(example).encode(), "r1")).response


def test_a_retry_gets_the_same_bytes_and_is_recorded_once(predictor: Answering, log: InMemoryDecisionLog) -> None:
    first = predictor.answer(ask(record(), key="k"))
    again = predictor.answer(replace(ask(record(), key="k"), request_id="r2"))
    assert (first.replayed, again.replayed) == (False, True)
    assert again.response == first.response
    assert len(log.decisions) == 1


def test_of_a_clients_key_only_a_hash_is_kept(predictor: Answering, log: InMemoryDecisionLog) -> None:
    predictor.answer(ask(record(), key="A00017"))
    assert list(log.answers) == [f"{MODEL}:{sha256(b'A00017').hexdigest()}"]


def test_a_retry_after_a_swap_or_a_restart_gets_what_was_decided_then(predictor: Answering, log: InMemoryDecisionLog) -> None:
    first = predictor.answer(ask(record(), key="k"))
    other_worker = Answering(log, FixedClock(NOW), ACCOUNTS.pseudonym)
    other_worker.swap(loaded(0.1, 0.5)[1])
    assert other_worker.answer(ask(record(), key="k")).response == first.response


def test_the_same_key_with_another_body_is_a_conflict(predictor: Answering, log: InMemoryDecisionLog) -> None:
    predictor.answer(ask(record(), key="k"))
    with pytest.raises(Conflict, match="key was used for another body"):
        predictor.answer(ask(record(status_0=1), key="k"))
    assert len(log.decisions) == 1


def test_the_same_key_means_something_else_for_another_model(predictor: Answering) -> None:
    predictor.swap(loaded(0.2, model="other")[0])
    first, second = (predictor.answer(ask(record(), key="k", model=model)) for model in (MODEL, "other"))
    assert not second.replayed
    assert first.response != second.response


def test_a_model_that_is_not_served_is_not_found_and_the_others_are_told(predictor: Answering) -> None:
    with pytest.raises(NotFound, match="'other'") as caught:
        predictor.answer(ask(record(), model="other"))
    assert MODEL in caught.value.hint


def test_without_a_champion_the_command_to_run_is_told(log: InMemoryDecisionLog) -> None:
    with pytest.raises(NoChampion) as caught:
        Answering(log, FixedClock(NOW), ACCOUNTS.pseudonym).answer(ask(record()))
    assert "make train" in caught.value.hint


def test_a_newer_release_answers_from_the_next_request_on(predictor: Answering) -> None:
    predictor.swap(loaded(0.1, 0.5)[1])
    answer = json.loads(predictor.answer(ask(record())).response)
    assert (answer["version"], answer["answers"][0]["probability"]) == (2, 0.5)


def test_only_the_version_that_is_asked_for_answers_also_if_a_release_comes_in_between(
    predictor: Answering, log: InMemoryDecisionLog
) -> None:
    asked = replace(ask(record()), version=1)
    assert json.loads(predictor.answer(asked).response)["version"] == 1
    predictor.swap(loaded(0.1, 0.2)[1])
    with pytest.raises(NotFound, match="version 1"):
        predictor.answer(asked)
    assert len(log.decisions) == 1


def test_an_older_pointer_is_not_swapped_in(predictor: Answering) -> None:
    old, new = loaded(0.1, 0.5)
    predictor.swap(new)
    with pytest.raises(Integrity, match="older"):
        predictor.swap(old)
    assert predictor.models[MODEL] is new


def test_a_request_keeps_the_model_it_began_with(log: InMemoryDecisionLog) -> None:
    old, new = loaded(0.1, 0.5)
    predictor = Answering(log, FixedClock(NOW), ACCOUNTS.pseudonym)

    class SwappedMeanwhile(FakeScorer):
        def probabilities(self, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
            predictor.swap(new)
            return super().probabilities(inputs)

    predictor.swap(replace(old, scorer=SwappedMeanwhile(b"0.1")))
    answer = json.loads(predictor.answer(ask(record())).response)
    assert (answer["version"], answer["bundle"], answer["answers"][0]["probability"]) == (1, old.pointer.bundle, 0.1)
    assert predictor.models[MODEL] is new


@pytest.mark.parametrize("score", [float("nan"), float("inf"), -0.1, 1.1])
def test_a_score_that_is_no_probability_decides_nothing(log: InMemoryDecisionLog, score: float) -> None:
    class Broken(FakeScorer):
        def probabilities(self, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.full(len(inputs), score)

    predictor = Answering(log, FixedClock(NOW), ACCOUNTS.pseudonym)
    predictor.swap(replace(loaded(0.1)[0], scorer=Broken(b"0.1")))
    with pytest.raises(Integrity, match="no probability"):
        predictor.answer(ask(record()))
    assert log.decisions == {}


def test_a_bundle_whose_golden_rows_score_differently_is_not_loaded() -> None:
    channel = FakeChannel()
    wrong = {"golden.json": fake_bundle(0.2).files["golden.json"]}
    OFFICE.promote(channel, fake_bundle(0.1, parts=wrong))
    with pytest.raises(Integrity, match="golden rows"):
        LoadedModel.load(release(channel, OFFICE.trust, MODEL, now=NOW), FakeScorer, 10)


@pytest.mark.parametrize(
    ("part", "content"), [("contract.json", b"[]"), ("policy.json", b"{}"), ("golden.json", b"{}"), ("contract.json", b"{]")]
)
def test_a_bundle_of_a_form_that_is_not_known_here_is_not_loaded(part: str, content: bytes) -> None:
    channel = FakeChannel()
    OFFICE.promote(channel, fake_bundle(parts={part: content}))
    with pytest.raises(Integrity, match="cannot be read"):
        LoadedModel.load(release(channel, OFFICE.trust, MODEL, now=NOW), FakeScorer, 10)


def test_a_month_to_come_is_refused_and_nothing_of_its_batch_is_recorded(predictor: Answering, log: InMemoryDecisionLog) -> None:
    late = str(Month.of(NOW.date()).plus(1))
    with pytest.raises(InputRefused, match=f"record 1, snapshot_month: {late} is refused") as refused:
        predictor.answer(ask(record(), record(snapshot_month=late)))
    assert [(detail.record, detail.field, detail.value) for detail in refused.value.details] == [(1, "snapshot_month", late)]
    assert log.months(MODEL) == {}
