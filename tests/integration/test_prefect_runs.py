"""The run history without a server; with one it is tried in tests/e2e/test_schedule.py."""

import pytest

from models.errors import Unavailable
from monitoring.adapters.prefect_runs import PrefectRuns

pytestmark = pytest.mark.integration


def test_a_prefect_that_is_not_there_is_unavailable_and_says_how_to_start_it() -> None:
    with pytest.raises(Unavailable) as refused:
        PrefectRuns(lambda: "http://127.0.0.1:9/api").recent(10)
    assert refused.value.hint == "make schedule"
