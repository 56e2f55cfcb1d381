"""What every process of a media worker is told."""

import os
import socket
import subprocess
import sys
from pathlib import Path

from gateway.supervisor.shared import WorkerShare
from gateway.supervisor.worker import media_workers

PRODUCT = """
import os
import numpy
a = numpy.ones((300, 300), numpy.float32)
a @ a
print(len(os.listdir("/proc/self/task")))
"""


def test_numpy_does_its_products_in_the_one_thread_of_a_media_process():
    with socket.socket() as control:
        (worker,) = media_workers((), [WorkerShare(Path("nowhere"), control, -1)])
        told = os.environ | worker.environment()

    threads = subprocess.run([sys.executable, "-c", PRODUCT], env=told, capture_output=True, check=True)
    assert threads.stdout.strip() == b"1"
