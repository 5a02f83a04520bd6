"""What the viewer says about a model, from fakes."""

from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from models.bundle import MANIFEST, Bundle, canonical, sha256
from models.channel import Move, publish
from models.clock import FixedClock
from models.errors import Integrity, Misconfigured, NotFound, Unavailable
from models.governance.approval import WATERMARK, approve
from models.governance.fairness.figures import Kind
from models.governance.ledger import Entry, Event
from models.governance.signing import Duty, Signer, Trust
from monitoring.console.pages import evidence, model, reports, today
from monitoring.console.sources import Sources, Trouble
from monitoring.report import MonthlyReport
from monitoring.runs import Planned
from monitoring.verdict import Level, Suggestion, Verdict
from tests.consoles import client, looking
from tests.fakes.ledger import FakeLedger
from tests.fakes.packs import FakePacks
from tests.fakes.runs import FakeRunHistory
from tests.office import paper_parts, witness

MODEL = "credit_default"
NOW = datetime(2005, 10, 1, tzinfo=UTC)
PUBLISHER = Signer("pipeline", Duty.PUBLISH, Ed25519PrivateKey.generate())
APPROVER = Signer("validator", Duty.APPROVE, Ed25519PrivateKey.generate())
KEYS = {
    Duty.PUBLISH: {"pipeline": PUBLISHER.public()},
    Duty.APPROVE: {"validator": APPROVER.public()},
    Duty.ATTEST: {witness().name: witness().public()},
}
TRUST = Trust(KEYS, demonstration=True)


@pytest.fixture
def sources() -> Sources:
    return looking(trust=lambda: TRUST, clock=FixedClock(NOW))


def promote(sources: Sources, recipe: str, version: int) -> Bundle:
    bundle = Bundle.seal(MODEL, paper_parts(), lineage={"recipe": recipe})
    count = sources.channel.pointers(MODEL)
    before = sources.channel.pointer(MODEL, count).document["bundle"] if count else ""
    signed = approve(
        APPROVER,
        model=MODEL,
        bundle=bundle.digest,
        evidence="e",
        trainer="pipeline",
        now=NOW,
        comment="",
        watermark=WATERMARK,
    )
    sources.channel.add_bundle(bundle.digest, bundle.files)
    sources.channel.add_approval(bundle.digest, signed)
    pointer = publish(
        sources.channel,
        PUBLISHER,
        TRUST,
        model=MODEL,
        version=version,
        bundle=bundle.digest,
        expected=before,
        now=NOW,
        reason=recipe,
        move=Move.PROMOTE,
        asked_by="pipeline",
    )
    sources.ledger.append(Event.PROMOTED, model=MODEL, actor="pipeline", at=NOW, facts=asdict(pointer))
    return bundle


def report(sources: Sources, month: str, level: Level = Level.GREEN, suggests: Suggestion = Suggestion.NONE) -> None:
    verdict = Verdict(level=level, sentence=f"{month} is {level}.", findings=(), suggests=suggests)
    sources.reports.add(
        MonthlyReport(
            model=MODEL,
            title="Line review",
            month=month,
            recorded_at=NOW.isoformat(),
            version=1,
            bundle="b",
            decisions=0,
            other_bundles={},
            verdict=verdict,
            score=None,
            inputs=(),
            actions=None,
            performance=None,
            maturity="Not yet.",
        ),
        {},
    )


def test_an_empty_home_has_no_models(sources: Sources) -> None:
    assert today.front(sources) == []


def test_who_is_trusted_and_which_keys_are_used_makes_no_model(sources: Sources) -> None:
    sources.ledger.append(Event.KEYS_ROTATED, model="", actor="Ada", at=sources.clock.now(), facts={"generation": 2})
    assert today.front(sources) == []


