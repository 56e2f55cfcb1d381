"""What a leg offers: G.729 with silence descriptors only where the operator wants them."""

import pytest

from gateway.ids import SeededIds
from gateway.switch.legs import local_media


@pytest.mark.parametrize(("annexb", "fmtp"), [(False, "annexb=no"), (True, "annexb=yes")])
def test_g729_may_fall_silent_when_it_is_set_so(annexb, fmtp):
    local = local_media(("192.0.2.1", 20000), ("pcmu", "g729"), ids=SeededIds(1), annexb=annexb)
    assert [codec.fmtp for codec in local.codecs if codec.name == "g729"] == [fmtp]
