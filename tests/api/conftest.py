"""One application and its client, before a switch and a store of nothing but memory."""

from dataclasses import dataclass, field, replace

import pytest

from gateway.api import ApiSettings, Platform, create_app
from gateway.switch.records import Application
from gateway.testing.api_client import ApiClient
from gateway.testing.memory_platform import MemoryCalls, MemoryStore, SetClock, memory_platform

OURS = Application(key="5F5C418A-0F91-4BBC-8234-A9BF5EDDAD97", secret="JViE5vDor0Sw3WllZka15Q==")
OTHERS = Application(key="669E367E-6BBA-48AB-AF15-266871C28135", secret="BeIukql3pTKJ8RGL5zo0DA==")


@dataclass
class Status:
    """What the health page would tell."""

    ready: bool = True
    census: dict = field(default_factory=dict)


@dataclass
class World:
    """An API and what is behind it."""

    api: ApiClient
    others: ApiClient
    calls: MemoryCalls
    store: MemoryStore
    clock: SetClock
    platform: Platform
    status: Status
    application: Application = OURS


def world_of(settings=None, shelf=None, **facts):
    """Return a world whose application has these facts."""
    clock, status = SetClock(), Status()
    ours = replace(OURS, **facts)
    platform, calls, store = memory_platform(ours, OTHERS, settings=settings or ApiSettings(), clock=clock)
    platform = replace(platform, shelf=shelf)
    app = create_app(status, platform=platform)
    return World(
        api=ApiClient(app, ours, clock),
        others=ApiClient(app, OTHERS, clock),
        calls=calls,
        store=store,
        clock=clock,
        platform=platform,
        status=status,
        application=ours,
    )


@pytest.fixture
def world():
    return world_of()


@pytest.fixture
def make_world():
    """Return the maker of worlds, for a test that wants other settings."""
    return world_of
