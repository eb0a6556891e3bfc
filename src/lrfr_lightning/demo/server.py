"""The page's server: loopback only, the standard library only."""

import json
import sys
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from importlib.resources import files
from socketserver import ThreadingTCPServer
from threading import Lock
from typing import Any
from urllib.parse import parse_qs

from lrfr_lightning.demo.comparer import Comparer, Shown
from lrfr_lightning.utils.errors import ConfigError, DataError

LOOPBACK = "127.0.0.1"

MAX_UPLOAD = 8 * 2**20
"""Bytes of a photograph: what cameras write, before it is decoded."""

_FILES = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
}
_JSON = "application/json"
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

Content = tuple[str, bytes]
"""Its type, and what is sent."""


class DemoServer(ThreadingTCPServer):
    """Listens on 127.0.0.1 from construction on; ``serve_forever`` answers.

    Args:
        port: 0..65535; 0 takes a free one.

    Attributes:
        comparer: what answers; set before ``serve_forever``.
        hosts: names under which a browser may ask.
        url: where the page is.

    Raises:
        ConfigError: the port is no port, taken, or not to be had.
    """

    allow_reuse_address = True
    daemon_threads = True
    comparer: Comparer

    def __init__(self, port: int) -> None:
        if not 0 <= port <= 65535:
            raise ConfigError(f"expected a port of 0..65535, got {port}")
        # torch uses all cores for one answer, so that two at a time would both be late
        self.working = Lock()
        try:
            super().__init__((LOOPBACK, port), _Handler)
        except OSError as error:
            raise ConfigError(
                f"cannot listen on port {port} of {LOOPBACK}: {error.strerror}; "
                "take another one, or --port 0 for any that is free"
            ) from None
        taken = self.server_address[1]
        # browsers leave out a scheme's own port
        self.hosts = [
            name if taken == 80 else f"{name}:{taken}" for name in (LOOPBACK, "localhost")
        ]
        self.url = f"http://{self.hosts[0]}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that went away is no error."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Refused(Exception):
    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


class _Handler(BaseHTTPRequestHandler):
    server: DemoServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60

    def do_GET(self) -> None:
        """The page's files, its setting, a comparison."""
        self._respond(self._get)

    def do_POST(self) -> None:
        """A photograph."""
        self._respond(self._photograph)

    def _respond(self, made: Callable[[], Content]) -> None:
        try:
            self._check_source()
            self._send(HTTPStatus.OK, *made())
        except _Refused as refused:
            self.send_error(refused.status, str(refused))
        except (ConfigError, DataError) as error:
            self.send_error(HTTPStatus.BAD_REQUEST, str(error))

    def _check_source(self) -> None:
        """Refuse what another site's page sends, also under a name that leads to this machine."""
        host, origin = self.headers.get("Host"), self.headers.get("Origin")
        if host not in self.server.hosts:
            raise _Refused(
                HTTPStatus.MISDIRECTED_REQUEST, f"this page is at {self.server.url} alone"
            )
        if origin not in (None, f"http://{host}"):
            raise _Refused(HTTPStatus.FORBIDDEN, "requests of other sites are not answered")

    def _get(self) -> Content:
        path, query = _parts(self.path)
        if path in _FILES:
            name, kind = _FILES[path]
            return kind, files("lrfr_lightning.demo").joinpath(name).read_bytes()
        if path == "/setting":
            return _json(self.server.comparer.setting() | {"max_bytes": MAX_UPLOAD})
        if path == "/compare":
            reference, probe = _shown(query, "reference"), _shown(query, "probe")
            with self.server.working:
                return _json(self.server.comparer.compare(reference, probe))
        raise _Refused(HTTPStatus.NOT_FOUND, f"there is no {path} here")

    def _photograph(self) -> Content:
        path, query = _parts(self.path)
        if path != "/photograph":
            raise _Refused(HTTPStatus.NOT_FOUND, "photographs go to /photograph")
        data = self.rfile.read(self._length())
        name = query.get("name", "the photograph")
        with self.server.working:
            return _json({"photograph": self.server.comparer.album.add(data, name)})

    def _length(self) -> int:
        given = self.headers.get("Content-Length", "")
        if not given.isdecimal() or len(given) > 20 or "Transfer-Encoding" in self.headers:
            raise _Refused(HTTPStatus.LENGTH_REQUIRED, "expected a body of a stated length")
        if int(given) > MAX_UPLOAD:
            raise _Refused(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"expected a photograph of at most {MAX_UPLOAD:,} bytes, got {int(given):,}",
            )
        return int(given)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """An error as JSON; the connection ends, since its body may not have been read."""
        self.close_connection = True
        self._send(code, *_json({"error": message or HTTPStatus(code).phrase}))

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the terminal shows where the page is."""


def _json(content: dict[str, Any]) -> Content:
    return _JSON, json.dumps(content, allow_nan=False).encode()


def _parts(target: str) -> tuple[str, dict[str, str]]:
    """Path and query of a request, of each name the last value."""
    path, _, query = target.partition("?")
    return path, {name: values[-1] for name, values in parse_qs(query).items()}


def _shown(query: dict[str, str], side: str) -> Shown:
    photograph, resolution = query.get(side, ""), query.get(f"{side}_resolution", "")
    if not photograph or not resolution.isdecimal() or len(resolution) > 4:
        raise _Refused(
            HTTPStatus.BAD_REQUEST, f"expected {side}=KEY&{side}_resolution=PX, got {query}"
        )
    return Shown(photograph, int(resolution))
