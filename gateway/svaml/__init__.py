"""SVAML: the documents by which applications steer calls, and the events that they answer."""
