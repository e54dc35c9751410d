"""Requests to the HTTP service, in this process."""

import base64
import json
import math
from pathlib import Path

import pytest
from PIL import Image

from tests.fuzz.engine import Reader, Trial
from tests.fuzz.mutate import SPELLINGS, WORDS, mutate_bytes, mutate_json, mutate_text
from tests.fuzz.photos import encoded_photos
from tests.fuzz.stores import small_store
from xcos_tf.models.preset_folder import DEFAULT_PRESET
from xcos_tf.search.folder import FolderBackend
from xcos_tf.search.store import FaceStore
from xcos_tf.verifier import Verifier

SAMPLE = Path(__file__).resolve().parents[1] / "photos/biden.jpg"
_BOUNDARY = "xcos-boundary"
_KINDS = ("application/json", "text/plain", "multipart/form-data", "", "multipart/form-data; bound")
_FIELDS = {
    "/verify": {"a": "PHOTO", "b": "PHOTO", "attention": "learned", "fmr": "0.001"},
    "/find": {"photo": "PHOTO", "top": "3", "threshold": "0.5"},
    "/enroll": {"person": "Ann", "photo": "PHOTO", "name": "1.jpg"},
}


class Refused(Exception):
    """What the service said against a request, as it said it."""


def _multipart(fields: dict[str, bytes], names: dict[str, str]) -> bytes:
    """Return a form; a field that `names` has is a file of that name."""
    parts = []
    for field, content in fields.items():
        head = f'Content-Disposition: form-data; name="{field}"'
        if field in names:
            head += f'; filename="{names[field]}"\r\nContent-Type: image/jpeg'
        head = head.encode("utf-8", "surrogatepass")
        parts.append(b"--%s\r\n%s\r\n\r\n%s\r\n" % (_BOUNDARY.encode(), head, content))
    return b"".join(parts) + b"--%s--\r\n" % _BOUNDARY.encode()


def _not_finite(text: str):
    raise AssertionError(f"{text} in an answer")


def _check(answer) -> None:
    found = json.loads(answer.text, parse_constant=_not_finite)
    if answer.status_code == 200:
        assert found.keys() & {"same", "found", "new", "faces"}
        assert all(math.isfinite(found[x]) for x in ("score", "threshold") if x in found)
        return
    assert answer.status_code in (400, 404, 405, 411, 413, 422), answer.status_code
    assert found.keys() <= {"error", "no_face"} and isinstance(found["error"], str)
    raise Refused(found["error"])


def _requests(folder: Path) -> Trial:
    testclient = pytest.importorskip("fastapi.testclient")
    from xcos_tf.web.app import create_app

    verifier = Verifier.from_preset(DEFAULT_PRESET, runtime="litert")
    small_store(folder / "store", verifier)
    store = FaceStore(FolderBackend(folder / "store", write=True), verifier, DEFAULT_PRESET)
    client = testclient.TestClient(create_app(verifier, store))
    image = Image.open(SAMPLE)
    image.thumbnail((150, 150))
    image.save("face.jpg", quality=90)
    photos = [Path("face.jpg").read_bytes(), *encoded_photos(["PNG", "JPEG", "TIFF"])]

    def photo(random) -> bytes:
        content = photos[random.integers(len(photos)) if random.random() < 0.2 else 0]
        return mutate_bytes(content, random, photos) if random.random() < 0.3 else content

    def text(random) -> str:
        return (*WORDS, *SPELLINGS)[random.integers(len(WORDS) + len(SPELLINGS))]

    def form(random):
        route = tuple(_FIELDS)[random.integers(3)]
        fields, names = {}, {}
        for field, value in _FIELDS[route].items():
            if value == "PHOTO":
                fields[field], names[field] = photo(random), "a.jpg"
            else:
                odd = text(random) if random.random() < 0.2 else value
                fields[field] = odd.encode("utf-8", "surrogatepass")
            if random.random() < 0.05:
                names[field] = text(random).replace('"', "")
            elif random.random() < 0.05:
                names.pop(field, None)
        if random.random() < 0.1:
            fields[text(random).replace('"', "")] = b"other"
        body = _multipart(fields, names)
        if random.random() < 0.3:
            body = mutate_bytes(body, random, [body])
        return "POST", route, f"multipart/form-data; boundary={_BOUNDARY}", body

    def encoded(random):
        words = {x: base64.b64encode(photo(random)).decode() for x in "ab"}
        if random.random() < 0.3:
            words["a"] = f"data:image/jpeg;base64,{words['a']}"
        tree = {**words, "attention": "patched", "fmr": 0.001, "threshold": None}
        return "POST", "/verify/json", "application/json", mutate_json(tree, random)

    def other(random):
        person = mutate_text("/people/p1", random).decode("utf-8", "replace")
        path = "".join(f"%{x:02X}" for x in person.encode()[:2000])
        if random.random() < 0.5:
            return "DELETE", f"/people/{path}", "", b""
        method, route, _, body = (form, encoded)[random.integers(2)](random)
        return method, route, _KINDS[random.integers(len(_KINDS))], body

    def draw(random):
        kind = random.random()
        return (form if kind < 0.5 else encoded if kind < 0.85 else other)(random)

    def read(given):
        method, route, kind, body = given
        headers = {"Content-Type": kind} if kind else {}
        _check(client.request(method, route, content=body, headers=headers))

    return Trial(draw, read)


READERS = (Reader("requests to the service", _requests, 0.2, (Refused,)),)
