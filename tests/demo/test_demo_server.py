"""What the page's server answers, and what it refuses."""

import base64
import io
import re
import socket
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image as PillowImage
from served import encoded, send, serving

from lrfr_lightning.datasets import EmbeddedFaces
from lrfr_lightning.demo import Album, Comparer, DemoServer
from lrfr_lightning.demo.server import MAX_UPLOAD


@pytest.fixture(scope="module")
def server(models: Any) -> Iterator[DemoServer]:
    with serving(Comparer(models.recognisers, Album())) as server:
        yield server


@pytest.fixture(scope="module")
def photographs() -> list[np.ndarray]:
    """Two faces that are not among the examples, one of them larger than 112 px."""
    faces = EmbeddedFaces(2, 1, seed=5, cache=False)
    large = PillowImage.fromarray(faces.image(1)).resize((300, 300))
    return [faces.image(0), np.asarray(large)]


def question(reference: str, probe: str, side: int = 14, other: int = 112) -> str:
    return (
        f"/compare?reference={reference}&reference_resolution={other}"
        f"&probe={probe}&probe_resolution={side}"
    )


@pytest.mark.parametrize("side", [112, 14, 7])
def test_the_answer_is_the_recognisers(
    server: DemoServer, models: Any, photographs: list[np.ndarray], side: int
) -> None:
    keys = [
        send(server, f"/photograph?name=f{n}.png", encoded(image))[2]["photograph"]
        for n, image in enumerate(photographs)
    ]
    status, _, answer = send(server, question(*keys, side))
    assert status == 200
    assert [face["resolution"] for face in answer["faces"]] == [112, side]
    assert [face["own"] for face in answer["faces"]] == [112, 300]
    assert [face["name"] for face in answer["faces"]] == ["f0.png", "f1.png"]
    plain, calibrated = answer["models"]
    for row, own in zip((plain, calibrated), models.recognisers, strict=True):
        one, other = own.embed(photographs[:1]), own.embed(photographs[1:], side)
        assert row["score"] == pytest.approx(float(one.embedding[0] @ other.embedding[0]), abs=1e-5)
    assert plain["decision"] == "undecided"
    # 10 px is the lowest that was calibrated
    limit = models.recognisers[1].thresholds.pairs.limit(112, side)
    assert calibrated["threshold"] == limit
    assert (limit is None) == (side == 7)
    wanted = "same" if limit is not None and calibrated["score"] >= limit else "different"
    assert calibrated["decision"] == ("undecided" if limit is None else wanted)


def test_pictures_are_what_a_network_sees(
    server: DemoServer, photographs: list[np.ndarray]
) -> None:
    key = send(server, "/photograph", encoded(photographs[1]))[2]["photograph"]
    face = send(server, question("face-0", key, 9))[2]["faces"][1]
    small = PillowImage.fromarray(photographs[1]).resize((9, 9), PillowImage.Resampling.BICUBIC)
    seen = small.resize((112, 112), PillowImage.Resampling.BICUBIC)
    for picture, expected in ((face["small"], small), (face["seen"], seen)):
        np.testing.assert_array_equal(read_url(picture), np.asarray(expected))


def read_url(url: str) -> np.ndarray:
    data = base64.b64decode(url.removeprefix("data:image/png;base64,"))
    return np.asarray(PillowImage.open(io.BytesIO(data)))


def test_setting_names_models_limits_and_drawn_faces(server: DemoServer) -> None:
    _, _, setting = send(server, "/setting")
    assert [own["calibrated"] for own in setting["models"]] == [
        None,
        {"far": 0.03, "faces": "drawn faces", "people": 40},
    ]
    assert not setting["floor"]
    assert setting["max_bytes"] == MAX_UPLOAD
    assert len(setting["faces"]) == 12
    drawn = EmbeddedFaces(6, 2, split="test", cache=False)
    np.testing.assert_array_equal(read_url(setting["faces"][3]["picture"]), drawn.image(3))


