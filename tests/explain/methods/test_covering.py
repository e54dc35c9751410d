import numpy as np
import pytest

from tests.explain.toys import OneCellVerifier, OppositeVerifier, noise
from xcos_tf.explain.methods.covering import CorrRise, OcclusionSensitivity

METHODS = (OcclusionSensitivity(), CorrRise(masks=150))


@pytest.fixture(params=METHODS, ids=lambda method: method.name)
def method(request):
    return request.param


def inside_and_outside(values, verifier):
    right = verifier.right_map > 0
    return values[right].mean(), values[~right].mean()


def test_the_cell_that_counts_stands_out_in_both_faces(method, random):
    verifier = OneCellVerifier()
    face = noise(random, 1)[0]
    explanation = method.explain(verifier, face, face)
    assert explanation.score == pytest.approx(1, abs=1e-6)
    for values in (explanation.map_a, explanation.map_b):
        assert values.shape == (112, 112)
        assert values.dtype == np.float32
        assert np.abs(values).max() == 1
        inside, outside = inside_and_outside(values, verifier)
        assert inside > 0.5
        assert abs(outside) < 0.1


def test_a_cell_that_speaks_for_different_is_below_0(method, random):
    verifier = OppositeVerifier()
    face = noise(random, 1)[0]
    explanation = method.explain(verifier, face, face)
    assert explanation.signed
    assert inside_and_outside(explanation.map_a, verifier)[0] < -0.5


def test_swapping_the_faces_swaps_the_maps(method, random):
    face_a, face_b = noise(random, 2)
    one = method.explain(OneCellVerifier(), face_a, face_b)
    other = method.explain(OneCellVerifier(), face_b, face_a)
    np.testing.assert_allclose(one.map_a, other.map_b, atol=1e-5)
    assert np.abs(one.map_a - one.map_b).max() > 0.01
    assert not one.per_pair


def test_the_cost_counts_each_face_that_was_embedded(method, random):
    verifier = OneCellVerifier()
    explanation = method.explain(verifier, *noise(random, 2))
    assert explanation.forward == verifier.faces > 2
    assert explanation.backward == 0
    assert explanation.seconds > 0


@pytest.mark.parametrize(("method", "grey"), zip(METHODS, (128, 0), strict=True))
def test_covered_places_have_one_grey(method, grey):
    shown = []

    class Watched(OneCellVerifier):
        def embed(self, faces):
            shown.append(faces)
            return super().embed(faces)

    white = np.full((112, 112, 3), 255, np.uint8)
    method.explain(Watched(), white, white)
    assert np.unique(np.concatenate(shown)).tolist() == [grey, 255]


def test_a_score_that_never_changes_has_a_map_of_zeros(method, random):
    class Constant(OneCellVerifier):
        def compare_pairs(self, features_a, features_b):
            return np.full(len(features_a), 0.3, np.float32)

    explanation = method.explain(Constant(), *noise(random, 2))
    assert not explanation.map_a.any()
    assert not explanation.map_b.any()


def test_the_mean_drop_is_over_the_masks_that_cover_a_pixel():
    masks = np.array([[[1, 1, 0]], [[0, 1, 0]]], bool)
    drops = OcclusionSensitivity().map_of(masks, np.array([0.5, 0.9]), 1.0)
    np.testing.assert_allclose(drops, [[0.5, 0.3, 0]])


def test_the_correlation_is_pearsons(random):
    masks = random.random((40, 3, 2)) < 0.4
    masks[:, 2, 1] = True
    scores = random.normal(size=40)
    found = CorrRise().map_of(masks, scores, 1.0)
    for place in np.ndindex(3, 2):
        if place != (2, 1):
            expected = np.corrcoef(~masks[:, place[0], place[1]], scores)[0, 1]
            assert found[place] == pytest.approx(expected, abs=1e-6)
    assert found[2, 1] == 0


def test_random_masks_cover_all_pixels_alike_and_follow_from_the_seed():
    masks = CorrRise(masks=1500, seed=3).masks(112)
    share = masks.mean(axis=0)
    assert 0.3 < share.mean() < 0.45
    assert share[0, 0] == pytest.approx(share.mean(), abs=0.05)
    assert share[56, 56] == pytest.approx(share.mean(), abs=0.05)
    np.testing.assert_array_equal(masks[:5], CorrRise(masks=1500, seed=3).masks(112)[:5])


def test_the_seed_chooses_the_masks(random):
    face_a, face_b = noise(random, 2)
    maps = [
        CorrRise(masks=20, seed=seed).explain(OneCellVerifier(), face_a, face_b).map_a
        for seed in (1, 1, 2)
    ]
    np.testing.assert_array_equal(maps[0], maps[1])
    assert np.abs(maps[0] - maps[2]).max() > 0.1
