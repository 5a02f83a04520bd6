"""What a caller may meet, told by type. Each says what was wrong, where, and what to do, in the service's own words.

ServiceError
├── Refused           the question: `errors` names record, field and rule; asking again does not help
├── NotAuthenticated  no key, or none that is in force
├── NotPermitted      the key is not for this
├── NotFound          no such model or decision
├── Conflict          it was decided or reviewed otherwise before
├── Expired           what is asked about was deleted after its retention
├── TooMany           more than the key may ask; `retry_after` says how long to wait
├── Unavailable       nobody answered in time, or the service cannot answer now; it was asked again as often as allowed
└── NotUnderstood     the answer is none of the service's: something between changed it, or the service broke
"""

from collections.abc import Sequence
from dataclasses import dataclass

from models.errors import PlatformError


@dataclass(frozen=True)
class BrokenRule:
    """`record` is an index in the batch; `value` as it stood in the JSON, empty where it may not be repeated."""

    record: int
    field: str
    value: str
    rule: str


class ServiceError(PlatformError):
    """`status` is 0 if there was no answer; `request_id` is the one under which the service logged it, "" if it is not known."""

    def __init__(
        self,
        problem: str,
        hint: str = "",
        *,
        status: int = 0,
        request_id: str = "",
        errors: Sequence[BrokenRule] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(problem, hint)
        self.status = status
        self.request_id = request_id
        self.errors = tuple(errors)
        self.retry_after = retry_after


class Refused(ServiceError): ...


class NotAuthenticated(ServiceError): ...


class NotPermitted(ServiceError): ...


class NotFound(ServiceError): ...


class Conflict(ServiceError): ...


class Expired(ServiceError): ...


class TooMany(ServiceError): ...


class Unavailable(ServiceError): ...


class NotUnderstood(ServiceError): ...


BY_STATUS: dict[int, type[ServiceError]] = {
    400: Refused,
    401: NotAuthenticated,
    403: NotPermitted,
    404: NotFound,
    405: Refused,
    408: Unavailable,
    409: Conflict,
    410: Expired,
    413: Refused,
    414: Refused,
    415: Refused,
    422: Refused,
    429: TooMany,
    431: Refused,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}
"""Every status that the service gives; a test compares. Any other is `NotUnderstood`."""
