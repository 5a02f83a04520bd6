"""The rule of a bundle is the one that its policy declares."""

import pytest

from models.bundle import canonical
from models.errors import Integrity
from models.governance.doubt.rule import Rule
from models.policy import Policy, Together
from tests.bundles import USE_CASE, fake_bundle


def test_a_bundle_that_lacks_what_its_policy_takes_together_is_refused() -> None:
    limits = USE_CASE.policy.robustness.model_copy(update={"compared": (Together(plus=("bill_0",), over="credit_limit"),)})
    policy = USE_CASE.policy.model_copy(update={"robustness": limits})
    with pytest.raises(Integrity, match="not what the policy takes together"):
        Rule.of(fake_bundle(parts={"policy.json": canonical(policy.model_dump(mode="json"))}))


def test_a_bundle_of_before_takes_nothing_together_and_can_still_be_read() -> None:
    policy = USE_CASE.policy.model_dump(mode="json")
    for name in ("compared", "signs"):
        policy["robustness"].pop(name)
    bundle = fake_bundle(parts={"policy.json": canonical(policy)})
    assert b"compared" not in bundle.files["uncertainty.json"]
    assert Rule.of(bundle).policy == Policy.model_validate(policy)
