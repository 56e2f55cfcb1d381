"""Pure-Python twins."""
