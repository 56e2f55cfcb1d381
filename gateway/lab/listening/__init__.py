"""A callback server for people who try the platform: shows every event, answers from files, needs no code."""
