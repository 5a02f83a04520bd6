"""What every image promises, read from its file with every change; `make test-images` builds and runs them."""

import re
from pathlib import Path

import pytest

FILES = sorted((Path(__file__).parents[3] / "infra" / "images").glob("*.Dockerfile"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_an_image_comes_from_the_hashed_lock_says_its_commit_and_health_and_runs_as_nobody_of_note(file: Path) -> None:
    _, build, run = re.split(r"^FROM ", file.read_text(), flags=re.MULTILINE)
    assert "--require-hashes --only-binary :all:" in build
    assert f"COPY infra/images/{file.stem}.lock requirements.lock" in build
    assert 'org.opencontainers.image.revision="$COMMIT"' in run
    steps = [line.split()[0] for line in run.splitlines() if line[:1].isupper()]
    assert "\nUSER 10001:10001\n" in run
    assert steps.index("USER") > max(at for at, step in enumerate(steps) if step in ("RUN", "COPY")), (
        "nothing is its own but its home"
    )
    assert "\nHEALTHCHECK " in run


def test_there_is_one_for_each_deployable() -> None:
    assert [file.stem for file in FILES] == ["console", "pipelines", "serving"]
