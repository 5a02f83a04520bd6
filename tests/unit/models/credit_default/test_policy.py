"""The example's limits stand here once more, so that none is loosened unseen: whoever moves one says why, in both places."""

from models.credit_default import USE_CASE
from models.credit_default.policy import ROBUSTNESS, UNCERTAINTY
from models.governance.doubt.together import check

LIMITS = {
    "flagged": 0.005,
    "false_flags": 0.02,
    "bounded": {
        "rounded": {"moved": 0.5, "changed": 0.03},
        "noise_1": {"moved": 0.5, "changed": 0.03},
        "noise_5": {"moved": 1.0, "changed": 0.06},
        "stale": {"moved": 9.0, "changed": 0.35},
        "one_unit": {"moved": 4.0, "changed": 0.35},
        "extreme": {"moved": 9.0, "changed": 0.35},
    },
    # Nobody can tell next to nothing paid from nothing paid; no other input needs as much.
    "by_input": {
        kind: {payment: {"moved": 4.0, "changed": 0.5} for payment in ("payment_0", "payment_1")}
        for kind in ("one_unit", "extreme")
    },
    "caught": {"all_units": 0.99, "mixed": 0.5},
}


def test_wrong_input_may_do_what_was_stated_and_no_more() -> None:
    assert ROBUSTNESS.model_dump(include=set(LIMITS)) == LIMITS
    assert UNCERTAINTY.model_dump() == {"confidence": 0.99, "review_growth": 0.15}


def test_no_bill_may_move_as_many_decisions_as_a_payment() -> None:
    for kind in ("one_unit", "extreme"):
        for name in set(USE_CASE.contract.inputs) - {"payment_0", "payment_1"}:
            limit, unpaid = ROBUSTNESS.bound(kind, name), ROBUSTNESS.bound(kind, "payment_0")
            assert limit is not None
            assert unpaid is not None
            assert limit.changed < unpaid.changed


def test_what_the_example_takes_together_can_be() -> None:
    check(USE_CASE.contract, ROBUSTNESS.compared, ROBUSTNESS.signs)
    assert {str(each) for each in ROBUSTNESS.compared} == {
        "bill_0 / credit_limit",
        "bill_1 / credit_limit",
        "(bill_0 + payment_0 - bill_1) / credit_limit",
    }
    assert [str(each) for each in ROBUSTNESS.signs] == ["bill_0", "bill_1", "bill_1 - payment_0", "bill_0 + payment_0 - bill_1"]
