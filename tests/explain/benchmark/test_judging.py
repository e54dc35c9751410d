import numpy as np
import pytest

from tests.explain.toys import OneCellVerifier, noise
from xcos_tf.evaluation.drawn_pairs import Pair
from xcos_tf.explain.benchmark.judging import CURVES, STEPS, OneScore, check, curves, drops
from xcos_tf.explain.benchmark.making import explain
from xcos_tf.explain.faithfulness.deletion import area
from xcos_tf.explain.methods.covering import OcclusionSensitivity
from xcos_tf.verifier import Verifier


class Scorer(OneCellVerifier):
    """Stands for a preset, which can score by several attentions."""

    def compare_pairs(self, features_a, features_b, attention=None):
        self.attention = attention
        return super().compare_pairs(features_a, features_b)


@pytest.fixture
def genuine(random):
    face = noise(random, 1)[0]
    return Pair(face, face, True)


def test_a_wrong_map_comes_out_last(genuine, random):
    verifier = Scorer()
    scorer = OneScore(verifier, "cosine", {})
    maps = {
        "right": verifier.right_map,
        "random": random.random((7, 7)),
        "wrong": 1 - verifier.right_map,
    }
    right, chance, wrong = (
        curves(scorer, genuine, {"map_a": values, "map_b": values}, "black")
        for values in maps.values()
    )
    # One cell of 49 holds everything: gone at the first share, or at the last.
    for curve, sign in zip(CURVES, (1, -1), strict=True):
        areas = [sign * area(found[curve]).mean() for found in (right, chance, wrong)]
        assert areas[0] < areas[1] < areas[2]
    np.testing.assert_allclose(right["deletion"], [[1] + [0] * STEPS] * 2, atol=1e-6)
    assert verifier.attention == "cosine"


def test_drops_are_by_the_fill(genuine):
    scorer = OneScore(Scorer(3, 5), "cosine", {})
    black, blur = (drops(scorer, genuine, fill)["drops"] for fill in ("black", "blur"))
    assert black.argmax() == blur.argmax() == 3 * 7 + 5
    assert black.max() == pytest.approx(1)
    # Noise that is smoothed is still as bright as it was.
    assert blur.max() < 0.9
    assert np.count_nonzero(black > 1e-4) == 1


def test_a_face_goes_through_the_backbone_once_for_all_scores(random):
    verifier, known = Scorer(), {}
    faces = noise(random, 3)
    one, other = (OneScore(verifier, attention, known) for attention in ("learned", "patched"))
    features = one.embed(faces)
    np.testing.assert_array_equal(features, verifier.embed(faces))
    verifier.faces = 0
    np.testing.assert_array_equal(other.embed(faces[[1, 0, 1]]), features[[1, 0, 1]])
    assert verifier.faces == 0


def test_an_explanation_is_timed_beside_a_plain_verification(genuine):
    verifier, plain = Scorer(), Scorer()
    found = explain(OcclusionSensitivity(), verifier, plain, genuine)
    assert found["map_a"].argmax() == found["map_b"].argmax()
    assert found["passes"].tolist() == [342, 0]
    assert plain.faces == 2 and found["seconds"][0] > found["seconds"][1] > 0


def test_checks_are_of_the_network_and_of_a_shift(photos_pair):
    verifier = Verifier.from_preset("xcos-mobilefacenet-2")
    network = Verifier.from_preset("xcos-mobilefacenet-2", runtime="tensorflow")
    from xcos_tf.explain.methods.registry import method

    found = check(method("xcos"), verifier, network, photos_pair)
    assert abs(found["random weights"][0]) < 0.6 < 0.9 < found["shift"][0]


@pytest.fixture
def photos_pair(photos):
    from xcos_tf.data.aligner import FaceAligner
    from xcos_tf.data.photo import read_photo

    found = FaceAligner().align([read_photo(photos / f"{x}.jpg") for x in ("obama", "obama2")])
    return Pair(*(face.image for face in found), True)
