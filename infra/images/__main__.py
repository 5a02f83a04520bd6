"""`python -m infra.images`: build every image, in a store below var/images, and write beside it what each is made of."""

import subprocess
import sys
from pathlib import Path

from infra.images.contents import bill
from infra.images.engine import IMAGES, ROOT, Podman, missing
from models.errors import Misconfigured, PlatformError

STORE = Path("var/images")
_COMMIT = ("git", "rev-parse", "HEAD")


def main() -> int:
    try:
        if lacking := missing():
            raise Misconfigured(f"{', '.join(lacking)}: not installed", hint=f"apt-get install {' '.join(lacking)}")
        podman = Podman(STORE.resolve())
        podman.make_bases()
        commit = subprocess.run(_COMMIT, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
        for image in IMAGES:
            name = podman.build(image, commit)
            materials = STORE / f"{image}.cdx.json"
            materials.write_text(bill(podman, name, commit))
            sys.stdout.write(f"  {name}  {int(podman.inspect(name, '.Size')) / 1e6:,.0f} MB  made of {materials}\n")
            sys.stdout.flush()
    except PlatformError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
