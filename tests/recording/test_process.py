"""The recorder's own process: real rings, a real socket, real files."""

import asyncio
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import asynccontextmanager

import numpy as np
import pytest

from gateway.media.ring import RINGS_BYTES, UNIT, Rings
from gateway.recording.port import Available, Failed, Finished, Order
from gateway.testing.recorder import read_channels
from gateway.transport.recording_client import RecordingClient

HEARD, SAID = 600, 601
PATIENCE_S = 10.0


class Recorder:
    """A recorder, the switch's client of it, and the rings between them."""

    def __init__(self, directory, environment):
        self.directory = directory
        self._environment = environment
        with tempfile.TemporaryFile() as file:
            file.truncate(RINGS_BYTES)
            self.rings_fd = os.dup(file.fileno())
        self.rings = Rings.inherited(self.rings_fd)
        self._lifeline, self._held = os.pipe()
        self._folder = tempfile.TemporaryDirectory(prefix="tandem-")
        path = os.path.join(self._folder.name, "recording")
        self.control = socket.socket(socket.AF_UNIX)
        self.control.bind(path)
        self.control.listen()
        self.client = RecordingClient(path)
        self.process = None

    async def start(self, *, file_bytes=None):
        ready, childs = os.pipe()

        def limit():
            if file_bytes is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))

        descriptors = {"RINGS": self.rings_fd, "CONTROL": self.control.fileno(), "LIFELINE": self._lifeline}
        named = {f"TANDEM_{name}_FD": str(fd) for name, fd in (descriptors | {"READY": childs}).items()}
        self.process = subprocess.Popen(  # noqa: ASYNC220 - it is there at once
            [sys.executable, "-m", "gateway.recording.process"],
            env={**os.environ, **self._environment, **named, "TANDEM_DATA": str(self.directory)},
            pass_fds=(*descriptors.values(), childs),
            preexec_fn=limit,
        )
        os.close(childs)
        assert await asyncio.to_thread(os.read, ready, 1) == b"1"
        os.close(ready)

    def begin(self, **changes):
        for ring in (HEARD, SAID):
            self.rings.open(ring)
        order = Order("r1", HEARD, SAID, "key", "a.wav", "wav", True)
        for name, value in changes.items():
            object.__setattr__(order, name, value)
        self.client.begin(order)

    def say(self, units):
        for unit in units:
            self.rings.write_units(np.array([HEARD, SAID]), np.stack([unit, -unit]))

    async def read_up(self):
        while self.rings.available(HEARD):  # noqa: ASYNC110 - a ring tells nobody
            await asyncio.sleep(0.02)

    def heard(self):
        return read_channels(self.directory / "recordings" / "key" / "a.wav", 2)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE_S)
        self.control.close()
        for fd in (self._lifeline, self._held, self.rings_fd):
            os.close(fd)
        self._folder.cleanup()


@asynccontextmanager
async def recorder(directory, *, file_bytes=None, **environment):
    one = Recorder(directory, environment)
    running = asyncio.ensure_future(one.client.run())
    try:
        await one.start(file_bytes=file_bytes)
        yield one
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        one.close()


def run(scenario):
    async def patiently():
        async with asyncio.timeout(2 * PATIENCE_S):
            await scenario()

    asyncio.run(patiently())


def units(n, seed=1):
    return np.random.default_rng(seed).integers(-32767, 32768, (n, UNIT), np.int16)


async def news(one, n):
    found = []
    async for each in one.client.news():
        found.append(each)
        if len(found) == n:
            return found
    return found


def test_a_recording_is_written_told_of_and_there(tmp_path):
    async def scenario():
        async with recorder(tmp_path) as one:
            one.begin()
            pcm = units(100)
            one.say(pcm)
            one.client.end("r1")

            assert await news(one, 2) == [Finished("r1", 1.0, "stopped"), Available("r1", "")]
            assert np.array_equal(one.heard(), np.stack([-pcm.ravel(), pcm.ravel()], axis=1))

    run(scenario)


def test_a_recorder_that_is_killed_leaves_a_file_that_another_one_goes_on_with(tmp_path):
    async def scenario():
        async with recorder(tmp_path) as one:
            one.begin()
            pcm = units(150)
            one.say(pcm[:50])
            await one.read_up()
            await asyncio.sleep(0.1)  # read is not yet written
            one.kill()
            left = one.heard()
            one.say(pcm[50:])
            await one.start()
            one.client.end("r1")
            told = await news(one, 2)

            whole = np.stack([-pcm.ravel(), pcm.ravel()], axis=1)
            assert np.array_equal(left, whole[:4000])
            assert told == [Finished("r1", 1.5, "stopped"), Available("r1", "")]
            assert np.array_equal(one.heard(), whole)

    run(scenario)


@pytest.mark.slow
def test_a_full_disk_ends_a_recording_whose_file_plays_up_to_there(tmp_path):
    async def scenario():
        async with recorder(tmp_path, file_bytes=10_000) as one:
            one.begin()
            one.say(units(100))

            finished, available = await news(one, 2)

            assert (finished.reason, finished.fault) == ("File too large", True)
            assert available == Available("r1", "")
            assert one.heard().shape[0] == (10_000 - 44) // 4

    run(scenario)


@pytest.mark.slow
def test_a_place_that_cannot_be_reached_is_told_and_the_file_is_kept(tmp_path):
    async def scenario():
        async with recorder(tmp_path, TANDEM_RECORDING__S3_ENDPOINT="http://127.0.0.1:1") as one:
            one.begin(destination="s3://bucket/a.wav", credentials="nonsense")
            one.say(units(10))
            one.client.end("r1")

            _, failed = await news(one, 2)

            assert isinstance(failed, Failed)
            assert failed.reason.endswith("it is kept as r1.wav")
            assert (tmp_path / "recordings" / ".outgoing" / "r1.wav").stat().st_size == 44 + 4 * 800

    run(scenario)


@pytest.mark.slow
def test_a_recording_of_nothing_leaves_no_file(tmp_path):
    async def scenario():
        async with recorder(tmp_path) as one:
            one.begin()
            one.client.end("r1")

            assert (await news(one, 2))[1] == Failed("r1", "there was nothing to record")
            assert not list((tmp_path / "recordings" / "key").iterdir())

    run(scenario)


@pytest.mark.slow
def test_told_to_end_it_completes_its_files(tmp_path):
    async def scenario():
        async with recorder(tmp_path) as one:
            one.begin(format="mp3", name="a.mp3")
            one.say(units(100))
            await one.read_up()
            one.process.send_signal(signal.SIGTERM)

            assert await asyncio.to_thread(one.process.wait, PATIENCE_S) == 0
            assert (tmp_path / "recordings" / "key" / "a.mp3").stat().st_size > 1000

    run(scenario)
