"""From two rings into one file: what is said on the left, what is heard on the right, in one time."""

from dataclasses import replace

import numpy as np
import pytest

from gateway.media.ring import RING_SAMPLES, UNIT, Rings
from gateway.recording.port import NO_RING, Order
from gateway.recording.tape import LINGER_S, ORPHAN_S, QUIET_S, Tape, mixed

HEARD, SAID = 4, 5


class Pages:
    """A file that is nothing but what was written."""

    def __init__(self, room=None):
        self.pieces, self.room, self.closed = [], room, False

    @property
    def n_frames(self):
        return sum(len(piece) for piece in self.pieces)

    @property
    def pcm(self):
        return np.concatenate(self.pieces)

    def write(self, pcm):
        if self.room is not None and self.n_frames + len(pcm) > self.room:
            raise OSError(28, "No space left on device")
        self.pieces.append(pcm)

    def close(self):
        self.closed = True


def taped(*, stereo=True, said=SAID, room=None):
    rings = Rings.private(8)
    for ring in (HEARD, SAID):
        rings.open(ring)
    order = Order("r1", HEARD, said, "key", "a.wav", "wav", stereo)
    file = Pages(room)
    return rings, file, Tape(order, rings, file, now=0.0)


def units(n, seed):
    return np.random.default_rng(seed).integers(-32768, 32768, (n, UNIT), np.int16)


def fill(rings, said, heard):
    for one, other in zip(said, heard, strict=True):
        rings.write_units(np.array([HEARD, SAID]), np.stack([other, one]))


def test_stereo_is_what_is_said_and_what_is_heard_bit_for_bit():
    rings, file, tape = taped()
    said, heard = units(60, 1), units(60, 2)

    for start in range(0, 60, 7):
        fill(rings, said[start : start + 7], heard[start : start + 7])
        tape.drain(start / 100)

    assert np.array_equal(file.pcm[:, 0], said.ravel())
    assert np.array_equal(file.pcm[:, 1], heard.ravel())


def test_mono_is_the_sum_limited_once():
    rings, file, tape = taped(stereo=False)
    said, heard = units(10, 1), units(10, 2)

    fill(rings, said, heard)
    tape.drain(0.1)

    total = said.ravel().astype(int) + heard.ravel()
    assert np.array_equal(file.pcm[:, 0], np.clip(total, -32768, 32767))


def test_a_conference_has_one_channel_that_is_its_mix():
    rings, file, tape = taped(said=NO_RING)
    mix = units(3, 1)

    for unit in mix:
        rings.write_units(np.array([HEARD]), unit[None])
    tape.drain(0.1)

    assert np.array_equal(file.pcm, mix.reshape(-1, 1))


def test_what_a_full_ring_has_lost_is_silence_and_time_goes_on():
    rings, file, tape = taped()
    fits = RING_SAMPLES // UNIT
    said, heard = units(fits + 30, 1), units(fits + 30, 2)

    fill(rings, said, heard)
    tape.drain(2.3)
    fill(rings, said[:1], heard[:1])
    tape.drain(2.4)

    expected = said.copy()
    expected[fits:] = 0
    assert np.array_equal(file.pcm[:, 0], np.concatenate([expected, said[:1]]).ravel())


def test_a_tape_that_was_torn_is_gone_on_with_in_time():
    rings, file, tape = taped()
    said, heard = units(30, 1), units(30, 2)
    fill(rings, said[:20], heard[:20])
    tape.drain(0.1)
    fill(rings, said[20:25], heard[20:25])
    rings.read(SAID, 4 * UNIT)  # and then its reader was killed

    again = Tape(replace(tape.order, resumed=True), rings, file, now=0.3)
    fill(rings, said[25:], heard[25:])
    again.drain(0.3)

    assert file.n_frames == 30 * UNIT
    assert again.duration_s == 0.3
    assert np.array_equal(file.pcm[-6 * UNIT - 4 * UNIT : -4 * UNIT, 0], said[24:].ravel())


def test_a_tape_ends_when_nothing_has_come_for_a_moment_after_the_word():
    rings, _file, tape = taped()
    tape.end(1.0)
    fill(rings, units(1, 1), units(1, 2))
    tape.drain(1.1)

    assert tape.over(1.1 + QUIET_S - 0.01) is None
    assert tape.over(1.1 + QUIET_S) == "stopped"
    assert tape.duration_s == 0.01


def test_a_tape_that_was_told_to_end_does_so_whatever_comes():
    rings, _, tape = taped()
    tape.end(1.0)
    fill(rings, units(1, 1), units(1, 2))
    tape.drain(1.0 + LINGER_S)

    assert tape.over(1.0 + LINGER_S) == "stopped"


def test_a_tape_goes_on_without_its_switch_for_as_long_as_something_comes():
    rings, _, tape = taped()
    tape.orphaned = True
    fill(rings, units(1, 1), units(1, 2))
    tape.drain(20.0)

    assert tape.over(20.0 + ORPHAN_S - 0.1) is None
    assert tape.over(20.0 + ORPHAN_S) == "the switch is gone"


def test_silence_is_no_reason_to_end_while_the_switch_is_there():
    _, _, tape = taped()

    assert tape.over(1000.0) is None


def test_nobody_elses_sound_gets_into_the_file():
    rings, file, tape = taped()
    rings.open(SAID)
    fill(rings, units(1, 1), units(1, 2))

    tape.drain(0.1)

    assert tape.over(0.1) == "its rings were given to another recording"
    assert file.pieces == []


def test_a_full_disk_ends_the_recording_with_its_reason():
    rings, file, tape = taped(room=10 * UNIT)
    for start in (0, 6):
        fill(rings, units(6, 1), units(6, 2))
        tape.drain(start / 100)

    assert tape.over(0.1) == "No space left on device"
    assert file.n_frames == 6 * UNIT


@pytest.mark.parametrize("values", [(32767, 32767, 32767), (-32768, -1, -32768), (100, -30, 70)])
def test_a_sum_is_limited(values):
    one, other, total = (np.full(3, value, np.int16) for value in values)

    assert np.array_equal(mixed([one, other]), total)
