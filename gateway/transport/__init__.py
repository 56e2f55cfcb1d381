"""The rim: everything that touches a socket, a process or the event loop.

SIP on UDP and TCP (`sip_rim`), the media process and the switch's link to it (`media_process`, `media_client`).
The protocol cores are driven from here and know nothing of it.
"""
