"""From the end of a call to its application: the real store, the worker, the client, a server on loopback."""

import asyncio
import time
from contextlib import asynccontextmanager

from gateway.callbacks import LOOPBACK, Courier, Guard, HttpBackend, OutboxWorker, open_client
from gateway.clock import SystemClock
from gateway.config import Application
from gateway.ids import SystemIds
from gateway.testing.callback_server import CallbackServer, answer
from gateway.testing.stores import KEY, a_call, ended, eventually, opened, to_tell


@asynccontextmanager
async def telling(data_dir, url):
    """Give a store whose outbox is being emptied to `url`."""
    applications = (Application(key=KEY, secret="c2VjcmV0", callback=url),)
    async with (
        opened(data_dir, applications=applications) as store,
        open_client(Guard(networks=LOOPBACK)) as client,
        asyncio.TaskGroup() as tasks,
    ):
        backend = HttpBackend(Courier(client, SystemClock()), store.directory.application, SystemIds())
        worker = OutboxWorker(store.outbox, backend.deliver, SystemClock(), look_s=0.2)
        running = tasks.create_task(worker.run())
        yield store
        running.cancel()


async def finish(store, call):
    record = a_call(call)
    await store.calls.begin(record)
    await store.calls.finish(ended(record), to_tell(f"dice-{call}", call=call, created_at=time.time()))


async def is_empty(store):
    return await store.outbox.backlog() == 0


def test_a_call_that_ends_is_told_at_once(tmp_path):
    async def story():
        async with CallbackServer(answer()) as server, telling(tmp_path, server.url) as store:
            await finish(store, "a")
            await eventually(lambda: is_empty(store), within_s=4.0)
            return [request.headers["ce-id"] for request in server.received]

    assert asyncio.run(story()) == ["dice-a"]


def test_what_could_not_be_told_before_a_restart_is_told_after_it(tmp_path):
    async def story():
        async with CallbackServer(answer(status=503)) as server:
            async with telling(tmp_path, server.url) as store:
                for call in "abc":
                    await finish(store, call)
                await eventually(lambda: asyncio.sleep(0, len(server.received) >= 3))
            server.received.clear()
            server.behave = answer()
            async with telling(tmp_path, server.url) as store:
                await eventually(lambda: is_empty(store))
            return sorted({request.headers["ce-id"] for request in server.received})

    assert asyncio.run(story()) == ["dice-a", "dice-b", "dice-c"]
