"""Tandem: a self-hosted voice switch."""
