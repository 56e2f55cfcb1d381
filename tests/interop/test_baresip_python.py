"""baresip-python (libre 4): another stack, steered from Python, whose ears and mouth are PCM in the test's hands."""

import asyncio
import contextlib

import numpy as np
import pytest

from gateway.testing.audio import tone, tone_level, window_correlations
from gateway.testing.processes import free_block
from gateway.testing.wire_audio import distinct_speech

pytestmark = pytest.mark.interop

baresip = pytest.importorskip("baresip", reason="the dependency group `interop` is not installed")

FRAME_S = 0.02
FRAME_BYTES = 320
KEYS = "0123456789*#"


@contextlib.asynccontextmanager
async def phones(switch, *, about=None, **codecs):
    """Give one registered phone for each user and codec; `about` is more of their accounts."""
    from baresip.runtime import Runtime
    from baresip.ua import UserAgent

    ports = free_block()
    extra = f"sip_listen 127.0.0.1:{ports[0]}\nrtp_ports {ports[10]}-{ports[100]}\n"
    runtime = Runtime()
    await runtime.start(
        baresip.Config(net_interface="127.0.0.1", extra_config_text=extra, max_concurrent_calls=4)
    )
    try:
        found = []
        for user, codec in codecs.items():
            account = baresip.Account(
                user, switch.address, switch.password(user), audio_codecs=(codec,), **(about or {})
            )
            found.append(await UserAgent.create(runtime, account))
            await found[-1].register()
        yield found
    finally:
        await runtime.close()


async def dialled(phone, switch, user):
    """Return a call that is established."""
    call = await phone.dial(switch.uri(user))
    await call.wait_established()
    return call


async def talk(mouth, ear, pcm):
    """Say int16 samples, a frame every 20 ms, and return what was heard meanwhile."""
    data, heard = pcm.astype(np.int16).tobytes(), bytearray()
    loop = asyncio.get_running_loop()
    due = loop.time()
    for start in range(0, len(data), FRAME_BYTES):
        mouth.audio.write(data[start : start + FRAME_BYTES])
        heard += ear.audio.read(1 << 16)
        due += FRAME_S
        await asyncio.sleep(due - loop.time())
    return np.frombuffer(bytes(heard), np.int16)


class Renegotiated:
    """A call whose streams libre starts anew as each side learns the new description.

    The switch knows that the offerer resumed before the other phone has its ACK: the frames that fall into
    that moment are lost, more of them than `MOST_LOST` are a defect.
    """

    MOST_LOST = 10

    def __init__(self, call):
        self.audio, self._audio, self._lost = self, call.audio, 0

    def write(self, pcm):
        return self._unless_anew(self._audio.write, pcm, lost=0)

    def read(self, size):
        return self._unless_anew(self._audio.read, size, lost=b"")

    def _unless_anew(self, use, argument, lost):
        try:
            return use(argument)
        except (baresip.errors.AudioRestarted, baresip.errors.AudioNotActive):
            self._lost += 1
            if self._lost > self.MOST_LOST:
                raise
            return lost


def test_the_echo_comes_back_whole(serve):
    switch = serve()
    said = distinct_speech(4, seed=3)

    async def scenario():
        async with phones(switch, alice="pcmu") as (alice,):
            call = await dialled(alice, switch, "echo")
            heard = await talk(call, call, said)
            await call.hangup()
            return heard

    heard = asyncio.run(scenario())

    # this Python is the phone's sound card: where it is late, libre drops a frame and all that follows shifts
    alike = window_correlations(heard, said)
    assert np.mean(alike > 0.95) > 0.8, alike
    assert switch.wait_for("call.ended")["answered"]


def test_two_phones_talk_press_keys_hold_and_resume(serve):
    switch = serve()
    hum = tone(440, duration_ms=1500)

    async def scenario():
        async with phones(switch, alice="pcmu", bob="pcma") as (alice, bob):
            taken, keys = asyncio.get_running_loop().create_future(), []
            bob.on_incoming(taken.set_result)
            call = await alice.dial(switch.uri("bob"))
            answered = await taken
            answered.on_dtmf(lambda key: keys.append(key.digit))
            await answered.answer()
            await call.wait_established()

            talked = await talk(call, answered, hum)
            await call.send_dtmf(KEYS)
            await asyncio.to_thread(switch.wait_for, "dtmf.heard", count=len(KEYS))
            await call.hold()
            await asyncio.to_thread(switch.wait_for, "leg.held")
            await call.resume()
            await asyncio.to_thread(switch.wait_for, "leg.resumed")
            resumed = await talk(Renegotiated(call), Renegotiated(answered), hum)
            await answered.hangup()
            return talked, resumed, keys

    talked, resumed, keys = asyncio.run(scenario())

    assert tone_level(talked[4000:], 440) > -20
    assert tone_level(resumed[4000:], 440) > -20
    assert "".join(keys) == KEYS
    assert "".join(event["digit"] for event in switch.events("dtmf.heard")) == KEYS
    assert switch.wait_for("call.ended")["by"] == "callee"


def test_an_encrypted_phone_presses_a_key_by_info_and_talks_on_after_it_has_unregistered(serve):
    switch = serve()
    hum = tone(440, duration_ms=1500)

    async def scenario():
        async with phones(
            switch, about={"dtmf_mode": "info", "extra_params": ("mediaenc=srtp",)}, alice="pcmu"
        ) as (alice,):
            call = await dialled(alice, switch, "echo")
            await call.send_dtmf("5")
            await asyncio.to_thread(switch.wait_for, "dtmf.heard", digit="5", via="info")
            await alice.unregister()
            await asyncio.to_thread(switch.wait_for, "user.unregistered", user="alice")
            heard = await talk(call, call, hum)
            await call.hangup()
            return heard

    heard = asyncio.run(scenario())

    assert tone_level(heard[4000:], 440) > -20
    assert switch.wait_for("leg.ended")["srtp"] == "AES_CM_128_HMAC_SHA1_80"
