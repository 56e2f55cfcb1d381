"""The memory before the name system: whoever was found once is found while the name servers are gone (promise 25)."""

import asyncio

import pytest

from gateway.testing.virtual_time import run_virtual
from gateway.transport.sip_names import RememberedNames


class Servers:
    """Name servers that take as long as they are told, and know one host until they forget it."""

    def __init__(self):
        self.takes_s = 0.1
        self.addresses_of = {"carrier.example": ["192.0.2.7"]}
        self.asked = []

    async def addresses(self, name):
        self.asked.append(name)
        await asyncio.sleep(self.takes_s)
        return self.addresses_of.get(name, [])

    naptr = srv = addresses


def remembered(scenario):
    """Run a scenario with servers and the memory before them."""

    async def run():
        servers = Servers()
        await scenario(servers, RememberedNames(servers))

    run_virtual(run())


async def took_s(asking):
    loop = asyncio.get_running_loop()
    began = loop.time()
    return await asking, loop.time() - began


def test_an_answer_counts_for_half_a_minute_without_asking():
    async def scenario(servers, names):
        for _ in range(20):
            assert await names.addresses("carrier.example") == ["192.0.2.7"]
            await asyncio.sleep(1.0)

        assert len(servers.asked) == 1

    remembered(scenario)


def test_after_that_it_is_asked_for_anew():
    async def scenario(servers, names):
        await names.addresses("carrier.example")
        servers.addresses_of["carrier.example"] = ["192.0.2.8"]
        await asyncio.sleep(60.0)

        assert await names.addresses("carrier.example") == ["192.0.2.8"]

    remembered(scenario)


@pytest.mark.parametrize("takes_s", [0.0, 0.4, 30.0])
def test_while_the_servers_are_slow_or_gone_the_old_answer_serves(takes_s):
    async def scenario(servers, names):
        await names.addresses("carrier.example")
        servers.addresses_of.clear()
        servers.takes_s = takes_s
        for _ in range(3):
            await asyncio.sleep(3600.0)
            records, waited_s = await took_s(names.addresses("carrier.example"))

            assert records == ["192.0.2.7"]
            assert waited_s <= 0.5

    remembered(scenario)


def test_an_answer_of_the_day_before_yesterday_does_not_serve():
    async def scenario(servers, names):
        await names.addresses("carrier.example")
        servers.addresses_of.clear()
        await asyncio.sleep(2 * 86_400.0)

        assert await names.addresses("carrier.example") == []

    remembered(scenario)


def test_many_who_ask_at_once_share_one_question():
    async def scenario(servers, names):
        found = await asyncio.gather(*(names.addresses("carrier.example") for _ in range(100)))

        assert found == [["192.0.2.7"]] * 100
        assert len(servers.asked) == 1

    remembered(scenario)


def test_the_kinds_of_records_are_kept_apart():
    async def scenario(servers, names):
        await names.addresses("carrier.example")
        await names.srv("carrier.example")
        await names.naptr("carrier.example")

        assert len(servers.asked) == 3

    remembered(scenario)


def test_somebody_who_stops_waiting_does_not_take_the_answer_from_others():
    async def scenario(servers, names):
        impatient = asyncio.create_task(names.addresses("carrier.example"))
        patient = asyncio.create_task(names.addresses("carrier.example"))
        await asyncio.sleep(0.01)
        impatient.cancel()

        assert await patient == ["192.0.2.7"]
        assert len(servers.asked) == 1

    remembered(scenario)
