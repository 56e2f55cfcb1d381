"""GET /healthz and /metrics, and the server that brings them."""

import asyncio
import signal
import socket
from dataclasses import dataclass, field

import httpx
import pytest

from gateway.api import create_app, serve_http
from gateway.api.server import listen
from gateway.observe import Metrics


@dataclass
class Status:
    ready: bool = True
    census: dict[str, int] = field(default_factory=lambda: {"legs": 2})


def ask(app, path):
    """Return the application's answer without a socket in between."""

    async def get():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tandem") as client:
            return await client.get(path)

    return asyncio.run(get())


def test_a_switch_that_takes_calls_is_healthy():
    answer = ask(create_app(Status()), "/healthz")

    assert (answer.status_code, answer.json()) == (200, {"ready": True, "census": {"legs": 2}})


def test_a_switch_that_drains_is_not():
    answer = ask(create_app(Status(ready=False)), "/healthz")

    assert (answer.status_code, answer.json()["ready"]) == (503, False)


def test_metrics_hold_the_census_and_what_was_registered():
    metrics = Metrics()
    metrics.gauges("tandem_ports", "RTP ports", label="state", read=lambda: {"leased": 4})

    text = ask(create_app(Status(), registry=metrics.registry), "/metrics").text

    assert 'tandem_census{table="legs"} 2.0' in text
    assert "tandem_ready 1.0" in text
    assert 'tandem_ports{state="leased"} 4.0' in text


def test_two_applications_in_one_process_do_not_share_metrics():
    first, second = Status(census={"legs": 1}), Status(census={"legs": 7})
    create_app(first)

    assert 'tandem_census{table="legs"} 7.0' in ask(create_app(second), "/metrics").text


def serving(visit):
    """Serve on a free port inside a task group, visit it, and end it by cancelling."""

    async def main():
        where = asyncio.get_running_loop().create_future()
        async with asyncio.TaskGroup() as tasks:
            server = tasks.create_task(
                serve_http(
                    create_app(Status()),
                    "127.0.0.1",
                    0,
                    on_listening=lambda *address: where.set_result(address),
                )
            )
            try:
                return await visit(*await where)
            finally:
                server.cancel()

    return asyncio.run(main())


async def get(host, port, path="/healthz"):
    async with httpx.AsyncClient() as client:
        return await client.get(f"http://{host}:{port}{path}")


def test_the_server_answers_and_ends_when_it_is_cancelled():
    assert serving(get).status_code == 200


def test_an_answer_does_not_wait_for_acknowledgements():
    with listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        connection, _ = listener.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_the_server_leaves_signals_to_the_owner_of_the_process():
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)

    async def visit(host, port):
        await get(host, port)
        return signal.getsignal(signal.SIGTERM)

    assert serving(visit) == before[1]
    assert signal.getsignal(signal.SIGINT) == before[0]


def test_a_taken_port_is_an_os_error_and_not_the_end_of_the_process():
    async def visit(host, port):
        with pytest.raises(OSError, match="in use"):
            await serve_http(create_app(Status()), host, port)

    serving(visit)
