"""Sinch's call control language: documents, what they mean, and the bodies of callbacks."""
