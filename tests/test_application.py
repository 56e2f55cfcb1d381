"""What steers calls, composed: a store, callbacks, and calls that a crash had left."""

import asyncio
import json
from dataclasses import replace

from gateway.application import open_applications
from gateway.clock import SystemClock
from gateway.config.models import Application
from gateway.ids import SystemIds
from gateway.switch.records import CallRecord, Identity, IdentityType
from gateway.switch.remembered import remember
from gateway.switch.steering import Callout, CalloutKind
from gateway.testing.stores import Heard, store_config

KEY = "f00dcafe-abba-c0de-1dea-dabb1ed4caf3"
CALL = CallRecord(
    call="call-1",
    application=KEY,
    started_at=1000.0,
    answered_at=1002.0,
    called=Identity(IdentityType.NUMBER, "+15550100"),
)


def config_of(tmp_path):
    application = Application(key=KEY, secret="c2VjcmV0", callback="http://127.0.0.1:9/callback")
    return store_config(tmp_path, applications=(application,))


def test_calls_that_a_crash_left_are_closed_once_and_told_of(tmp_path):
    async def story():
        log, ids = Heard(), SystemIds()
        async with open_applications(config_of(tmp_path), log, SystemClock(), ids) as layer:
            await layer.store.calls.begin(CALL)
        async with open_applications(config_of(tmp_path), log, SystemClock(), ids) as layer:
            first = await layer.store.calls.find("call-1")
            (told,) = await layer.store.outbox.due(SystemClock().wall())
        async with open_applications(config_of(tmp_path), log, SystemClock(), ids) as layer:
            again = await layer.store.calls.find("call-1")
            assert await layer.store.outbox.backlog() == 1
        assert (first.result, first.reason) == ("ANSWERED", "GENERALERROR")
        assert first == again
        assert json.loads(told.body)["event"] == "dice"

    asyncio.run(story())


def test_numbers_and_applications_of_the_configuration_are_there(tmp_path):
    async def story():
        async with open_applications(config_of(tmp_path), Heard(), SystemClock(), SystemIds()) as layer:
            application = layer.applications.directory.application(KEY.upper())
            assert application == replace(application, key=KEY, callback="http://127.0.0.1:9/callback")

    asyncio.run(story())


def test_a_callout_that_wants_to_be_told_nothing_is_told_nothing_after_a_crash_either(tmp_path):
    async def story():
        log, ids = Heard(), SystemIds()
        async with open_applications(config_of(tmp_path), log, SystemClock(), ids) as layer:
            await layer.store.calls.begin(CALL)
            layer.store.calls.keep("call-1", remember(Callout(KEY, CalloutKind.SPEECH, CALL.called)))
        async with open_applications(config_of(tmp_path), log, SystemClock(), ids) as layer:
            assert not (await layer.store.calls.find("call-1")).ongoing
            assert await layer.store.outbox.backlog() == 0

    asyncio.run(story())
