"""The servers that are measured: our media process, and its peers where they are installed.

Each is pinned to one core and set up without SIP, so that what is compared is the carrying of media.
"""

from gateway.lab.bench.servers.bare import BareRelay
from gateway.lab.bench.servers.janus import Janus, janus_installed
from gateway.lab.bench.servers.port import PAYLOAD_TYPES, MediaServer, cpu_seconds
from gateway.lab.bench.servers.rtpengine import Rtpengine, rtpengine_installed
from gateway.lab.bench.servers.tandem import TandemMedia

__all__ = [
    "PAYLOAD_TYPES",
    "BareRelay",
    "Janus",
    "MediaServer",
    "Rtpengine",
    "TandemMedia",
    "cpu_seconds",
    "janus_installed",
    "rtpengine_installed",
]
