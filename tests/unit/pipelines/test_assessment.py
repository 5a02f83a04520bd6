"""What a challenger's judge knows about the champion."""

import pytest

from models.bundle import PARTS, Bundle
from pipelines.assessment import Champion
from tests.fakes.scorer import FakeScorer


@pytest.mark.parametrize(
    ("now", "told"), [(1, ""), (2, "The outcome definition changed from 1 to 2 after the champion was trained.")]
)
def test_a_champion_knows_whether_outcomes_are_read_otherwise_by_now(now: int, told: str) -> None:
    bundle = Bundle.seal("credit_default", dict.fromkeys(PARTS, b""), lineage={"recipe": {"definition_version": 1}})
    assert Champion(bundle, FakeScorer(b"0.25")).redefined(now) == told