def test_a_home_of_which_nothing_can_be_read_is_not_taken_for_an_empty_one(sources: Sources) -> None:
    class Unread(FakeLedger):
        def entries(self, model: str | None = None) -> list[Entry]:
            raise Integrity("ledger entry 1 cannot be read", hint="restore it")

    with pytest.raises(Unavailable, match="which models there are is not known: ledger entry 1 cannot be read"):
        today.front(replace(sources, ledger=Unread()))


def test_a_model_without_a_report_is_told_how_to_get_one(sources: Sources) -> None:
    promote(sources, "first", 1)
    (card,) = today.front(sources)
    assert (card.model, card.verdict, card.next_step.command) == (MODEL, None, "make report")


def test_the_card_shows_the_newest_month_and_all_months_oldest_first(sources: Sources) -> None:
    promote(sources, "first", 1)
    report(sources, "2005-08", Level.RED)
    report(sources, "2005-09")
    (card,) = today.front(sources)
    assert (card.month, card.verdict and card.verdict.level) == ("2005-09", Level.GREEN)
    assert [row.month for row in card.months] == ["2005-08", "2005-09"]


@pytest.mark.parametrize(
    ("level", "suggests", "command"),
    [
        (Level.GREEN, Suggestion.NONE, ""),
        (Level.AMBER, Suggestion.WAIT, ""),
        (Level.RED, Suggestion.RETRAIN, "make retrain"),
    ],
)
def test_the_next_step_follows_the_verdict(sources: Sources, level: Level, suggests: Suggestion, command: str) -> None:
    promote(sources, "first", 1)
    report(sources, "2005-09", level, suggests)
    assert today.card(sources, MODEL).next_step.command == command


def test_an_open_hold_comes_before_any_wish_to_retrain(sources: Sources) -> None:
    promote(sources, "first", 1)
    report(sources, "2005-09", Level.RED, Suggestion.RETRAIN)
    facts = {"month": "2005-09", "what": "codes changed", "coding": "repayment_status"}
    sources.ledger.append(Event.HOLD_OPENED, model=MODEL, actor="pipeline", at=NOW, facts=facts)
    step = today.card(replace(sources, scenario="2005"), MODEL).next_step
    assert "2005-09" in step.sentence
    assert step.command.startswith("make accept-definition VERSION=")
    assert step.command.endswith(" SCENARIO=2005")


def test_the_history_of_champions_is_newest_first_with_who_approved(sources: Sources) -> None:
    first, second = promote(sources, "first", 1), promote(sources, "second", 2)
    releases = model.model_page(sources, MODEL).releases
    assert not isinstance(releases, Trouble)
    assert [release.pointer.bundle for release in releases] == [second.digest, first.digest]
    approval = releases[0].approval
    assert not isinstance(approval, Trouble)
    assert (approval.approver, approval.watermark) == ("validator", WATERMARK)


def test_an_approval_that_ran_out_after_publishing_is_shown_as_expired(sources: Sources) -> None:
    promote(sources, "first", 1)
    later = replace(sources, clock=FixedClock(datetime(2006, 10, 2, tzinfo=UTC)))
    champion = today.card(later, MODEL).champion
    assert champion is not None
    assert not isinstance(champion, Trouble)
    assert champion.expired


def test_a_pointer_that_nobody_trusted_signed_is_trouble_and_not_a_champion(sources: Sources) -> None:
    promote(sources, "first", 1)
    stranger = Trust({Duty.PUBLISH: {}, Duty.APPROVE: {}})
    champion = today.card(replace(sources, trust=lambda: stranger), MODEL).champion
    assert isinstance(champion, Trouble)
    assert "'pipeline' is not trusted to publish" in champion.problem


def test_missing_keys_cost_the_champion_and_not_the_page(sources: Sources) -> None:
    promote(sources, "first", 1)
    report(sources, "2005-09")

    def missing() -> Trust:
        raise Misconfigured("there is no trust file", hint="make train")

    page = model.model_page(replace(sources, trust=missing), MODEL)
    assert page.releases == Trouble("there is no trust file", "make train")
    assert [row.month for row in page.rows] == ["2005-09"]


