"""One message to one Apprise address, in a process of its own: only a process can be ended when the other side never does.

Run as a script, it reads what to send from its input, so that no address stands in a list of processes; exit code 0: taken.
"""

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apprise import Apprise


def address(text: str) -> "Apprise | None":
    """None if it is no address."""
    from apprise import Apprise, AppriseAsset

    # Without redirects: a token must not go where somebody else points. In this thread: it has an end that can be awaited.
    asset = AppriseAsset(app_id="Steward", app_desc="Steward", app_url="", async_mode=False, http_redirects=False)
    found = Apprise(asset=asset)
    return found if found.add(text) else None


def main() -> int:
    said = json.load(sys.stdin)
    to = address(said.pop("address"))
    return 0 if to is not None and to.notify(**said, body_format="text") else 1


if __name__ == "__main__":
    sys.exit(main())
