import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from tensorflow import keras

from xcos_tf.models.margins import ArcFaceHead, CosFaceHead
from xcos_tf.training.losses import identification_loss

HEADS = [ArcFaceHead, CosFaceHead]
DIMENSION, CLASSES = 8, 5


@pytest.fixture
def mixed_float16():
    keras.mixed_precision.set_global_policy("mixed_float16")
    yield
    keras.mixed_precision.set_global_policy("float32")


def built(head: keras.layers.Layer, kernel: np.ndarray) -> keras.layers.Layer:
    head.build((None, kernel.shape[0]))
    head.set_weights([kernel.T])
    return head


def oracle(head, embedding, kernel, labels) -> np.ndarray:
    """The papers' formulas, by the angle itself, in float64."""
    embedding, kernel = embedding.astype(np.float64), kernel.astype(np.float64)
    cosine = embedding @ kernel
    cosine /= np.linalg.norm(embedding, axis=1)[:, None] * np.linalg.norm(kernel, axis=0)
    cosine = cosine.clip(-1, 1)
    logits = cosine.copy()
    for row, label in enumerate(labels):
        theta = np.arccos(cosine[row, label])
        if isinstance(head, CosFaceHead):
            logits[row, label] = np.cos(theta) - head.margin
        elif theta + head.margin < np.pi:
            logits[row, label] = np.cos(theta + head.margin)
        else:
            logits[row, label] = np.cos(theta) - head.margin * np.sin(head.margin)
    return head.scale * logits


def on_circle(angles: np.ndarray) -> np.ndarray:
    """Embeddings at these angles from class 0 of `np.eye`."""
    embedding = np.zeros((len(angles), DIMENSION), np.float32)
    embedding[:, 0], embedding[:, 1] = np.cos(angles), np.sin(angles)
    return embedding


def loss_and_gradients(head, embedding, labels):
    with tf.GradientTape() as tape:
        tape.watch(embedding)
        logits = head(embedding, labels)
        loss = identification_loss(logits, labels)
    return logits, loss, tape.gradient(loss, [embedding, *head.trainable_variables])


@pytest.mark.parametrize("margin", [0.1, 0.35, 0.5])
@pytest.mark.parametrize("head_class", HEADS)
def test_logits_are_the_papers(head_class, margin):
    rng = np.random.default_rng(0)
    kernel = rng.normal(0, 3, (DIMENSION, CLASSES)).astype(np.float32)
    embedding = rng.normal(0, 7, (40, DIMENSION)).astype(np.float32)
    labels = rng.integers(0, CLASSES, 40)
    head = built(head_class(CLASSES, margin, scale=30.0), kernel)
    expected = oracle(head, embedding, kernel, labels)
    np.testing.assert_allclose(head(embedding, labels), expected, atol=1e-3)


def test_classes_start_with_directions_of_unit_length():
    head = ArcFaceHead(2000)
    head.build((None, 300))
    norms = np.linalg.norm(head.kernel, axis=1)
    assert np.sqrt((norms**2).mean()) == pytest.approx(1, abs=0.01)


def test_defaults_are_the_papers():
    assert (ArcFaceHead(2).scale, ArcFaceHead(2).margin) == (64.0, 0.5)
    assert (CosFaceHead(2).scale, CosFaceHead(2).margin) == (64.0, 0.35)


@pytest.mark.parametrize("head_class", HEADS)
def test_the_labelled_logit_follows_the_angle_over_its_whole_range(head_class):
    angles = np.linspace(0, np.pi, 721)
    kernel = np.eye(DIMENSION, CLASSES, dtype=np.float32)
    head = built(head_class(CLASSES), kernel)
    embedding, labels = on_circle(angles), np.zeros(len(angles), np.int64)
    logits = head(embedding, labels).numpy()
    # Float32 resolves an angle near 0 or π to 3e-4 only: 64·sin(0.5)·3e-4 is 0.01.
    np.testing.assert_allclose(logits, oracle(head, embedding, kernel, labels), atol=0.02)
    assert (np.diff(logits[:, 0]) < 1e-3).all()
    if head_class is ArcFaceHead:
        past = angles + head.margin > np.pi + 1e-3
        fallback = 64 * (np.cos(angles) - 0.5 * np.sin(0.5))
        np.testing.assert_allclose(logits[past, 0], fallback[past], atol=1e-3)


# At scale 64 the softmax is saturated at cos = 1, and its zero gradient would hide an infinite one.
@pytest.mark.parametrize("scale", [64.0, 2.0])
@pytest.mark.parametrize("dtype", [tf.float32, tf.float16])
@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("head_class", HEADS)
def test_finite_and_exact_at_cosine_one(head_class, sign, dtype, scale):
    kernel = np.eye(DIMENSION, CLASSES, dtype=np.float32)
    head = built(head_class(CLASSES, scale=scale), kernel)
    embedding = tf.constant(sign * 4 * kernel[:, :2].T, dtype)
    logits, loss, gradients = loss_and_gradients(head, embedding, tf.constant([0, 1]))
    target = {
        (ArcFaceHead, 1.0): np.cos(0.5),
        (ArcFaceHead, -1.0): -1 - 0.5 * np.sin(0.5),
        (CosFaceHead, 1.0): 1 - 0.35,
        (CosFaceHead, -1.0): -1 - 0.35,
    }[head_class, sign]
    np.testing.assert_allclose(np.diag(logits.numpy()[:, :2]), scale * target, rtol=1e-6)
    assert logits.dtype == loss.dtype == tf.float32
    assert gradients[0].dtype == dtype
    for value in (loss, *gradients):
        assert np.isfinite(value).all()


