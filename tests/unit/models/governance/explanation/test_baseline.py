"""With whom a reduced account is compared, and that everything that decides can be said."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from models.contract import Role
from models.credit_default import USE_CASE
from models.errors import Integrity, Misconfigured, NotEnoughData
from models.governance.explanation.baseline import WIDTH, chosen, mapped, opened, recorded
from models.policy import Condition, Mutable, NoNotice, Policy
from tests.toy import Formula, contract, groups, part, policy

Floats = NDArray[np.float64]


def sum_of(x: Floats) -> Floats:
    return np.asarray(x.sum(axis=1))


def near(count: int, seed: int = 1) -> Floats:
    """Accounts whose score lies between the edge of the band and the cut-off at 0."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 3, (count, 2))
    return np.column_stack([x, -x.sum(axis=1) - rng.uniform(0.001, WIDTH - 0.001, count)])


def test_only_accounts_just_on_the_good_side_are_compared_with() -> None:
    score = Formula(sum_of)
    everybody = np.vstack([near(30), np.random.default_rng(2).normal(0, 5, (500, 3))])
    found = chosen(policy(3), everybody, score)
    assert len(found) == policy(3).adverse.baselines
    scores = score.log_odds(found)
    assert ((scores < 0) & (scores >= -WIDTH)).all()


@pytest.mark.parametrize("score", [0.0, 1e-6, -WIDTH - 1e-6, -1.0])
def test_an_account_at_the_cut_off_or_too_far_below_it_is_no_comparison(score: float) -> None:
    with pytest.raises(NotEnoughData, match=r"within 0\.05 log-odds"):
        chosen(policy(1), np.array([[score]]), Formula(sum_of))


def test_the_order_of_the_accounts_and_their_copies_do_not_matter() -> None:
    rows = near(40)
    mixed = np.vstack([rows[np.random.default_rng(3).permutation(40)], rows[:7]])
    np.testing.assert_array_equal(chosen(policy(3), rows, Formula(sum_of)), chosen(policy(3), mixed, Formula(sum_of)))


def test_the_first_is_the_most_typical_and_the_next_stands_for_another_kind() -> None:
    """Thirty-one accounts are current, ten are behind."""
    steps = np.linspace(-0.001, -0.049, 41)
    current = np.column_stack([np.zeros(31), steps[:31]])
    behind = np.column_stack([np.full(10, 2.0), steps[31:] - 2.0])
    [first] = chosen(policy(2, baselines=1), current, Formula(sum_of))
    assert first[1] == steps[15]
    kinds = chosen(policy(2, baselines=2), np.vstack([behind, current]), Formula(sum_of))[:, 0]
    assert kinds.tolist() == [0.0, 2.0]


def test_an_account_is_never_taken_twice() -> None:
    found = chosen(policy(3, baselines=9), near(9), Formula(sum_of))
    assert len(np.unique(found, axis=0)) == 9


def test_of_very_many_accounts_some_are_looked_at() -> None:
    assert len(chosen(policy(3), near(3_000), Formula(sum_of))) == 4


def test_fewer_accounts_than_wanted_are_enough() -> None:
    assert len(chosen(policy(3), near(2), Formula(sum_of))) == 2


@pytest.mark.parametrize("score", [0.0, 0.01, -WIDTH - 0.01])
def test_a_sealed_account_on_the_wrong_side_or_too_far_is_noticed(score: float) -> None:
    with pytest.raises(Integrity, match="1 of 2 baseline accounts"):
        opened(contract(1), policy(1), part([-0.02], [score]), Formula(sum_of))


@pytest.mark.parametrize("reduce", [0.49, 0.55])
def test_a_cut_off_that_was_moved_after_sealing_is_noticed(reduce: float) -> None:
    sealed = part([-0.02])
    opened(contract(1), policy(1), sealed, Formula(sum_of))
    with pytest.raises(Integrity, match="do not lie within"):
        opened(contract(1), policy(1, reduce=reduce), sealed, Formula(sum_of))


@pytest.mark.parametrize("content", [{"columns": ["b"]}, {"baseline": []}, {"baseline": [[-0.02, 0.0]]}])
def test_accounts_of_another_contract_are_refused(content: dict[str, Any]) -> None:
    with pytest.raises(Integrity, match="accounts of this contract"):
        opened(contract(1), policy(1), part([-0.02]) | content, Formula(sum_of))


