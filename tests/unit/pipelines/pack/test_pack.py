"""A pack is of one version, whole, and says no number that does not stand in an artefact."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from models.bundle import MANIFEST, canonical
from models.contract import Role
from models.credit_default import USE_CASE
from models.errors import Integrity, NotApproved
from models.evaluation import ENOUGH
from models.governance.dossier import evidence_digest, open_gates
from models.influence import MEASURES as MEASURED
from pipelines.adapters.pack_page import render
from pipelines.pack import costs, files, monitoring_plan, validation
from pipelines.pack.approvals import SIGNED
from pipelines.pack.artefacts import NO_GATE, Artefacts, Figure, Unit, Verdict
from pipelines.pack.build import build, recheck, reread
from pipelines.pack.card import card
from pipelines.pack.documents import documents
from pipelines.pack.limits import contradiction, ends
from pipelines.pack.prose import Points, Sentence, Table
from tests.packs import artefacts, changed, parsed, plain_page

MADE = artefacts()
NEEDED = sorted(MADE)


def test_the_same_artefacts_give_the_same_bytes() -> None:
    assert build(MADE, render).files == build(dict(reversed(MADE.items())), render).files


def test_a_pack_is_evidence_of_its_bundle_that_can_be_signed() -> None:
    pack = build(MADE, plain_page)
    bundle = parsed(MADE, files.SUBJECT)["bundle"]
    assert evidence_digest(pack.files, bundle, (files.PAGE, files.FAIRNESS, files.ASSESSMENT)) == pack.digest
    assert json.loads(pack.files[MANIFEST])["training"] == parsed(MADE, files.SUBJECT)["training"]
    with pytest.raises(NotApproved, match="changed after sealing"):
        evidence_digest({**pack.files, files.PAGE: b"better"}, bundle)


def test_the_page_lists_the_very_gates_that_an_approval_must_accept() -> None:
    gates = open_gates(build(MADE, render).files)
    assert gates == (
        "fairness: failed",
        "fairness.impact_ratio: failed",
        "fairness.join: insufficient",
        "fairness.score_difference: insufficient",
        "reasons.sample: insufficient",
        "reasons.stability: insufficient",
    )
    (signed,) = (each for each in documents(Artefacts(MADE)) if each.name == SIGNED)
    (listed,) = (block for block in signed.sections[1].blocks if isinstance(block, Table))
    assert tuple(f"{row[0]}: {row[1]}" for row in listed.rows) == gates
    for gate, verdict, figure in listed.rows:
        assert isinstance(figure, Figure)
        assert (figure.gate.name, figure.gate.verdict) == (gate, verdict)


def test_the_card_says_the_measured_exposure_and_of_an_earlier_version_nothing() -> None:
    def said(made: dict[str, bytes]) -> set[str]:
        return {figure.pointer for figure in card(Artefacts(made)).figures if figure.file == files.DATA}

    assert said(MADE) == {f"/exposure/{name}" for name in ("month", "amount", "unit", "ratio", "largest_ratio", "tier")}
    assert said(changed(MADE, files.DATA, ["exposure"], None)) == set()


@pytest.mark.parametrize("name", NEEDED)
def test_an_artefact_that_is_missing_fails_the_build(name: str) -> None:
    with pytest.raises(Integrity, match="missing"):
        build({file: data for file, data in MADE.items() if file != name}, plain_page)


@pytest.mark.parametrize(
    ("file", "pointer", "value"),
    [
        (files.FAIRNESS, ["bundle"], "f" * 64),
        (files.REASONS, ["bundle"], "f" * 64),
        (files.OUTCOMES, ["bundle"], "f" * 64),
        (files.LEDGER, ["bundle"], "f" * 64),
        (files.OVERSIGHT, ["bundle"], "f" * 64),
        (files.SUBJECT, ["bundle"], "f" * 64),
        (files.SUBJECT, ["training"], "f" * 64),
        (files.FAIRNESS, ["sources", 0, "digest"], "of another month"),
        (files.FAIRNESS, ["limits", "minimum_cell"], 1),
        (files.OUTCOMES, ["months", 0, "digest"], "of another month"),
    ],
)
def test_an_artefact_of_another_version_is_stale_and_fails_the_build(file: str, pointer: list[Any], value: Any) -> None:
    with pytest.raises(Integrity, match="stale"):
        build(changed(MADE, file, pointer, value), plain_page)


@pytest.mark.parametrize(
    ("file", "pointer", "value"),
    [
        (files.ASSESSMENT, ["out_of_time", "overall", "estimates", "auc", "value"], 0.99),
        (files.DATA, ["partitions", 0, "digest"], "of another month"),
        (files.RECIPE, ["parameters", "leaves"], 99),
        (files.POLICY, ["cut_offs", "review"], 0.2),
        (files.INVENTORY, ["owner"], "nobody"),
    ],
)
def test_what_training_sealed_cannot_be_edited_before_it_is_shown(file: str, pointer: list[Any], value: Any) -> None:
    with pytest.raises(Integrity, match=f"stale: {file}"):
        build(changed(MADE, file, pointer, value), plain_page)


@pytest.mark.parametrize(
    ("file", "pointer"),
    [
        (files.REASONS, ["every_reduction", "top_1_agreement", "mean"]),
        (files.FAIRNESS, ["figures", 0, "value"]),
        (files.FAIRNESS, ["sentence"]),
        (files.OVERSIGHT, ["tier"]),
        (files.OUTCOMES, ["months", 1, "rows"]),
    ],
)
def test_a_number_that_is_missing_or_undefined_fails_the_build(file: str, pointer: list[Any]) -> None:
    for value in (None, float("nan")):
        with pytest.raises(Integrity, match="missing"):
            build(changed(MADE, file, pointer, value), plain_page)


def test_every_figure_names_where_it_stands_and_the_gate_that_it_can_fail() -> None:
    pack = build(MADE, plain_page)
    stored = json.loads(pack.files[files.FIGURES])["figures"]
    assert len(stored) == len(pack.figures) > 200
    for each in stored:
        assert each["source"]["file"] in pack.files
        assert each["gate"] == NO_GATE or each["limit"]
    recheck(pack.files, plain_page)


def test_a_stored_number_that_no_longer_follows_from_its_artefact_is_stale() -> None:
    pack = build(MADE, plain_page).files
    with pytest.raises(Integrity, match="stale"):
        reread(changed(pack, files.FIGURES, ["figures", 5, "value"], "better"))
    with pytest.raises(Integrity, match="stale"):
        reread(changed(pack, files.REASONS, ["help", "no_notice", "found"], 1.0))


@pytest.mark.parametrize(
    ("field", "value"), [("verdict", "passed"), ("limit", ">= 0"), ("gate", NO_GATE), ("unit", "count"), ("name", "nicer")]
)
def test_a_gate_a_limit_or_a_verdict_that_does_not_follow_from_the_artefacts_is_stale(field: str, value: str) -> None:
    pack = build(MADE, plain_page).files
    listed = json.loads(pack[files.FIGURES])["figures"]
    place = next(number for number, each in enumerate(listed) if each["verdict"] == Verdict.FAILED)
    with pytest.raises(Integrity, match="stale"):
        recheck(changed(pack, files.FIGURES, ["figures", place, field], value), plain_page)


def test_a_figure_that_was_left_out_or_a_page_that_says_otherwise_is_stale() -> None:
    pack = build(MADE, plain_page).files
    fewer = json.loads(pack[files.FIGURES])["figures"][:-1]
    with pytest.raises(Integrity, match=r"figures\.json is not what follows"):
        recheck(changed(pack, files.FIGURES, ["figures"], fewer), plain_page)
    with pytest.raises(Integrity, match=r"index\.html is not what follows"):
        recheck({**pack, files.PAGE: pack[files.PAGE] + b" nicer"}, plain_page)


@pytest.mark.parametrize("figure", [{}, {"source": {}}, None])
def test_a_listed_figure_that_cannot_be_read_is_refused(figure: Any) -> None:
    with pytest.raises(Integrity, match="cannot be read"):
        reread(changed(build(MADE, plain_page).files, files.FIGURES, ["figures", 5], figure))


def test_a_gate_that_failed_is_shown_as_failed() -> None:
    failed = {figure.name for figure in build(MADE, plain_page).figures if figure.gate.verdict is Verdict.FAILED}
    assert {"fairness.fairness.figures.0", "fairness.fairness.sentence"} <= failed
    assert "fairness.fairness.gates.fairness.alternative" not in failed


def test_a_figure_is_ruled_by_its_gravest_verdict_and_too_few_accounts_are_insufficient() -> None:
    verdicts = {figure.name: figure.gate.verdict for figure in build(MADE, plain_page).figures if figure.unit is not Unit.KEY}
    assert verdicts["fairness.fairness.figures.0"] is Verdict.FAILED  # within here, outside there
    assert verdicts["fairness.fairness.figures.1.shortfall"] is Verdict.INSUFFICIENT
    assert verdicts["fairness.fairness.unjoined.as judged"] is Verdict.PASSED
    assert verdicts["fairness.fairness.unjoined.development"] is Verdict.INSUFFICIENT
    few = parsed(MADE, files.REASONS)["adverse_action"]["accounts"]
    assert few < ENOUGH
    assert verdicts["reasons.adverse_action.top_1_agreement.mean"] is Verdict.INSUFFICIENT


def marked(made: Mapping[str, bytes] = MADE) -> dict[tuple[str, str], Figure]:
    """Numbers that passed or failed something, by place."""
    judged = (Verdict.PASSED, Verdict.FAILED)
    figures = [each for document in documents(Artefacts(made)) for each in document.figures]
    return {(each.file, each.pointer): each for each in figures if each.is_number and each.gate.verdict in judged}


def test_every_mark_follows_from_its_number_and_its_limit() -> None:
    numeric = [figure for figure in marked().values() if ends(figure.gate.limit)]
    assert len(numeric) > 10
    assert [contradiction(figure) for figure in numeric if contradiction(figure)] == []
    assert {figure.gate.name for figure in numeric} >= {"auc", "monotone", "disturbances", "interval_coverage", "refusals"}


@pytest.mark.parametrize("place", sorted(marked()), ids=" ".join)
def test_a_number_that_is_absurd_is_passed_by_no_gate(place: tuple[str, str]) -> None:
    """Else its gate does not read it, and its mark says nothing."""
    file, pointer = place
    tokens = [int(token) if token.isdigit() else token.replace("~1", "/") for token in pointer.split("/")[1:]]
    before = Artefacts(MADE).at(file, pointer)
    passed = []
    for absurd in (-1e9, 1e9):
        after = {**before, **dict.fromkeys(("value", "low", "high"), absurd)} if isinstance(before, dict) else absurd
        made = changed(MADE, file, tokens, after)
        found = marked(made).get(place)
        passed.append(found is not None and found.gate.verdict is Verdict.PASSED and not contradiction(found))
    assert not all(passed)


@pytest.mark.parametrize(
    "pointer",
    [
        "/proofs/cost/band/reduce",
        "/proofs/monotone/steps",
        "/proofs/uncertainty/reviewed/in_force",
        "/proofs/uncertainty/crosswise/0/allowed",
        "/proofs/uncertainty/crosswise/0/width",
        "/proofs/robustness/refusals/offered/absent",
        "/proofs/robustness/effects/0/refused",
        "/proofs/robustness/effects/0/flagged",
        "/proofs/robustness/effects/1/moved",
        "/proofs/robustness/effects/1/changed",
    ],
)
def test_what_no_limit_bounds_has_no_mark(pointer: str) -> None:
    assert {figure.gate.name for figure in build(MADE, plain_page).figures if figure.pointer == pointer} == {NO_GATE}


def test_a_disturbance_is_marked_by_the_limits_of_its_own_kind() -> None:
    limits = USE_CASE.policy.robustness
    assert limits is not None
    noise, units = (f"/proofs/robustness/effects/{number}" for number in (0, 1))
    found = {figure.pointer: figure.gate for figure in build(MADE, plain_page).figures}
    assert found[f"{noise}/moved"].limit == f"<= {limits.bounded['noise_1'].moved:g}"
    assert found[f"{noise}/changed"].limit == f"<= {limits.bounded['noise_1'].changed:g}"
    least = f"refused and flagged together >= {limits.caught['all_units']:g}"
    assert {found[f"{units}/{name}"].limit for name in ("refused", "flagged")} == {least}
    made = changed(MADE, files.ASSESSMENT, ["proofs", "robustness", "effects", 1, "flagged"], 0.4)
    assert marked(made)[files.ASSESSMENT, f"{units}/refused"].gate.verdict is Verdict.FAILED


def test_a_number_that_the_gate_did_not_read_is_marked_by_no_gate() -> None:
    """As where only accounts were judged on which the champion was not trained: the table shows all of them."""
    checks = parsed(MADE, files.ASSESSMENT)["gate"]["checks"]
    place = next(number for number, check in enumerate(checks) if check["name"] == "auc")
    made = changed(MADE, files.ASSESSMENT, ["gate", "checks", place, "value"], 0.71)
    assert (files.ASSESSMENT, "/out_of_time/overall/estimates/auc") in marked()
    assert (files.ASSESSMENT, "/out_of_time/overall/estimates/auc") not in marked(made)


def test_a_mark_that_contradicts_its_number_fails_the_build() -> None:
    figure = marked()[files.ASSESSMENT, "/out_of_time/overall/estimates/auc"]
    assert "the limit of auc is >= 0.7, and it says failed" in contradiction(
        replace(figure, gate=replace(figure.gate, verdict=Verdict.FAILED))
    )
    assert "says passed" in contradiction(replace(figure, low=0.69))
    fairness = parsed(MADE, files.FAIRNESS)
    fairness["figures"][0]["rulings"][1]["verdict"] = "within"
    fairness["figures"][0]["rulings"][0] = fairness["figures"][0]["rulings"][1]
    with pytest.raises(Integrity, match=r"contradicts its number: .*impact_ratio is EU: >= 0\.9, and it says passed"):
        build(changed(MADE, files.FAIRNESS, ["figures"], fairness["figures"]), plain_page)


@pytest.mark.parametrize(
    ("limit", "found"),
    [
        (">= 0.7", (0.7, math.inf)),
        (">= -0.35 and <= 0.35", (-0.35, 0.35)),
        ("<= 1e-09", (-math.inf, 1e-9)),
        ("0", (0, 0)),
        ("<= 3.34 standard errors", (-math.inf, 3.34)),
        ("EU: >= 0.9", (0.9, math.inf)),
        ("<= 1 of each limit", None),
        ("refused and flagged together >= 0.99", None),
        ("the same rows, complete", None),
    ],
)
def test_limits_in_words_are_read_back(limit: str, found: tuple[float, float] | None) -> None:
    assert ends(limit) == found


def test_a_share_that_no_limit_judges_is_never_passed() -> None:
    figures = [figure for figure in build(MADE, plain_page).figures if figure.name.startswith("reasons.every_reduction.")]
    judged = {figure.name: figure.gate.verdict for figure in figures if figure.gate.name != NO_GATE}
    assert judged == {"reasons.every_reduction.accounts": Verdict.PASSED}
    assert {"reasons.every_reduction.top_1_agreement.mean", *judged} <= {each.name for each in figures}


@pytest.mark.parametrize(
    ("mean", "least", "verdict"),
    [(0.9, 0.85, Verdict.PASSED), (0.9, 0.25, Verdict.INSUFFICIENT), (0.78, 0.25, Verdict.FAILED), (0.8, 0.8, Verdict.PASSED)],
)
def test_the_stability_of_reasons_is_judged_by_the_worst_refit_and_the_mean(mean: float, least: float, verdict: Verdict) -> None:
    limits = USE_CASE.policy.adverse and USE_CASE.policy.adverse.stability
    assert limits
    assert limits.first_reason == 0.8
    found = changed(MADE, files.REASONS, ["no_notice", "top_1_agreement"], {"mean": mean, "least": least, "most": 1.0})
    gates = {figure.pointer: figure.gate for figure in build(found, plain_page).figures}
    assert {gates[f"/no_notice/top_1_agreement/{end}"].verdict for end in ("mean", "least")} == {verdict}
    assert gates["/no_notice/top_1_agreement/mean"].name == "reasons.stability"
    assert gates["/no_notice/top_1_agreement/most"].name == NO_GATE
    assert (f"reasons.stability: {verdict}" in open_gates(build(found, plain_page).files)) == (verdict is not Verdict.PASSED)


def test_no_audit_column_is_called_an_input() -> None:
    (sheet,) = (each for each in documents(Artefacts(MADE)) if each.name == "data")
    named = {figure.value for figure in sheet.figures}
    assert set(USE_CASE.contract.named(Role.AUDIT)) | set(USE_CASE.contract.inputs) <= named
    assert parsed(MADE, files.OUTCOMES)["inputs"] == len(USE_CASE.contract.inputs)


def test_the_fairness_report_states_every_limit_of_every_jurisdiction_and_who_ruled() -> None:
    made = changed(MADE, files.FAIRNESS, ["figures", 0, "column"], "sex x age")
    (written,) = (each for each in documents(Artefacts(made)) if each.name == "fairness")
    shown = {figure.pointer: figure.value for figure in written.figures}
    policy = USE_CASE.policy.fairness
    assert policy is not None
    for name, limits in policy.jurisdictions.items():
        for field, value in limits.model_dump(mode="json").items():
            pointer = f"/limits/jurisdictions/{name}/{field}"
            listed = {f"{pointer}/{place}": each for place, each in enumerate(value)} if isinstance(value, list) else {}
            assert (listed or {pointer: value}).items() <= shown.items()
    assert (shown["/figures/0/rulings/0/why"], shown["/figures/0/rulings/1/why"]) == ("house: within.", "EU: outside.")
    ruled = next(figure for figure in written.figures if figure.pointer == "/figures/0")
    assert ruled.gate.limit == "EU: >= 0.9"


def test_nothing_that_is_measured_limited_or_assumed_is_left_out() -> None:
    assert validation.MEASURES.keys() == MEASURED.keys()
    shown = {*monitoring_plan.LIMITS, *monitoring_plan.PAIRS, "due_days", "segments"}
    assert monitoring_plan.DUE.keys() == USE_CASE.policy.monitoring.due_days.keys()
    assert shown == set(type(USE_CASE.policy.monitoring).model_fields)
    assert costs.MEANINGS.keys() == set(type(USE_CASE.policy.cost).model_fields)


def test_a_pack_of_a_policy_before_segments_is_written_again_as_it_was() -> None:
    policy = parsed(MADE, files.POLICY)
    before = {name: value for name, value in policy["monitoring"].items() if name not in ("segments", "favourable_rate")}
    made = {"old": MADE | {files.POLICY: canonical(policy | {"monitoring": before})}, "new": MADE}
    shown = {}
    for age, those in made.items():
        limits = monitoring_plan.monitoring_plan(Artefacts(those)).sections[1].blocks[0]
        assert isinstance(limits, Table)
        shown[age] = [str(row[0]) for row in limits.rows]
    assert [name for name in shown["new"] if name in shown["old"]] == shown["old"]
    assert shown["new"].count("a segment that is watched by itself") == len(USE_CASE.policy.monitoring.segments)


def test_every_sentence_has_a_figure_or_names_the_control_that_shows_it() -> None:
    bare = []
    for document in documents(Artefacts(MADE)):
        for block in (block for section in document.sections for block in section.blocks):
            said = block.sentences if isinstance(block, Points) else (block,) if isinstance(block, Sentence) else ()
            bare += ["".join(map(str, each.parts)) for each in said if not each.figures]
    leading = [text for text in bare if text.endswith(":")]
    assert [text for text in bare if text not in leading] == [
        "The gap between the two columns of AUC is variance; their level is bias."
    ]


def test_the_page_links_every_figure_to_a_file_of_the_pack_and_loads_nothing_from_elsewhere() -> None:
    pack = build(MADE, render)
    page = pack.files[files.PAGE].decode()
    linked = set(re.findall(r'(?:href|src)="([^"#]+)', page))
    assert linked <= pack.files.keys()
    assert page.count('class="f ') >= len(pack.figures)
    assert not re.search(r"https?://|<script|@import|url\(", page)


def test_the_page_shows_text_of_an_artefact_as_text() -> None:
    made = changed(MADE, files.FAIRNESS, ["other_reading"], "<b onclick=alert()>bold</b>")
    page = build(made, render).files[files.PAGE].decode()
    assert "<b onclick" not in page
    assert "&lt;b onclick" in page


@pytest.mark.parametrize(
    ("pointer", "unit", "words", "interval"),
    [
        ("/estimate", Unit.POINTS, "0.889", "0.883 to 0.895"),
        ("/share", Unit.SHARE, "14.8%", ""),
        ("/rows", Unit.COUNT, "30,000", ""),
        ("/list", Unit.COUNT, "2", ""),
        ("/a~1b", Unit.KEY, "a/b", ""),
        ("/digest", Unit.DIGEST, "abcdefabcdef", ""),
        ("/at", Unit.INSTANT, "2005-09-01 12:00", ""),
        ("/passed", Unit.PASSED, "failed", ""),
    ],
)
def test_a_figure_is_written_by_its_unit(pointer: str, unit: Unit, words: str, interval: str) -> None:
    document = {
        "estimate": {"value": 0.8892, "low": 0.8833, "high": 0.8948},
        "share": 0.148,
        "rows": 30000,
        "list": [1, 2],
        "a/b": 1,
        "digest": "abcdef" * 10,
        "at": "2005-09-01T12:00:31.5+00:00",
        "passed": False,
    }
    figure = Artefacts({"x.json": json.dumps(document).encode()}).figure("x.json", pointer, unit)
    assert (figure.words, figure.interval) == (words, interval)
