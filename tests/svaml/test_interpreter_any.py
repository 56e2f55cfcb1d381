"""Whatever an application answers, and whatever people do: each call ends once, is written once and told once."""

import asyncio
import contextlib
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import GatewayError
from gateway.switch.records import Identity, IdentityType
from gateway.switch.steering import Callout, CalloutKind, ConferenceWish, ParticipantCommand, Prompt
from gateway.testing.application import APPLICATION, NUMBER, application_board
from gateway.testing.virtual_time import run_virtual

KEY = APPLICATION.key
SILENCE = object()
MENU = {"id": "main", "mainPrompt": "#tts[Press]", "maxDigits": 2, "timeoutMills": 1000, "repeats": 1}
SAY = {"name": "say", "text": "Hello", "locale": "en-US"}
ACTIONS = (
    {"name": "hangup"},
    {"name": "hangup", "hangupCause": 1},
    {"name": "continue"},
    {"name": "connectPstn", "number": NUMBER, "maxDuration": 20, "dialTimeout": 10, "dtmf": "1w2"},
    {"name": "connectPstn", "number": "+46000000000"},
    {"name": "connectMxp", "destination": {"type": "username", "endpoint": "bob"}},
    {
        "name": "connectConf",
        "conferenceId": "room",
        "moh": "music1",
        "conferenceDtmfOptions": {"mode": "detect"},
    },
    {"name": "connectSip", "destination": {"endpoint": "nobody@192.0.2.250"}},
    {"name": "connectStream", "destination": {"type": "Websocket", "endpoint": "wss://example.org"}},
    {"name": "runMenu", "menus": [MENU]},
    {"name": "park", "introPrompt": "#tts[Wait]", "holdPrompt": "#tts[Still]", "maxDuration": 15},
    {"name": "dance"},
)
INSTRUCTIONS = st.lists(
    st.sampled_from([SAY, {"name": "answer"}, {"name": "setCookie", "key": "a", "value": "b"}]), max_size=2
)
DOCUMENTS = st.one_of(
    st.builds(
        lambda said, action: {"instructions": said, "action": action}, INSTRUCTIONS, st.sampled_from(ACTIONS)
    ),
    st.sampled_from([SILENCE, b"", b"no JSON"]),
)
SECONDS = st.floats(0.0, 25.0)
TO_NUMBER = Identity(IdentityType.NUMBER, NUMBER)
CALLOUTS = (
    Callout(
        KEY, CalloutKind.SPEECH, TO_NUMBER, prompts=(Prompt("Hello", spoken=True),), tells=frozenset({"dice"})
    ),
    Callout(
        KEY, CalloutKind.CONFERENCE, TO_NUMBER, conference=ConferenceWish("room"), tells=frozenset({"ace"})
    ),
    Callout(KEY, CalloutKind.CUSTOM),
)


def script(house, event, said):
    for document in said:
        if document is SILENCE:
            house.server.keeps_silent(event)
        else:
            house.server.says(event, document)


async def people(phone, after_s, status):
    """Answer, refuse or ignore every call of a phone."""
    while True:
        ringing = await phone.rung()
        await asyncio.sleep(after_s)
        with contextlib.suppress(AssertionError):
            await (ringing.answer() if status is None else asyncio.sleep(0, ringing.reject(status)))


async def meddle(house, at_s, document):
    """Give every call that is up something to do, and every member of the conference a command."""
    await asyncio.sleep(at_s)
    for record in house.desk.ongoing(KEY):
        with contextlib.suppress(GatewayError):
            await house.desk.manage(KEY, record.call, json.dumps(document).encode())
    with contextlib.suppress(GatewayError):
        for member in house.desk.conference(KEY, "room"):
            house.desk.command(KEY, "room", member.call, ParticipantCommand.HOLD, moh="ring")


async def everything(house, data):
    carrier, alice, bob = (
        await house.carrier(),
        await house.board.phone("alice"),
        await house.board.phone("bob"),
    )
    for event in ("ice", "ace", "pie"):
        script(house, event, data.draw(st.lists(DOCUMENTS, min_size=1, max_size=2), label=event))
    status = data.draw(st.sampled_from([None, None, 486, 503]), label="carrier")
    tasks = [
        asyncio.ensure_future(people(carrier, data.draw(st.floats(0.0, 5.0), label="rings"), status)),
        asyncio.ensure_future(people(bob, 1.0, None)),
    ]
    order = {"instructions": [SAY], "action": data.draw(st.sampled_from(ACTIONS), label="order")}
    tasks.append(asyncio.ensure_future(meddle(house, data.draw(SECONDS, label="at"), order)))
    calling = await alice.call(NUMBER)
    await house.desk.callout(data.draw(st.sampled_from(CALLOUTS), label="callout"))
    for key in data.draw(st.text("0123456789#*", max_size=3), label="keys"):
        await house.board.settle(0.7)
        with contextlib.suppress(GatewayError):  # it may be over
            calling.press(key)
    await house.board.settle(data.draw(SECONDS, label="hangs up"))
    with contextlib.suppress(GatewayError):
        calling.hang_up()
    await house.board.settle(60)
    for record in house.desk.ongoing(KEY):
        await house.desk.manage(KEY, record.call, b'{"action": {"name": "hangup"}}')
    await house.board.settle(10)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_each_call_ends_once_is_written_once_and_told_once(data):
    async def scenario():
        async with application_board() as house:
            await everything(house, data)

            assert house.book.finished, "the callout; an INVITE may have been withdrawn before it was a call"
            assert all(record.ended_at is not None for record in house.book.finished.values())
            assert all(record.result != "N/A" for record in house.book.finished.values())
            told = [each.call for each in house.outbox.waiting if each.event == "dice"]
            assert len(told) == len(set(told))
            assert not house.desk.ongoing()
            assert house.desk.counters()["conferences"] == 0

    run_virtual(scenario())
