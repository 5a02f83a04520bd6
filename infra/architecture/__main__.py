"""`python -m infra.architecture`: write what is drawn from the code into docs/architecture.md, between its marks."""

import sys

from infra.architecture.page import PAGE, drawn, renewed


def main() -> int:
    PAGE.write_text(renewed(PAGE.read_text(), drawn()))
    sys.stdout.write(f"wrote {PAGE}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
