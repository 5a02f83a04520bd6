"""What a parcel from elsewhere says of itself is written into a runner's settings: it says a digest, or nothing."""

from argparse import Namespace
from pathlib import Path

import pytest

from models.errors import Integrity
from models.governance.delivery import Parcel
from models.governance.signing import Duty
from pipelines.adapters.parcel_folder import write
from pipelines.commands.delivering import parcel
from tests.office import signer

DIGEST = "61ab" * 16


def named(folder: Path, bundle: str) -> Namespace:
    write(folder / "parcel", Parcel(signer("dev", Duty.DELIVER).sign({"bundle": bundle}), {}, {}, ()))
    return Namespace(parcel=folder / "parcel")


def test_the_digest_of_a_parcel_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parcel(named(tmp_path, DIGEST))
    assert capsys.readouterr().out == f"{DIGEST}\n"


@pytest.mark.parametrize("said", [f"{DIGEST}\nSTEWARD_PROFILE=local", f"{DIGEST}\n", "", "$(id)", DIGEST.upper()])
def test_a_parcel_that_would_say_more_is_refused(said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Integrity, match="is no digest"):
        parcel(named(tmp_path, said))
    assert capsys.readouterr().out == ""
