"""Traces of SIP: kept, sent to a collector, and drawn.

A traced message is what one datagram or one message of a stream was, with both its addresses and the time; sinks
write it (`pcap`), send it (`hep`) or keep the last of them (`ring`); `ladder` draws the messages of one call.
"""

from gateway.observe.trace.message import Traced, without_secrets

__all__ = ["Traced", "without_secrets"]
