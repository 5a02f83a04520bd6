"""What a browser sends from a form of ours: a few fields, within a size, with the token of its session."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from monitoring.console.access.refusals import FormRefused

KIND = "application/x-www-form-urlencoded"
LARGEST = 256 * 1024
MOST_FIELDS = 40


def fields(kind: str, body: bytes) -> Mapping[str, str]:
    """By name, without blanks around. Raises `FormRefused`."""
    if kind.partition(";")[0].strip().lower() != KIND or len(body) > LARGEST:
        raise FormRefused("this is no form of the console, or too large a one", hint="send it from its page")
    try:
        found = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError as error:
        raise FormRefused("this form cannot be read", hint="send it from its page") from error
    return {name: value.strip() for name, value in found}
