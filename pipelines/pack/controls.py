"""The control map: each control, the rules that it supports, and the tests and artefacts that show it. Data.

A test sees that every test named here exists and every artefact is in a pack. To support a rule is not to fulfil it:
no entry claims that.
"""

from dataclasses import asdict, dataclass
from typing import Any

from pipelines.pack import files
from pipelines.supply import BILL, LICENCES

RULES = {
    "SR 26-2": "Model Risk Management (April 2026): materiality, inventory, conceptual soundness, outcomes analysis, monitoring",
    "12 CFR 1002.2(c)": "Regulation B: what an adverse action on an existing account is, and what is none",
    "12 CFR 1002.9": "Regulation B: specific principal reasons for an adverse action",
    "12 CFR 1002.12": "Regulation B: records are kept for 25 months",
    "12 CFR 1002.4(a)": "Regulation B: no discrimination on a prohibited basis",
    "EU AI Act art. 9": "risk management system",
    "EU AI Act art. 10": "data and data governance, examination for bias",
    "EU AI Act art. 11": "technical documentation",
    "EU AI Act art. 12": "record-keeping",
    "EU AI Act art. 13": "transparency towards deployers",
    "EU AI Act art. 14": "human oversight",
    "EU AI Act art. 15": "accuracy, robustness, cybersecurity",
    "EU AI Act art. 72": "post-market monitoring",
    "NIST AI RMF GOVERN": "policies, roles, accountability",
    "NIST AI RMF MAP": "context, purpose, limits of use",
    "NIST AI RMF MEASURE": "testing, evaluation, fairness, robustness",
    "NIST AI RMF MANAGE": "response, monitoring, decommissioning",
    "ISO/IEC 42001 A.5": "assessing impacts of AI systems",
    "ISO/IEC 42001 A.6": "AI system life cycle",
    "ISO/IEC 42001 A.7": "data for AI systems",
    "ISO/IEC 42001 A.8": "information for interested parties",
    "BCBS 239": "accuracy, completeness and lineage of risk data",
}
"""By the short name that controls use. EU AI Act: duties of Annex III systems, from December 2027."""


@dataclass(frozen=True)
class Control:
    """`tests` are node ids, `artefacts` files of the pack."""

    name: str
    claim: str
    rules: tuple[str, ...]
    tests: tuple[str, ...]
    artefacts: tuple[str, ...]


_GOVERNANCE, _PIPELINES = "tests/unit/models/governance", "tests/unit/pipelines"

