"""Promise 50: what calls cost is right, each is paid for, and nothing is paid for that was no call."""

import asyncio
import math
import random
from decimal import Decimal

import pytest

from gateway.sip.events import SessionAnswered
from gateway.switch.records import Money, Rate
from gateway.testing.application import NUMBER, application_board
from gateway.testing.virtual_time import run_virtual

LIVES = 60
PRICE = Decimal("0.02")
RATES = [Rate("+1", "US", "Mobile", Money(PRICE, "USD"))]


async def live(house, alice, carrier, chance):
    """Call and talk, or be refused; return for how many seconds somebody talked, None = nobody did."""
    calling = await alice.call(NUMBER)
    ringing = await carrier.rung()
    ringing.ring()
    await asyncio.sleep(chance.uniform(0.0, 5.0))
    if chance.random() < 0.2:
        ringing.reject(486)
        await calling.ended()
        return None
    await ringing.answer()
    await calling.expect(SessionAnswered)
    began = asyncio.get_running_loop().time()
    await asyncio.sleep(chance.choice([0.0, 59.0, 60.0, 61.0, chance.uniform(0.0, 400.0)]))
    first, second = chance.sample([calling, ringing], 2)
    first.hang_up()
    await second.ended()
    return asyncio.get_running_loop().time() - began


@pytest.mark.parametrize("seed", range(3))
def test_promise_50_every_call_has_one_record_and_its_price(seed):
    async def scenario():
        chance = random.Random(seed)
        async with application_board(rates=RATES) as house:
            house.server.says("ice", {"action": {"name": "connectPstn"}})
            alice, carrier = await house.board.phone("alice"), await house.carrier()
            talked = [await live(house, alice, carrier, chance) for _ in range(LIVES)]
            await house.board.settle()

            records = sorted(house.book.finished.values(), key=lambda record: record.started_at)
            assert len(records) == LIVES
            for record, seconds in zip(records, talked, strict=True):
                assert record.duration_s == pytest.approx(seconds or 0, abs=1)
                minutes = 0 if seconds is None else max(1, math.ceil(record.duration_s / 60))
                assert record.debit == Money(PRICE * minutes, "USD")
            assert sorted(body["callid"] for body in house.outbox.bodies("dice")) == sorted(
                record.call for record in records
            )

    run_virtual(scenario())
