import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from xcos_tf.data.augmentation import augment_face, blend_faces, mirror_face


@pytest.fixture(scope="module")
def face(photos):
    return np.asarray(Image.fromarray(photos["obama"]).resize((112, 112)))


@pytest.fixture(scope="module")
def augmented(face):
    run = tf.function(lambda i: augment_face(tf.constant(face), tf.stack([5, i])))
    return np.stack([run(tf.constant(i)).numpy() for i in range(200)])


def test_the_same_seed_gives_the_same_face(face, augmented):
    again = augment_face(tf.constant(face), tf.constant([5, 3])).numpy()
    np.testing.assert_array_equal(again, augmented[3])
    assert len({image.tobytes() for image in augmented}) == 200


def coarse(image):
    """Brightness of 8×8 blocks, flat: small shifts and turns hardly change it."""
    return image.mean(-1).reshape(14, 8, 14, 8).mean((1, 3)).ravel()


def test_faces_keep_their_form(face, augmented):
    assert augmented.dtype == np.uint8 and augmented.shape[1:] == (112, 112, 3)
    # However changed, most copies still correlate with the face.
    alike = [np.corrcoef(coarse(image), coarse(face))[0, 1] for image in augmented]
    assert np.median(alike) > 0.75
    noise = np.random.default_rng(0).integers(0, 256, face.shape)
    assert np.corrcoef(coarse(noise), coarse(face))[0, 1] < 0.4


def test_each_change_happens_about_as_often_as_documented(face, augmented):
    grey = [(i.max(-1) - i.min(-1)).mean() < 8 for i in augmented]
    assert 0.02 < np.mean(grey) < 0.25


def test_faces_are_mirrored_half_the_time_and_nowhere_else(face):
    # Brighter on the left than on the right, which no other change turns around.
    slope = np.broadcast_to(np.linspace(200, 50, 112)[:, np.newaxis], (112, 112, 3))
    slope = tf.constant(slope.astype(np.uint8))
    run = tf.function(lambda i: augment_face(slope, tf.stack([5, i])))
    for i in range(100):
        image = run(tf.constant(i)).numpy().astype(float)
        assert np.median(image[:, :56], (0, 1)).mean() > np.median(image[:, 56:], (0, 1)).mean()
    images = [mirror_face(tf.constant(face), tf.constant([5, i])).numpy() for i in range(200)]
    mirrored = [np.array_equal(image, face[:, ::-1]) for image in images]
    assert 0.35 < np.mean(mirrored) < 0.65
    assert all(np.array_equal(i, face) for i, m in zip(images, mirrored, strict=True) if not m)


def test_blended_faces_stay_closer_to_the_first(face):
    other = 255 - face
    shares = []
    for i in range(100):
        blended = blend_faces(tf.constant(face), tf.constant(other), tf.constant([1, i])).numpy()
        assert blended.dtype == np.uint8
        # face + share · (other − face), so the share can be read off each pixel.
        difference = other.astype(float) - face
        share = ((blended.astype(float) - face) * difference).sum() / (difference**2).sum()
        assert np.abs(face + share * difference - blended).max() <= 1
        shares.append(share)
    assert 0 <= min(shares) < 0.05 and 0.45 < max(shares) <= 0.501
