"""Encrypted calls of the test phone through a whole switch: real processes, real sockets."""

import os
import signal

import numpy as np
import pytest

from gateway.testing.audio import read_wav, speech, window_correlations, write_wav


@pytest.mark.parametrize("settings", ["", "force_tick = true"], ids=["relayed", "decoded"])
def test_an_echo_comes_back_by_srtp(serve, tmp_path, settings):
    switch = serve(media_settings=settings)
    said = speech()[:16000]
    write_wav(tmp_path / "said.wav", said)
    files = ("--wav", str(tmp_path / "said.wav"), "--record", str(tmp_path / "heard.wav"))
    report = switch.call("echo", *files, "--srtp").report

    heard = read_wav(tmp_path / "heard.wav")
    begins = np.flatnonzero(np.abs(heard) > 100)[0]
    likeness = window_correlations(heard[begins:], said[: len(heard) - begins])
    assert report["srtp"] == "AES_CM_128_HMAC_SHA1_80"
    assert np.median(likeness) > 0.95  # by windows: a busy machine moves the playout
    assert report["packets_unusable"] == 0
    assert switch.wait_for("leg.ended")["srtp"] == "AES_CM_128_HMAC_SHA1_80"


def test_an_encrypted_call_survives_the_death_of_the_media_process(serve, tmp_path):
    """The keys are told again; roll-over and replay window are in the ledger."""
    switch = serve()
    write_wav(tmp_path / "said.wav", speech()[:64000])
    with switch.calling("echo", "--wav", str(tmp_path / "said.wav"), "--srtp") as phone:
        switch.wait_for("call.answered")
        os.kill(switch.child("media"), signal.SIGKILL)
        switch.wait_for("media.ready", count=2)
        report = phone.outcome().report

    assert report["packets_received"] > 150
    assert report["packets_unusable"] == 0
