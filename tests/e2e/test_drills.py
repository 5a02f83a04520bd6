"""Every drill and the 149 quiet windows, as `make drill` runs them: about a quarter of an hour on an idle machine."""

import pytest

from pipelines.drills.catalogue import DRILLS, find
from pipelines.drills.quiet import WINDOWS
from pipelines.drills.run import run

pytestmark = pytest.mark.soak


@pytest.mark.timeout(3600)
def test_every_fault_is_noticed_in_time_and_a_quiet_month_calls_nobody() -> None:
    came = run(find(""), say=print)
    assert came.missed == []
    assert [lived.drill.name for lived in came.lived] == list(DRILLS)
    assert came.quiet
    assert came.quiet.windows == WINDOWS
    assert came.quiet.bound < 0.02
