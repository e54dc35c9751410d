import numpy as np
import pytest

from tools.explanations.contenders import LiteScore, OneScore


@pytest.mark.parametrize("target", [("mobilefacenet", "cosine"), ("xcos-mobilefacenet", "learned")])
def test_it_scores_as_the_verifier_itself(target, random):
    faces = random.integers(0, 256, (3, 112, 112, 3), np.uint8)
    exact, lite = OneScore(*target), LiteScore(*target)
    scores = []
    for verifier in (exact, lite):
        one, others = verifier.embed(faces[:1]), verifier.embed(faces[1:])
        assert len(one) == 1
        assert len(others) == 2
        scores.append(verifier.compare_pairs(np.repeat(one, 2, axis=0), others))
    np.testing.assert_allclose(scores[1], scores[0], atol=1e-5)
    assert lite.identity == exact.identity
