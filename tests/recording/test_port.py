"""What the switch and the recorder say to each other, as it travels."""

import asyncio

import pytest

from gateway.errors import BadMessage
from gateway.recording.port import (
    Available,
    Failed,
    Finished,
    Order,
    frame,
    news_as_map,
    news_from_map,
    order_as_map,
    order_from_map,
    read_frame,
)

ORDER = Order("r1", 512, 513, "key", "a.wav", "wav", True, "s3://bucket/a.wav", "key:secret:region", True)


def read(data):
    async def run():
        reader = asyncio.StreamReader()
        reader.feed_data(data)
        reader.feed_eof()
        return await read_frame(reader)

    return asyncio.run(run())


def test_an_order_arrives_as_it_was_given():
    assert order_from_map(read(frame(order_as_map(ORDER)))) == ORDER


def test_what_a_newer_switch_says_beside_is_not_heeded():
    assert order_from_map(order_as_map(ORDER) | {"mood": "good"}) == ORDER


@pytest.mark.parametrize(
    "news", [Finished("r1", 1.5, "stopped"), Available("r1", "s3://bucket/a.wav"), Failed("r1", "no space")]
)
def test_news_arrive_as_they_were_told(news):
    assert news_from_map(read(frame(news_as_map(news)))) == news


def test_unknown_news_are_none():
    assert news_from_map({"transcribed": "r1"}) is None


def test_a_frame_that_is_no_map_is_refused():
    for data in (b"\x00\x00\x00\x01\x01", b"\x00\x00\x00\x01\xc1", b"\x7f\xff\xff\xff"):
        with pytest.raises(BadMessage):
            read(data)