CONTROLS = (
    Control(
        "inventory",
        "Owner, purpose, uses and exposure are declared; an empty field blocks promotion and serving",
        ("SR 26-2", "EU AI Act art. 9", "EU AI Act art. 11", "NIST AI RMF MAP", "ISO/IEC 42001 A.5"),
        (
            f"{_GOVERNANCE}/test_inventory.py::test_every_use_case_declares_everything",
            f"{_GOVERNANCE}/test_release.py::test_what_its_inventory_leaves_out_keeps_a_bundle_from_being_promoted",
            "tests/unit/serving/release/test_declared.py::test_a_bundle_made_by_hand_with_an_empty_field_is_not_served",
        ),
        (files.INVENTORY, files.OVERSIGHT),
    ),
    Control(
        "gate",
        "A version passes every floor by the worse end of its interval; a missing figure refuses it",
        ("SR 26-2", "EU AI Act art. 15", "NIST AI RMF MEASURE"),
        (
            "tests/unit/models/test_gates.py::test_a_floor_counts_at_the_worse_end_of_the_interval",
            "tests/unit/models/test_gates.py::test_any_figure_that_is_missing_refuses",
        ),
        (files.ASSESSMENT,),
    ),
    Control(
        "out-of-time",
        "No label counts before it matured, and no choice sees the month that judges",
        ("SR 26-2", "EU AI Act art. 10", "ISO/IEC 42001 A.7"),
        (
            f"{_PIPELINES}/test_dataset.py::test_a_label_never_arrives_before_it_matured",
            f"{_PIPELINES}/test_dataset.py::test_an_immature_cohort_is_unknown_and_not_good",
            "tests/unit/models/test_splits.py::test_no_plan_holds_a_month_whose_outcome_is_after_the_as_of_day",
        ),
        (files.DATA, files.DEVELOPMENT),
    ),
    Control(
        "audit-wall",
        "Audit columns reach no estimator, no scorer and no request",
        ("12 CFR 1002.4(a)", "EU AI Act art. 10", "NIST AI RMF MEASURE"),
        (
            f"{_PIPELINES}/test_dataset.py::test_only_key_time_and_inputs_are_loaded",
            f"{_PIPELINES}/fairness/test_audit.py::test_nobody_else_holds_the_restricted_lake_or_the_door_to_it",
            "tests/unit/test_architecture.py::test_a_bad_import_breaks_its_contract",
        ),
        (files.CONTRACT,),
    ),
    Control(
        "fairness",
        "Favourable decisions are compared by group under the limits of each jurisdiction; too few accounts never pass",
        ("12 CFR 1002.4(a)", "EU AI Act art. 10", "NIST AI RMF MEASURE", "ISO/IEC 42001 A.5"),
        (
            f"{_GOVERNANCE}/fairness/test_figures.py::test_a_cell_that_is_too_small_has_no_number_and_never_passes",
            f"{_PIPELINES}/fairness/test_assemble.py::test_planted_discrimination_is_found_and_its_proxy_named",
            f"{_PIPELINES}/fairness/test_assemble.py::test_every_figure_is_ruled_on_and_names_its_gate",
        ),
        (files.FAIRNESS,),
    ),
    Control(
        "alternatives",
        "Less discriminatory alternatives among the models tried are searched, and confirmed once out of time",
        ("12 CFR 1002.4(a)", "NIST AI RMF MEASURE"),
        (
            f"{_GOVERNANCE}/fairness/test_alternatives.py::test_an_alternative_without_the_surcharge_is_found_chosen_and_confirmed",
            f"{_PIPELINES}/fairness/test_assemble.py::test_the_chosen_alternative_itself_is_fitted_and_judged_out_of_time",
        ),
        (files.FAIRNESS,),
    ),
    Control(
        "reasons",
        "Every adverse action carries up to four ranked reasons that were actually scored, with their notice text",
        ("12 CFR 1002.9", "EU AI Act art. 13", "ISO/IEC 42001 A.8"),
        (
            f"{_GOVERNANCE}/explanation/test_reasons.py::test_a_reduced_account_is_told_one_to_four_positive_reasons_the_largest_first",
            f"{_GOVERNANCE}/explanation/test_reasons.py::test_the_values_add_up_to_the_way_from_the_baseline",
            "tests/unit/serving/answers/test_prediction.py::test_a_reduction_says_why_and_the_log_keeps_what_was_said",
            f"{_GOVERNANCE}/explanation/test_baseline.py::test_a_notice_that_gives_no_reason_is_refused",
            "tests/unit/serving/paths/test_reviews.py::test_a_statement_that_tells_the_customer_nothing_is_refused",
        ),
        (files.REASONS, files.POLICY),
    ),
    Control(
        "no-notice",
        "Action on the account's own current delinquency or inactivity is told apart from adverse action",
        ("12 CFR 1002.2(c)",),
        (
            f"{_GOVERNANCE}/explanation/test_reasons.py::test_the_rules_of_no_notice_mark_the_accounts_that_the_use_case_calls_behind_and_inactive",
            "tests/unit/serving/paths/test_reviews.py::test_a_notice_is_due_unless_the_reviewer_names_the_account_s_own_delinquency",
        ),
        (files.POLICY,),
    ),
    Control(
        "directions",
        "The sealed graph keeps every direction that the policy promises",
        ("SR 26-2", "EU AI Act art. 15"),
        (
            f"{_GOVERNANCE}/doubt/test_sweep.py::test_a_tree_that_breaks_a_direction_is_found_by_each_look",
            f"{_GOVERNANCE}/doubt/test_sweep.py::test_a_model_that_rises_where_it_may_only_fall_is_found_by_each_look",
        ),
        (files.ASSESSMENT,),
    ),
    Control(
        "uncertainty",
        "Every probability has an interval whose coverage is gated; doubt sends an account to a person",
        ("EU AI Act art. 14", "EU AI Act art. 15", "NIST AI RMF MEASURE"),
        (
            f"{_GOVERNANCE}/doubt/test_coverage.py::test_a_mean_that_hides_two_errors_is_found_by_band",
            "tests/unit/serving/answers/test_prediction.py::test_a_score_whose_interval_a_cut_off_runs_through_goes_to_a_person",
        ),
        (files.ASSESSMENT,),
    ),
    Control(
        "robustness",
        "Broken input is refused, strange input is flagged, and what disturbed input changes silently is bounded",
        ("EU AI Act art. 15", "NIST AI RMF MEASURE"),
        (
            f"{_GOVERNANCE}/doubt/test_robustness.py::test_only_what_the_contract_allows_comes_past_it",
            f"{_GOVERNANCE}/doubt/test_robustness.py::test_the_worst_change_is_told_as_a_share_of_its_limit",
            f"{_GOVERNANCE}/doubt/test_familiar.py::test_amounts_that_are_common_alone_and_never_together_are_named",
            "tests/unit/models/credit_default/test_policy.py::test_wrong_input_may_do_what_was_stated_and_no_more",
        ),
        (files.ASSESSMENT,),
    ),
    Control(
        "approval",
        "Who trained a model cannot approve it; without valid approvals of bundle and evidence nothing is promoted",
        ("SR 26-2", "EU AI Act art. 14", "NIST AI RMF GOVERN"),
        (
            f"{_GOVERNANCE}/test_approval.py::test_an_approval_signed_for_the_approvers_own_work_does_not_count",
            f"{_GOVERNANCE}/test_approval.py::test_any_changed_field_voids_an_approval",
            "tests/unit/models/test_channel.py::test_a_release_ends_with_its_approval",
            f"{_GOVERNANCE}/test_checking.py::test_no_evidence_is_no_approval_even_in_the_local_profile",
        ),
        (files.LEDGER, files.OVERSIGHT),
    ),
    Control(
        "acceptance",
        "A gate that the evidence did not pass blocks promotion until everybody who signs accepts it by name, in writing",
        ("SR 26-2", "12 CFR 1002.4(a)", "EU AI Act art. 9", "EU AI Act art. 14", "NIST AI RMF GOVERN"),
        (
            f"{_GOVERNANCE}/test_acceptance.py::test_a_failed_gate_is_not_approved_without_a_written_acceptance",
            f"{_GOVERNANCE}/test_acceptance.py::test_a_signature_past_the_rules_that_names_other_gates_counts_for_nothing",
            f"{_GOVERNANCE}/test_acceptance.py::test_only_a_pass_is_a_pass",
        ),
        (files.FIGURES,),
    ),
    Control(
        "policy-changes",
        "A threshold edited after results were seen needs a second approver and stays visible",
        ("SR 26-2", "NIST AI RMF GOVERN"),
        (f"{_GOVERNANCE}/test_checking.py::test_an_edited_threshold_is_recorded_field_by_field_and_needs_two_people",),
        (files.LEDGER, files.POLICY),
    ),
    Control(
        "ledger",
        "Registrations, approvals, promotions and overrides are chained; an edit, a removal or a reordering is named",
        ("EU AI Act art. 12", "12 CFR 1002.12", "BCBS 239"),
        (f"{_GOVERNANCE}/test_audit.py::test_what_was_done_to_the_record_is_named_first",),
        (files.LEDGER,),
    ),
    Control(
        "lineage",
        "Every partition is recorded by version and digest, and a version is made again from its record",
        ("SR 26-2", "BCBS 239", "EU AI Act art. 12", "ISO/IEC 42001 A.7"),
        (
            f"{_PIPELINES}/rebuild/test_compare.py::test_a_version_is_made_again_byte_for_byte",
            f"{_PIPELINES}/rebuild/test_compare.py::test_one_changed_row_is_named_by_its_partition_and_measured",
        ),
        (files.LINEAGE, files.DATA),
    ),
    Control(
        "definitions",
        "A change of what an outcome means holds retraining until a person has accepted it",
        ("SR 26-2", "BCBS 239", "EU AI Act art. 10"),
        (f"{_PIPELINES}/test_ingest_holds.py::test_september_2005_is_admitted_and_held",),
        (files.OUTCOMES,),
    ),
    Control(
        "monitoring",
        "Each month is judged against the bundle's own reference, under the limits of its policy",
        ("SR 26-2", "EU AI Act art. 72", "NIST AI RMF MANAGE"),
        (
            "tests/unit/monitoring/test_monitor.py::test_a_quiet_month_is_green_before_and_after_its_outcomes_are_known",
            "tests/unit/monitoring/test_monitor.py::test_every_figure_names_the_partition_it_came_from",
            "tests/unit/monitoring/test_verdict.py::test_a_large_shift_suggests_to_retrain",
            "tests/unit/monitoring/test_verdict.py::test_predictions_that_miss_the_bad_rate_are_an_alarm",
            "tests/unit/monitoring/console/test_views.py::test_the_next_step_follows_the_verdict",
        ),
        (files.POLICY, files.OVERSIGHT),
    ),
    Control(
        "stop",
        "A model is stopped or rolled back by one command, on record",
        ("EU AI Act art. 14", "NIST AI RMF MANAGE"),
        (
            f"{_GOVERNANCE}/test_stop.py::test_a_model_is_stopped_and_goes_on_and_the_ledger_has_both",
            "tests/unit/serving/release/test_halting.py::test_a_stopped_model_answers_nobody_and_says_why_until_it_goes_on",
        ),
        (files.LEDGER,),
    ),
    Control(
        "review",
        "A reviewer's outcome is taken once, for a decision that was sent to a person",
        ("EU AI Act art. 14", "NIST AI RMF MANAGE"),
        ("tests/contracts/test_decision_log.py::test_only_a_decision_that_was_sent_to_a_person_takes_a_review",),
        (files.ASSESSMENT,),
    ),
    Control(
        "decision-replay",
        "A past decision is made again from the log, and whatever differs is named",
        ("EU AI Act art. 12", "12 CFR 1002.12"),
        (
            "tests/unit/monitoring/test_redecision.py::test_what_the_service_decided_comes_out_the_same",
            "tests/unit/monitoring/test_redecision.py::test_an_edited_score_action_or_flag_is_named_with_both_values",
        ),
        (files.LINEAGE,),
    ),
    Control(
        "retention",
        "Decisions keep their inputs as long as the policy says, then lose them; what was decided and why stays",
        ("12 CFR 1002.12", "EU AI Act art. 12"),
        (
            "tests/unit/monitoring/test_retention.py::test_on_the_last_day_it_is_still_there",
            "tests/unit/monitoring/test_retention.py::test_what_was_decided_and_why_outlives_its_inputs",
        ),
        (files.POLICY,),
    ),
    Control(
        "pseudonyms",
        "No account id is stored; keyed hashes change keys without breaking joins, audit columns have keys of their own",
        ("EU AI Act art. 10", "ISO/IEC 42001 A.7"),
        (
            f"{_PIPELINES}/test_rotation.py::test_no_id_is_stored_anywhere",
            f"{_PIPELINES}/test_rotation.py::test_lake_and_restricted_table_have_no_key_in_common",
        ),
        (files.CONTRACT,),
    ),
    Control(
        "supply-chain",
        "What was installed is listed by digest, and no licence that the policy refuses is among it",
        ("EU AI Act art. 15", "ISO/IEC 42001 A.6"),
        (f"{_PIPELINES}/test_supply.py::test_the_bill_is_valid_by_the_schema_of_its_format_and_others_can_read_it",),
        (BILL, LICENCES),
    ),
    Control(
        "pack",
        "Every number on this page is read from an artefact; a stale or missing one fails the build",
        ("SR 26-2", "EU AI Act art. 11", "ISO/IEC 42001 A.8"),
        (
            "tests/unit/pipelines/pack/test_pack.py::test_an_artefact_that_is_missing_fails_the_build",
            "tests/unit/pipelines/pack/test_pack.py::test_an_artefact_of_another_version_is_stale_and_fails_the_build",
            "tests/unit/pipelines/pack/test_pack.py::test_a_number_that_is_absurd_is_passed_by_no_gate",
            "tests/unit/pipelines/verification/test_packs.py::test_a_pack_that_no_entry_names_is_named_however_well_it_is_sealed",
        ),
        (files.FIGURES,),
    ),
)


def control_map() -> dict[str, Any]:
    """JSON: rules by name, controls by name."""
    return {"rules": RULES, "controls": {control.name: asdict(control) for control in CONTROLS}}
