"""Rules from score to action that tests can do in their head."""

from itertools import product

from models.contract import Contract
from models.governance.doubt.familiar import Familiar, Range
from models.governance.doubt.rule import Rule
from models.governance.doubt.seen import Combination
from models.governance.doubt.uncertainty import Intervals
from models.policy import Policy


def plain(contract: Contract, policy: Policy) -> Rule:
    """No doubt: the review range is the policy's own, and whatever the contract allows is familiar."""
    own = policy.cut_offs
    sure = Intervals((own.reduce,), (own.reduce,), (own.review,), (own.review / 2,))
    return Rule.made(policy, sure, all_familiar(contract))


def all_familiar(contract: Contract) -> Familiar:
    columns = [contract[name] for name in contract.inputs]
    coded = [column for column in columns if column.codes]
    ranges = [Range(each.name, float(each.minimum or 0), float(each.maximum or 0)) for each in columns if not each.codes]
    names, codes = tuple(each.name for each in coded), tuple(product(*(each.codes for each in coded)))
    return Familiar(contract.inputs, tuple(ranges), (Combination(names, codes),) if coded else (), 0.0, 0.0)