def test_a_month_reported_twice_shows_the_newest_and_says_so_on_the_older(sources: Sources) -> None:
    report(sources, "2005-09", Level.RED)
    report(sources, "2005-09")
    newest = reports.report_page(sources, MODEL, "2005-09")
    assert (newest.report.verdict.level, newest.superseded) == (Level.GREEN, False)
    older = reports.report_page(sources, MODEL, "2005-09", newest.versions[1].stamp)
    assert (older.report.verdict.level, older.superseded) == (Level.RED, True)


def test_a_long_ledger_does_not_make_a_long_page(sources: Sources) -> None:
    promote(sources, "first", 1)
    for number in range(model.ENTRIES_SHOWN):
        facts = {"reason": str(number), "as_of": "2005-09-30", "bundle": ""}
        sources.ledger.append(Event.KEPT, model=MODEL, actor="pipeline", at=NOW, facts=facts)
    page = model.model_page(sources, MODEL)
    assert not isinstance(page.entries, Trouble)
    assert (len(page.entries), page.earlier) == (model.ENTRIES_SHOWN, 1)
    assert page.entries[0].facts["reason"] == str(model.ENTRIES_SHOWN - 1)


def test_a_model_nobody_knows_is_not_found(sources: Sources) -> None:
    with pytest.raises(NotFound):
        model.model_page(sources, "churn")


def test_a_prefect_that_is_down_costs_the_next_run_and_not_the_card(sources: Sources) -> None:
    promote(sources, "first", 1)
    (card,) = today.front(sources)
    assert card.planned == Trouble("Prefect is not running", "make schedule")


def test_of_what_is_scheduled_each_model_shows_its_own(sources: Sources) -> None:
    promote(sources, "first", 1)
    mine, other = Planned("monitor", MODEL, NOW), Planned("monitor", "churn", NOW)
    (card,) = today.front(replace(sources, runs=FakeRunHistory(planned=(mine, other))))
    assert card.planned == [mine]


def test_the_age_of_a_champion_counts_from_when_it_came_into_force(sources: Sources) -> None:
    promote(sources, "first", 1)
    assert today.card(sources, MODEL).age_days == 0
    assert today.card(replace(sources, clock=FixedClock(datetime(2005, 11, 27, tzinfo=UTC))), MODEL).age_days == 57


def test_what_waits_for_a_person_leads_to_where_it_is_decided(sources: Sources) -> None:
    bundle = promote(sources, "first", 1)
    asked = {"version": 2, "bundle": "c" * 64}
    sources.ledger.append(Event.REQUESTED, model=MODEL, actor="pipeline", at=NOW, facts=asked)
    hold = {"month": "2005-09", "what": "codes changed"}
    sources.ledger.append(Event.HOLD_OPENED, model=MODEL, actor="pipeline", at=NOW, facts=hold)
    waits = today.card(sources, MODEL).waits
    assert [wait.address for wait in waits] == [f"/models/{MODEL}/requests/{'c' * 12}", "/approvals#holds"]
    assert bundle.digest[:12] not in waits[0].address


def packed(
    sources: Sources, bundle: Bundle, version: int, files: dict[str, bytes] | None = None, more: dict[str, bytes] | None = None
) -> str:
    """Register a version with an evidence pack of one page and `more` files; the pack's digest."""
    facts = {"version": version, "bundle": bundle.digest}
    sources.ledger.append(Event.REGISTERED, model=MODEL, actor="pipeline", at=NOW, facts=facts)
    own = {"index.html": b"<h1>evidence</h1>", **(more or {})}
    manifest = canonical({"bundle": bundle.digest, "files": {name: sha256(data) for name, data in own.items()}})
    digest = sha256(manifest)
    packs = sources.packs
    assert isinstance(packs, FakePacks)
    packs.store(MODEL, bundle.digest, digest, {**own, MANIFEST: manifest} if files is None else files)
    named = {"bundle": bundle.digest, "pack": digest, "training": "t" * 64, "writer": "release"}
    sources.ledger.append(Event.PACK_SEALED, model=MODEL, actor="pipeline", at=NOW, facts=named)
    return digest


