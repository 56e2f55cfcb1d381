"""The versions lead to the tables that the code knows, there and back."""

import asyncio

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import select

from gateway.errors import ConfigError
from gateway.store.database import store_url
from gateway.store.postgresql import PostgresDatabase
from gateway.store.schema import HEAD, MIGRATIONS, upgrade, version
from gateway.store.sqlite import SqliteDatabase
from gateway.store.tables import METADATA, applications
from gateway.testing.stores import SQLITE


@pytest.fixture
def database(url, tmp_path):
    """Do something with the connection of an empty database, in one transaction."""

    def run(work):
        async def story():
            there = store_url(url, tmp_path)
            database = SqliteDatabase(there) if url == SQLITE else PostgresDatabase(there)
            try:
                return await database.write(work)
            finally:
                await database.close()

        return asyncio.run(story())

    return run


def alembic(connection):
    told = Config()
    told.set_main_option("script_location", str(MIGRATIONS))
    told.attributes["connection"] = connection
    return told


def test_the_newest_version_is_the_one_that_a_start_looks_for():
    assert ScriptDirectory(str(MIGRATIONS)).get_heads() == [HEAD]


def test_the_versions_lead_to_the_tables_of_the_code(database):
    database(upgrade)

    assert database(lambda one: compare_metadata(MigrationContext.configure(one), METADATA)) == []


def test_a_database_that_is_up_to_date_is_left_alone(database):
    database(upgrade)
    database(upgrade)

    assert database(version) == HEAD


def test_every_version_can_be_undone(database):
    database(upgrade)
    database(lambda connection: command.downgrade(alembic(connection), "base"))

    database(upgrade)

    assert database(version) == HEAD


def test_a_database_of_a_newer_program_is_refused(database):
    def from_the_future(connection):
        upgrade(connection)
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    database(from_the_future)

    with pytest.raises(ConfigError, match="another version"):
        database(upgrade)


def test_an_application_of_the_first_version_has_no_verified_numbers(database):
    def as_it_was(connection):
        command.upgrade(alembic(connection), "0001")
        connection.exec_driver_sql(
            "INSERT INTO applications (key, written_key, secret, name, basic, destinations, position)"
            " VALUES ('k', 'K', 'c2VjcmV0', '', true, '[]', 1)"
        )

    database(as_it_was)
    database(upgrade)

    assert database(lambda one: one.execute(select(applications.c.verified)).scalars().all()) == [[]]
