"""The machine's description, where the codec bench looks for it."""

from gateway.lab.bench.machine import machine

__all__ = ["machine"]
