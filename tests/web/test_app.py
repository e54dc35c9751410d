"""The routes of the service, over a socket, against the Python API."""

import base64
import json

import httpx
import numpy as np
import pytest
from fastapi.testclient import TestClient

from xcos_tf import Verifier
from xcos_tf.web.answers import every_attention
from xcos_tf.web.app import create_app


@pytest.fixture(scope="module")
def client(service):
    with httpx.Client(base_url=service, timeout=60) as opened:
        yield opened


def files(photos, **names):
    return {field: (photos / name).read_bytes() for field, name in names.items()}


def test_a_verdict_is_that_of_python(client, photos):
    answer = client.post("/verify", files=files(photos, a="obama.jpg", b="obama2.jpg")).json()
    expected = Verifier.from_preset().verify(photos / "obama.jpg", photos / "obama2.jpg")
    assert answer["same"] is True and answer["attention"] == "learned"
    assert answer["score"] == pytest.approx(expected.score, abs=1e-5)
    assert answer["threshold"] == expected.threshold and answer["sentence"] == expected.sentence
    np.testing.assert_allclose(answer["similarity_map"], expected.similarity_map, atol=2e-6)
    np.testing.assert_allclose(answer["attention_map"], expected.attention_map, atol=2e-6)
    np.testing.assert_allclose(answer["drops"], expected.drops, atol=2e-6)
    templates = expected.template_a, expected.template_b
    for face, template in zip(answer["faces"], templates, strict=True):
        assert face["image"].startswith("data:image/png;base64,")
        assert template.box_and_landmarks.items() <= face.items() and len(face["box"]) == 4
    for attention, found in answer["attentions"].items():
        total = np.sum(np.multiply(answer["similarity_map"], found["attention_map"]))
        assert total == pytest.approx(found["score"], abs=1e-4), attention
        assert found["thresholds"] == Verifier.from_preset().config["thresholds"][attention]


def test_the_attention_that_was_asked_for_is_not_computed_again(photos, monkeypatch):
    verifier, asked = Verifier.from_preset(), []
    result = verifier.verify(photos / "obama.jpg", photos / "obama2.jpg")
    explain = verifier.explain_pairs
    monkeypatch.setattr(verifier, "explain_pairs", lambda *x: asked.append(x[-1]) or explain(*x))
    assert list(every_attention(verifier, result)) == [*asked, "learned"]
    assert asked == ["patched", "correlated"]


def test_the_page_that_computes_itself_is_offered(no_litert):
    client = TestClient(create_app(Verifier.from_preset(), litert=no_litert))
    page = client.get("/?on-device")
    assert page.url.path == "/on-device/" and page.text == client.get("/").text
    assert client.get("/on-device/presets").json()["on_device"] is True
    for name, kind in {
        "static/page.js": "text/javascript",
        "models/embed.tflite": "application/octet-stream",
        "litert/core/wasm/litert_wasm_internal.wasm": "application/wasm",
    }.items():
        answer = client.get(f"/on-device/{name}")
        assert answer.status_code == 200 and answer.headers["content-type"].startswith(kind)
    for name in ("litert/none.js", "../presets", "/etc/passwd", "%2e%2e/app.py"):
        answer = client.get(f"/on-device/{name}")
        assert answer.status_code in (200, 404) and "on_device" not in answer.text, name
    closed = TestClient(create_app(Verifier.from_preset(), key="secret", litert=no_litert))
    assert closed.get("/on-device/models/embed.tflite").status_code == 401


def test_the_page_that_computes_itself_cannot_be_offered(tmp_path):
    client = TestClient(create_app(Verifier.from_preset(), litert=tmp_path))
    answer = client.get("/on-device/presets")
    assert (
        answer.status_code == 422 and "run `npm install @litertjs/core@" in answer.json()["error"]
    )
    plain = TestClient(create_app(Verifier.from_preset("mobilefacenet"), litert=tmp_path))
    assert plain.get("/on-device/presets").status_code == 422


def test_json_in_base64_gives_the_same(client, photos):
    both = files(photos, a="obama.jpg", b="biden.jpg")
    plain = client.post("/verify", files=both, data={"fmr": "0.01", "attention": "patched"})
    encoded = {name: base64.b64encode(content).decode() for name, content in both.items()}
    encoded["a"] = f"data:image/jpeg;base64,{encoded['a']}"
    options = {"fmr": 0.01, "attention": "patched"}
    answer = client.post("/verify/json", json={**encoded, **options})
    assert answer.json() == plain.json()
    assert answer.json()["same"] is False and answer.json()["attention"] == "patched"


def test_search_enroll_and_forget(client, photos):
    probe = files(photos, photo="obama2.jpg")
    found = client.post("/find", files=probe, data={"top": 1}).json()
    [hit] = found["hits"]
    assert found["found"] and hit["person"] == "obama" and hit["same"]
    assert hit["score"] == pytest.approx(0.775, abs=0.005) and len(hit["similarity_map"]) == 7
    enrolled = client.post("/enroll", files=probe, data={"person": "A/B ?", "name": "x"})
    assert enrolled.json() == {"new": True}
    assert client.post("/find", files=probe).json()["hits"][0]["person"] == "A/B ?"
    assert client.delete("/people/A%2FB%20%3F").json() == {"faces": 1}
    assert client.post("/find", files=probe).json()["hits"][0]["person"] == "obama"


