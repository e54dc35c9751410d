import numpy as np
import pytest

from tests.explain.toys import OneCellVerifier, OppositeVerifier, noise
from tools.explanations.drawn_pairs import Pair
from tools.explanations.judging import drops, judge
from tools.explanations.rows import FILLINGS
from xcos_tf.explain.faithfulness.deletion import area


class WithThreshold(OneCellVerifier):
    def threshold(self):
        return 0.9


class Opposite(OppositeVerifier):
    """Noise scores about 0.25, and a face and itself 0."""

    def threshold(self):
        return 0.5


def arrays(values, signed):
    return {"map_a": values, "map_b": values, "signed": np.array([signed])}


@pytest.fixture
def genuine(random):
    face = noise(random, 1)[0]
    return Pair(face, face, True)


def test_a_wrong_map_comes_out_last_everywhere(genuine, random):
    verifier = WithThreshold()
    of_cells = drops(verifier, genuine)
    maps = {
        "right": verifier.right_map,
        "random": random.random((7, 7)),
        "wrong": 1 - verifier.right_map,
    }
    right, chance, wrong = (
        judge(verifier, genuine, arrays(values, False), of_cells) for values in maps.values()
    )
    # One cell of 49 holds everything: gone at the first share of 10 %, or at the last.
    for curve, sign in (("deletion", 1), ("insertion", -1)):
        scores, verdicts = zip(
            *(found[f"genuine {curve} black"] for found in (right, chance, wrong)), strict=True
        )
        areas = [sign * area(x) for x in scores]
        assert areas[0] < areas[1] < areas[2]
        # Verdicts hang on 0.9 alone, so chance and wrong may be level.
        right_of, chance_of, wrong_of = (sign * area(x) for x in verdicts)
        assert right_of < chance_of <= wrong_of
    np.testing.assert_allclose(right["genuine deletion black"], [[1] + [0] * 10] * 2, atol=1e-6)
    for filling in FILLINGS:
        cells = f"cells {filling}"
        assert right[cells][0] > abs(chance[cells][0])
        assert wrong[cells] == pytest.approx(-right[cells])


def test_dissimilarity_is_of_signed_maps_of_impostors(genuine, random):
    verifier = Opposite()
    impostor = Pair(*noise(random, 2), False)
    for pair, signed in ((genuine, True), (impostor, False)):
        found = judge(verifier, pair, arrays(verifier.right_map, signed), drops(verifier, pair))
        assert not any("dissimilarity" in name for name in found)
    of_cells = drops(verifier, impostor)
    right, wrong = (
        judge(verifier, impostor, arrays(sign * verifier.right_map, True), of_cells)
        for sign in (-1, 1)
    )
    # Once the cell is black the score is 1, and the pair accepted, which is wrong.
    scores, verdicts = right["dissimilarity deletion black"]
    np.testing.assert_allclose(scores, [scores[0]] + [1] * 10, atol=1e-6)
    assert verdicts.tolist() == [1] + [0] * 10 and 0.2 < scores[0] < 0.3
    assert area(wrong["dissimilarity deletion black"])[1] >= 0.9
    assert area(right["dissimilarity insertion black"])[1] == pytest.approx(0.95)
    assert area(wrong["dissimilarity insertion black"])[1] <= 0.1
    # The same map says where they are alike by what is highest in it.
    assert area(right["impostor deletion black"])[0] < area(scores)


def test_drops_are_of_each_filling(genuine):
    verifier = WithThreshold(3, 5)
    found = drops(verifier, genuine)
    assert tuple(found) == FILLINGS == ("imputed", "black")
    for values in found.values():
        assert values.argmax() == 3 * 7 + 5
    assert found["black"].max() == pytest.approx(1)
    # Noise that is smoothed is still as bright as it was.
    assert found["imputed"].max() < 0.9
    assert np.count_nonzero(found["black"] > 1e-4) == 1
