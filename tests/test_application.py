"""What steers calls, composed: a store, callbacks, and calls that a crash had left."""

import asyncio
import json
from dataclasses import replace

import pytest

from gateway.application import open_applications
from gateway.clock import SystemClock
from gateway.config import Address
from gateway.config.models import Application, Callbacks, Http
from gateway.ids import SystemIds
from gateway.observe import Metrics
from gateway.svaml.ports import CallbackFailed
from gateway.switch.records import CallRecord, Identity, IdentityType
from gateway.switch.remembered import remember
from gateway.switch.steering import Callout, CalloutKind
from gateway.testing.callback_server import CallbackServer, answer
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


async def asked(tmp_path, allow):
    """Ask a server on loopback that the file does not name, with an API that the whole world reaches."""
    told = {"http": Http(listen=Address("192.0.2.1", 8080)), "callbacks": Callbacks(allow=allow)}
    config = config_of(tmp_path).model_copy(update=told)
    async with (
        CallbackServer(answer(b"{}")) as server,
        open_applications(config, Heard(), SystemClock(), SystemIds()) as layer,
    ):
        await layer.store.administration.set_callbacks(KEY, server.url, None)
        return await layer.backend.ask(layer.store.directory.application(KEY), "ice", {}, call="call-1")


def test_a_private_network_that_nobody_named_is_not_called(tmp_path):
    with pytest.raises(CallbackFailed, match="did not allow"):
        asyncio.run(asked(tmp_path, ()))


def test_a_private_network_that_the_operator_named_is_called(tmp_path):
    assert asyncio.run(asked(tmp_path, ("127.0.0.0/8",))) == b"{}"


def test_what_callbacks_the_outbox_and_the_store_did_is_counted_for_metrics(tmp_path):
    async def story():
        metrics = Metrics()
        async with open_applications(config_of(tmp_path), Heard(), SystemClock(), SystemIds()) as layer:
            layer.count(metrics)
            await layer.store.calls.begin(CALL)
            return {
                name: metrics.registry.get_sample_value(name, labels)
                for name, labels in (
                    ("tandem_store_total", {"event": "commits"}),
                    ("tandem_outbox_now", {"kind": "waiting"}),
                    ("tandem_callbacks_now", {"kind": "under_way"}),
                )
            }

    assert asyncio.run(story()) == {
        "tandem_store_total": 1.0,
        "tandem_outbox_now": 0.0,
        "tandem_callbacks_now": 0.0,
    }