def test_what_is_there(client):
    facts = client.get("/presets").json()
    assert facts["preset"] == "xcos-mobilefacenet-2" and facts["store"] is True
    assert facts["parts"][3][2] == "left eye"
    assert client.get("/healthz").json()["status"] == "ok"
    assert "/verify" in client.get("/openapi.json").json()["paths"]
    assert 'xcos_requests_total{route="/healthz",status="200"}' in client.get("/metrics").text
    page = client.get("/")
    assert page.headers["content-type"].startswith("text/html") and "http" not in page.text
    assert page.headers["cache-control"] == "no-store"


REFUSED = {
    "no photo": ("/verify", {"files": {"a": b"x"}}, 422, "b: Field required"),
    "no image": ("/verify", {"files": {"a": b"x", "b": b"y"}}, 422, "the first photo is not an im"),
    "empty": ("/verify", {"files": {"a": "FACE", "b": b""}}, 422, "the second photo is empty"),
    "no face": ("/verify", {"files": {"a": "BLACK", "b": "FACE"}}, 422, "no face was found in"),
    "odd rate": (
        "/verify",
        {"files": {"a": "FACE", "b": "FACE"}, "data": {"fmr": "0.5"}},
        422,
        "has no threshold for FMR 0.5",
    ),
    "no number": (
        "/verify",
        {"files": {"a": "FACE", "b": "FACE"}, "data": {"threshold": "nan"}},
        422,
        "threshold: Input should be a finite number",
    ),
    "no attention": (
        "/verify",
        {"files": {"a": "FACE", "b": "FACE"}, "data": {"attention": "x"}},
        422,
        "has no attention 'x'",
    ),
    "an attention without end": (
        "/verify",
        {"files": {"a": "FACE", "b": "FACE"}, "data": {"attention": "d" * 5000}},
        422,
        f"has no attention '{'d' * 40}",
    ),
    "too large": (
        "/verify",
        {"files": {"a": b"x" * 2**22, "b": b""}},
        413,
        "is larger than 2,097,",
    ),
    "no base64": ("/verify/json", {"json": {"a": "?", "b": ""}}, 422, "`a` is not base64"),
    "no json": ("/verify/json", {"content": b"{"}, 422, "the body: "),
    "no such route": ("/nothing", {"json": {}}, 404, "Not Found"),
    "a nameless person": (
        "/enroll",
        {"files": {"photo": "FACE"}, "data": {"person": " "}},
        422,
        "is no name of a person",
    ),
    "top": ("/find", {"files": {"photo": "FACE"}, "data": {"top": 0}}, 422, "top: Input should be"),
}


@pytest.mark.parametrize("route, body, status, sentence", REFUSED.values(), ids=REFUSED)
def test_refused_in_a_sentence(client, photos, route, body, status, sentence):
    places = {"FACE": (photos / "biden.jpg").read_bytes(), "BLACK": black()}
    if "files" in body:
        body = {**body, "files": {x: places.get(y, y) for x, y in body["files"].items()}}
    answer = client.post(route, **body)
    assert answer.status_code == status
    assert sentence in answer.json()["error"] and "Traceback" not in answer.text
    assert len(answer.json()["error"]) < 500


def black():
    import io

    from PIL import Image

    stream = io.BytesIO()
    Image.new("RGB", (200, 200)).save(stream, "PNG")
    return stream.getvalue()


def test_a_key_is_asked_for(photos):
    client = TestClient(create_app(Verifier.from_preset(), key="secret"))
    both = files(photos, a="obama.jpg", b="biden.jpg")
    for headers in ({}, {"X-API-Key": "wrong"}, {"X-API-Key": "sécret".encode()}):
        refused = client.post("/verify", files=both, headers=headers)
        assert refused.status_code == 401 and "X-API-Key" in refused.json()["error"]
    assert client.post("/verify", files=both, headers={"X-API-Key": "secret"}).status_code == 200
    assert client.get("/healthz").status_code == 200
    assert client.post("/find", files=both).status_code in (404, 405)  # there is no store


def test_who_waits_too_long_is_told(photos):
    client = TestClient(create_app(Verifier.from_preset(), at_once=0, patience=0.2))
    busy = client.post("/verify", files=files(photos, a="obama.jpg", b="biden.jpg"))
    assert busy.status_code == 503 and "busy" in busy.json()["error"]


def test_logs_hold_neither_photos_nor_names(client, photos, caplog):
    with caplog.at_level("INFO", logger="xcos_tf.web.app"):
        client.post("/find", files=files(photos, photo="obama2.jpg"))
        client.delete("/people/somebody")
    lines = [json.loads(x.getMessage()) for x in caplog.records if x.name == "xcos_tf.web.app"]
    assert [x["route"] for x in lines] == ["/find", "other"]
    assert "somebody" not in caplog.text
