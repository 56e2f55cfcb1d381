"""The call core: who reaches whom, the life of a call, and how each may end.

It awaits, but touches no socket, clock or random source: the world is reached through the Protocols in
`gateway.switch.ports`.  Read `calls` first (the story of one call), then `switch` (all of them).
"""

from gateway.switch.switch import Switch
from gateway.switch.world import Settings, World

__all__ = ["Settings", "Switch", "World"]
