"""The media process dies and comes back while calls are up."""

from gateway.media.events import WorkerLost, WorkerReady
from gateway.sip.events import SessionAnswered
from gateway.testing.switchboard import switchboard
from gateway.testing.virtual_time import run_virtual


def test_a_call_goes_on_when_the_media_process_dies_and_comes_back():
    async def scenario():
        async with switchboard() as board:
            alice = await board.phone("alice")
            calling = await alice.call("echo")
            await calling.expect(SessionAnswered)

            board.media.happen(WorkerLost())
            await board.settle()
            assert not board.switch.media_ready
            board.media.happen(WorkerReady())
            await board.settle()

            assert board.switch.media_ready
            assert board.switch.calls == 1
            assert [line["calls"] for line in board.log.all("media.lost")] == [1]
            calling.hang_up()

    run_virtual(scenario())
