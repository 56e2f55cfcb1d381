"""Helpers: programs that are kept alive beside the calls, which can do without them."""

import os
import signal

from gateway.media.ring import RINGS_BYTES as WANTED_BYTES
from gateway.supervisor.shared import RINGS_BYTES
from gateway.testing.supervised import WELL_BEHAVED, child

LISTENING = """
control = socket.socket(fileno=inherited("CONTROL"))
tell("helper.listens", at=control.getsockname(), rings=os.fstat(inherited("RINGS")).st_size)
"""
LOOKING = """
tell("switch.told", at=os.environ["TANDEM_SPEECH_SOCKET"], rings=os.fstat(inherited("RINGS")).st_size)
"""


def test_a_helper_listens_where_the_switch_is_told(supervise):
    house = supervise(
        media=child(WELL_BEHAVED),
        switch=child(LOOKING + WELL_BEHAVED),
        helpers={"speech": child(LISTENING + WELL_BEHAVED)},
    )
    told = house.wait_for("switch.told")
    listens = next((each for each in house.heard if each["event"] == "helper.listens"), None)
    listens = listens or house.wait_for("helper.listens")

    assert listens["at"] == told["at"]
    assert listens["rings"] == told["rings"] == RINGS_BYTES


def test_the_shared_rings_have_room_for_all_of_the_table():
    assert RINGS_BYTES >= WANTED_BYTES


def test_a_helper_that_dies_comes_back(supervise):
    house = supervise(
        media=child(WELL_BEHAVED), switch=child(WELL_BEHAVED), helpers={"speech": child(WELL_BEHAVED)}
    )
    started = house.wait_for("child.started", child="speech")
    house.wait_for("child.ready", child="speech")

    os.kill(int(started["pid"]), signal.SIGKILL)

    house.wait_for("child.died", child="speech")
    house.wait_for("child.ready", child="speech")


def test_a_helper_that_cannot_live_is_given_up_alone(supervise):
    house = supervise(
        media=child(WELL_BEHAVED), switch=child(WELL_BEHAVED), helpers={"speech": child("os._exit(78)")}
    )

    house.wait_for("child.given_up", child="speech")
    house.tell(signal.SIGINT)

    assert house.wait_for("supervisor.ended")["status"] == 0


def test_readiness_does_not_wait_for_a_helper(supervise):
    house = supervise(
        media=child(WELL_BEHAVED),
        switch=child(WELL_BEHAVED),
        helpers={"speech": child("wait_for_the_supervisor_to_die()")},
    )

    assert "switch" in house.wait_until_ready()


def test_helpers_end_after_the_switch(supervise):
    house = supervise(
        media=child(WELL_BEHAVED), switch=child(WELL_BEHAVED), helpers={"speech": child(WELL_BEHAVED)}
    )
    house.wait_for("child.ready", child="speech")

    house.tell(signal.SIGINT)

    house.wait_for("child.ended", child="switch")
    assert house.wait_for("child.ended", child="speech")["cause"] == "SIGTERM"
