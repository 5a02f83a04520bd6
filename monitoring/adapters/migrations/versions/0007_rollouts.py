"""By which arm of which roll-out a decision was made; and what the other bundle of a roll-out made of a decision.

Only added: releases that do not know it write rows of no roll-out.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("decisions", sa.Column("arm", sa.String(16), nullable=False, server_default=""))
    op.add_column("decisions", sa.Column("rollout", sa.Integer, nullable=False, server_default="0"))
    tried = sa.text("rollout > 0")
    op.create_index(
        "ix_decisions_rollout", "decisions", ["model", "rollout", "number"], sqlite_where=tried, postgresql_where=tried
    )
    op.create_table(
        "shadow_decisions",
        sa.Column(
            "number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True
        ),
        sa.Column("decision_id", sa.String(64), nullable=False),
        sa.Column("model", sa.String(64), nullable=False),
        sa.Column("rollout", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("bundle", sa.String(64), nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("probability", sa.Double),
        sa.Column("decided_in", sa.Double),
        sa.Column("scored_in", sa.Double),
        sa.Column("recorded_at", sa.String(32), nullable=False),
    )
    op.create_index("ix_shadow_decisions_rollout", "shadow_decisions", ["model", "rollout", "number"])
