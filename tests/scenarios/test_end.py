"""The end of `tandem serve`: drained by SIGTERM, at once by a second one or by Ctrl-C.

The fixture sees that nothing is left each time.
"""

import signal


def test_sigterm_takes_no_new_call_and_lets_the_one_that_is_up_end_by_itself(serve):
    switch = serve()
    with switch.calling("echo", "--duration", "2.5") as call:
        switch.wait_for("call.answered")

        switch.tell(signal.SIGTERM)

        switch.wait_for("switch.draining")
        assert switch.call("echo").report["status"] == 503
        report = call.report()
    assert (report["ended_by"], report["gaps"], report["packets_lost"]) == ("local", [], 0)
    assert switch.wait() == 0


def test_a_second_sigterm_hangs_up(serve):
    switch = serve()
    with switch.calling("music", "--duration", "20") as call:
        switch.wait_for("call.answered")
        switch.tell(signal.SIGTERM)
        switch.wait_for("switch.draining")

        switch.tell(signal.SIGTERM)

        assert switch.wait() == 0
        assert call.report()["ended_by"] == "remote"


def test_ctrl_c_hangs_up_on_both_phones(serve):
    switch = serve()
    with switch.answering("bob", "--calls", "1") as bob, switch.calling("bob", "--duration", "20") as alice:
        switch.wait_for("call.answered")

        switch.tell(signal.SIGINT)

        assert switch.wait() == 0
        assert alice.report()["ended_by"] == "remote"
        assert bob.report()["calls"][0]["ended_by"] == "remote"


def test_a_phone_that_is_interrupted_hangs_up_and_reports(switch):
    offered = len(switch.events("call.answered"))
    with switch.calling("echo", "--duration", "20") as call:
        switch.wait_for("call.answered", count=offered + 1)

        call.tell(signal.SIGINT)

        assert call.report()["ended_by"] == "local"
    assert switch.events("call.answered")[-1]["call"] == switch.events("call.ended")[-1]["call"]
