import numpy as np

from tests.explain.toys import OneCellVerifier, noise
from xcos_tf.explain.probing import (
    batch_size,
    cover,
    embed_all,
    scaled,
    scores_of_variants,
    square_masks,
)


def test_faces_are_embedded_in_batches(random):
    faces = random.integers(0, 256, (batch_size() + 3, 48, 80, 3), np.uint8)
    sizes = []

    class Watched(OneCellVerifier):
        def embed(self, faces):
            sizes.append(len(faces))
            return super().embed(faces)

    found = embed_all(Watched(), faces)
    assert sizes == [batch_size(), 3]
    np.testing.assert_array_equal(found, OneCellVerifier().embed(faces))


def test_either_face_can_vary(random):
    verifier = OneCellVerifier()
    faces = noise(random, 3)
    features = verifier.embed(faces)
    expected = features @ features[0]
    for pair in ((faces, faces[:1]), (faces[:1], faces)):
        found = scores_of_variants(verifier, *pair)
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_squares_go_row_by_row_and_meet_the_edges():
    masks = square_masks(6, 2, 2)
    assert masks.shape == (9, 6, 6)
    np.testing.assert_array_equal(masks.sum(axis=0), np.ones((6, 6)))
    assert masks[1, :2, 2:4].all()
    assert len(square_masks(112, 16, 8)) == 13**2


def test_only_what_is_masked_is_covered(random):
    face = random.integers(1, 256, (4, 4, 3), np.uint8)
    masks = square_masks(4, 2, 2)
    covered = cover(face, masks, 0)
    np.testing.assert_array_equal(covered[0, :2, :2], 0)
    np.testing.assert_array_equal(covered[0, 2:], face[2:])
    other = 255 - face
    np.testing.assert_array_equal(cover(face, masks, other)[0, :2, :2], other[:2, :2])


def test_maps_are_scaled_by_the_greatest_absolute_value():
    np.testing.assert_allclose(scaled(np.array([[1.0, -4.0]])), [[0.25, -1]])
    assert scaled(np.zeros((2, 2))).tolist() == [[0, 0], [0, 0]]
    assert scaled(np.ones((1, 1))).dtype == np.float32
