"""`python -m monitoring.migrate`: bring the decision log's schema up to this release, before its services start.

Services do so themselves on first use; where several start at once, one job before them is easier to watch.
"""

import sys

from models.errors import PlatformError
from monitoring import wiring


def main() -> int:
    try:
        wiring.migrate(wiring.settings())
    except PlatformError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write("the decision log's schema is this release's, or a later one's that it knows\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
