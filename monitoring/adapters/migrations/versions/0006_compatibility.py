"""Since when the schema can be used: the oldest revision whose code may read and write it."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    made = op.create_table("compatibility", sa.Column("needs", sa.String(4), nullable=False))
    op.bulk_insert(made, [{"needs": "0001"}])
