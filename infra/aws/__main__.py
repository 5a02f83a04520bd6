"""`python -m infra.aws`: write the templates of every environment below var/cdk, offline."""

import sys
from pathlib import Path

from infra.aws.app import build
from infra.aws.environments import ENVIRONMENTS

FOLDER = Path("var/cdk")


def main() -> int:
    for environment in ENVIRONMENTS:
        folder = FOLDER / environment.name
        assembly = build(environment, folder.resolve()).app.synth()  # Node has a working directory of its own
        for stack in assembly.stacks:
            sys.stdout.write(f"  {folder / stack.template_file}  {len(stack.template['Resources'])} resources\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
