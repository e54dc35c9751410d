"""The transform is the least-squares similarity, and the warp hits pixels exactly."""

import numpy as np
import pytest

from xcos_tf.data.alignment import TEMPLATE_LANDMARKS, similarity_transform, warp_face

TEMPLATE = TEMPLATE_LANDMARKS.astype(np.float64)
IDENTITY = np.eye(2, 3)


def similarity(angle, scale, shift):
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    return np.array([[cos, -sin, shift[0]], [sin, cos, shift[1]]])


def apply(transform, points):
    return points @ transform[:, :2].T + transform[:, 2]


@pytest.mark.parametrize("angle", [0, 0.3, -2, np.pi])
@pytest.mark.parametrize("scale", [0.05, 1, 30])
def test_recovers_a_similarity(angle, scale):
    truth = similarity(angle, scale, (-40, 700))
    found = similarity_transform(TEMPLATE, apply(truth, TEMPLATE))
    np.testing.assert_allclose(found, truth, atol=1e-9 * scale + 1e-10)


def test_two_points_are_enough():
    found = similarity_transform([[0, 0], [1, 0]], [[5, 5], [5, 7]])
    np.testing.assert_allclose(found, [[0, -2, 5], [2, 0, 5]], atol=1e-12)


def test_never_reflects():
    mirrored = TEMPLATE * [-1, 1] + [112, 0]
    linear = similarity_transform(TEMPLATE, mirrored)[:, :2]
    assert np.linalg.det(linear) > 0
    np.testing.assert_allclose(linear @ linear.T, np.linalg.det(linear) * np.eye(2), atol=1e-12)


def test_is_the_least_squares_optimum():
    """Umeyama's answer against a linear solution of the same problem: x' = ax − by + c, ..."""
    random = np.random.default_rng(0)
    for _ in range(20):
        source = random.normal(size=(5, 2)) * 20
        target = source @ similarity(1, 3, (0, 0))[:, :2].T + random.normal(size=(5, 2)) * 5
        x, y, one, zero = *source.T, np.ones(5), np.zeros(5)
        system = np.vstack([np.stack([x, -y, one, zero], 1), np.stack([y, x, zero, one], 1)])
        a, b, c, d = np.linalg.lstsq(system, np.r_[target.T[0], target.T[1]], rcond=None)[0]
        expected = [[a, -b, c], [b, a, d]]
        np.testing.assert_allclose(similarity_transform(source, target), expected, atol=1e-9)


@pytest.mark.parametrize(
    "source, target",
    [
        (np.ones((5, 2)), TEMPLATE),
        (np.full((5, 2), np.nan), TEMPLATE),
        (TEMPLATE[:4], TEMPLATE),
        (np.ones((5, 3)), np.ones((5, 3))),
    ],
)
def test_bad_points(source, target):
    with pytest.raises(ValueError, match=r"Expected .* Received"):
        similarity_transform(source, target)


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def test_identity_is_lossless():
    photo = noise(112, 112)
    np.testing.assert_array_equal(warp_face(photo, TEMPLATE), photo)


@pytest.mark.parametrize("x, y", [(30, 17), (0, 88), (188, 0)])
def test_whole_shifts_are_exact(x, y):
    photo = noise(200, 300)
    face = warp_face(photo, TEMPLATE + np.array([x, y]))
    np.testing.assert_array_equal(face, photo[y : y + 112, x : x + 112])


def test_half_pixel_shift_is_the_mean_of_neighbours():
    photo = noise(140, 140)
    face = warp_face(photo, TEMPLATE + np.array([10.5, 10])).astype(float)
    window = photo[10:122, 10:123].astype(float)
    np.testing.assert_allclose(face, (window[:, :-1] + window[:, 1:]) / 2, atol=0.51)


def test_turned_face_is_turned_back():
    photo = noise(112, 112)
    # The pixel (x, y) of a picture of 112 goes to (y, 111 − x) when turned left by a quarter.
    landmarks = np.stack([TEMPLATE[:, 1], 111 - TEMPLATE[:, 0]], axis=1)
    np.testing.assert_array_equal(warp_face(np.rot90(photo), landmarks), photo)


@pytest.mark.parametrize("factor", [2, 3, 8])
def test_large_faces_are_averaged_down(factor):
    photo = noise(130 * factor, 120 * factor)
    # A pixel of the face covers factor × factor pixels of the photo.
    landmarks = (TEMPLATE + [4, 9] + 0.5) * factor - 0.5
    blocks = photo.reshape(130, factor, 120, factor, 3).mean(axis=(1, 3))
    face = warp_face(photo, landmarks).astype(float)
    np.testing.assert_allclose(face, blocks[9:121, 4:116], atol=0.56)  # Pillow rounds 5/9 down


def test_fine_texture_does_not_turn_into_patterns():
    """Stripes one pixel wide in a face 5.5 times too large must come out as even grey."""
    photo = np.zeros((700, 700, 3), np.uint8)
    photo[:, ::2] = 255
    face = warp_face(photo, (TEMPLATE + 5) * 5.5).astype(float)
    assert face.std() < 30  # bilinear alone: above 80
    assert abs(face.mean() - 127.5) < 3


def test_other_sizes_show_the_same():
    photo = np.tile(np.linspace(0, 255, 224)[:, None, None], (1, 224, 3)).astype(np.uint8)
    landmarks = (TEMPLATE + 0.5) * 2 - 0.5
    np.testing.assert_array_equal(warp_face(photo, landmarks, size=224), photo)


def test_black_outside_the_photo():
    photo = np.full((112, 112, 3), 200, np.uint8)
    face = warp_face(photo, TEMPLATE - [50, 0])
    assert (face[:, :50] == 0).all()
    assert (face[:, 51:] == 200).all()
    assert not warp_face(photo, TEMPLATE + 1000).any()
    assert not warp_face(photo, TEMPLATE - 1000).any()


def test_agrees_with_sampling_by_hand():
    """Any similarity, against bilinear interpolation written out in NumPy."""
    photo = noise(200, 200)
    truth = similarity(0.4, 1.3, (20, -5))
    face = warp_face(photo, apply(truth, TEMPLATE)).astype(float)
    grid = np.stack(np.meshgrid(np.arange(112), np.arange(112)), axis=-1)
    x, y = np.moveaxis(apply(truth, grid.reshape(-1, 2)).reshape(112, 112, 2), -1, 0)
    inside = (x >= 0) & (y >= 0) & (x < 199) & (y < 199)
    left, top = np.floor(x[inside]).astype(int), np.floor(y[inside]).astype(int)
    u, v = (x[inside] - left)[:, None], (y[inside] - top)[:, None]
    p = photo.astype(float)
    upper = p[top, left] * (1 - u) + p[top, left + 1] * u
    lower = p[top + 1, left] * (1 - u) + p[top + 1, left + 1] * u
    np.testing.assert_allclose(face[inside], upper * (1 - v) + lower * v, atol=0.6)
