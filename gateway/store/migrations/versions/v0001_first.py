"""The first tables: who there is, calls, and what is still to be told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Go from nothing to this version."""
    _who_there_is()
    _calls()
    _outbox()


def downgrade() -> None:
    """Go back to nothing."""
    for table in ("outbox", "call_states", "calls", "rates", "users", "numbers", "applications", "facts"):
        op.drop_table(table)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String, nullable=nullable)


def _amount(name: str) -> tuple[sa.Column[int], sa.Column[str]]:
    """Return the columns of an amount that need not be there: how much, and in which currency."""
    return sa.Column(name, sa.BigInteger), _text(f"{name}_currency", nullable=True)


def _who_there_is() -> None:
    op.create_table("facts", _text("name"), _text("value"), sa.PrimaryKeyConstraint("name", name="pk_facts"))
    op.create_table(
        "applications",
        *(_text(name) for name in ("key", "written_key", "secret", "name")),
        *(_text(name, nullable=True) for name in ("callback", "fallback")),
        sa.Column("basic", sa.Boolean, nullable=False),
        *_amount("balance"),
        *_amount("spend_cap"),
        *_amount("spent"),
        sa.Column("calls_per_s", sa.Double),
        sa.Column("destinations", sa.JSON, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_applications"),
    )
    op.create_table(
        "numbers",
        *(_text(name) for name in ("number", "capability")),
        *(_text(name, nullable=True) for name in ("application", "forward")),
        sa.PrimaryKeyConstraint("number", "capability", name="pk_numbers"),
        sa.ForeignKeyConstraint(["application"], ["applications.key"], name="fk_numbers_application"),
    )
    op.create_table(
        "users",
        *(_text(name) for name in ("name", "application", "password", "srtp")),
        sa.PrimaryKeyConstraint("name", name="pk_users"),
        sa.ForeignKeyConstraint(["application"], ["applications.key"], name="fk_users_application"),
    )
    op.create_table(
        "rates",
        *(_text(name) for name in ("prefix", "country", "number_type")),
        sa.Column("per_minute", sa.BigInteger, nullable=False),
        _text("currency"),
        sa.PrimaryKeyConstraint("prefix", name="pk_rates"),
    )


def _calls() -> None:
    op.create_table(
        "calls",
        *(_text(name) for name in ("call", "application", "written_application", "kind", "user_name")),
        *(_text(name, nullable=True) for name in ("caller_type", "caller", "called_type", "called")),
        *(_text(name) for name in ("cli", "domain", "origination", "conference")),
        sa.Column("started_at", sa.Double, nullable=False),
        sa.Column("answered_at", sa.Double),
        sa.Column("ended_at", sa.Double),
        sa.Column("duration_s", sa.Integer, nullable=False),
        *(_text(name) for name in ("result", "reason")),
        sa.Column("custom", sa.Text, nullable=False),
        *_amount("rate"),
        *_amount("debit"),
        *(sa.Column(name, sa.JSON, nullable=False) for name in ("tags", "cookies", "headers")),
        _text("reported_status"),
        sa.Column("reported_details", sa.Text, nullable=False),
        sa.Column("callbacks", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("call", name="pk_calls"),
    )
    for column in ("kind", "caller", "called"):
        op.create_index(f"ix_calls_{column}", "calls", [column, "started_at"])
    still_open = sa.text("ended_at IS NULL")
    op.create_index(
        "ix_calls_open", "calls", ["started_at"], sqlite_where=still_open, postgresql_where=still_open
    )
    op.create_table(
        "call_states",
        _text("call"),
        sa.Column("state", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("call", name="pk_call_states"),
    )


def _outbox() -> None:
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "outbox",
        sa.Column("sequence", number, nullable=False, autoincrement=True),
        *(_text(name) for name in ("id", "call", "application", "event")),
        _text("url", nullable=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("headers", sa.JSON, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_at", sa.Double, nullable=False),
        sa.Column("given_up_at", sa.Double),
        sa.PrimaryKeyConstraint("sequence", name="pk_outbox"),
        sa.UniqueConstraint("id", name="uq_outbox_id"),
    )
    op.create_index("ix_outbox_call", "outbox", ["call", "sequence"])
    op.create_index("ix_outbox_next_at", "outbox", ["next_at"])
