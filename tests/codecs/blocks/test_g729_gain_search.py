"""G.729 section 3.9.2: the choice of gains."""

from __future__ import annotations

from hypothesis import strategies as st

from gateway.testing.blocks import Faces, Out16, agree, signals
from voicecodecs.reference.g729.fixed import dot32, neg16, norm32, round16, shl32
from voicecodecs.reference.g729.gain_search import GainProducts, choose_gains
from voicecodecs.reference.g729.gains import GainMemory, Product
from voicecodecs.reference.g729.innovation import decode_innovation
from voicecodecs.reference.g729.pitch_search import pitch_gain

CODES = st.builds(
    decode_innovation, st.integers(0, 8191), st.integers(0, 15), st.integers(20, 143), st.just(3277)
)


def products_of(target: list[int], pitch: list[int], filtered: list[int]) -> GainProducts:
    """Multiply as the encoder does."""
    found, eighth = pitch_gain(target, pitch), [x >> 3 for x in filtered]
    zz, xz, yz = (dot32(x, eighth, 1) for x in (eighth, target, pitch))
    return GainProducts(
        found.yy,
        found.minus_2xy,
        Product(round16(shl32(zz, norm32(zz))), norm32(zz) + 3),
        Product(neg16(round16(shl32(xz, norm32(xz)))), norm32(xz) - 7),
        Product(round16(shl32(yz, norm32(yz))), norm32(yz) - 7),
    )


def chosen(faces: Faces, products: GainProducts, code_q13: list[int], tame: bool) -> list[int]:
    numbers = [x for product in products for x in product]
    return list(faces.g729_quantize_gains(Out16(6), numbers, code_q13, int(tame)))


@agree(signals(40), signals(40), signals(40), CODES, st.booleans())
def test_the_choice_is_the_twins(
    faces: Faces, target: list[int], pitch: list[int], filtered: list[int], code_q13: list[int], tame: bool
) -> None:
    products, memory, twins = products_of(target, pitch, filtered), GainMemory(), []
    for _ in range(2):
        choice = choose_gains(memory, products, code_q13, tame=tame)
        twins += [choice.index1 << 4 | choice.index2, *choice.gains]

    assert chosen(faces, products, code_q13, tame) == twins


@agree(signals(40), CODES)
def test_a_tamed_pitch_gain_is_below_one(faces: Faces, pitch: list[int], code_q13: list[int]) -> None:
    """GP0999: candidates of 0.9999 and more are dropped."""
    _, gain_q14, _ = chosen(faces, products_of(pitch, pitch, [x >> 4 for x in pitch]), code_q13, True)[:3]
    assert gain_q14 < 16384
