"""The media plane, sans-IO: a table of legs and one tick (CONTRIBUTING.md, "A table and a tick").

`plane.Plane` is the engine; `commands`, `events` and `statistics` are what it and the switch tell each other.
"""
