"""Rooms that one can dial: `tandem call sip:conf-demo@...`, three times, and each hears the two others."""

import contextlib

from gateway.testing.audio import read_wav, tone, tone_level, write_wav

_CALLERS = {440: "alice", 1000: "bob", 2100: "alice"}
"""Who says which tone; a user may call twice."""


def loudest(pcm, hertz):
    """Return the level of a tone in the half second in which it was loudest: callers come and go one by one."""
    return max(tone_level(pcm[start : start + 4000], hertz) for start in range(0, len(pcm) - 4000, 2000))


def test_three_calls_in_a_room_hear_each_other(switch, tmp_path):
    def options(hertz):
        wav = tmp_path / f"{hertz}.wav"
        write_wav(wav, tone(hertz, duration_ms=4000))
        return ("--wav", str(wav), "--record", str(tmp_path / f"heard-{hertz}.wav"), "--duration", "5")

    with contextlib.ExitStack() as calls:
        running = [
            calls.enter_context(switch.calling("conf-demo", *options(hertz), caller=caller))
            for hertz, caller in _CALLERS.items()
        ]
        reports = [call.report() for call in running]

    assert [report["outcome"] for report in reports] == ["answered"] * 3
    for own in _CALLERS:
        heard = read_wav(tmp_path / f"heard-{own}.wav")
        assert loudest(heard, own) < -50
        assert all(abs(loudest(heard, other) + 16) < 2 for other in _CALLERS if other != own)
