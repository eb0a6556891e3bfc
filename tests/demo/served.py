"""What the tests of the page share: files to upload, and a server that runs in a thread."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from threading import Thread
from typing import Any

import numpy as np
from PIL import Image as PillowImage

from lrfr_lightning.demo import DemoServer


def encoded(image: np.ndarray, kind: str = "PNG") -> bytes:
    """An image as a file."""
    buffer = io.BytesIO()
    PillowImage.fromarray(image).save(buffer, kind)
    return buffer.getvalue()


@contextmanager
def serving(comparer: Any) -> Iterator[DemoServer]:
    """A server that answers until the block ends."""
    with DemoServer(0) as server:
        server.comparer = comparer
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def send(
    server: DemoServer,
    path: str,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
    method: str | None = None,
) -> tuple[int, dict[str, str], Any]:
    """Status, headers and content, JSON read."""
    connection = HTTPConnection(*server.server_address, timeout=20)
    try:
        connection.request(
            method or ("POST" if body is not None else "GET"), path, body, headers or {}
        )
        response = connection.getresponse()
        content = response.read()
        if response.headers["Content-Type"] == "application/json":
            content = json.loads(content)
        return response.status, dict(response.headers), content
    finally:
        connection.close()
