"""What a browser may send."""

import pytest

from monitoring.console.access.forms import KIND, LARGEST, MOST_FIELDS, fields
from monitoring.console.access.refusals import FormRefused


def test_fields_come_by_name_without_blanks_around() -> None:
    assert fields(f"{KIND}; charset=utf-8", b"comment=+gelesen+%C3%BC+&how=own") == {"comment": "gelesen ü", "how": "own"}


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/form-data; boundary=x", b"--x"),
        ("", b"a=1"),
        (KIND, b"a=" + b"x" * LARGEST),
        (KIND, b"&".join(b"a=1" for _ in range(MOST_FIELDS + 1))),
        (KIND, b"a=%ff"),
        (KIND, b"\xff"),
    ],
)
def test_what_is_no_form_of_ours_is_refused(kind: str, body: bytes) -> None:
    with pytest.raises(FormRefused):
        fields(kind, body)
