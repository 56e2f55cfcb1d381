"""The whole switch is killed again and again under traffic, and what anybody was promised is kept."""

import asyncio
import datetime

import pytest

from gateway.testing.kills import arming, kill_again_and_again
from gateway.testing.platform import Platform
from gateway.testing.undaunted import UNDAUNTED

KILLS = 10
"""A day; `python -m benchmarks kills` has two hundred."""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_callouts_are_known_records_single_and_notifications_told_however_often_the_switch_is_killed(
    tmp_path,
):
    seed = datetime.datetime.now(datetime.UTC).toordinal()
    with Platform(tmp_path, program=UNDAUNTED, environment=arming(tmp_path)) as platform:
        left = asyncio.run(kill_again_and_again(platform, tmp_path, kills=KILLS, seed=seed))

    assert left.broken == []
    assert left.kills >= KILLS
    assert left.calls >= left.callouts > KILLS
