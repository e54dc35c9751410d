"""Servers' answers, addresses and certificates."""

import contextlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tests.fuzz.engine import Reader, Trial
from tests.fuzz.mutate import WORDS, mutate_bytes, mutate_json, mutate_text
from xcos_tf.serving.address import Certificates, ServerAddress
from xcos_tf.serving.client import ServingClient

_GRID = np.zeros((2, 2, 2, 4), np.float32)
_FACES = np.zeros((2, 112, 112, 3), np.uint8)
_MAPS = [[[0.25, 0.25], [0.25, 0.25]]] * 2
_ANSWER = {
    "xcos": [0.5, -0.25],
    "similarity_map": _MAPS,
    "attention_map": _MAPS,
    "same": [True, False],
}
_ROWS = [{name: value[i] for name, value in _ANSWER.items()} for i in range(2)]
_STATUS = {
    "model_version_status": [
        {"version": "3", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
    ]
}


def _use(client: ServingClient, question: str) -> None:
    if question == "status":
        for version in client.status():
            assert type(version.version) is int and 0 <= version.version < 2**63
            assert isinstance(version.state, str) and isinstance(version.message, str)
    elif question == "embed":
        grid = client.embed(_FACES)
        assert grid.dtype == np.float32 and grid.shape[0] == 2 and grid.ndim == 4
        assert np.isfinite(grid).all(), "not finite"
    else:
        pairs = (
            client.compare(_GRID, _GRID) if question == "compare" else client.verify(_FACES, _FACES)
        )
        assert pairs.xcos.shape == pairs.same.shape == (2,)
        assert pairs.similarity_map.shape == pairs.attention_map.shape
        for values in (pairs.xcos, pairs.similarity_map, pairs.attention_map):
            assert values.dtype == np.float32 and np.isfinite(values).all(), "not finite"


_QUESTIONS = ("status", "embed", "compare", "verify")


def _rest(folder: Path) -> Trial:
    client = ServingClient("http://localhost:1", attempts=1)
    answer = {}

    @contextlib.contextmanager
    def request(*_, **__):
        yield SimpleNamespace(
            status_code=answer["status"], iter_content=lambda _: [answer["content"]]
        )

    client._transport._session.request = request
    client._transport.encode = lambda *_: (b"", 0)  # what is asked does not matter, and takes long

    def draw(random):
        question = _QUESTIONS[random.integers(4)]
        right = {
            "status": (_STATUS,),
            "embed": ({"outputs": _GRID.tolist()}, {"predictions": _GRID.tolist()}),
        }.get(question, ({"outputs": _ANSWER}, {"predictions": _ROWS}, {"predictions": _ANSWER}))
        status = int(
            random.choice(
                [200, 200, 200, 200, 200, 204, 301, 400, 401, 404, 429, 500, 503, 504, 999]
            )
        )
        tree = right[random.integers(len(right))]
        if status != 200 and random.random() < 0.7:
            tree = {"error": WORDS[random.integers(len(WORDS))]}
        return question, status, mutate_json(tree, random)

    def read(given):
        question, answer["status"], answer["content"] = given
        _use(client, question)

    return Trial(draw, read)


def _grpc(folder: Path) -> Trial:
    pytest.importorskip("tensorflow_serving")  # on one stack alone
    import tensorflow as tf
    from tensorflow_serving.apis.get_model_status_pb2 import GetModelStatusResponse
    from tensorflow_serving.apis.predict_pb2 import PredictResponse

    client = ServingClient("localhost:1", attempts=1)
    answer = {}
    client._transport._predict = client._transport._status = lambda *_, **__: answer["message"]
    right = {}
    for question, outputs in (
        ("embed", {"grid": _GRID}),
        ("compare", _ANSWER),
        ("verify", _ANSWER),
    ):
        message = PredictResponse()
        for name, value in outputs.items():
            value = np.asarray(value, bool if name == "same" else np.float32)
            message.outputs[name].CopyFrom(tf.make_tensor_proto(value))
        right[question] = message
    right["status"] = GetModelStatusResponse()
    right["status"].model_version_status.add(version=3, state=30)
    kinds = {x: GetModelStatusResponse if x == "status" else PredictResponse for x in _QUESTIONS}

    def draw(random):
        question = _QUESTIONS[random.integers(4)]
        while True:  # what does not parse is gRPC's business
            content = mutate_bytes(right[question].SerializeToString(), random)
            with contextlib.suppress(Exception):
                kinds[question].FromString(content)
                return question, content

    def read(given):
        question, content = given
        answer["message"] = kinds[question].FromString(content)
        _use(client, question)

    return Trial(draw, read)


def _addresses(folder: Path) -> Trial:
    seeds = (
        "localhost:8500",
        "grpcs://example.org:8500",
        "http://[::1]:8501/prefix",
        "https://a.b",
    )

    def read(content):
        text = content.decode("utf-8", "surrogateescape")
        address = ServerAddress.parse(text)
        assert address.target and isinstance(str(address), str)
        ServingClient(text, attempts=1).close()

    return Trial(lambda random: mutate_text(seeds[random.integers(4)], random), read)


def _certificates(folder: Path) -> Trial:
    block = "-----BEGIN {0}-----\nMIIB\n-----END {0}-----\n"
    text = block.format("CERTIFICATE") + block.format("PRIVATE KEY")

    def read(content):
        (folder / "some.pem").write_bytes(content)
        assert Certificates.of("some.pem", "some.pem", True).root == Path("some.pem")
        client = ServingClient(
            "https://localhost:1",
            attempts=1,
            root_certificate="some.pem",
            client_certificate="some.pem",
        )
        with client:
            client.status(timeout=2)

    return Trial(lambda random: mutate_text(text, random), read)


READERS = (
    Reader("answers by REST", _rest, 2),
    Reader("answers by gRPC", _grpc),
    Reader("addresses of servers", _addresses, 0.3),
    Reader("certificates", _certificates, 0.1),
)
