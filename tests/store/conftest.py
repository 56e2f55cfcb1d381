import asyncio

import pytest

from gateway.testing.postgresql import PostgreSql, binaries
from gateway.testing.stores import SQLITE, Heard, opened


@pytest.fixture(scope="session")
def postgresql():
    """A server for all tests that ask for one."""
    if binaries() is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt install postgresql)")
    with PostgreSql() as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.interop)])
def url(request):
    """An empty database of either kind."""
    if request.param == "sqlite":
        return SQLITE
    return request.getfixturevalue("postgresql").new_database()


@pytest.fixture
def heard():
    return Heard()


@pytest.fixture
def keep(tmp_path, url, heard):
    """Tell a story to the store of this test, opened for it and closed behind it; return what it returns."""

    def keep(story, **tables):
        async def tell():
            async with opened(tmp_path, url, log=heard, **tables) as store:
                return await story(store)

        return asyncio.run(tell())

    return keep
