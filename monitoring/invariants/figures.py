"""What is kept of a month's invariants, in its report."""

from models.policy import Frozen


class Repeats(Frozen):
    """Decisions on an account that was decided on before in the same month: on the same inputs, or on others."""

    same: int
    other: int


class Carried(Frozen):
    """Accounts decided on in the month before, too, and of them those whose every input is what it was."""

    month: str
    accounts: int
    unchanged: int


class Skew(Frozen):
    """What was logged against the lake's own snapshot of the month, account by account.

    A decision is right if any version of the snapshot has its inputs: a later restatement makes nothing wrong. `by_input` counts
    rows that differ, against the newest version; `moved` is the largest change of a probability that the lake's row would make.
    """

    compared: int
    unknown: int  # decisions on accounts that the snapshot does not have
    differing: int
    by_input: dict[str, int]
    moved: float


class Recomputed(Frozen):
    """The graph run again on what was decided on. `differing` probabilities are further than a quantum from what was logged."""

    rows: int
    differing: int
    largest: float


class Sanity(Frozen):
    """How many different probabilities there are, and the share of the one that most decisions have."""

    distinct: int
    most_common: float
    share: float


class Unit(Frozen):
    """The quartiles of an amount's values above zero, over those at training."""

    name: str
    unit: str
    ratios: tuple[float, float, float]


class Service(Frozen):
    """What the scoring service says of itself, since it was started."""

    read_at: str
    requests: int
    failed: int  # answered with 5xx
    timed: int
    quick: int  # within the objective
    limit_seconds: float
    p50_seconds: float  # upper ends of the steps that hold the median and the 99th percentile
    p99_seconds: float
    late: int = 0  # decisions that were answered minutes ago and are not in the log yet


class Invariants(Frozen):
    """`rows` decisions were looked at one by one; `whole` if they are all that the bundle answered, else those of the accounts
    whose hashes are smallest. `before` are the decisions of the months before, the newest last."""

    rows: int
    whole: bool
    decisions: int
    before: tuple[int, ...]
    repeats: Repeats
    carried: Carried | None
    skew: Skew | None  # None: the lake has no snapshot of the month
    recomputed: Recomputed
    sanity: Sanity
    units: tuple[Unit, ...]
    service: Service | None = None  # None: nobody says where its figures are, or it did not answer
