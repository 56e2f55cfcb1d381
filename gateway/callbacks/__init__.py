"""Callbacks: how applications are asked what a call shall do, and told what became of it.

    guard = Guard.allowing(urls_of_the_configuration, LOOPBACK)
    async with open_client(guard) as client:
        backend = HttpBackend(Courier(client, clock), directory.application, ids)
        worker = OutboxWorker(store.outbox, backend.deliver, clock)

`backend` is what SVAML asks (`gateway.svaml.ports.Backend`); `worker.run()` empties the outbox.
"""

from gateway.callbacks.backend import HttpBackend
from gateway.callbacks.client import open_client
from gateway.callbacks.courier import Courier
from gateway.callbacks.guard import LOOPBACK, Guard
from gateway.callbacks.outbox import OutboxWorker

__all__ = ["LOOPBACK", "Courier", "Guard", "HttpBackend", "OutboxWorker", "open_client"]
