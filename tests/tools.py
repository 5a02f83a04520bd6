"""Tools that tests need beyond Python packages: Debian's. Where CI runs they must be there; elsewhere their tests are skipped."""

import os
import shutil

import pytest


def needed(tool: str, package: str) -> str:
    """Its path. A person without it is told what would install it."""
    found = shutil.which(tool)
    if found:
        return found
    reason = f"{tool} is not installed: apt-get install {package}"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
