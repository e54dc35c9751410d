"""The served signatures compute what `Verifier` computes, and refuse what does not fit."""

import io
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tests.export.conftest import SIGNATURES
from xcos_tf.export.served_model import ServedModel
from xcos_tf.models.network import XCos

keras = tf.keras


def encoded(faces, image_format, **options):
    """Return faces as files' bytes."""
    contents = []
    for face in faces:
        stream = io.BytesIO()
        Image.fromarray(face).save(stream, image_format, **options)
        contents.append(stream.getvalue())
    return contents


def call(signatures, name, **inputs):
    """Call a signature, with arrays in and out."""
    outputs = signatures[name](**{key: tf.constant(value) for key, value in inputs.items()})
    return {key: value.numpy() for key, value in outputs.items()}


def assert_same_answers(answers, expected):
    assert answers["same"].dtype == bool and answers["same"].tolist() == expected["same"].tolist()
    for name in ("xcos", "similarity_map", "attention_map"):
        assert answers[name].dtype == np.float32
        np.testing.assert_allclose(answers[name], expected[name], rtol=0, atol=1e-5)


def test_the_signatures_are_these(signatures):
    assert sorted(signatures) == sorted(SIGNATURES)


@pytest.mark.parametrize("name", ["serving_default", "verify"])
def test_verify(name, signatures, expected):
    answers = call(signatures, name, image_a=expected.faces_a, image_b=expected.faces_b)
    assert answers.keys() == expected.answers.keys()
    assert answers["same"].tolist() == [True, False, True]
    assert_same_answers(answers, expected.answers)


def test_embed(signatures, expected):
    answers = call(signatures, "embed", image=expected.faces_a)
    assert answers.keys() == {"grid"} and answers["grid"].dtype == np.float32
    np.testing.assert_allclose(answers["grid"], expected.grids_a, rtol=0, atol=1e-5)


def test_compare(signatures, expected):
    answers = call(signatures, "compare", grid_a=expected.grids_a, grid_b=expected.grids_b)
    assert_same_answers(answers, expected.answers)


def test_compare_one_to_many(signatures, expected, verifier):
    one, many = expected.grids_a[:1], expected.grids_b
    answers = call(signatures, "compare_one_to_many", grid_a=one, grid_b=many)
    expected_answers = verifier.explain_pairs(np.repeat(one, 3, axis=0), many)
    expected_answers["same"] = expected_answers["xcos"] >= verifier.threshold()
    assert_same_answers(answers, expected_answers)
    # As a server that batches asks, when it has several requests of one pair each.
    answers = call(signatures, "compare_one_to_many", grid_a=expected.grids_a, grid_b=many)
    assert_same_answers(answers, expected.answers)


@pytest.mark.parametrize("image_format", ["PNG", "JPEG"])
def test_verify_encoded(image_format, signatures, expected, verifier):
    contents = [encoded(faces, image_format) for faces in (expected.faces_a, expected.faces_b)]
    answers = call(signatures, "verify_encoded", encoded_a=contents[0], encoded_b=contents[1])
    assert answers.pop("valid_a").tolist() == answers.pop("valid_b").tolist() == [True] * 3
    verdicts = [verifier.verify(*pair, aligned=True) for pair in zip(*contents, strict=True)]
    assert_same_answers(
        answers,
        {
            "xcos": [verdict.score for verdict in verdicts],
            "similarity_map": [verdict.similarity_map for verdict in verdicts],
            "attention_map": [verdict.attention_map for verdict in verdicts],
            "same": np.array([verdict.same for verdict in verdicts]),
        },
    )


def test_a_damaged_image_spoils_its_own_pair_alone(signatures, expected):
    a, b = encoded(expected.faces_a, "PNG"), encoded(expected.faces_b, "PNG")
    a[0], b[2] = a[0][:500], b""
    answers = call(signatures, "verify_encoded", encoded_a=a, encoded_b=b)
    assert answers["valid_a"].tolist() == [False, True, True]
    assert answers["valid_b"].tolist() == [True, True, False]
    for name, value in answers.items():
        if not name.startswith("valid"):
            assert not value[[0, 2]].any()
            np.testing.assert_allclose(value[1], expected.answers[name][1], rtol=0, atol=1e-5)


def test_two_damaged_images_are_not_one_person(signatures):
    answers = call(signatures, "verify_encoded", encoded_a=[b"", b"x"], encoded_b=[b"", b"x"])
    assert not answers["same"].any() and not answers["xcos"].any()


