"""What the scoring service says of itself at /metrics, read as Prometheus reads it."""

import urllib.error
import urllib.request
from collections.abc import Sequence

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from models.clock import Clock
from models.errors import Unavailable
from monitoring.invariants.figures import Service

SECONDS = 5.0
_LARGEST = 4 << 20
_STAGE = "steward_stage_seconds"
_RESPONSES = "steward_responses"
_LATE = "steward_spool_late_decisions"


class ServiceMetrics:
    """One address, e.g. http://127.0.0.1:8080/metrics; `key` opens it where a key is asked for."""

    def __init__(self, url: str, key: str, limit_seconds: float, clock: Clock) -> None:
        self._url = url
        self._key = key
        self._limit = limit_seconds
        self._clock = clock

    def read(self) -> Service:
        """Raises `Unavailable`."""
        return service(self._text(), self._limit, self._clock.now().isoformat())

    def _text(self) -> str:
        request = urllib.request.Request(self._url, headers={"Authorization": f"Bearer {self._key}"} if self._key else {})  # noqa: S310, an operator's setting
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310, the same
                return str(answer.read(_LARGEST).decode())
        except urllib.error.HTTPError as error:
            error.close()
            raise self._away(f"HTTP {error.code}") from error
        except (OSError, ValueError) as error:
            raise self._away(type(error).__name__) from error

    def _away(self, why: str) -> Unavailable:
        return Unavailable(
            f"the scoring service does not say at {self._url} how it is ({why})",
            hint="is it up, is STEWARD_PIPELINES_SERVICE_METRICS right, and may STEWARD_PIPELINES_SERVICE_KEY read?",
        )


def service(text: str, limit_seconds: float, read_at: str) -> Service:
    """The figures from the text. What took exactly a step's end is within it; the limit is rounded up to a step."""
    families = {family.name: family.samples for family in text_string_to_metric_families(text)}
    answers = [
        (sample.labels["status"], int(sample.value)) for sample in families.get(_RESPONSES, []) if "status" in sample.labels
    ]
    steps = sorted((float(s.labels["le"]), int(s.value)) for s in families.get(_STAGE, []) if _whole(s))
    timed = steps[-1][1] if steps else 0
    end = next((end for end, _ in steps if end >= limit_seconds), limit_seconds)
    return Service(
        read_at=read_at,
        requests=sum(count for status, count in answers if status != "0"),
        failed=sum(count for status, count in answers if status.startswith("5")),
        timed=timed,
        quick=max((count for step, count in steps if step <= end), default=0),
        limit_seconds=end,
        p50_seconds=_quantile(steps, 0.5),
        p99_seconds=_quantile(steps, 0.99),
        late=int(sum(sample.value for sample in families.get(_LATE, []))),
    )


def _whole(sample: Sample) -> bool:
    return sample.name == f"{_STAGE}_bucket" and sample.labels.get("stage") == "whole"


def _quantile(steps: Sequence[tuple[float, int]], share: float) -> float:
    """The upper end of the step that holds it; the last finite end if that is where nothing is known."""
    if not steps or not steps[-1][1]:
        return 0.0
    finite = [end for end, _ in steps if end != float("inf")]
    reached = (end for end, count in steps if count >= share * steps[-1][1])
    return min(next(reached), finite[-1])
