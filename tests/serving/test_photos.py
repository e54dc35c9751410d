from types import SimpleNamespace

import numpy as np
import pytest

from xcos_tf.errors import XcosError
from xcos_tf.explain.words import describe_maps
from xcos_tf.serving.client import ServedPairs
from xcos_tf.serving.photos import verify_photos

# Two photos of one person, whose xCos is 0.79, by a preset of a threshold below and above.
LOW, HIGH = (
    {
        "name": "mine",
        "model": {"xcos": {}},
        "thresholds": {"learned": {"0.01": 0.9, "0.001": threshold}},
    }
    for threshold in (0.4, 0.9)
)


@pytest.fixture
def pair(photos):
    return photos / "obama.jpg", photos / "obama2.jpg"


def test_it_is_what_the_verifier_says(client, verifier, pair):
    here, there = verifier.verify(*pair), verify_photos(client, *pair, verifier.config)
    assert (there.same, there.threshold, there.attention) == (True, here.threshold, "learned")
    assert abs(there.score - here.score) < 1e-5
    # What decided is told from grid features, which stay on the server.
    assert there.sentence == describe_maps(there.similarity_map, there.attention_map)
    np.testing.assert_allclose(there.similarity_map, here.similarity_map, rtol=0, atol=1e-5)
    for ours, theirs in (
        (there.template_a, here.template_a),
        (there.template_b, here.template_b),
    ):
        np.testing.assert_array_equal(ours.face, theirs.face)
        assert ours.feature is None


def test_the_preset_is_not_the_one_that_is_served(client, pair):
    with pytest.raises(XcosError, match="has another threshold than the preset 'mine'"):
        verify_photos(client, *pair, HIGH)
    assert verify_photos(client, *pair, HIGH, threshold=0.5).same
    assert not verify_photos(client, *pair, LOW, fmr=1e-2).same


def test_a_preset_of_one_attention(pair, portraits):
    """The score is called by the name of the attention that the preset has, here P."""
    scores, maps = np.float32([0.5]), np.full((1, 7, 7), 1 / 49, np.float32)
    answer = ServedPairs(scores, maps, maps, np.array([True]))
    client = SimpleNamespace(verify=lambda a, b: answer)
    model = {"xcos": {"attentions": ["correlated"]}}
    config = {"name": "mine", "model": model, "thresholds": {"correlated": {"0.001": 0.4}}}
    faces = portraits["obama"], portraits["obama2"]
    there = verify_photos(client, *faces, config, aligned=True)
    assert (there.attention, there.threshold, there.same) == ("correlated", 0.4, True)
    with pytest.raises(XcosError, match="'mine' has no thresholds for 'learned'; give one yourse"):
        verify_photos(client, *faces, {**config, "model": {"xcos": {}}}, aligned=True)
    assert verify_photos(client, *faces, config, threshold=0.6, aligned=True).same is False
    with pytest.raises(XcosError, match="'mine' has no maps, and no server computes with it"):
        verify_photos(client, *faces, {**config, "model": {}}, aligned=True)
