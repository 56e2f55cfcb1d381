"""Callbacks: how applications are asked what a call shall do, and told what became of it."""
