"""A worker that has loaded everything looks for garbage seldom, and not among what it has loaded."""

import subprocess
import sys

LOOKED = """
import gc
from serving.workers.collecting import EVERY, settle
before = gc.get_freeze_count()
settle()
assert gc.get_freeze_count() > before + 1_000
assert gc.get_threshold() == EVERY
"""


def test_what_is_loaded_is_not_looked_through_again() -> None:
    subprocess.run([sys.executable, "-c", LOOKED], check=True, timeout=60)
