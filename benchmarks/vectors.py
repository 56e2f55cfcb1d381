"""How many vectors the C kernels pass, of the standards' and of our own: as the tests say that are there anyway.

The standards' conformance data is not part of a checkout; where it is not beside it, their tests are skipped and
not counted.  The twins run the same vectors, most of them where slow tests run.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

__all__ = ["counted"]

_TESTS: Final = Path("tests") / "codecs"
_FILES: Final = (
    "test_g711_vectors.py", "test_g711_plc.py", "g729/test_standard_vectors.py", "g729/test_own_vectors.py",
    "ilbc/test_standard_vectors.py", "ilbc/test_own_vectors.py",
)  # fmt: skip

# codec, as in the figures -> whose vectors -> the names of the tests, after their file's, that run the C kernels
_VECTORS: Final[Mapping[str, Mapping[str, str]]] = {
    "pcmu": {"standard": r"test_g711_vectors .*\[pcmu-native\]"},
    "pcma": {"standard": r"test_g711_vectors .*\[pcma-native\]"},
    "g711 plc": {
        "standard": r"test_g711_plc test_output_is_that_of_g191\[native-.*\]",
        "own": r"test_g711_plc test_signals_of_our_own_.*\[native-.*\]",
    },
    "g729 annexb=False": {
        "standard": r"test_standard_vectors .*\[g729a/.*-native\]",
        "own": r"test_own_vectors .*\[native-.*-always\]",
    },
    "g729 annexb=True": {
        "standard": r"test_standard_vectors .*\[g729ab/.*-native\]",
        "own": r"test_own_vectors .*\[native-.*-annexb\]",
    },
    "ilbc mode_ms=20": {
        "standard": r"test_standard_vectors test_kernel_.*\[20ms-.*\]",
        "own": r"test_own_vectors test_voice_.*\[native-20ms.*\]",
    },
    "ilbc mode_ms=30": {
        "standard": r"test_standard_vectors test_kernel_.*\[30ms-.*\]",
        "own": r"test_own_vectors test_voice_.*\[native-30ms.*\]",
    },
}


def counted() -> dict[str, dict[str, dict[str, int]]]:
    """Return codec -> "standard" or "own" -> "passed" and "of"; what is not here to be run is left out."""
    ran = list(_ran())
    return {
        codec: {
            whose: {"passed": tally[True], "of": tally.total()}
            for whose, names in groups.items()
            if (tally := Counter(passed for name, passed in ran if re.fullmatch(names, name)))
        }
        for codec, groups in _VECTORS.items()
    }


def _ran() -> Iterator[tuple[str, bool]]:
    """Run the tests and yield "file test" and whether it passed, of each that was not skipped."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        files = [str(_TESTS / name) for name in _FILES]
        command = [sys.executable, "-m", "pytest", "-q", "-m", "not slow", f"--junitxml={report}", *files]
        subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, check=False)
        for case in ElementTree.parse(report).iter("testcase"):
            verdicts = {verdict.tag for verdict in case}
            if "skipped" not in verdicts:
                file = case.attrib["classname"].rpartition(".")[2]
                yield f"{file} {case.attrib['name']}", not verdicts & {"failure", "error"}
