"""The Hugging Face Hub on the loopback, as far as its client asks when it pushes and pulls.

Repositories, commits on ``main``, a tag, LFS (a ``.safetensors`` file goes through it, as on the
real Hub) and files under ``resolve``. Written against huggingface_hub 2.4.
"""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

TOKEN = "hf_test"


class Hub:
    """What the server keeps, and every request it got."""

    def __init__(self) -> None:
        self.private: dict[str, bool] = {}
        self.commits: dict[str, list[dict[str, bytes]]] = {}
        self.lfs: dict[str, bytes] = {}
        self.log: list[str] = []
        self.url = ""

    def commit(self, repo_id: str, revision: str) -> tuple[str, dict[str, bytes]] | None:
        """Id and files of a revision: ``main``, ``v1`` (the first commit) or an id."""
        commits = self.commits.get(repo_id, [])
        ids = [hashlib.sha1(f"{repo_id}{n}".encode()).hexdigest() for n in range(len(commits))]
        named = {"main": len(ids) - 1, "v1": 0} | {own: n for n, own in enumerate(ids)}
        number = named.get(revision, -1)
        return (ids[number], commits[number]) if 0 <= number < len(ids) else None


class Handler(BaseHTTPRequestHandler):
    """One request."""

    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments: Any) -> None:
        """Kept in ``hub.log`` instead."""

    def answer(self, content: Any, status: int = 200, **headers: str) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def refuse(self, status: int, code: str) -> None:
        self.answer({"error": code}, status, X_Error_Code=code, X_Error_Message=code)

    def body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def handle_any(self) -> None:
        self.hub.log.append(f"{self.command} {self.path}")
        body = self.body()
        path = self.path.partition("?")[0]
        if self.command in ("GET", "HEAD") and (found := re.fullmatch(RESOLVE, path)):
            return self.resolve(*found.groups())
        if self.command == "PUT" and path.startswith("/upload/"):
            return self.upload(path.removeprefix("/upload/"), body)
        if self.command != "POST":
            return self.refuse(404, "NotHere")
        if self.headers.get("Authorization") != f"Bearer {TOKEN}" and "validate" not in path:
            return self.refuse(401, "Unauthorized")
        return self.post(path, body)

    do_GET = do_HEAD = do_POST = do_PUT = handle_any

    def post(self, path: str, body: bytes) -> None:
        if path == "/api/validate-yaml":
            assert json.loads(body)["content"].startswith("---\n")
            return self.answer({"warnings": [], "errors": []})
        if path == "/api/repos/create":
            return self.create(json.loads(body))
        if found := re.fullmatch(r"/api/models/(.+)/preupload/main", path):
            modes = [self.mode(file["path"]) for file in json.loads(body)["files"]]
            return self.answer({"files": modes})
        if path.endswith(".git/info/lfs/objects/batch"):
            return self.batch(json.loads(body))
        if found := re.fullmatch(r"/api/models/(.+)/commit/main", path):
            return self.commit(found[1], body)
        return self.refuse(404, "NotHere")

    def create(self, wanted: dict[str, Any]) -> None:
        repo_id = f"{wanted['organization']}/{wanted['name']}"
        known = repo_id in self.hub.commits
        self.hub.commits.setdefault(repo_id, [])
        private = wanted.get("private", wanted.get("visibility") == "private")
        self.hub.private.setdefault(repo_id, private)
        self.answer({"url": f"{self.hub.url}/{repo_id}"}, 409 if known else 200)

    @staticmethod
    def mode(path: str) -> dict[str, Any]:
        mode = "lfs" if path.endswith(".safetensors") else "regular"
        return {"path": path, "uploadMode": mode, "shouldIgnore": False}

    def batch(self, wanted: dict[str, Any]) -> None:
        objects = [
            {**one, "actions": {"upload": {"href": f"{self.hub.url}/upload/{one['oid']}"}}}
            for one in wanted["objects"]
        ]
        self.answer({"transfer": "basic", "objects": objects})

    def upload(self, oid: str, body: bytes) -> None:
        assert hashlib.sha256(body).hexdigest() == oid
        self.hub.lfs[oid] = body
        self.answer(b"")

    def commit(self, repo_id: str, body: bytes) -> None:
        lines = [json.loads(line) for line in body.splitlines()]
        before = self.hub.commits[repo_id][-1] if self.hub.commits[repo_id] else {}
        files = dict(before)
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.hub.lfs[value["oid"]]
        self.hub.commits[repo_id].append(files)
        found = self.hub.commit(repo_id, "main")
        assert found is not None
        url = f"{self.hub.url}/{repo_id}/commit/{found[0]}"
        self.answer({"commitUrl": url, "commitOid": found[0], "success": True})

    def resolve(self, repo_id: str, revision: str, name: str) -> None:
        if not self.hub.commits.get(repo_id):
            return self.refuse(404, "RepoNotFound")
        found = self.hub.commit(repo_id, revision)
        if found is None:
            return self.refuse(404, "RevisionNotFound")
        oid, files = found
        if name not in files:
            return self.refuse(404, "EntryNotFound")
        etag = f'"{hashlib.sha256(files[name]).hexdigest()}"'
        return self.answer(files[name], ETag=etag, X_Repo_Commit=oid)


RESOLVE = r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)"


@contextmanager
def serving() -> Iterator[Hub]:
    """A Hub on a free port of the loopback."""
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("OwnHandler", (Handler,), {"hub": hub}))
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
