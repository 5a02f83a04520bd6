"""Which decisions a fallback made while its model was stopped. Rows of before are none."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("decisions", sa.Column("fallback", sa.Text, nullable=False, server_default=""))
