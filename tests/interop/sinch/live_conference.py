"""A real call by PyPI `sinch` 1.1.4: into a conference, muted, thrown out, and looked at when it is over.

Reads `{"host", "key", "secret", "phone"}` from standard input and prints what was seen on the way.
"""

import json
import sys
import time

from sinch import SinchClient
from sinch.domains.voice.exceptions import VoiceException

given = json.load(sys.stdin)
sinch = SinchClient(application_key=given["key"], application_secret=given["secret"])
sinch.configuration.disable_https = True
sinch.configuration.voice_origin = sinch.configuration.voice_applications_origin = given["host"]
voice = sinch.voice
PATIENCE_S = 30


def seen(what):
    """Return the first answer that `what` gives, however often it has to be asked."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        try:
            if answer := what():
                return answer
        except VoiceException:
            pass  # not there yet
        time.sleep(0.2)
    raise SystemExit("nothing came of it")


call = voice.conferences.call(
    destination={"type": "number", "endpoint": given["phone"]}, conference_id="live", custom="mine"
).call_id
(member,) = seen(lambda: voice.conferences.get("live").participants)
voice.conferences.manage_participant(call_id=call, conference_id="live", command="mute")
(muted,) = voice.conferences.get("live").participants
voice.conferences.kick_participant(call_id=call, conference_id="live")
over = seen(lambda: (told := voice.calls.get(call)).status == "FINAL" and told)
json.dump(
    {
        "isMember": member.id == call,
        "muted": [member.muted, muted.muted],
        "over": [over.result, over.reason, over.custom],
    },
    sys.stdout,
)
