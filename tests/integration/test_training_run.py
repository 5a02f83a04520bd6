"""A whole run of training and retraining with the real tools, on every fifth account of the real panel."""

import json
import shutil
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from models.errors import Conflict, Held, Integrity
from models.gates import Outcome
from models.governance.dossier import evidence_digest
from models.governance.ledger import Event
from models.governance.retrainings import Course
from models.governance.rollouts import begin, end
from models.guardrails import Guardrails
from models.lake import AUDIT, SNAPSHOTS
from models.rollout import Mode
from models.rollout import Outcome as End
from pipelines import steps
from pipelines.definitions import accept_definition
from pipelines.development import Development
from pipelines.holds import Holds, accept_input
from pipelines.rebuild import run as rebuilding
from pipelines.rebuild.compare import Likeness
from pipelines.retraining import asked_for
from pipelines.rollout.step import sentence
from pipelines.steps import Ending, Kind
from pipelines.triggers.step import consider
from pipelines.wiring import Platform
from tests.trained import AUGUST, RUN, Trained, platform_at, released

pytestmark = pytest.mark.integration

SEPTEMBER, OCTOBER = date(2005, 9, 30), date(2005, 10, 31)


def reseeded(development: Development) -> Development:
    """Another model of the same search."""
    return replace(development, recipe=replace(development.recipe, seed=7))


def accept(parts: Platform, version: int) -> None:
    accept_definition(
        parts.use_case,
        parts.lake,
        parts.ledger,
        parts.clock,
        version=version,
        by="Vera",
        reason="looked at it",
        progress=lambda text: None,
    )


@pytest.fixture(scope="module")
def champion(trained: Trained) -> tuple[Platform, Ending]:
    """A home with a champion as of August, which no test below changes."""
    return platform_at(trained.in_force), trained.promoted


def copied(champion: tuple[Platform, Ending], to: Path) -> tuple[Platform, Ending]:
    """The same in a home of its own, for a test that goes on from there."""
    return platform_at(shutil.copytree(champion[0].settings.home, to / "home")), champion[1]


def test_a_first_run_ends_with_a_gated_champion_in_registry_channel_and_ledger(champion: tuple[Platform, Ending]) -> None:
    parts, ending = champion
    assert (ending.kind, ending.version) == (Kind.PROMOTED, 1)
    (version,) = parts.registry.versions("credit_default")
    assert (list(version.aliases), version.bundle_digest) == (["champion"], ending.bundle)
    found = steps.in_force(parts)
    assert found is not None
    assert found.bundle.digest == ending.bundle
    assert found.was_trained_on("2005-07")


def test_registry_and_ledger_name_the_run_that_made_the_model(champion: tuple[Platform, Ending]) -> None:
    parts, _ = champion
    (version,) = parts.registry.versions("credit_default")
    assert version.tags[steps.RUN_TAG] == RUN
    assert {entry.cause for entry in parts.ledger.entries("credit_default")} == {RUN}


def test_the_same_run_again_finds_its_own_model_in_force(
    champion: tuple[Platform, Ending], searched_again: Development, tmp_path: Path
) -> None:
    parts, first = copied(champion, tmp_path)
    again = released(parts, searched_again)
    assert (again.kind, again.version, again.bundle) == (Kind.UNCHANGED, first.version, first.bundle)
    assert again.opened == first.opened
    assert parts.channel.pointers("credit_default") == 1


def test_before_its_first_promotion_a_home_notes_that_every_decision_is_sealed(champion: tuple[Platform, Ending]) -> None:
    events = [entry.event for entry in champion[0].ledger.entries()]
    assert events.count(Event.DECISIONS_SEALED) == 1
    assert events.index(Event.DECISIONS_SEALED) < events.index(Event.PROMOTED)


def test_the_ledger_counts_each_model_that_the_out_of_time_month_judged(
    champion: tuple[Platform, Ending], searched_again: Development, tmp_path: Path
) -> None:
    parts, first = copied(champion, tmp_path)
    opened = "The out-of-time month 2005-07 was opened once for credit_default."
    assert first.opened == opened

    second = released(parts, reseeded(searched_again))

    assert second.opened == opened.replace("once", "2 times")
    tags = {version.bundle_digest: version.tags for version in parts.registry.versions("credit_default")}
    assert [tags[ending.bundle]["out_of_time_opening"] for ending in (first, second)] == ["1", "2"]
    evidence = parts.settings.home / "evidence" / "credit_default" / second.bundle[:12] / "data.json"
    assert json.loads(evidence.read_text())["out_of_time_opening"] == 2


def test_the_measured_exposure_is_part_of_the_evidence_and_a_smaller_declaration_is_not_trained_with(
    champion: tuple[Platform, Ending],
) -> None:
    parts = platform_at(champion[0].settings.home)
    evidence = parts.settings.home / "evidence" / "credit_default" / champion[1].bundle[:12] / "data.json"
    measured = json.loads(evidence.read_text())["exposure"]
    assert measured["month"] == "2005-07"
    declared = parts.use_case.inventory.exposure.model_copy(update={"amount": measured["amount"] / 2})
    parts.use_case = replace(parts.use_case, inventory=parts.use_case.inventory.model_copy(update={"exposure": declared}))

    with pytest.raises(Held, match="the inventory declares an exposure of"):
        steps.open_cohorts(parts, AUGUST)


def test_no_choice_and_no_candidate_rests_on_a_held_out_account_or_an_audit_column(champion: tuple[Platform, Ending]) -> None:
    parts, _ = champion
    cohorts = steps.open_cohorts(parts, AUGUST)
    taught = cohorts.taught()
    assert 0 < len(taught.accounts) < len(cohorts.development.accounts)
    assert not set(taught.columns) & {"sex", "age", "education", "marriage"}
    assert not parts.lake.versions(AUDIT)
    assert set(cohorts.development.months) == {"2005-05", "2005-06"}
    assert set(cohorts.out_of_time.months) == {"2005-07"}


