"""How a use case's people are called. Data beside the policy, not sealed: no decision about a customer depends on it.

The limits that a month is judged by, and how often in a row one must be passed, are `MonitoringLimits`: sealed in the bundle.
"""

from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from models.policy import Frozen


class Severity(StrEnum):
    """From the mildest to the gravest: a warning is read at work, a page wakes somebody."""

    WARNING = "warning"
    PAGE = "page"


class Objectives(Frozen):
    """The service levels promised to whoever asks the scoring service, over thirty days. See docs/monitoring.md."""

    availability: float = Field(default=0.999, gt=0, lt=1, description="share of requests that are not answered with 5xx")
    latency_seconds: float = Field(default=0.1, gt=0, description="an answer is quick if it takes no longer")
    quick: float = Field(default=0.99, gt=0, lt=1, description="share of answers that are quick")


class Alerting(Frozen):
    """Who answers for an alert and how long they have. `owner` "" is the owner that the inventory names."""

    owner: str = ""
    severities: dict[str, Severity] = Field(default={}, description="by kind of alert: the gravest that it may become here")
    days: dict[Severity, int] = Field(
        default={Severity.WARNING: 10, Severity.PAGE: 1}, description="until when it is to be acknowledged or settled"
    )
    objectives: Objectives = Objectives()

    @model_validator(mode="after")
    def _every_severity_ends(self) -> Self:
        if set(self.days) != set(Severity):
            raise ValueError("days must say for every severity how long it may stay open")
        return self