def test_a_model_page_lists_every_version_with_or_without_its_evidence_pack(sources: Sources) -> None:
    first, second = promote(sources, "first", 1), promote(sources, "second", 2)
    digest = packed(sources, first, 1)
    sources.ledger.append(Event.REGISTERED, model=MODEL, actor="pipeline", at=NOW, facts={"version": 2, "bundle": second.digest})
    listed = model.model_page(sources, MODEL).versions
    assert not isinstance(listed, Trouble)
    assert [(each.number, each.bundle, each.pack) for each in listed] == [(2, second.digest, ""), (1, first.digest, digest)]
    with pytest.raises(NotFound, match="version 2 of credit_default has no evidence pack"):
        evidence.evidence_page(sources, MODEL, 2)


def test_a_pack_that_no_ledger_entry_names_is_not_shown(sources: Sources) -> None:
    bundle = promote(sources, "first", 1)
    digest = packed(sources, bundle, 1)
    assert isinstance(sources.packs, FakePacks)
    manifest = canonical({"bundle": bundle.digest, "files": {"index.html": sha256(b"nicer")}})
    sources.packs.store(MODEL, bundle.digest, sha256(manifest), {"index.html": b"nicer", MANIFEST: manifest})
    assert evidence.evidence_page(sources, MODEL, 1).version.pack == digest


def test_a_pack_is_shown_with_the_approvals_of_its_version(sources: Sources) -> None:
    bundle = promote(sources, "first", 1)
    digest = packed(sources, bundle, 1)
    page = evidence.evidence_page(sources, MODEL, 1)
    assert page.version.pack == digest
    assert not isinstance(page.approvals, Trouble)
    assert [(approval.approver, approval.evidence == digest) for approval in page.approvals] == [("validator", False)]


@pytest.mark.parametrize("files", [{}, {"index.html": b"<h1>better</h1>"}])
def test_a_pack_that_was_changed_is_not_shown(sources: Sources, files: dict[str, bytes]) -> None:
    packed(sources, promote(sources, "first", 1), 1, files)
    with pytest.raises(Integrity):
        evidence.evidence_page(sources, MODEL, 1)


def test_a_pack_that_was_put_in_the_place_of_another_is_not_shown(sources: Sources) -> None:
    bundle = promote(sources, "first", 1)
    page = b"<h1>another</h1>"
    manifest = canonical({"bundle": bundle.digest, "files": {"index.html": sha256(page)}})
    packed(sources, bundle, 1, {"index.html": page, MANIFEST: manifest})
    with pytest.raises(Integrity, match="not"):
        evidence.evidence_page(sources, MODEL, 1)


def test_a_version_that_nobody_registered_has_no_page(sources: Sources) -> None:
    with pytest.raises(NotFound, match="no version 7"):
        evidence.evidence_page(sources, MODEL, 7)


def test_beside_a_month_stands_how_fair_the_version_that_decided_was_found(sources: Sources, tmp_path: Path) -> None:
    bundle = promote(sources, "first", 1)
    report(sources, "2005-09")
    assert model.model_page(sources, MODEL).fairness == {}
    figures = [{"kind": Kind.IMPACT_RATIO, "value": value} for value in (0.93, 0.871, None)]
    judged = canonical({"verdict": "passed", "month": "2005-07", "figures": figures})
    packed(sources, bundle, 1, more={model.FAIRNESS_FILE: judged})
    assert model.model_page(sources, MODEL).fairness == {1: model.Fairness("passed", "2005-07", 0.871)}
    page = client(tmp_path, sources=sources).get(f"/models/{MODEL}").text
    assert "2005-09 is green. Version 1: lowest adverse impact ratio 0.871 on 2005-07." in page
