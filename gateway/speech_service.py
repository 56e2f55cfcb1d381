"""The process that speaks: what is built from a configuration so that callers hear words and files.

`python -m gateway.speech_service` is started by the supervisor, which hands it the socket on which the switch asks for
plays, the rings of shared memory into which they flow, one descriptor to say "ready" on, and one whose end of file
means that the supervisor is gone.  What may block, crash or be fed by strangers is here: synthesis (espeak-ng is one
process further), fetching, and the decoding of files.  If it dies, what was playing breaks off and no call ends.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Final

import structlog

from gateway.callbacks.allowed import guard_of
from gateway.callbacks.client import open_client
from gateway.config import Config, inherited
from gateway.errors import ConfigError
from gateway.media.ring import Rings
from gateway.observe import configure
from gateway.speech.cache import SoundCache
from gateway.speech.command_engine import CommandEngine
from gateway.speech.espeak_engine import open_espeak
from gateway.speech.fetch import Fetcher
from gateway.speech.library import Library
from gateway.speech.port import Engine, EngineFailed, NoEngine
from gateway.speech.prompter import Prompts
from gateway.speech.rendering import render
from gateway.speech.ssml import plain_script
from gateway.speech.voices import voice_of
from gateway.switch.ports import EventLog
from gateway.transport.speech_process import SpeechServer

__all__ = ["main", "open_prompts", "serve"]

HOPELESS_STATUS: Final = os.EX_CONFIG
"""Starting again cannot help: the supervisor does not try."""


async def serve(
    config: Config, control: socket.socket, rings: Rings, *, ready_fd: int, lifeline_fd: int
) -> None:
    """Speak until told to end."""
    log: EventLog = structlog.get_logger()
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, over.set)
    loop.add_signal_handler(signal.SIGINT, lambda: None)  # the supervisor says when
    loop.add_reader(lifeline_fd, over.set)
    async with open_prompts(config, log) as prompts:
        server = asyncio.create_task(SpeechServer(prompts, rings).serve(control))
        os.write(ready_fd, b"1")
        os.close(ready_fd)
        await over.wait()
        loop.remove_reader(lifeline_fd)
        server.cancel()
        await asyncio.gather(server, return_exceptions=True)


@asynccontextmanager
async def open_prompts(config: Config, log: EventLog) -> AsyncIterator[Prompts]:
    """Give who makes prompts heard, as the configuration says."""
    async with AsyncExitStack() as stack:
        engine = await _open_engine(config, stack, log)
        client = await stack.enter_async_context(open_client(guard_of(config)))
        cache = SoundCache(config.data_dir / "speech", disk_bytes=config.speech.cache_megabytes * 1_000_000)
        stack.push_async_callback(cache.close)
        library = Library(config.data_dir / "prompts")
        yield Prompts(engine, Fetcher(client, time.monotonic), library, cache, log)


async def _open_engine(config: Config, stack: AsyncExitStack, log: EventLog) -> Engine | None:
    """Return who speaks; None = files are played, and texts are silence."""
    if config.speech.engine == "command":
        return CommandEngine(config.speech.command)
    try:
        engine = await stack.enter_async_context(open_espeak())
    except NoEngine as error:
        log.warning("speech.no_engine", reason=str(error))
        return None
    await _warm_up(engine)
    return engine


async def _warm_up(engine: Engine) -> None:
    """Say something to nobody: the first caller shall not wait for what is loaded only once."""
    with suppress(EngineFailed):
        async for _ in render(engine, plain_script("Hello."), voice_of(None)):
            pass


def main() -> None:
    """Run the process that the environment describes."""
    try:
        config = inherited()
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(HOPELESS_STATUS) from None
    configure(level=config.log.level, form=config.log.format)
    control = socket.socket(fileno=int(os.environ["TANDEM_CONTROL_FD"]))
    rings = Rings.inherited(int(os.environ["TANDEM_RINGS_FD"]))
    ready_fd, lifeline_fd = int(os.environ["TANDEM_READY_FD"]), int(os.environ["TANDEM_LIFELINE_FD"])
    asyncio.run(serve(config, control, rings, ready_fd=ready_fd, lifeline_fd=lifeline_fd))


if __name__ == "__main__":
    main()
