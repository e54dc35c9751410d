from itertools import pairwise

import numpy as np
import pytest

from tests.explain.toys import OneCellVerifier, noise
from xcos_tf.data.alignment import TEMPLATE_LANDMARKS
from xcos_tf.explain.methods.baselines import FaceCentre, RandomMap


@pytest.fixture(params=[RandomMap(), FaceCentre()], ids=lambda method: method.name)
def method(request):
    return request.param


def test_the_score_is_the_verifiers(method, pair):
    verifier = OneCellVerifier()
    explanation = method.explain(verifier, *pair)
    assert explanation.forward == verifier.faces == 2
    assert explanation.backward == 0
    assert explanation.seconds > 0
    features = verifier.embed(pair)
    assert explanation.score == pytest.approx(float(features[0] @ features[1]), abs=1e-6)


def test_maps_are_in_0_to_1(method, pair):
    explanation = method.explain(OneCellVerifier(), *pair)
    assert not explanation.signed
    for values in (explanation.map_a, explanation.map_b):
        assert values.dtype == np.float32
        assert values.min() >= 0
        assert values.max() == 1


def test_swapping_the_faces_swaps_the_maps(method, pair):
    one = method.explain(OneCellVerifier(), *pair)
    other = method.explain(OneCellVerifier(), *pair[::-1])
    np.testing.assert_array_equal(one.map_a, other.map_b)
    np.testing.assert_array_equal(one.map_b, other.map_a)


def test_a_random_map_follows_from_the_pair_alone(random):
    face_a, face_b, face_c = noise(random, 3)
    maps = [
        RandomMap().explain(OneCellVerifier(), *pair).map_a
        for pair in ((face_a, face_b), (face_a, face_b), (face_a, face_c), (face_c, face_b))
    ]
    np.testing.assert_array_equal(maps[0], maps[1])
    assert maps[0].shape == (7, 7)
    for other in maps[2:]:
        assert np.abs(np.corrcoef(maps[0].ravel(), other.ravel())[0, 1]) < 0.6


def test_random_maps_of_many_pairs_prefer_no_cell(random):
    faces = noise(random, 60)
    maps = [RandomMap().explain(OneCellVerifier(), *pair).map_a for pair in pairwise(faces)]
    mean = np.mean(maps, axis=0)
    assert np.abs(mean - mean.mean()).max() < 0.2
    assert RandomMap().explain(OneCellVerifier(), *faces[:2]).per_pair


def test_the_centre_is_in_the_middle_of_the_landmarks(pair):
    explanation = FaceCentre().explain(OneCellVerifier(), *pair)
    values = explanation.map_a
    assert explanation.per_pair
    assert values.shape == (112, 112)
    row, column = np.unravel_index(values.argmax(), values.shape)
    assert (column, row) == tuple(np.rint(TEMPLATE_LANDMARKS.mean(axis=0)))
    # A standard deviation of 28 pixels: there it is exp(−1/2), to either side and upwards.
    for shift in ((0, 28), (0, -28), (-28, 0)):
        found = values[row + shift[0], column + shift[1]]
        assert found == pytest.approx(np.exp(-0.5), abs=0.01)
