"""A generated lake is the same by however many processes, and goes on after a kill."""

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pyarrow.parquet as pq
import pytest

from models.clock import Month
from models.errors import Conflict
from pipelines.adapters.generated_parts import MADE, write
from pipelines.generation.credit_cards import panel
from pipelines.generation.panel import CHUNK, Recipe

pytestmark = pytest.mark.integration

RECIPE = Recipe(2 * CHUNK + 1_000, (Month(2005, 6), Month(2005, 7)), 3, 0.02)


def made(folder: Path, processes: int = 1) -> dict[str, str]:
    write(panel(), RECIPE, str(folder), processes, lambda _done, _total: None)
    return digests(folder)


def digests(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*.parquet")}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return made(tmp_path_factory.mktemp("whole"))


def test_two_processes_write_what_one_writes(whole: dict[str, str], tmp_path: Path) -> None:
    assert made(tmp_path, processes=2) == whole


def test_the_tables_are_as_the_lake_holds_them(tmp_path: Path) -> None:
    made(tmp_path)
    snapshots = [pq.read_metadata(path) for path in (tmp_path / "snapshots").rglob("*.parquet")]
    outcomes = [pq.read_metadata(path) for path in (tmp_path / "outcomes").rglob("*.parquet")]

    assert sum(file.num_rows for file in snapshots) == sum(file.num_rows for file in outcomes) == RECIPE.rows
    assert max(file.num_rows for file in snapshots) <= CHUNK
    assert not {"sex", "education", "marriage", "age"} & set(snapshots[0].schema.names)


def test_a_killed_run_goes_on_and_makes_no_part_again(whole: dict[str, str], tmp_path: Path) -> None:
    script = dedent(f"""
        import os, signal
        from models.clock import Month
        from pipelines.adapters.generated_parts import write
        from pipelines.generation.credit_cards import panel
        from pipelines.generation.panel import Recipe

        def told(done, total):
            if done:
                os.kill(os.getpid(), signal.SIGKILL)

        recipe = Recipe({RECIPE.rows}, (Month(2005, 6), Month(2005, 7)), 3, 0.02)
        write(panel(), recipe, {str(tmp_path)!r}, 1, told)
    """)
    ended = subprocess.run([sys.executable, "-c", script], env=dict(os.environ), check=False)
    assert ended.returncode == -signal.SIGKILL
    assert len(digests(tmp_path)) == 2
    assert not (tmp_path / MADE).exists()

    found = write(panel(), RECIPE, str(tmp_path), 1, lambda _done, _total: None)

    assert (found.parts, found.made) == (4, 3)
    assert digests(tmp_path) == whole
    assert (tmp_path / MADE).exists()


def test_another_recipe_is_not_mixed_in(tmp_path: Path) -> None:
    made(tmp_path)
    other = Recipe(RECIPE.rows, RECIPE.months, 4, 0.02)

    with pytest.raises(Conflict, match="other rows"):
        write(panel(), other, str(tmp_path), 1, lambda _done, _total: None)
