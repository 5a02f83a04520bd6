"""Make the locked environment in `.venv`, with nothing but a Python: `python3 infra/environment.py`.

Standard library only, and only syntax that an old interpreter can still read, so that it can say that it is too old.
"""

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

OLDEST = (3, 11)
ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".venv"
STAMP = FOLDER / "ready"
BIN = FOLDER / ("Scripts" if os.name == "nt" else "bin")


def main():
    if sys.version_info < OLDEST:
        return start_again_with_a_newer_python()
    try:
        create()
        install()
        prepare()
    except subprocess.CalledProcessError as error:
        return stop("this command failed: " + " ".join(map(str, error.cmd)), "the reason stands above it")
    STAMP.touch()
    return 0


def start_again_with_a_newer_python():
    for name in ("python3.13", "python3.12", "python3.11", "python3.14"):
        found = shutil.which(name)
        if found and subprocess.call([found, "-c", ""], stderr=subprocess.DEVNULL) == 0:  # a shim may lead nowhere
            return subprocess.call([found, __file__])
    return stop(
        f"Python 3.11 or newer is needed; this is {sys.version_info[0]}.{sys.version_info[1]}",
        "install one, or name it: make setup PYTHON=/path/to/python3.12",
    )


def create():
    """A folder that an interrupted run left without its Python is made again; a working one is kept."""
    STAMP.unlink(missing_ok=True)
    python = BIN / "python"
    if python.exists() and subprocess.call([str(python), "-m", "pip", "--version"], stdout=subprocess.DEVNULL) == 0:
        return
    say(f"creating .venv with Python {sys.version.split()[0]}")
    try:
        venv.create(FOLDER, clear=True, with_pip=True)
    except subprocess.CalledProcessError:
        sys.exit(stop("this Python cannot make environments with pip", "on Debian and Ubuntu: apt-get install python3-venv"))


def install():
    """The lock exactly, then the project itself. uv where it can be had, else pip: slower, the same result."""
    locked = ["--no-deps", "--require-hashes", "-r", "requirements.lock"]
    project = ["--no-deps", "--no-build-isolation", "-e", "."]
    uv = get_uv()
    say("installing requirements.lock with " + ("uv" if uv else "pip; this takes some minutes"))
    # Byte code is made now, not by the first command: several tools import thousands of modules.
    if uv and run([*uv, "install", "--compile-bytecode", *locked], check=False) == 0:
        run([*uv, "install", *project])
        return
    if uv:
        say("uv could not install the lock; trying plain pip")
    run([*pip(), "install", *locked])
    run([*pip(), "install", *project])


def prepare():
    """What every new home would otherwise wait for: the empty databases of the flow engine and the registry, migrated once."""
    say("preparing the flow engine's and the registry's databases")
    for maker in (["pipelines.adapters.prefect_server", "template"], ["pipelines.adapters.mlflow_registry"]):
        subprocess.run([str(BIN / "python"), "-m", *maker], cwd=str(ROOT), check=False)


def get_uv():
    uv = BIN / "uv"
    if not uv.exists() and run([*pip(), "install", "uv"], check=False) != 0:
        return None
    return [str(uv), "pip"]


def pip():
    return [str(BIN / "python"), "-m", "pip", "--disable-pip-version-check"]


def run(command, check=True):  # noqa: FBT002
    """Quiet, inside the new environment: uv and pip write there and nowhere else."""
    environment = dict(os.environ, VIRTUAL_ENV=str(FOLDER), PIP_REQUIRE_VIRTUALENV="false")
    subcommand = command.index("install")
    command = [*command[: subcommand + 1], "--quiet", *command[subcommand + 1 :]]
    return subprocess.run(command, check=check, cwd=str(ROOT), env=environment, stdin=subprocess.DEVNULL).returncode


def say(sentence):
    sys.stderr.write(sentence + "\n")


def stop(problem, hint):
    say(f"{problem}\n  -> {hint}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
