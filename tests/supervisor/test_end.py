"""The end: drained, at once, or by force; in order, and leaving nothing behind."""

import os
import signal

from gateway.testing.supervised import DRAINING_SWITCH, WELL_BEHAVED, child

STUBBORN = "signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.signal(signal.SIGINT, signal.SIG_IGN);"


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def ends(house):
    return [record["child"] for record in house.heard if record["event"] == "child.ended"]


def test_sigterm_lets_the_switch_drain_and_stops_media_after_it(supervise):
    house = supervise(media=child(WELL_BEHAVED), switch=child(DRAINING_SWITCH))
    children = house.wait_until_ready()

    house.tell(signal.SIGTERM)
    house.wait_for("switch.draining")
    assert is_alive(children["media"])
    os.kill(children["switch"], signal.SIGUSR1)

    assert house.wait_for_exit() == 0
    assert ends(house) == ["switch", "media"]


def test_a_second_sigterm_hangs_up_at_once(supervise):
    house = supervise(media=child(WELL_BEHAVED), switch=child(DRAINING_SWITCH))
    house.wait_until_ready()
    house.tell(signal.SIGTERM)
    house.wait_for("switch.draining")

    house.tell(signal.SIGTERM)

    house.wait_for("switch.hung_up")
    assert house.wait_for_exit() == 0


def test_sigint_hangs_up_at_once(supervise):
    house = supervise(media=child(WELL_BEHAVED), switch=child(DRAINING_SWITCH))
    house.wait_until_ready()

    house.tell(signal.SIGINT)

    house.wait_for("switch.hung_up")
    assert house.wait_for_exit() == 0


def test_a_terminal_that_is_closed_ends_what_it_started(supervise):
    house = supervise(media=child(WELL_BEHAVED), switch=child(DRAINING_SWITCH))
    house.wait_until_ready()

    house.tell(signal.SIGHUP)

    house.wait_for("switch.hung_up")
    assert house.wait_for_exit() == 0


def test_a_drain_that_takes_too_long_is_ended(supervise):
    house = supervise(media=child(WELL_BEHAVED), switch=child(DRAINING_SWITCH), drain_s=0.05)
    house.wait_until_ready()

    house.tell(signal.SIGTERM)

    house.wait_for("switch.hung_up")
    assert house.wait_for_exit() == 0


def test_media_that_dies_during_a_drain_comes_back_for_the_calls_that_are_left(supervise):
    house = supervise(media=child(WELL_BEHAVED), switch=child(DRAINING_SWITCH))
    children = house.wait_until_ready()
    house.tell(signal.SIGTERM)
    house.wait_for("switch.draining")

    os.kill(children["media"], signal.SIGKILL)

    house.wait_for("child.ready", child="media")


def test_a_switch_that_crashes_during_a_drain_comes_back_and_drains_on(supervise):
    house = supervise(media=child(WELL_BEHAVED), switch=child(DRAINING_SWITCH))
    children = house.wait_until_ready()
    house.tell(signal.SIGTERM)
    house.wait_for("switch.draining")

    os.kill(children["switch"], signal.SIGKILL)

    house.wait_for("child.ready", child="switch")
    house.wait_for("switch.draining")


def test_a_third_signal_kills_what_will_not_end(supervise):
    house = supervise(media=child(WELL_BEHAVED), switch=child(STUBBORN + WELL_BEHAVED))
    house.wait_until_ready()

    for stage in ("draining", "ending", "killing"):
        house.tell(signal.SIGTERM)
        house.wait_for("supervisor.stage_entered", stage=stage)

    assert house.wait_for_exit() == 0


def test_nothing_is_left_of_a_stopped_supervisor(supervise, temporary):
    house = supervise(media=child(WELL_BEHAVED), switch=child(DRAINING_SWITCH))
    children = house.wait_until_ready()
    assert [path.name[:7] for path in temporary.iterdir()] == ["tandem-"]

    house.tell(signal.SIGINT)
    house.wait_for_exit()

    assert list(temporary.iterdir()) == []
    assert [pid for pid in children.values() if is_alive(pid)] == []


def test_the_control_socket_stands_in_a_directory_that_is_ours_alone(supervise, temporary):
    house = supervise(media=child(WELL_BEHAVED), switch=child(WELL_BEHAVED))
    house.wait_until_ready()

    (directory,) = temporary.iterdir()

    assert directory.stat().st_mode & 0o777 == 0o700


def test_children_end_by_themselves_when_the_supervisor_is_killed(supervise):
    house = supervise(media=child(WELL_BEHAVED), switch=child(WELL_BEHAVED))
    children = house.wait_until_ready()

    house.tell(signal.SIGKILL)

    orphans = {house.wait_for("child.orphaned")["pid"], house.wait_for("child.orphaned")["pid"]}
    assert orphans == set(children.values())


def test_the_terminals_ctrl_c_does_not_reach_the_children(supervise):
    house = supervise(media=child(WELL_BEHAVED), switch=child(WELL_BEHAVED))
    children = house.wait_until_ready()

    groups = {os.getpgid(pid) for pid in (house.process.pid, *children.values())}

    assert len(groups) == 3