def test_every_answer_has_the_headers(server: DemoServer) -> None:
    for path in ("/", "/page.css", "/page.js", "/setting", "/nowhere"):
        _, headers, _ = send(server, path)
        assert headers["Content-Security-Policy"].startswith("default-src 'self'; ")
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "Access-Control-Allow-Origin" not in headers


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("127.0.0.1:{port}", None, 200),
        ("localhost:{port}", "http://localhost:{port}", 200),
        ("evil.example:{port}", None, 421),
        ("evil.example", "http://evil.example", 421),
        ("127.0.0.1", None, 421),
        ("127.0.0.1:{port}", "http://evil.example", 403),
        ("127.0.0.1:{port}", "http://127.0.0.1:1", 403),
        ("127.0.0.1:{port}", "https://127.0.0.1:{port}", 403),
        ("127.0.0.1:{port}", "null", 403),
    ],
)
def test_other_sites_get_nothing(
    server: DemoServer, host: str, origin: str | None, status: int
) -> None:
    port = server.server_address[1]
    headers = {"Host": host.format(port=port)}
    if origin:
        headers["Origin"] = origin.format(port=port)
    image = encoded(np.zeros((20, 20, 3), np.uint8))
    for path, body in (("/", None), ("/setting", None), ("/photograph", image)):
        got, _, content = send(server, path, body, headers)
        assert got == status
        if status != 200:
            assert list(content) == ["error"]


def png_of(width: int, height: int) -> bytes:
    return encoded(np.full((height, width, 3), 90, np.uint8))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "cannot decode <b>.jpg: expected an encoded image .*, got 0 bytes that are none"),
        (b"dear diary", "cannot decode <b>.jpg: .* got 10 bytes that are none"),
        (png_of(1, 1), "<b>.jpg: expected a face of at least 7 px a side, got 1x1 px"),
        (png_of(40, 30), "<b>.jpg: expected a cropped face, which is square, got 40x30 px"),
        (png_of(9000, 9000), "<b>.jpg claims 9000x9000 px, expected at most 67108864 pixels"),
    ],
    ids=["empty", "text", "dot", "oblong", "bomb"],
)
def test_what_is_no_face_is_said(server: DemoServer, body: bytes, message: str) -> None:
    assert len(body) < MAX_UPLOAD
    status, _, content = send(server, "/photograph?name=%3Cb%3E.jpg", body)
    assert status == 400
    assert re.match(message, content["error"])


@pytest.mark.parametrize(
    ("headers", "status", "message"),
    [
        (
            {"Content-Length": str(MAX_UPLOAD + 1)},
            413,
            "expected a photograph of at most 8,388,608 bytes, got 8,388,609",
        ),
        ({"Content-Length": "-5"}, 411, "expected a body of a stated length"),
        ({"Transfer-Encoding": "chunked"}, 411, "expected a body of a stated length"),
    ],
)
def test_long_bodies_are_not_read(
    server: DemoServer, headers: dict[str, str], status: int, message: str
) -> None:
    """Nothing but the headers is sent: an answer shows that the server did not wait for more."""
    port = server.server_address[1]
    lines = [
        f"{name}: {value}" for name, value in ({"Host": f"127.0.0.1:{port}"} | headers).items()
    ]
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall("\r\n".join(["POST /photograph HTTP/1.1", *lines, "", ""]).encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    assert answer.startswith(f"HTTP/1.1 {status} ")
    assert message in answer


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        (question("face-0", "0" * 64), 400, "the photograph is no longer held; choose it again"),
        (question("face-0", "face-1", 6), 400, "expected a resolution of 7..112 px, got 6"),
        (question("face-0", "face-1", 113), 400, "expected a resolution of 7..112 px, got 113"),
        ("/compare?reference=face-0", 400, "expected reference=KEY&reference_resolution=PX"),
        ("/../cli/demo.py", 404, "there is no /../cli/demo.py here"),
        ("/page.html", 404, "there is no /page.html here"),
    ],
)
def test_wrong_questions(server: DemoServer, path: str, status: int, message: str) -> None:
    got, _, content = send(server, path)
    assert got == status
    assert content["error"].startswith(message)
    assert send(server, "/setting", method="DELETE")[0] == 501


def test_the_oldest_photographs_go_when_there_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lrfr_lightning.demo.album.MAX_PIXELS", 20 * 20)
    album = Album()
    keys = [album.add(encoded(np.full((20, 20, 3), n, np.uint8)), f"{n}") for n in range(3)]
    assert [album[key].name for key in keys[1:]] == ["1", "2"]
    with pytest.raises(ValueError, match="no longer held"):
        album[keys[0]]
    # looked at again it is the newest
    album.add(encoded(np.full((20, 20, 3), 1, np.uint8)), "again")
    album.add(encoded(np.full((20, 20, 3), 7, np.uint8)), "new")
    assert album[keys[1]].name == "again"
    assert album["face-0"].name.endswith(" 1")
