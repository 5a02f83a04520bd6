"""Rules from score to action that tests can do in their head."""

from itertools import product

from models.contract import Contract
from models.governance.doubt.familiar import Familiar, Range, TogetherRange
from models.governance.doubt.rule import Rule
from models.governance.doubt.seen import Combination
from models.governance.doubt.uncertainty import Intervals
from models.policy import Policy, RobustnessLimits


def plain(contract: Contract, policy: Policy) -> Rule:
    """No doubt: the review range is the policy's own, and whatever the contract allows is familiar."""
    own = policy.cut_offs
    sure = Intervals((own.reduce,), (own.reduce,), (own.review,), (own.review / 2,))
    return Rule.made(policy, sure, all_familiar(contract, policy.robustness))


def all_familiar(contract: Contract, limits: RobustnessLimits | None = None) -> Familiar:
    columns = [contract[name] for name in contract.inputs]
    coded = [column for column in columns if column.codes]
    ranges = [Range(each.name, float(each.minimum or 0), float(each.maximum or 0)) for each in columns if not each.codes]
    names, codes = tuple(each.name for each in coded), [tuple(each.codes) for each in coded]
    joint = [Combination(names, tuple(product(*codes)))] if coded else []
    if limits and limits.signs:
        joint.append(Combination(names, tuple(product(*codes, *[(-1, 0, 1)] * len(limits.signs))), limits.signs))
    compared = [TogetherRange(each, -1e18, 1e18) for each in limits.compared] if limits else []
    return Familiar(contract.inputs, tuple(ranges), tuple(joint), 0.0, 0.0, tuple(compared))
