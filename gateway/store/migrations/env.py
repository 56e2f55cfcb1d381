"""What Alembic runs: the versions, on the connection and in the transaction that `gateway.store.schema` gives."""

from __future__ import annotations

from alembic import context

from gateway.store.tables import METADATA

__all__ = ["run"]


def run() -> None:
    """Go from version to version."""
    context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
    with context.begin_transaction():
        context.run_migrations()


run()
