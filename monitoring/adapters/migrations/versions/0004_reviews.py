"""What was out of distribution in a decision, and what a person decided whom it was sent to. Rows of before have neither."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("decisions", sa.Column("out_of_distribution", sa.Text, nullable=False, server_default=""))
    op.create_table(
        "reviews",
        sa.Column("decision_id", sa.String(64), primary_key=True),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("reviewer", sa.String(64), nullable=False),
        sa.Column("reason_code", sa.String(32), nullable=False),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("recorded_at", sa.String(32), nullable=False),
    )