@pytest.mark.parametrize("head_class", HEADS)
def test_rounding_past_one_stays_finite(head_class):
    # Among random vectors some have a float32 cosine with themselves just above 1.
    rng = np.random.default_rng(1)
    kernel = rng.normal(size=(512, 300)).astype(np.float32)
    unit = tf.math.l2_normalize(kernel, axis=0).numpy()
    assert np.diag(unit.T @ unit).max() > 1
    head = built(head_class(300, scale=2.0), kernel)
    for sign in (1, -1):
        _, loss, gradients = loss_and_gradients(head, tf.constant(sign * kernel.T), np.arange(300))
        for value in (loss, *gradients):
            assert np.isfinite(value).all()


@pytest.mark.parametrize("head_class", HEADS)
def test_a_zero_embedding_has_cosine_zero(head_class):
    head = built(head_class(CLASSES), np.eye(DIMENSION, CLASSES, dtype=np.float32))
    logits, loss, gradients = loss_and_gradients(head, tf.zeros((1, DIMENSION)), tf.constant([1]))
    np.testing.assert_array_equal(logits.numpy()[0, [0, 2, 3, 4]], 0)
    assert all(np.isfinite(value).all() for value in (loss, *gradients))


@pytest.mark.parametrize("head_class", HEADS)
def test_gradient_matches_finite_differences(head_class):
    kernel = np.eye(DIMENSION, CLASSES, dtype=np.float32)
    head = built(head_class(CLASSES, scale=4.0), kernel)
    labels = np.zeros(3, np.int64)
    embedding = on_circle(np.array([0.3, 1.2, 2.9]))
    _, _, gradients = loss_and_gradients(head, tf.constant(embedding), labels)

    def loss(x):
        logits = oracle(head, x, kernel, labels)
        return np.mean(np.log(np.exp(logits).sum(axis=1)) - logits[:, 0])

    step = 1e-5
    for index in np.ndindex(embedding.shape):
        shift = np.zeros(embedding.shape)
        shift[index] = step
        slope = (loss(embedding + shift) - loss(embedding - shift)) / (2 * step)
        assert gradients[0].numpy()[index] == pytest.approx(slope, abs=1e-3)


@pytest.mark.parametrize("head_class", HEADS)
def test_mixed_float16_keeps_float32_logits(head_class, mixed_float16):
    rng = np.random.default_rng(2)
    kernel = rng.normal(size=(DIMENSION, CLASSES)).astype(np.float32)
    embedding = rng.normal(size=(6, DIMENSION)).astype(np.float16)
    labels = rng.integers(0, CLASSES, 6)
    head = built(head_class(CLASSES), kernel)
    logits, _, gradients = loss_and_gradients(head, tf.constant(embedding), labels)
    assert logits.dtype == tf.float32
    assert head.kernel.dtype == "float32"
    np.testing.assert_allclose(logits, oracle(head, embedding, kernel, labels), atol=1e-3)
    # What loss scaling multiplies gradients by must not overflow float16 either.
    assert np.isfinite(1024 * gradients[0].numpy()).all()


@pytest.mark.slow
@pytest.mark.both_stacks
def test_two_replicas_with_half_the_faces_train_as_one(tmp_path):
    out = tmp_path / "out.npz"
    words = [sys.executable, "-m", "tests.models.train_margins", out]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with np.load(out) as arrays:
        for head_class in HEADS:
            losses, kernels = (arrays[f"{head_class.__name__}-{x}"] for x in ("losses", "kernel"))
            assert losses[0, -1] < 0.5 * losses[0, 0]
            np.testing.assert_allclose(losses[1], losses[0], atol=1e-5)
            np.testing.assert_allclose(kernels[1], kernels[0], atol=1e-5)


@pytest.mark.parametrize("head_class", HEADS)
def test_config_round_trip(head_class):
    head = head_class(CLASSES, margin=0.2, scale=16.0, name="margin")
    again = keras.layers.deserialize(keras.layers.serialize(head))
    assert type(again) is head_class
    assert (again.classes, again.margin, again.scale, again.name) == (CLASSES, 0.2, 16.0, "margin")


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match=r"Expected `classes`.*Received: classes=0"):
        ArcFaceHead(0)
    with pytest.raises(ValueError, match=r"Expected `scale`.*Received: scale=0"):
        CosFaceHead(2, scale=0)
    with pytest.raises(ValueError, match=r"Expected `margin`.*Received: margin=4"):
        ArcFaceHead(2, margin=4)
    with pytest.raises(ValueError, match=r"Expected `margin`.*Received: margin=-1"):
        CosFaceHead(2, margin=-1)


@pytest.mark.parametrize("head", HEADS)
def test_a_softmax_over_a_sample_is_a_part_of_the_whole(head):
    random = np.random.default_rng(3)
    embedding = tf.constant(random.normal(size=(5, 8)).astype(np.float32))
    labels, kept = np.array([1, 4, 4, 9, 7]), np.array([1, 2, 4, 7, 9])
    layer = head(10, scale=1.0)  # so that the tolerance is that of cosines
    whole = layer(embedding, labels).numpy()
    places = np.searchsorted(kept, labels)
    np.testing.assert_allclose(
        layer(embedding, places, tf.gather(layer.kernel, kept)).numpy(), whole[:, kept], atol=1e-5
    )
    everything = layer(embedding, labels, layer.kernel).numpy()
    np.testing.assert_allclose(everything, whole, atol=1e-6)
