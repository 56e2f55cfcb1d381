"""Transfers by real phones: baresip (libre 4) asks by REFER, with Replaces when it has talked to the target."""

import asyncio
import contextlib

import pytest

from gateway.testing.processes import free_block

pytestmark = pytest.mark.interop

baresip = pytest.importorskip("baresip", reason="the dependency group `interop` is not installed")

PASSWORD = "secret"
APPLICATION = "00000000-0000-4000-8000-000000000001"
USERS = ("alice", "bob", "carol")
SETTINGS = f'[[applications]]\nkey = "{APPLICATION}"\nsecret = "c2VjcmV0"\n' + "".join(
    f'[[users]]\napplication = "{APPLICATION}"\nname = "{name}"\npassword = "{PASSWORD}"\n' for name in USERS
)


@contextlib.asynccontextmanager
async def three_phones(switch):
    """Give a registered phone for each user, and the calls that come to it."""
    from baresip.runtime import Runtime
    from baresip.ua import UserAgent

    ports = free_block()
    extra = f"sip_listen 127.0.0.1:{ports[0]}\nrtp_ports {ports[10]}-{ports[100]}\n"
    runtime = Runtime()
    await runtime.start(
        baresip.Config(net_interface="127.0.0.1", extra_config_text=extra, max_concurrent_calls=8)
    )
    try:
        phones, calls = [], []
        for name in USERS:
            account = baresip.Account(name, switch.address, PASSWORD, audio_codecs=("pcmu",))
            phone = await UserAgent.create(runtime, account)
            await phone.register()
            coming = asyncio.Queue()
            phone.on_incoming(coming.put_nowait)
            phones.append(phone)
            calls.append(coming)
        yield phones, calls
    finally:
        await runtime.close()


async def connect(switch, caller, name, coming):
    """Have one phone call another, who answers; return both ends."""
    call = await caller.dial(switch.uri(name))
    taken = await asyncio.wait_for(coming.get(), 10)
    await taken.answer()
    await call.wait_established()
    return call, taken


def test_a_blind_transfer(serve):
    switch = serve(settings=SETTINGS)

    async def scenario():
        async with three_phones(switch) as ((alice, _bob, _carol), (_, to_bob, to_carol)):
            at_alice, at_bob = await connect(switch, alice, "bob", to_bob)
            transferring = asyncio.ensure_future(at_alice.transfer(switch.uri("carol"), timeout=15))
            at_carol = await asyncio.wait_for(to_carol.get(), 10)
            await at_carol.answer()
            await transferring  # raises unless it was told that the new call was answered
            await asyncio.to_thread(switch.wait_for, "leg.ended")
            await at_carol.hangup()
            await asyncio.to_thread(switch.wait_for, "call.ended")
            return at_bob

    asyncio.run(scenario())

    assert switch.events("call.transferring")[0]["attended"] is False
    assert switch.events("call.ended")[0]["by"] == "callee"


def test_a_blind_transfer_to_somebody_busy_leaves_the_call(serve):
    switch = serve(settings=SETTINGS)

    async def scenario():
        async with three_phones(switch) as ((alice, _bob, _carol), (_, to_bob, to_carol)):
            at_alice, _ = await connect(switch, alice, "bob", to_bob)
            transferring = asyncio.ensure_future(at_alice.transfer(switch.uri("carol"), timeout=15))
            await (await asyncio.wait_for(to_carol.get(), 10)).reject()
            with pytest.raises(baresip.TransferFailed):
                await transferring
            assert not switch.events("call.ended")
            await at_alice.hangup()
            await asyncio.to_thread(switch.wait_for, "call.ended")

    asyncio.run(scenario())


def test_an_attended_transfer(serve):
    switch = serve(settings=SETTINGS)

    async def scenario():
        async with three_phones(switch) as ((alice, _bob, _carol), (_, to_bob, to_carol)):
            first, _ = await connect(switch, alice, "bob", to_bob)
            second, at_carol = await connect(switch, alice, "carol", to_carol)
            await first.attended_transfer(second, timeout=15)
            await asyncio.to_thread(switch.wait_for, "call.ended")  # the second; its far end goes on
            await asyncio.sleep(1.0)
            assert len(switch.events("call.ended")) == 1
            await at_carol.hangup()
            await asyncio.to_thread(switch.wait_for, "call.ended", count=2)

    asyncio.run(scenario())

    assert switch.events("call.transferring")[0]["attended"] is True
