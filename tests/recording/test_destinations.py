"""Files on their way out: to a real S3 server (moto), and to something that takes what Azure's blobs take."""

import http.server
import subprocess
import sys
import threading

import pytest

from gateway.recording.destinations import Endpoints, Undelivered, deliver
from gateway.recording.naming import destination_of
from gateway.testing.s3 import s3_server

S3 = "s3://calls/of/today/a.wav"
KEYS = "access:hush-hush:eu-north-1"


@pytest.fixture(scope="module")
def s3():
    with s3_server() as running:
        yield running


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "r1.wav"
    path.write_bytes(b"sound" * 1000)
    return path


def to(url):
    return destination_of(url, format="wav", stem="stem")


def test_a_file_goes_to_s3_under_its_name(s3, file):
    assert deliver(file, to(S3), KEYS, Endpoints(s3=s3.url)) == S3

    assert s3.held("of/today/a.wav") == file.read_bytes()


def test_a_file_in_s3_is_replaced(s3, file):
    deliver(file, to(S3), KEYS, Endpoints(s3=s3.url))
    file.write_bytes(b"other")
    deliver(file, to(S3), KEYS, Endpoints(s3=s3.url))

    assert s3.held("of/today/a.wav") == b"other"


def test_a_bucket_that_is_not_there_is_told(s3, file):
    with pytest.raises(Undelivered, match=r"NoSuchBucket|not found|404"):
        deliver(file, to("s3://nowhere/a.wav"), KEYS, Endpoints(s3=s3.url))


def test_credentials_that_are_none_are_told_and_not_shown(s3, file):
    with pytest.raises(Undelivered, match="AccessKey:SecretKey:Region") as refused:
        deliver(file, to(S3), "hush-hush", Endpoints(s3=s3.url))

    assert "hush" not in str(refused.value)


class Blobs(http.server.BaseHTTPRequestHandler):
    """Takes blobs."""

    taken: list

    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.taken.append((self.path, self.headers["Authorization"], self.headers["x-ms-blob-type"], body))
        self.send_response(201)
        for name in ("ETag", "x-ms-request-id"):
            self.send_header(name, '"1"')
        self.send_header("Last-Modified", "Thu, 06 Jun 2024 14:20:14 GMT")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Say nothing."""


def test_a_file_goes_to_azure_signed_with_the_accounts_key(file):
    handler = type("OurBlobs", (Blobs,), {"taken": []})
    with http.server.HTTPServer(("127.0.0.1", 0), handler) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            url = "azure://account/container/my-recording.wav"
            endpoint = f"http://127.0.0.1:{server.server_port}"
            assert deliver(file, to(url), "c2VjcmV0", Endpoints(azure=endpoint)) == url
        finally:
            server.shutdown()
            serving.join()

    ((path, authorization, kind, body),) = handler.taken
    assert path == "/container/my-recording.wav"
    assert authorization.startswith("SharedKey account:")
    assert (kind, body) == ("BlockBlob", file.read_bytes())


def test_without_the_extra_it_is_said(file):
    program = (
        "import sys; sys.modules['obstore'] = None\n"
        "from pathlib import Path\n"
        "from gateway.recording.destinations import Endpoints, Undelivered, deliver\n"
        "from gateway.recording.naming import destination_of\n"
        "try:\n"
        "    deliver(Path('x'), destination_of('s3://calls/a.wav', format='wav', stem=''), 'a:b', Endpoints())\n"
        "except Undelivered as error:\n"
        "    print(error)\n"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert told.stdout == "the extra `recording` (obstore) is not installed\n"