def test_the_registered_version_is_made_again_byte_for_byte_also_after_a_restatement(
    champion: tuple[Platform, Ending], tmp_path: Path
) -> None:
    later, ending = copied(champion, tmp_path)
    june = next(part for part in later.lake.versions(SNAPSHOTS) if str(part.month) == "2005-06")
    restated = {**later.lake.read([june]), "bill_0": np.zeros(june.rows)}
    later.lake.write(SNAPSHOTS, june.month, restated, recorded_at=later.clock.now())

    found = rebuilding.run(later, ending.version)

    assert (found.reproduced, found.likeness) == (True, Likeness.BUNDLE)
    assert found.circumstances == ()
    later.lake.path(june).write_bytes(b"not Parquet any more")
    broken = rebuilding.run(later, ending.version)
    assert (broken.reproduced, broken.likeness) == (False, Likeness.NONE)
    with pytest.raises(Integrity, match="snapshots 2005-06 version 1"):
        rebuilding.ensure_reproduced(broken, "credit_default", ending.version)


def test_the_evidence_says_what_the_model_was_made_with(champion: tuple[Platform, Ending]) -> None:
    parts, ending = champion
    files = parts.evidence.files("credit_default", ending.bundle)
    bill = json.loads(files["sbom.cdx.json"])
    assert bill["metadata"]["component"]["version"] == ending.bundle
    assert {"lightgbm", "onnxruntime", "numpy"} <= {component["name"] for component in bill["components"]}
    (registered,) = [entry for entry in parts.ledger.entries("credit_default") if entry.event is Event.REGISTERED]
    assert registered.facts["evidence"] == evidence_digest(files, ending.bundle, ["sbom.cdx.json", "licences.json"])


def test_a_champion_that_was_not_compared_with_is_never_replaced(
    champion: tuple[Platform, Ending], searched_again: Development, tmp_path: Path
) -> None:
    parts, first = copied(champion, tmp_path)
    cohorts = steps.open_cohorts(parts, AUGUST)
    development = reseeded(searched_again)
    rival = steps.judge(parts, cohorts, development)
    assert rival.compared_with == first.bundle
    judged_too_early = replace(rival, compared_with="", decision=replace(rival.decision, outcome=Outcome.PROMOTE))
    evidence = steps.document(parts, cohorts, development, judged_too_early)
    with pytest.raises(Conflict, match="points at"):
        steps.release(parts, cohorts, development, judged_too_early, evidence, asked_for("A race"))
    found = steps.in_force(parts)
    assert found is not None
    assert found.bundle.digest == first.bundle


def test_where_challengers_are_rolled_out_first_one_that_passes_waits_and_can_be_a_canary(
    champion: tuple[Platform, Ending], searched_again: Development, tmp_path: Path
) -> None:
    parts, first = copied(champion, tmp_path)
    parts.settings = parts.settings.model_copy(update={"roll_out_first": True})
    cohorts, development = steps.open_cohorts(parts, AUGUST), reseeded(searched_again)
    judged = steps.judge(parts, cohorts, development)
    better = replace(judged, decision=replace(judged.decision, outcome=Outcome.PROMOTE))
    evidence = steps.document(parts, cohorts, development, better)

    ending = steps.release(parts, cohorts, development, better, evidence, asked_for("A test"))
    assert (ending.kind, ending.version) == (Kind.ASKED, 2)
    assert parts.channel.pointers("credit_default") == 1

    assert sentence(parts) == "Nothing of credit_default is rolled out."
    begun = begin(
        parts.office,
        "credit_default",
        Mode.CANARY,
        bundle=ending.bundle,
        share=0.1,
        ends=parts.clock.now() + timedelta(days=7),
        asked_by="ana",
        reason="it passed the gate",
        guardrails=Guardrails(),
    )
    assert (begun.challenger, begun.champion) == (ending.bundle, first.bundle)
    assert sentence(parts).startswith("Go on: nothing is outside its limits")
    end(parts.office, begun, End.ENDED, asked_by="ana", reason="enough")
    assert sentence(parts) == "No roll-out of credit_default is open."


def test_september_is_held_then_accepted_and_october_leaves_a_way_on(tmp_path: Path) -> None:
    parts = platform_at(tmp_path)
    steps.take_in(parts, SEPTEMBER)
    with pytest.raises(Held, match="status_0"):
        steps.open_cohorts(parts, SEPTEMBER)
    assert consider(parts, [], SEPTEMBER, "Vera").course is Course.HOLD

    accept(parts, 2)
    with pytest.raises(Held, match="status_0") as held:
        steps.open_cohorts(parts, SEPTEMBER)
    assert "make accept-input MONTH=2005-09 COLUMN=status_0" in held.value.hint
    assert "accept-definition" not in held.value.hint
    holds = Holds(parts.use_case, parts.ledger, parts.clock)
    accept_input(holds, month="2005-09", column="status_0", by="Vera", reason="looked at it", progress=lambda text: None)
    assert steps.open_cohorts(parts, SEPTEMBER).matured.definition_version == 2

    steps.take_in(parts, OCTOBER)
    with pytest.raises(Held, match="2005-10"):
        steps.open_cohorts(parts, OCTOBER)
    accept(parts, 3)
    cohorts = steps.open_cohorts(parts, OCTOBER)
    assert cohorts.left_out == ("2005-09",)
    assert (str(cohorts.plan.out_of_time), cohorts.matured.definition_version) == ("2005-08", 2)
