"""What is remembered of receivers, and the life of incidents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("outbox", sa.Column("tried_at", sa.Float(), nullable=True))
    op.add_column("outbox", sa.Column("claimed_by", sa.String(length=64), nullable=True))
    op.add_column("outbox", sa.Column("claimed_until", sa.Float(), nullable=True))
    op.create_table(
        "lines",
        sa.Column("receiver", sa.String(length=200), nullable=False),
        sa.Column("not_before", sa.Float(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("receiver"),
        comment="until when each receiver asked to be left alone, so that a restart does not forget it",
    )
    op.create_table(
        "incident_log",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("incident", sa.String(length=36), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("what", sa.String(length=32), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        comment="an incident's life: who did what, and when",
        sqlite_autoincrement=True,
    )
    op.create_index("incident_log_at", "incident_log", ["at"], unique=False)
    op.create_index("incident_log_incident", "incident_log", ["incident", "id"], unique=False)
