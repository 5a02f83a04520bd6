"""The images, built once for all that look at them or run them."""

import os
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from infra.images.engine import Podman, missing
from tests.readers import shared_folder

COMMIT = "0123456789abcdef0123456789abcdef01234567"

Build = Callable[[str], str]


@pytest.fixture(scope="session")
def podman() -> Iterator[Podman]:
    """Skips where there is nothing to build with; CI installs it, so there it fails."""
    lacking = missing()
    if os.geteuid() != 0 or (lacking and not os.environ.get("CI")):
        pytest.skip(f"images are built as root, with {', '.join(lacking) or 'podman'}")
    assert not lacking, lacking
    kept = os.environ.get("IMAGE_STORE")
    with shared_folder() as folder:
        made = Podman(Path(kept).resolve() if kept else folder / "images")
        made.make_bases()
        try:
            yield made
        finally:
            if not kept:
                subprocess.run(made.command("system", "reset", "--force"), check=True, capture_output=True)


@pytest.fixture(scope="session")
def built(podman: Podman) -> Build:
    """The name of the image of a deployable; with IMAGES=kept those that `make images` made in IMAGE_STORE."""
    if os.environ.get("IMAGES") == "kept":
        return lambda deployable: f"localhost/steward-{deployable}"
    return cache(lambda deployable: podman.build(deployable, COMMIT))
