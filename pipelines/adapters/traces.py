"""What a home shows of runs that must have been recorded, whether or not the record is still there."""

from pathlib import Path

from models.adapters.key_files import WITNESS, key_path
from models.governance.signing import Duty
from pipelines.adapters.mlflow_home import DATABASE, FOLDER, has_versions


def traces(home: Path, channel: Path) -> list[str]:
    """Places that hold something; an empty folder is no trace."""
    folders = [channel / "pointers", channel / "bundles", channel / "approvals", home / "evidence", home / "packs"]
    folders.append(home / "swap-sets")
    found = [path for path in folders if path.is_dir() and any(path.iterdir())]
    database, witness = home / FOLDER / DATABASE, key_path(home / "keys", WITNESS, Duty.ATTEST)
    found += [database] if has_versions(database) else []
    return [str(path) for path in [*found, *([witness] if witness.is_file() else [])]]
