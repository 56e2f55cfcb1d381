"""Speech and sounds: what becomes the PCM that a party hears.

    text, SSML --> script --> engine --+
    URL --> fetch --> decode ----------+--> common level --> cache --> chunks of int16 at 8 kHz
    id --> library --> decode ---------+

An engine (`gateway.speech.port`) is whoever can speak: espeak-ng in a process of its own, or any program.  Files of
every usual kind are decoded by one adapter (`gateway.speech.audio`).  All of it comes out equally loud, and streams, so
that a sentence is heard while its end is still being made (`gateway.speech.prompter`).

This package knows calls as little as the media plane does.  Modules are imported where they are needed: the process
that speaks must not load what decodes.
"""
