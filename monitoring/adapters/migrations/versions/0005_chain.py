"""The seals of decisions and reviews, and the reasons of reductions that a person decided. Rows of before have neither."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("statement", "no_notice", "reasons"):
        op.add_column("reviews", sa.Column(name, sa.Text, nullable=False, server_default=""))
    op.add_column("decisions", sa.Column("inputs_seal", sa.String(64), nullable=False, server_default=""))
    for table in ("decisions", "reviews"):
        op.add_column(table, sa.Column("lane", sa.String(48), nullable=False, server_default=""))
        op.add_column(table, sa.Column("place", sa.BigInteger, nullable=False, server_default="0"))
        op.add_column(table, sa.Column("chain", sa.String(64), nullable=False, server_default=""))
