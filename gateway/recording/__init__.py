"""Recordings: a process of its own takes what calls say from the rings and makes files of it.

    rings --> tape --> wav | mp3 | ogg file --> stays here, or goes to S3 or Azure

The switch orders a recording, media fills two rings (`gateway.media.recorders`), and this package's process
(`gateway.recording.process`) may block on disks, encoders and networks without any call noticing.  What is written
is playable at every moment: whoever kills the process leaves a file that ends there.

This package knows calls as little as the media plane does.
"""
