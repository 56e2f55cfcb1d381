"""Every voice operation of the official Python client, PyPI `sinch` 1.1.4, unmodified.

Reads `{"host", "key", "secret", "number"}`, with `"call"` if it shall ask for that call alone, from standard input
and prints what the client's own models made of the answers.
"""

import dataclasses
import json
import sys

from sinch import SinchClient
from sinch.domains.voice.exceptions import VoiceException

given = json.load(sys.stdin)
sinch = SinchClient(application_key=given["key"], application_secret=given["secret"])
sinch.configuration.disable_https = True
sinch.configuration.voice_origin = given["host"]
sinch.configuration.voice_applications_origin = given["host"]
voice, number = sinch.voice, given["number"]
phone = {"type": "number", "endpoint": "+14045005000"}
say = {"name": "say", "text": "Hello", "locale": "en-US"}


def refusal_of(ask):
    """Return what the client says of a refusal."""
    try:
        ask()
    except VoiceException as refusal:
        return str(refusal)
    return None


def plain(answer):
    """Return a model as JSON can say it."""
    return dataclasses.asdict(answer) if dataclasses.is_dataclass(answer) else None


if "call" in given:
    json.dump(plain(voice.calls.get(given["call"])), sys.stdout, default=str)
    sys.exit()

speech = voice.callouts.text_to_speech(
    destination=phone, cli="+14045001000", locale="en-US", text="Hello", enable_dice=True
)
meeting = voice.callouts.conference(
    destination=phone,
    conference_id="room",
    conference_dtmf_options={"mode": "forward", "max_digits": 2, "timeout_mills": 2500},
    enable_ace=True,
    enable_dice=True,
    enable_pie=True,
    locale="en-US",
    greeting="Welcome",
    moh_class="music1",
    max_duration=60,
    custom="mine",
    domain="pstn",
)
custom = voice.callouts.custom(
    cli="+14045001000",
    destination=phone,
    dtmf="1234#",
    custom="mine",
    max_duration=60,
    ice=json.dumps({"action": {"name": "connectPstn", "number": "+14045005000"}}),
    ace="https://example.org/ace",
)
conference_call = voice.conferences.call(destination=phone, conference_id="room")
answers = {
    "callouts": [each.call_id for each in (speech, meeting, custom, conference_call)],
    "call": plain(voice.calls.get(speech.call_id)),
    "update": plain(voice.calls.update(speech.call_id, instructions=[say], action={"name": "hangup"})),
    "leg": plain(
        voice.calls.manage_with_call_leg(
            speech.call_id, call_leg="both", instructions=[say], action={"name": "continue"}
        )
    ),
    "conference": plain(voice.conferences.get("room")),
    "participant": plain(
        voice.conferences.manage_participant(
            call_id="call-a", conference_id="room", command="onhold", moh="music2"
        )
    ),
    "held": plain(voice.conferences.get("room")),
    "kick": plain(voice.conferences.kick_participant(call_id="call-b", conference_id="room")),
    "kick_all": plain(voice.conferences.kick_all("room")),
    "gone": refusal_of(lambda: voice.conferences.get("room")),
    "assign": plain(
        voice.applications.assign_numbers([number], application_key=given["key"], capability="voice")
    ),
    "numbers": plain(voice.applications.get_numbers()),
    "unassign": plain(
        voice.applications.unassign_number(number, application_key=given["key"], capability="voice")
    ),
    "set_callbacks": plain(
        voice.applications.update_callback_urls(given["key"], primary="https://example.org/calls")
    ),
    "callbacks": plain(voice.applications.get_callback_urls(given["key"])),
    "query": plain(voice.applications.query_number("+46(0)73-017-0101")),
    "unknown_call": refusal_of(lambda: voice.calls.get("nobody")),
}
json.dump(answers, sys.stdout, default=str)
