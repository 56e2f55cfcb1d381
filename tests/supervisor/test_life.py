"""Children are started, brought back when they die, and given up when they cannot live."""

import os
import signal
import time

from gateway.supervisor.backoff import DELAYS_S, HEALTHY_S, QUICK_DEATHS, Backoff
from gateway.testing.supervised import WELL_BEHAVED, child


def test_a_killed_media_process_is_ready_again_within_a_second(supervise):
    house = supervise(media=child(WELL_BEHAVED), switch=child(WELL_BEHAVED))
    before = house.wait_until_ready()

    os.kill(before["media"], signal.SIGKILL)
    killed_at = time.monotonic()
    again = house.wait_until_ready()

    assert time.monotonic() - killed_at < 1.0
    assert again["media"] != before["media"]
    assert again["switch"] == before["switch"]


def test_a_child_that_is_told_to_end_by_a_stranger_comes_back(supervise):
    """Only SIGINT or SIGTERM to the supervisor mean "stop"."""
    house = supervise(media=child(WELL_BEHAVED), switch=child(WELL_BEHAVED))

    os.kill(house.wait_until_ready()["switch"], signal.SIGTERM)

    assert house.wait_for("child.died")["cause"] == "SIGTERM"
    house.wait_until_ready()


def test_each_switch_has_an_epoch_of_its_own(supervise):
    program = "tell('switch.born', epoch=os.environ['TANDEM_EPOCH'])" + WELL_BEHAVED
    house = supervise(media=child(WELL_BEHAVED), switch=child(program))
    first = house.wait_for("switch.born")["epoch"]

    os.kill(house.wait_until_ready()["switch"], signal.SIGKILL)

    assert (first, house.wait_for("switch.born")["epoch"]) == ("1", "2")


def test_the_ledger_keeps_what_a_killed_media_process_wrote(supervise):
    program = """
import mmap
ledger = mmap.mmap(inherited("LEDGER"), int(os.environ["TANDEM_LEDGER_BYTES"]))
tell("ledger.read", words=ledger[-8:].hex())
ledger[-8:] = b"sequence"
"""
    house = supervise(media=child(program + WELL_BEHAVED), switch=child(WELL_BEHAVED))
    assert house.wait_for("ledger.read")["words"] == bytes(8).hex()

    os.kill(house.wait_until_ready()["media"], signal.SIGKILL)

    assert house.wait_for("ledger.read")["words"] == b"sequence".hex()


def test_a_switch_that_connects_before_there_is_media_is_served_by_the_next_one(supervise, tmp_path):
    media = """
if not os.path.exists(sys.argv[1]):
    open(sys.argv[1], "w")
    os._exit(1)
control = socket.socket(fileno=inherited("CONTROL"))
peer, _ = control.accept()
peer.sendall(b"hello")
"""
    switch = """
control = socket.socket(socket.AF_UNIX)
control.connect(os.environ["TANDEM_MEDIA_SOCKETS"])
tell("switch.served", heard=control.recv(5).decode())
"""
    house = supervise(
        media=child(media + WELL_BEHAVED, str(tmp_path / "media has died once")),
        switch=child(switch + WELL_BEHAVED),
    )

    assert house.wait_for("switch.served")["heard"] == "hello"


def test_a_child_that_is_not_ready_in_time_is_killed_and_started_again(supervise):
    house = supervise(
        media=child(WELL_BEHAVED), switch=child("wait_for_the_supervisor_to_die()"), ready_within_s=0.3
    )

    house.wait_for("child.never_ready", child="switch")

    assert house.wait_for("child.died")["cause"] == "SIGKILL"
    house.wait_for("child.started", child="switch", epoch=2)


def test_a_child_that_says_that_it_is_hopeless_is_not_started_again(supervise):
    house = supervise(media=child(WELL_BEHAVED), switch=child("os._exit(os.EX_CONFIG)"))

    assert house.wait_for_exit() == 1
    assert house.events().count("child.started") == 2
    assert "supervisor.gave_up" in house.events()


def test_a_program_that_does_not_exist_ends_everything_with_its_name(supervise):
    house = supervise(media=["/nowhere/media"], switch=child(WELL_BEHAVED))

    assert "/nowhere/media" in str(house.wait_for("supervisor.gave_up")["reason"])
    assert house.wait_for_exit() == 1


def test_the_first_restart_is_at_once_and_the_next_ones_wait_longer_up_to_five_seconds():
    backoff = Backoff()

    delays = [backoff.died(0.0) for _ in range(QUICK_DEATHS)]

    assert delays[: len(DELAYS_S)] == list(DELAYS_S)
    assert delays[0] == 0.0
    assert set(delays[len(DELAYS_S) :]) == {5.0}


def test_ten_quick_deaths_are_forgiven_and_the_eleventh_is_not():
    backoff = Backoff()

    delays = [backoff.died(HEALTHY_S - 0.1) for _ in range(QUICK_DEATHS + 1)]

    assert None not in delays[:-1]
    assert delays[-1] is None


def test_ten_seconds_of_health_clear_the_record():
    backoff = Backoff()
    for _ in range(QUICK_DEATHS):
        backoff.died(0.0)

    assert backoff.died(HEALTHY_S) == 0.0
