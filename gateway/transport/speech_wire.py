"""How the switch and whoever speaks understand each other: frames of `media_wire`, with these maps.

    switch   {"hello": version}
             {"play": n, "rings": [r...], "items": [[kind, text]...], "locale": l, "owner": application, "call": id}
             {"stop": n}                                    a play that is over is no error
    speech   {"hello": version}
             {"started": n, "generations": [g...]}          the first samples are in every ring
             {"finished": n, "samples": s, "reason": text}  all that will come has been written

An item is a pair: `say` and a text, `ssml` and a text with marks, `url` and where a sound lies, `id` and the name of a
prompt of the operator's.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

__all__ = ["SPEECH_PROTOCOL", "WireItem"]

SPEECH_PROTOCOL: Final = 1
WireItem: TypeAlias = tuple[Literal["say", "ssml", "url", "id"], str]
