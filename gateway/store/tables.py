"""The tables, as SQLAlchemy Core knows them; how a database gets them is said by `gateway.store.migrations`.

- Text that people compare without regard to case (an application's key) is stored folded, and beside it as given.
- Amounts are whole numbers of 10^-8 units of a currency: both databases add them exactly, and SQLite has no decimal.
- Times are seconds since 1970 as doubles.
- A call is one row from its first note to its CDR.  `ended_at` tells which it is, and a row that has it is closed:
  every statement that changes a call says so (`gateway.store.statements`), so that no call can have two CDRs.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)

from gateway.switch.records import MONEY_PLACES

__all__ = [
    "METADATA",
    "Amount",
    "applications",
    "call_states",
    "calls",
    "facts",
    "numbers",
    "outbox",
    "rates",
    "users",
]

SCALE = 10**MONEY_PLACES


class Amount(TypeDecorator[Decimal]):
    """A decimal with eight places, kept as a whole number."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        return None if value is None else int((value * SCALE).to_integral_value(ROUND_HALF_EVEN))

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value) / SCALE


METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)

facts = Table(
    "facts",
    METADATA,
    Column("name", String, primary_key=True),
    Column("value", String, nullable=False),
)
"""About the store itself: when it was seeded, how often an administrator has changed something."""

applications = Table(
    "applications",
    METADATA,
    Column("key", String, primary_key=True),
    Column("written_key", String, nullable=False),
    Column("secret", String, nullable=False),
    Column("name", String, nullable=False),
    Column("callback", String),
    Column("fallback", String),
    Column("basic", Boolean, nullable=False),
    Column("balance", Amount),
    Column("balance_currency", String),
    Column("spend_cap", Amount),
    Column("spend_cap_currency", String),
    Column("spent", Amount),
    Column("spent_currency", String),
    Column("calls_per_s", Double),
    Column("destinations", JSON, nullable=False),
    Column("verified", JSON, nullable=False, server_default="[]"),
    Column("position", Integer, nullable=False),
)

numbers = Table(
    "numbers",
    METADATA,
    Column("number", String, primary_key=True),
    Column("capability", String, primary_key=True),
    Column("application", String, ForeignKey(applications.c.key)),
    Column("forward", String),
)

users = Table(
    "users",
    METADATA,
    Column("name", String, primary_key=True),
    Column("application", String, ForeignKey(applications.c.key), nullable=False),
    Column("password", String, nullable=False),
    Column("srtp", String, nullable=False),
)
"""A name belongs to one application: it is what a phone registers as."""

rates = Table(
    "rates",
    METADATA,
    Column("prefix", String, primary_key=True),
    Column("country", String, nullable=False),
    Column("number_type", String, nullable=False),
    Column("per_minute", Amount, nullable=False),
    Column("currency", String, nullable=False),
)

calls = Table(
    "calls",
    METADATA,
    Column("call", String, primary_key=True),
    Column("application", String, nullable=False),
    Column("written_application", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("user_name", String, nullable=False),
    Column("caller_type", String),
    Column("caller", String),
    Column("called_type", String),
    Column("called", String),
    Column("cli", String, nullable=False),
    Column("domain", String, nullable=False),
    Column("origination", String, nullable=False),
    Column("conference", String, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("answered_at", Double),
    Column("ended_at", Double),
    Column("duration_s", Integer, nullable=False),
    Column("result", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("custom", Text, nullable=False),
    Column("rate", Amount),
    Column("rate_currency", String),
    Column("debit", Amount),
    Column("debit_currency", String),
    Column("tags", JSON, nullable=False),
    Column("cookies", JSON, nullable=False),
    Column("headers", JSON, nullable=False),
    Column("reported_status", String, nullable=False),
    Column("reported_details", Text, nullable=False),
    Column("callbacks", Boolean, nullable=False),
    Index("ix_calls_kind", "kind", "started_at"),
    Index("ix_calls_caller", "caller", "started_at"),
    Index("ix_calls_called", "called", "started_at"),
)
Index(
    "ix_calls_open",
    calls.c.started_at,
    sqlite_where=calls.c.ended_at.is_(None),
    postgresql_where=calls.c.ended_at.is_(None),
)

call_states = Table(
    "call_states",
    METADATA,
    Column("call", String, primary_key=True),
    Column("state", LargeBinary, nullable=False),
)
"""What another process needs to take a call up again; a row goes when its call is closed."""

outbox = Table(
    "outbox",
    METADATA,
    Column("sequence", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("id", String, nullable=False, unique=True),
    Column("call", String, nullable=False),
    Column("application", String, nullable=False),
    Column("event", String, nullable=False),
    Column("url", String),
    Column("body", LargeBinary, nullable=False),
    Column("headers", JSON, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Double, nullable=False),
    Column("given_up_at", Double),
    Index("ix_outbox_call", "call", "sequence"),
    Index("ix_outbox_next_at", "next_at"),
)
"""In the order in which it was put; what arrived is gone, what was given up stays for a person to see."""