@pytest.mark.parametrize("count", [1, 2, 17])
def test_any_batch_size(count, signatures, expected):
    a, b = (np.tile(x, (6, 1, 1, 1))[:count] for x in (expected.faces_a, expected.faces_b))
    answers = call(signatures, "verify", image_a=a, image_b=b)
    tiled = {key: np.concatenate([x] * 6)[:count] for key, x in expected.answers.items()}
    assert_same_answers(answers, tiled)


FACES, GRIDS = np.zeros((2, 112, 112, 3), np.uint8), np.zeros((2, 7, 7, 32), np.float32)


@pytest.mark.parametrize(
    "name, inputs, sentence",
    [
        ("embed", {"image": FACES[0]}, r"Expected image to be .*112, 3\), N ≥ 1.*\[112 112 3\]"),
        ("embed", {"image": FACES[:0]}, r"Expected image to be .*\[0 112 112 3\]"),
        ("embed", {"image": FACES[:, :96]}, r"Expected image to be .*\[2 96 112 3\]"),
        ("embed", {"image": FACES[..., :1]}, r"Expected image to be .*\[2 112 112 1\]"),
        ("embed", {"image": FACES.astype(np.float32)}, "expected to be a uint8 tensor"),
        (
            "verify",
            {"image_a": FACES, "image_b": FACES[0]},
            r"Expected image_b to be .*\[112 112 3\]",
        ),
        (
            "verify",
            {"image_a": FACES, "image_b": FACES[:1]},
            r"Expected as many rows in image_a as in image_b. Received:\] \[2\] \[1\]",
        ),
        (
            "verify_encoded",
            {"encoded_a": b"a", "encoded_b": b"b"},
            r"Expected encoded_. to be a batch of JPEG or PNG files.*of shape \(N,\).*\[\]",
        ),
        (
            "verify_encoded",
            {"encoded_a": [b"a"], "encoded_b": [b"b", b"c"]},
            r"Expected as many rows in encoded_a as in encoded_b. Received:\] \[1\] \[2\]",
        ),
        (
            "compare",
            {"grid_a": GRIDS, "grid_b": GRIDS[..., :16]},
            r"Expected grid_b to be a batch of grid features.*\[2 7 7 16\]",
        ),
        (
            "compare",
            {"grid_a": GRIDS[:1], "grid_b": GRIDS},
            r"Expected as many rows in grid_a as in grid_b. Received:\] \[1\] \[2\]",
        ),
        (
            "compare",
            {"grid_a": GRIDS.astype(np.float64), "grid_b": GRIDS},
            "expected to be a float tensor",
        ),
        (
            "compare_one_to_many",
            {"grid_a": GRIDS, "grid_b": GRIDS[[0, 0, 0]]},
            r"Expected one row in grid_a, or as many .* Received:\] \[2\] \[3\]",
        ),
        (
            "compare_one_to_many",
            {"grid_a": GRIDS[0], "grid_b": GRIDS},
            r"Expected grid_a to be a batch of grid features.*\[7 7 32\]",
        ),
    ],
)
def test_what_does_not_fit_is_refused(name, inputs, sentence, signatures):
    with pytest.raises(tf.errors.InvalidArgumentError, match=sentence):
        call(signatures, name, **inputs)


def test_same_is_decided_by_the_threshold_as_it_is_written():
    """A hair above the score is above it, though as a 32-bit number it is the score."""
    image = keras.Input((112, 112, 3))
    pooled = keras.layers.AveragePooling2D(16)(image)
    network = XCos(keras.Model(image, pooled), channels=4, attentions=("patched",))
    faces = np.random.default_rng(3).integers(0, 256, (2, 1, 112, 112, 3), np.uint8)

    def answer(threshold):
        verify = ServedModel(network, "patched", threshold).named["verify"]
        answers = verify(*(tf.constant(face) for face in faces))
        return float(answers["xcos"][0]), bool(answers["same"][0])

    score, same = answer(-1.0)
    assert same
    assert answer(score) == (score, True)
    assert answer(np.nextafter(score, 2)) == (score, False)


def test_it_runs_where_there_is_no_xcos_tf(version_folder, expected, tmp_path):
    np.savez(tmp_path / "faces.npz", a=expected.faces_a, b=expected.faces_b)
    program = """
import sys
import numpy as np, tensorflow as tf
faces = np.load(sys.argv[2])
verify = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]
print(*verify(image_a=tf.constant(faces["a"]), image_b=tf.constant(faces["b"]))["xcos"].numpy())
assert "xcos_tf" not in sys.modules
"""
    run = subprocess.run(
        [sys.executable, "-c", program, str(version_folder), str(tmp_path / "faces.npz")],
        cwd=tmp_path,
        env={"TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    scores = [float(score) for score in run.stdout.split()]
    np.testing.assert_allclose(scores, expected.answers["xcos"], rtol=0, atol=1e-5)