def test_an_input_without_a_reason_is_named() -> None:
    with pytest.raises(Misconfigured, match="no reason group holds c") as refused:
        mapped(contract(3), policy(2))
    assert "notice text" in refused.value.hint


def test_an_input_is_one_reason_once() -> None:
    doubled = (*groups(2), groups(1)[0].model_copy(update={"code": "X", "name": "again"}))
    with pytest.raises(Misconfigured, match="a stand in more than one"):
        mapped(contract(2), policy(2, groups=doubled))


@pytest.mark.parametrize(
    "adverse",
    [
        {"groups": (groups(1)[0].model_copy(update={"inputs": ("a", "sex")}),)},
        {"mutable": (Mutable(column="sex", direction=-1, until=1),)},
        {"mutable": (Mutable(column="a", direction=-1, until="sex"),)},
        {"no_notice": (NoNotice(name="n", basis="b", when=(Condition(column="sex", comparison="==", value=1),)),)},
    ],
)
def test_an_audit_column_is_no_reason_no_rule_and_no_help(adverse: dict[str, Any]) -> None:
    with pytest.raises(Misconfigured, match="speak of sex"):
        mapped(contract(1), policy(1, **adverse))


@pytest.mark.parametrize("field", ["code", "name", "notice"])
@pytest.mark.parametrize("text", ["", " "])
def test_a_reason_without_a_code_a_name_or_a_text_is_refused(field: str, text: str) -> None:
    first, second = groups(2)
    with pytest.raises(Misconfigured, match=f"reason group 2 has no {field}"):
        mapped(contract(2), policy(2, groups=(first, second.model_copy(update={field: text}))))


@pytest.mark.parametrize("field", ["code", "name", "notice"])
def test_two_reasons_are_told_apart(field: str) -> None:
    first, second = groups(2)
    alike = second.model_copy(update={field: f" {getattr(first, field).lower()}"})
    with pytest.raises(Misconfigured, match=f"reason groups 1 and 2 have one {field}"):
        mapped(contract(2), policy(2, groups=(first, alike)))


@pytest.mark.parametrize("notice", ["You failed to reach a qualifying score", "Because of your age and income", "Income"])
def test_a_notice_that_gives_no_reason_is_refused(notice: str) -> None:
    with pytest.raises(Misconfigured, match="the notice of reason group A") as refused:
        mapped(contract(1), policy(1, groups=(groups(1)[0].model_copy(update={"notice": notice}),)))
    assert "Unable to verify income" in refused.value.hint


@pytest.mark.parametrize("missing", ["name", "basis"])
def test_a_rule_that_excuses_a_notice_says_by_what(missing: str) -> None:
    rule = NoNotice(name="n", basis="b", when=(Condition(column="a", comparison="==", value=1),)).model_copy(
        update={missing: " "}
    )
    with pytest.raises(Misconfigured, match="lacks its name or its basis"):
        mapped(contract(1), policy(1, no_notice=(rule,)))


def test_a_policy_that_says_nothing_of_adverse_decisions_is_refused() -> None:
    with pytest.raises(Misconfigured, match="no reasons for adverse decisions"):
        mapped(contract(1), policy(1).model_copy(update={"adverse": None}))


def test_a_policy_sealed_before_there_were_reasons_can_still_be_read() -> None:
    before = USE_CASE.policy.model_dump(mode="json")
    before.pop("adverse")
    assert Policy.model_validate(before).adverse is None


def test_the_example_maps_every_input_to_a_notice_and_names_no_audit_column() -> None:
    adverse = mapped(USE_CASE.contract, USE_CASE.policy)
    texts = [group.notice for group in adverse.groups]
    assert len(set(texts)) == len({group.code for group in adverse.groups}) == len(adverse.groups) <= 6
    words = {word.lower() for text in texts for word in text.split()}
    assert not words & set(USE_CASE.contract.named(Role.AUDIT))


def test_what_is_recorded_has_inputs_only_and_real_quantiles() -> None:
    rows = near(400)
    columns = dict(zip("abc", rows.T, strict=True)) | {"sex": np.ones(400)}
    found = recorded(contract(3), policy(3, mutable=(Mutable(column="b", direction=1, until=9),)), columns, Formula(sum_of))
    assert found["columns"] == ["a", "b", "c"]
    assert list(found["scales"]) == ["b"]
    assert set(found["scales"]["b"]) <= set(columns["b"].tolist())
    real = {tuple(row) for row in rows.tolist()}
    assert {tuple(row) for row in found["baseline"]} <= real
