import numpy as np
import pytest

from tests.explain.toys import OneCellVerifier, OppositeVerifier, noise
from tools.explanations.drawn_pairs import Pair
from tools.explanations.judging import drops, judge


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
    # One cell of 49 holds everything: gone at the first share of 10 %, or at the last. Of blurred
    # faces that are the same the score is 1 throughout, so only black tells anything.
    deletion, insertion = (f"similarity {x} black area" for x in ("deletion", "insertion"))
    assert right[deletion][0] == pytest.approx(0.05)
    assert right[deletion] < chance[deletion] <= wrong[deletion]
    assert right[insertion][0] == pytest.approx(0.95)
    assert right[insertion] > chance[insertion] >= wrong[insertion]
    for filling in ("black", "blur"):
        cells = f"cells {filling}"
        assert right[cells][0] > abs(chance[cells][0])
        assert wrong[cells] == pytest.approx(-right[cells])
    np.testing.assert_array_equal(right["similarity deletion black"], [1] + [0] * 10)


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
    assert right["dissimilarity deletion black area"][0] == pytest.approx(0.05)
    assert wrong["dissimilarity deletion black area"][0] >= 0.9
    assert right["dissimilarity insertion black area"][0] == pytest.approx(0.95)
    assert wrong["dissimilarity insertion black area"][0] <= 0.1
    # The same map says where they are alike by what is highest in it.
    assert right["similarity deletion black area"] > right["dissimilarity deletion black area"]


def test_drops_are_of_each_filling(genuine):
    verifier = WithThreshold(3, 5)
    found = drops(verifier, genuine)
    assert list(found) == ["black", "blur"]
    for values in found.values():
        assert values.argmax() == 3 * 7 + 5 and np.count_nonzero(values > 1e-4) == 1
    assert found["black"].max() == pytest.approx(1)
    assert found["blur"].max() < 0.9
