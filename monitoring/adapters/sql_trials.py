"""What a roll-out has shown, beside the decisions in SQLite or PostgreSQL."""

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import insert, select

from models.clock import Month
from models.rollout import CANARY
from monitoring.adapters.sql_decisions import SqlDecisionLog
from monitoring.adapters.sql_schema import DECISIONS, SHADOWS
from monitoring.decisions import stamp
from monitoring.trials import Decided, Pair, Shadow


class SqlTrials:
    """Reads and writes through the log, in its turn."""

    def __init__(self, log: SqlDecisionLog) -> None:
        self._log = log

    def keep(self, shadows: Sequence[Shadow]) -> None:
        if shadows:
            with self._log.writing() as connection:
                connection.execute(insert(SHADOWS), [asdict(each) | {"recorded_at": stamp(each.recorded_at)} for each in shadows])

    def decided(self, model: str, rollout: int, challenger: str) -> Sequence[Decided]:
        c = DECISIONS.c
        # The comparison with 0 is what lets the databases use an index of the rows of roll-outs alone.
        mine = c.model == model, c.rollout == rollout, c.rollout > 0
        query = select(c.account_id, c.month, c.arm, c.action, c.probability, c.bundle).where(*mine).order_by(c.number)
        with self._log.reading() as connection:
            return [
                Decided(account, Month.parse(month), arm, action, probability, arm == CANARY and bundle != challenger)
                for account, month, arm, action, probability, bundle in connection.execute(query)
            ]

    def pairs(self, model: str, rollout: int) -> Sequence[Pair]:
        d, s = DECISIONS.c, SHADOWS.c
        query = (
            select(d.account_id, d.bundle, d.action, s.bundle, s.action, s.decided_in, s.scored_in)
            .select_from(SHADOWS.join(DECISIONS, d.decision_id == s.decision_id))
            .where(s.model == model, s.rollout == rollout)
            .order_by(s.number)
        )
        with self._log.reading() as connection:
            return [Pair(*row) for row in connection.execute(query)]
