"""libsrtp, which most phones have inside, opens what we protect, and we open what it does: every suite, both ways."""

import pytest

from gateway.media.crypto import SUITES, CryptoPolicy, SrtpEnds
from gateway.testing.plane_packet import Packet
from gateway.testing.srtp_bench import master

pytestmark = pytest.mark.interop

pylibsrtp = pytest.importorskip("pylibsrtp", reason="the dependency group `interop` is not installed")

PROFILES = {
    "AES_CM_128_HMAC_SHA1_80": "SRTP_PROFILE_AES128_CM_SHA1_80",
    "AES_CM_128_HMAC_SHA1_32": "SRTP_PROFILE_AES128_CM_SHA1_32",
    "AEAD_AES_128_GCM": "SRTP_PROFILE_AEAD_AES_128_GCM",
    "AEAD_AES_256_GCM": "SRTP_PROFILE_AEAD_AES_256_GCM",
}
"""Those that it can be asked for from Python; pjsua2 speaks the others to us."""
REPORT = bytes([0x81, 201, 0, 7]) + bytes(range(28))


def libsrtp(suite, key, direction):
    profile = getattr(pylibsrtp.Policy, PROFILES[suite])
    return pylibsrtp.Session(pylibsrtp.Policy(key=key, ssrc_type=direction, srtp_profile=profile))


@pytest.fixture(params=PROFILES)
def pair(request):
    """Our end, and libsrtp's session for each direction."""
    suite = request.param
    ours, theirs = master(suite, 1), master(suite, 2)
    hears = libsrtp(suite, ours, pylibsrtp.Policy.SSRC_ANY_INBOUND)
    says = libsrtp(suite, theirs, pylibsrtp.Policy.SSRC_ANY_OUTBOUND)
    return SrtpEnds(CryptoPolicy(suite, ours, theirs)), says, hears


def packets(first, last):
    return [Packet(0.0, 0, n, 160 * n, 77, bytes([n & 255]) * 160).to_bytes() for n in range(first, last)]


def test_rtp_is_understood_both_ways_across_two_roll_overs(pair):
    ends, says, hears = pair
    for packet in packets(32_000, 32_000 + (1 << 17))[::499]:
        assert hears.unprotect(ends.protect(packet)) == packet
        assert ends.open_untrusted(says.protect(packet)) == packet


def test_reports_are_understood_both_ways(pair):
    ends, says, hears = pair
    for _ in range(3):
        assert hears.unprotect_rtcp(ends.protect(REPORT, rtcp=True)) == REPORT
        assert ends.open_untrusted(says.protect_rtcp(REPORT), rtcp=True) == REPORT


def test_no_suite_is_left_out_without_a_word():
    assert set(SUITES) - set(PROFILES) == {"AES_256_CM_HMAC_SHA1_80", "AES_256_CM_HMAC_SHA1_32"}
