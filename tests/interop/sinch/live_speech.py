"""A real speech by PyPI `sinch` 1.1.4: said to a user's phone, and looked at when it is over.

Reads `{"host", "key", "secret", "user", "text"}` from standard input and prints how it ended.
"""

import json
import sys
import time

from sinch import SinchClient

given = json.load(sys.stdin)
sinch = SinchClient(application_key=given["key"], application_secret=given["secret"])
sinch.configuration.disable_https = True
sinch.configuration.voice_origin = sinch.configuration.voice_applications_origin = given["host"]
voice = sinch.voice
PATIENCE_S = 30

call = voice.callouts.text_to_speech(
    destination={"type": "username", "endpoint": given["user"]}, locale="en-US", text=given["text"]
).call_id
until = time.monotonic() + PATIENCE_S
while (told := voice.calls.get(call)).status != "FINAL" and time.monotonic() < until:
    time.sleep(0.1)
json.dump([told.result, told.reason], sys.stdout)
