"""How a database comes to have the tables of `gateway.store.tables`: Alembic's versions, in order."""
