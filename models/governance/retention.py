"""How long a decision is kept: 25 months after notice at least (12 CFR 1002.12(b)(1)); the policy says how many.

Notice is the answer: it carries the reasons, and its instant is what the log has; where a person reviewed, it is the review.
Who sends letters later sets more months.
"""

from datetime import UTC, datetime, time, timedelta

from models.clock import Month, end_of_day


def kept_until(recorded_at: datetime, months: int) -> datetime:
    """The last instant of the day, so many months later; of the month's last day if the month is shorter."""
    day = recorded_at.astimezone(UTC).date()
    month = Month.of(day).plus(months)
    return end_of_day(month.first_day.replace(day=min(day.day, month.last_day.day)))


def expired_before(now: datetime, months: int) -> datetime:
    """What was recorded before this instant need not be kept any more; the beginning of a day, UTC."""
    day = Month.of(now.astimezone(UTC).date()).plus(-months).last_day
    while kept_until(datetime.combine(day, time.min, UTC), months) >= now:
        day -= timedelta(days=1)
    return datetime.combine(day + timedelta(days=1), time.min, UTC)
