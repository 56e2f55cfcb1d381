"""The table of events: every name that stands in a log line, at which level, with which facts, and what it means.

Operators search for these names, so a name is never changed; a new one is added here (a test compares the table with
the source).  `python -m gateway.observe` prints the table as Markdown.

At most ten lines a second of one event are written (`gateway.observe.ratelimit`): whoever floods us shall not fill
the disk.  The events marked `every` are not held back: they are the record of a call or a process, and admission has
already limited them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["EVENTS", "EventDescription", "table"]

Level = Literal["debug", "info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class EventDescription:
    """One row."""

    name: str
    level: Level
    facts: tuple[str, ...]
    meaning: str
    every: bool = False
    """Written every time, however many a second."""


def _event(name: str, level: Level, facts: str, meaning: str, *, every: bool = False) -> EventDescription:
    return EventDescription(name, level, tuple(facts.split()), meaning, every)


_ROWS = (
    _event("supervisor.ready", "info", "", "All processes are ready: calls are taken.", every=True),
    _event("supervisor.stage_entered", "info", "stage cause", "The end has come a stage nearer.", every=True),
    _event(
        "supervisor.gave_up", "error", "child reason", "A process cannot be kept alive; all ends.", every=True
    ),
    _event("supervisor.ended", "info", "status", "Everything has ended.", every=True),
    _event("child.started", "info", "child pid epoch", "A process of ours was started.", every=True),
    _event("child.ready", "info", "child took_s", "It says that it is ready.", every=True),
    _event("child.ended", "info", "child cause ready_s", "It ended as it was meant to.", every=True),
    _event("child.died", "warning", "child cause ready_s", "It died; another one is started.", every=True),
    _event(
        "child.never_ready", "error", "child waited_s", "It was not ready in time and is killed.", every=True
    ),
    _event(
        "child.given_up",
        "error",
        "child reason",
        "A process that calls can do without cannot be kept alive; all else goes on.",
        every=True,
    ),
    _event("lease.refused", "warning", "reason", "A leg got no RTP port: ports or descriptors ran out."),
    _event("switch.ready", "info", "", "The switch speaks to the media process and to phones.", every=True),
    _event("switch.draining", "info", "calls", "New calls are refused; these are left.", every=True),
    _event("switch.ending", "info", "calls", "What is left is hung up.", every=True),
    _event(
        "switch.sessions_left",
        "warning",
        "calls",
        "Calls whose other end did not answer the BYE.",
        every=True,
    ),
    _event(
        "sip.connect_failed",
        "warning",
        "transport remote reason",
        "A connection of ours was not made: nobody there, or a certificate that we do not trust.",
    ),
    _event("sip.fault_stopped", "warning", "traceback", "A fault of ours, which cost one message."),
    _event(
        "loop.stalled",
        "warning",
        "lasted_ms stack",
        "The switch stood still for so long, there: nobody was answered meanwhile.",
    ),
    _event(
        "sip.overloaded",
        "warning",
        "delay_ms rate_per_s",
        "Messages wait too long: new calls are let in at this rate, others are refused with 503.",
    ),
    _event(
        "sip.recovered",
        "info",
        "delay_ms rate_per_s refused lasted_s",
        "Everybody is let in again; so many were refused.",
    ),
    _event(
        "trunk.not_found", "warning", "trunk reason", "The trunk's name has no address; it cannot call us."
    ),
    _event(
        "trunk.moved", "info", "trunk addresses", "The trunk's name has other addresses; it calls from these."
    ),
    _event("media.ready", "info", "calls", "The media process is there."),
    _event(
        "media.lost",
        "warning",
        "calls",
        "The media process is gone; audio goes on when the next one is ready.",
    ),
    _event("user.registered", "info", "user source expires_s", "A phone can be called."),
    _event("user.unregistered", "info", "user source expires_s", "A phone has left."),
    _event("trunk.asked", "info", "trunk peer", "A call is offered to a server of a trunk."),
    _event(
        "trunk.fault_stopped",
        "error",
        "trunk exception",
        "A fault of ours, which cost one ping or registration.",
    ),
    _event("trunk.recovered", "info", "trunk server reason", "A server of a trunk is up again."),
    _event(
        "trunk.failed",
        "warning",
        "trunk server state reason",
        "A server of a trunk is suspect or down: others are asked before it.",
    ),
    _event("trunk.registered", "info", "trunk server expires_s", "The trunk's registrar knows us."),
    _event(
        "trunk.not_registered",
        "warning",
        "trunk server status reason",
        "The trunk's registrar refused us or is silent; it is tried again.",
    ),
    _event("call.offered", "info", "call user trunk dialled source", "Somebody calls.", every=True),
    _event("call.refused", "info", "status cause", "A call was refused before it began: drain or overload."),
    _event("call.answered", "info", "call codec other_codec", "The call is up.", every=True),
    _event(
        "call.ended", "info", "call user dialled status cause by lasted_s", "The call is over.", every=True
    ),
    _event(
        "call.resumed", "info", "call", "A call of a switch process before this one is taken up.", every=True
    ),
    _event(
        "calls.inherited", "warning", "calls ended", "A switch died; so many calls go on, so many are ended."
    ),
    _event(
        "call.crashed",
        "error",
        "call exception",
        "A fault of ours ended this call, and no other.",
        every=True,
    ),
    _event(
        "calls.left_closed",
        "warning",
        "calls",
        "Calls that a crash had left without an end were closed in the book.",
    ),
    _event("call.flooded", "warning", "call reason", "More happened on a call than it could follow."),
    _event(
        "leg.ended", "info", "call leg codec cause status q850", "The canonical line of a leg.", every=True
    ),
    _event(
        "call.transferring", "info", "call leg attended", "A party asked for its far end to be transferred."
    ),
    _event("call.replaced", "info", "call leg by", "Another call of the same user took a party's place."),
    _event("leg.held", "info", "call leg", "The phone put us on hold."),
    _event("leg.resumed", "info", "call leg", "The phone came back from hold."),
    _event("srtp.unavailable", "warning", "reason", "No media will be encrypted."),
    _event(
        "leg.keys_shown",
        "warning",
        "leg transport",
        "Keys of SRTP go over UDP, TCP or WS, where others can read them.",
    ),
    _event("leg.latched", "info", "call leg address", "Audio comes from an address that was learnt."),
    _event(
        "leg.asked_otherwise",
        "info",
        "peer webrtc",
        "A phone on a WebSocket refused the media of a browser, or other media, and is asked for the other.",
    ),
    _event("leg.offer_refused", "info", "call leg reason", "A re-INVITE asked for what cannot be."),
    _event("leg.early_media_refused", "info", "call leg reason", "Audio before the answer was not usable."),
    _event("dtmf.heard", "info", "call leg digit duration_ms via", "A key was pressed."),
    _event("dtmf.not_understood", "info", "call leg reason", "A key in an INFO was not readable."),
    _event(
        "capture.failed", "warning", "file reason", "What was on the wire could not be written to a file."
    ),
    _event(
        "capture.ended",
        "info",
        "file packets lost",
        "A media process has ended, and these packets of it were captured.",
        every=True,
    ),
    _event(
        "recording.started", "info", "call recording file", "A call or conference is recorded from now on."
    ),
    _event(
        "recording.finished",
        "info",
        "call recording duration_s reason",
        "Nothing more is written, for this reason; what was said until then is in the file.",
    ),
    _event("recording.available", "info", "call recording destination", "Its file is where it was to go."),
    _event(
        "recording.failed",
        "warning",
        "call recording reason",
        "It broke off, is not there, or was never begun.",
    ),
    _event("cdr.written", "info", "file calls", "A day's call records are in a file."),
    _event("cdr.not_written", "warning", "folder reason", "They could not be written; it is tried again."),
    _event(
        "api.failed",
        "error",
        "reference path",
        "A request met a fault of ours; the client has the reference.",
    ),
    _event(
        "callback.delivered",
        "debug",
        "call application callback url took_ms answer_bytes",
        "An application's server took a callback.",
    ),
    _event(
        "callback.failed",
        "warning",
        "call application callback url took_ms failure reason",
        "An attempt at a callback came to nothing; the fallback is asked, if there is one.",
    ),
    _event(
        "callback.primary_bypassed",
        "warning",
        "application",
        "Three failures in a row: only the fallback is asked, and the primary URL tried once a minute.",
    ),
    _event(
        "prompt.not_played",
        "warning",
        "call prompt reason",
        "A prompt could not be spoken, fetched or decoded; its caller heard what follows it.",
    ),
    _event("speech.ready", "info", "", "The switch speaks to the process that speaks.", every=True),
    _event(
        "speech.lost",
        "warning",
        "plays reason",
        "The process that speaks went away: so many prompts broke off, and the calls went on.",
        every=True,
    ),
    _event("speech.no_engine", "warning", "reason", "Texts are silence: nobody here can speak.", every=True),
    _event("speech.not_understood", "warning", "reason", "What the switch asked of speech made no sense."),
    _event("speech.play_failed", "error", "call", "A play ended by a fault of ours; its traceback follows."),
    _event("callback.primary_restored", "info", "application", "The primary URL answers again."),
    _event(
        "outbox.given_up",
        "warning",
        "call application callback reason attempts",
        "An application will not be told: it could not be for a day, or has no URL any more.",
        every=True,
    ),
    _event(
        "outbox.fault_stopped",
        "error",
        "call exception",
        "A fault of ours or of the store, which cost one delivery some seconds.",
    ),
    _event(
        "store.opened", "info", "url calls", "The database is there; so many calls had not ended.", every=True
    ),
    _event(
        "store.seeded", "info", "applications numbers", "The file was taken over; from now on the API wins."
    ),
    _event(
        "store.sealed",
        "info",
        "key_file scrubbed",
        "Secrets stood in the clear and are sealed; not scrubbed: free space of the database may still show them.",
    ),
    _event(
        "store.key_missing",
        "warning",
        "reason",
        "Another process sealed secrets with a key that is not in our file; what was known stays known.",
    ),
    _event(
        "store.behind", "warning", "reason waiting", "The database takes nothing; a journal on disk does."
    ),
    _event("store.caught_up", "info", "lasted_s", "The database has everything again.", every=True),
    _event("store.journal_read", "info", "changes", "What a crash left in the journal is in the database."),
    _event(
        "store.journal_unreadable",
        "error",
        "reason line exception",
        "A line of the journal makes no sense.",
        every=True,
    ),
    _event(
        "store.journal_failed",
        "error",
        "reason exception",
        "The journal cannot be written: is the disk full?",
    ),
    _event(
        "store.change_refused",
        "error",
        "change reason exception",
        "The database refuses one record.",
        every=True,
    ),
    _event(
        "store.note_dropped", "warning", "key dropped", "Too much was noted while the database was behind."
    ),
    _event("library.logged", "info", "library message", "A library we use had something to say."),
)
EVENTS = {row.name: row for row in _ROWS}


def table() -> str:
    """Return the events as a Markdown table."""
    lines = ["| event | level | facts | meaning |", "|---|---|---|---|"]
    lines += [
        f"| `{row.name}` | {row.level} | {', '.join(f'`{fact}`' for fact in row.facts)} | {row.meaning} |"
        for row in _ROWS
    ]
    return "\n".join(lines)
