"""The reasons of adverse decisions. Rows of before have none."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("decisions", sa.Column("no_notice", sa.Text, nullable=False, server_default=""))
    op.add_column("decisions", sa.Column("reasons", sa.Text, nullable=False, server_default=""))
