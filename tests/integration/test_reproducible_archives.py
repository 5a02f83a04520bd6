"""Two builds of the last commit are the same, byte for byte, and hold what is installed."""

from io import BytesIO
from zipfile import ZipFile

import pytest

from infra.release.__main__ import twice

pytestmark = pytest.mark.integration


def test_two_builds_of_the_last_commit_are_one() -> None:
    built = twice()
    (wheel,) = (data for name, data in built.items() if name.endswith(".whl"))
    assert {name.split("/")[0] for name in ZipFile(BytesIO(wheel)).namelist()} >= {"models", "monitoring", "pipelines", "serving"}
    assert len(built) == 2
