"""`python -m benchmarks [--json]`: every unit of work, one after the other.

The codecs have a command of their own (`python -m benchmarks codecs`), so have the punctuality of ticks (`lateness`)
whether anything is left of legs that come and go (`soak`), what a second worker (`workers`) and a browser's leg cost
(`webrtc`), how soon a caller hears a sentence (`speech`), where a worker's cycles go (`cycles`), what registrations and
calls weigh (`registrations`), what becomes of ten times too many calls (`overload`), what a core carries beside its
peers (`capacity`), what a GetCall costs (`rest`), what one call costs the switch (`callpath`), calls that an
application steers (`callbacks`), what is left of promises when the switch is killed two hundred times (`kills`), which
tones are keys (`dtmf`) and who is a machine (`amd`).
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from itertools import chain
from pathlib import Path

from benchmarks import (
    amd,
    callbacks,
    callpath,
    capacity,
    codecs,
    cycles,
    dtmf,
    kills,
    lateness,
    mixer,
    overload,
    packet,
    registrations,
    rest,
    sip,
    soak,
    speech,
    srtp,
    tick,
    webrtc,
    workers,
)
from gateway.lab.bench.machine import machine

_RESULTS = Path(__file__).parent / "results"


def main() -> None:
    """Run all and print, or write `results/units-CPU.json` with --json."""
    parser = argparse.ArgumentParser(description="Every unit of work of Tandem, timed.")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    as_json = parser.parse_args().json
    figures = []
    for figure in chain(packet.measure(), srtp.measure(), tick.measure(), mixer.measure(), sip.measure()):
        figures.append(asdict(figure))
        if not as_json:
            print(f"{figure.name:8}{figure.unit:32}{figure.us_p50:10.3f} us (best {figure.us_best:.3f})")
    document = {"benchmark": "units", "machine": machine(), "figures": figures}
    if as_json:
        print(json.dumps(document))
    else:
        _RESULTS.mkdir(exist_ok=True)
        (_RESULTS / "units.json").write_text(json.dumps(document, indent=1) + "\n")


_COMMANDS = {
    "amd": amd.main,
    "callbacks": callbacks.main,
    "callpath": callpath.main,
    "capacity": capacity.main,
    "codecs": codecs.main,
    "cycles": cycles.main,
    "dtmf": dtmf.main,
    "kills": kills.main,
    "lateness": lateness.main,
    "overload": overload.main,
    "registrations": registrations.main,
    "rest": rest.main,
    "soak": soak.main,
    "speech": speech.main,
    "webrtc": webrtc.main,
    "workers": workers.main,
}

if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in _COMMANDS:
        _COMMANDS[sys.argv[1]](sys.argv[2:])
    else:
        main()
