"""What a leg carries between workers is read back whole, or refused."""

import msgpack
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.errors import BadMessage
from gateway.ids import LegId
from gateway.testing.plane_bench import PlaneBench
from gateway.transport.media_luggage import MOST_BYTES, pack, unpack_untrusted


@pytest.fixture(scope="module")
def snapshot():
    """A leg in the middle of a bridge."""
    bench = PlaneBench()
    a, b = bench.leg("a", codec="pcmu"), bench.leg("b", codec="pcma", force_tick=True)
    bench.join("room", a, b)
    bench.run(0.05)
    return bench.plane.snapshot([LegId("a")])


def test_a_snapshot_is_read_back_whole(snapshot):
    assert unpack_untrusted(pack(snapshot)) == snapshot


def test_a_snapshot_fits_into_the_brokers_packets(snapshot):
    assert len(pack(snapshot)) < MOST_BYTES / 2


PLAIN = st.recursive(
    st.none() | st.booleans() | st.floats() | st.binary() | st.text() | st.integers(-(2**63), 2**64 - 1),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.binary() | PLAIN.map(msgpack.packb))
@example(msgpack.packb({"layout": "x", "ticks": float("inf"), "rows": []}))
@example(msgpack.packb({"layout": "x", "ticks": 1, "rows": [{"leg": "a", "state": None, "image": {}}]}))
def test_other_bytes_are_refused_and_no_more(luggage):
    try:
        unpack_untrusted(luggage)
    except BadMessage:
        pass


def test_a_part_that_is_missing_is_refused(snapshot):
    fields = msgpack.unpackb(pack(snapshot), strict_map_key=False)
    del fields["rows"][0]["image"]["row"]

    with pytest.raises(BadMessage, match="no snapshot"):
        unpack_untrusted(msgpack.packb(fields))
