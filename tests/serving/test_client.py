"""Both protocols against `Verifier`, over real sockets, and what the server refuses."""

import dataclasses
import threading

import numpy as np
import pytest

from tests.serving.making import NAME, png
from tests.serving.servables import Servables
from tests.serving.stand_in import StandIn
from xcos_tf.errors import XcosError
from xcos_tf.serving.client import ServedVersion, ServingClient


def check(pairs, answers, rows=slice(None)):
    for name in ("xcos", "similarity_map", "attention_map"):
        value = getattr(pairs, name)
        assert value.dtype == np.float32
        np.testing.assert_allclose(value, answers[name][rows], atol=1e-5)
    assert pairs.same.dtype == bool
    assert pairs.same.tolist() == answers["same"][rows].tolist()


def test_verify(client, faces, expected):
    pairs = client.verify(*faces)
    check(pairs, expected[0])
    assert len(pairs) == 3
    assert pairs.valid_a is pairs.valid_b is None
    summed = (pairs.similarity_map * pairs.attention_map).sum(axis=(1, 2))
    np.testing.assert_allclose(summed, pairs.xcos, atol=1e-5)


def test_one_damaged_image_spoils_no_other(client, faces, expected):
    encoded_a, encoded_b = ([png(face) for face in batch] for batch in faces)
    encoded_b[1] = encoded_b[1][:2000]
    pairs = client.verify_encoded(encoded_a, encoded_b)
    assert pairs.valid_a.tolist() == [True, True, True]
    assert pairs.valid_b.tolist() == [True, False, True]
    assert (pairs.xcos[1], pairs.same[1]) == (0, False)
    kept = {name: value[[0, 2]] for name, value in dataclasses.asdict(pairs).items()}
    check(type(pairs)(**kept), expected[0], [0, 2])


def test_embed_and_compare(client, faces, expected, verifier):
    answers, (grids_a, grids_b) = expected
    grids = client.embed(faces[0])
    assert grids.dtype == np.float32
    np.testing.assert_allclose(grids, grids_a, atol=1e-5)
    check(client.compare(grids_a, grids_b), answers)
    one = client.compare(grids_a[1:2], grids_b)
    scores = verifier.compare_pairs(np.repeat(grids_a[1:2], 3, axis=0), grids_b)
    np.testing.assert_allclose(one.xcos, scores, atol=1e-5)
    check(client.compare(grids_a[:1], grids_b[:1]), answers, slice(1))


def test_threads_share_a_client(client, faces, expected):
    failures = []

    def ask(row):
        try:
            batch = slice(row, row + 1)
            check(client.verify(faces[0][batch], faces[1][batch]), expected[0], batch)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=ask, args=(i % 3,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


@pytest.fixture(scope="module")
def two_versions(servables):
    """Version 2 is version 1 again, except that it lacks `compare` and `verify` has no `same`."""
    both = Servables.__new__(Servables)
    old = servables.find(NAME)
    signatures = {name: value for name, value in old.signatures.items() if name != "compare"}
    poorer = type(old.signatures["verify"])()
    poorer.CopyFrom(old.signatures["verify"])
    del poorer.outputs["same"]
    new = dataclasses.replace(old, version=2, signatures={**signatures, "verify": poorer})
    both.loaded, both.labels = {NAME: {1: old, 2: new}}, {NAME: {"stable": 1}}
    return both


@pytest.fixture
def newer(two_versions, kind):
    with StandIn(two_versions, kind) as server:
        yield server


def test_version_by_number_by_label_or_newest(newer, expected):
    grids = expected[1]
    for version in (1, "stable"):
        with ServingClient(newer.address, timeout=60, version=version) as client:
            check(client.compare(*grids), expected[0])
            assert client.status() == [ServedVersion(1, "AVAILABLE", "")]
    for version in (2, None):
        with (
            ServingClient(newer.address, timeout=60, version=version) as client,
            pytest.raises(XcosError, match="has no signature 'compare'"),
        ):
            client.compare(*grids)
    with ServingClient(newer.address, timeout=60) as client:
        assert [entry.version for entry in client.status()] == [2, 1]


def test_a_model_of_another_kind(newer, faces):
    with ServingClient(newer.address, timeout=60) as client:
        fault = r"'same' for 3 should be bool \(N,\) and is missing; check the model's name"
        with pytest.raises(XcosError, match=fault):
            client.verify(*faces)


REFUSED = {
    "model": ({"model": "nonesuch"}, "does not serve the model 'nonesuch'"),
    "odd model": ({"model": "a/b:c d"}, "does not serve the model 'a/b:c d'"),
    "version": ({"version": 7}, f"does not serve the version 7 of the model '{NAME}'"),
    "label": ({"version": "beta"}, f"does not know the version label 'beta' of the model '{NAME}'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_wrong_name(server, faces, case):
    options, sentence = REFUSED[case]
    with ServingClient(server.address, timeout=60, **options) as client:
        for call in (client.status, lambda: client.verify(*faces)):
            with pytest.raises(XcosError) as refusal:
                call()
            assert sentence in str(refusal.value)
            assert server.address.removeprefix("grpc://") in str(refusal.value)
            assert "\n" not in str(refusal.value)
    assert server.calls == 2  # none of it is tried again


def test_a_shape_that_only_the_server_can_refuse(server, client, expected):
    grids = [grid[..., :16] for grid in expected[1]]
    with pytest.raises(XcosError, match=r"refuses the input of 'compare'.*Received shape"):
        client.compare(*grids)
    assert server.calls == 1


def test_nothing_is_sent_that_cannot_be_right(server, client, faces):
    with pytest.raises(XcosError, match="image_a is float64"):
        client.verify(faces[0] / 255, faces[1])
    with pytest.raises(XcosError, match="give a single one a batch axis too"):
        client.embed(faces[0][0])
    with pytest.raises(XcosError, match="image_b has rows of different shapes"):
        client.verify(faces[0], [faces[1][0], faces[1][0][:50]])
    assert server.calls == 0


BAD_ARGUMENTS = {
    "no address": ({"server": "ftp://here"}, "is no server's address"),
    "no model": ({"model": ""}, "the model's name is empty"),
    "version": ({"version": -1}, "-1 is no version"),
    "timeout": ({"timeout": 0}, "a timeout of 0 s is none"),
    "timeout that is no number": ({"timeout": float("nan")}, "a timeout of nan s"),
    "attempts": ({"attempts": 0}, "0 attempts are too few"),
    "message size": ({"max_message_bytes": 2**31}, "must be above 0 and under 2 GiB"),
}


@pytest.mark.parametrize("case", BAD_ARGUMENTS)
def test_bad_argument(case):
    options, sentence = BAD_ARGUMENTS[case]
    with pytest.raises(XcosError, match=sentence):
        ServingClient(**{"server": "localhost", **options})
