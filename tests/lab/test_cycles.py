"""How samples of a worker's stacks become kinds of work."""

from pathlib import Path

import pytest

from benchmarks.cycles import functions, kind_of, samples

_OURS = functions(Path(__file__).parents[2] / "native")
_SCRIPT = """\
    ffffffff81 __udp_sendmsg ([kernel.kallsyms])
    ffffffff82 __sys_sendmmsg ([kernel.kallsyms])
      7f0000 egress (/x/_native.abi3.so)

      7f0001 do_fir.avx512 (/x/voicecodecs/_native.abi3.so)

"""


def test_stacks_are_read_from_perf() -> None:
    first, second = samples(_SCRIPT)

    assert first[1] == ("__sys_sendmmsg", "([kernel.kallsyms])")
    assert second == [("do_fir.avx512", "(/x/voicecodecs/_native.abi3.so)")]


@pytest.mark.parametrize(
    ("stack", "kind"),
    [
        ([("skb_copy", "([kernel.kallsyms])"), ("__x64_sys_recvmmsg", "([kernel.kallsyms])")], "receive"),
        ([("__sys_sendmmsg", "([kernel.kallsyms])"), ("plane_arrive", "(/x/_native.abi3.so)")], "send"),
        ([("ep_poll", "([kernel.kallsyms])"), ("do_sys_epoll_wait", "([kernel.kallsyms])")], "wait"),
        ([("_PyEval_EvalFrameDefault", "(/usr/bin/python3.11)")], "interpreter"),
        ([("page_fault", "([kernel.kallsyms])")], "rest"),
    ],
)
def test_a_system_call_explains_what_is_under_it(stack: list[tuple[str, str]], kind: str) -> None:
    assert kind_of(stack, _OURS) == kind


def test_our_functions_are_known_by_their_folder() -> None:
    assert {"plane", "mixer", "srtp", "codec"} <= set(_OURS.values())


@pytest.mark.parametrize(
    "name", ["g729_sqrt_avx2", "g729_decode_in_step_sse41", "g729_dot", "ilbc_encode.avx2"]
)
def test_a_function_is_known_whatever_instructions_it_is_made_of(name: str) -> None:
    assert kind_of([(name, "(/x/_native.abi3.so)")], _OURS) == "codec"
