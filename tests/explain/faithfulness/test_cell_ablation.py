import numpy as np
import pytest
from scipy.stats import spearmanr

from tests.explain.toys import OneCellVerifier, noise
from xcos_tf.explain.faithfulness.cell_ablation import agreement, true_drops
from xcos_tf.explain.faithfulness.maps import rank_correlation


@pytest.mark.parametrize("fill", ["black", "blur"])
def test_only_the_cell_that_counts_drops_the_score(fill, random):
    face_a, face_b = noise(random, 2)
    face_b[32:48, 64:80] = face_a[32:48, 64:80]
    drops = true_drops(OneCellVerifier(2, 4), face_a, face_b, fill)
    assert drops.shape == (7, 7)
    expected = 1.0 if fill == "black" else 0.13
    assert drops[2, 4] == pytest.approx(expected, abs=0.05)
    drops[2, 4] = 0
    np.testing.assert_allclose(drops, 0, atol=1e-6)


def test_it_is_face_a_that_is_covered(random):
    face_a, face_b = noise(random, 2)
    face_a[32:48, 64:80] = 0
    drops = true_drops(OneCellVerifier(2, 4), face_a, face_b, "black")
    np.testing.assert_allclose(drops, 0, atol=1e-6)


def test_agreement_is_spearmans_of_the_pooled_map(random):
    drops, values = random.normal(size=(7, 7)), random.normal(size=(112, 112))
    cells = values.reshape(7, 16, 7, 16).mean(axis=(1, 3))
    expected = spearmanr(cells.ravel(), drops.ravel()).statistic
    assert agreement(values, drops) == pytest.approx(expected, abs=1e-6)


def test_a_wrong_map_agrees_less(random):
    verifier = OneCellVerifier()
    face = noise(random, 1)[0]
    drops = true_drops(verifier, face, face, "black")
    assert agreement(verifier.right_map, drops) > 0.9
    assert agreement(-verifier.right_map, drops) < -0.9


def test_a_map_that_is_the_same_everywhere_ranks_nothing(random):
    values = random.normal(size=(4, 4))
    assert rank_correlation(np.ones((4, 4)), values) == 0
    assert rank_correlation(values, np.ones((4, 4))) == 0
    assert rank_correlation(values, 3 * values + 1) == pytest.approx(1)
