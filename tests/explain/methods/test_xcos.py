import numpy as np
import pytest

from tests.explain.methods.networks import backbone, head, toy_verifier
from tests.verifying import untrained_network
from xcos_tf.errors import XcosError
from xcos_tf.explain.methods.xcos import NAMES, CellContributions
from xcos_tf.models.presets import Preset
from xcos_tf.verifier import Verifier


@pytest.fixture(scope="module")
def verifier():
    return Verifier(Preset({"name": "untrained", "thresholds": {}}, untrained_network()))


@pytest.fixture(params=NAMES)
def attention(request):
    return request.param


def test_the_map_is_what_each_cell_adds_to_the_verifiers_score(verifier, attention, pair):
    explanation = CellContributions(attention).explain(verifier, *pair)
    a, b = (verifier.enroll(face, aligned=True) for face in pair)
    verification = verifier.verify(a, b, attention, threshold=0)
    assert explanation.method == NAMES[attention]
    assert explanation.score == pytest.approx(verification.score, abs=1e-6)
    np.testing.assert_allclose(explanation.similarity_map, verification.similarity_map, atol=1e-5)
    np.testing.assert_allclose(explanation.attention_map, verification.attention_map, atol=1e-6)
    parts = verification.similarity_map * verification.attention_map
    np.testing.assert_allclose(explanation.map_a, parts / np.abs(parts).max(), atol=1e-4)
    # Scaled, not moved: the score is still the sum but for a factor.
    assert explanation.map_a.sum() * np.abs(parts).max() == pytest.approx(
        explanation.score, abs=1e-5
    )


def test_one_map_is_of_both_faces(verifier, attention, pair):
    explanation = CellContributions(attention).explain(verifier, *pair)
    assert (explanation.signed, explanation.per_pair) == (True, True)
    np.testing.assert_array_equal(explanation.map_a, explanation.map_b)
    assert explanation.map_a.shape == (7, 7)
    assert explanation.map_a.dtype == np.float32
    assert np.abs(explanation.map_a).max() == 1
    assert (explanation.forward, explanation.backward) == (2, 0)
    assert explanation.seconds > 0


def test_the_order_of_the_faces_does_not_matter(verifier, attention, pair):
    method = CellContributions(attention)
    one, other = method.explain(verifier, *pair), method.explain(verifier, *pair[::-1])
    np.testing.assert_allclose(one.map_a, other.map_b, atol=1e-5)


def test_the_attentions_differ(verifier, pair):
    maps = [
        CellContributions(attention).explain(verifier, *pair).attention_map for attention in NAMES
    ]
    for i in range(len(maps)):
        assert np.abs(maps[i] - maps[i - 1]).max() > 1e-4


def test_a_plain_preset_is_refused(attention, pair):
    verifier = toy_verifier(backbone(), head("fc"))
    with pytest.raises(XcosError, match="'toy' has none; use an xCos preset"):
        CellContributions(attention).explain(verifier, *pair)
