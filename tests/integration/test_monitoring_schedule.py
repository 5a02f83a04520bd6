"""A schedule that is rarer than the tier allows never starts."""

from pathlib import Path

import pytest

from models.errors import Misconfigured
from pipelines.settings import PipelineSettings
from pipelines.wiring import Platform

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(
    ("cron", "often_enough"),
    [
        ("0 4 1 * *", True),
        ("* * * * *", True),
        ("0 4 28 * *", True),
        ("0 4 1 */2 *", False),
        ("0 4 1 1,4,7,10 *", False),
        ("0 4 31 * *", False),  # every other month has no such day
        ("0 4 1 1 *", False),
    ],
)
def test_monitoring_is_scheduled_as_often_as_the_tier_asks_for(tmp_path: Path, cron: str, often_enough: bool) -> None:
    from pipelines.flows import ensure_often_enough

    parts = Platform(PipelineSettings(home=tmp_path, monitor_cron=cron))
    if often_enough:
        ensure_often_enough(parts)
    else:
        with pytest.raises(Misconfigured, match="tier 2 is to be watched at least"):
            ensure_often_enough(parts)
