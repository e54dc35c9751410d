import numpy as np
import pytest

from xcos_tf.errors import XcosError
from xcos_tf.serving.photos import verify_photos

# Two photos of one person, whose xCos is 0.79, by a preset of a threshold below and above.
LOW, HIGH = (
    {"name": "mine", "thresholds": {"learned": {"0.01": 0.9, "0.001": threshold}}}
    for threshold in (0.4, 0.9)
)


@pytest.fixture
def pair(photos):
    return photos / "obama.jpg", photos / "obama2.jpg"


def test_it_is_what_the_verifier_says(client, verifier, pair):
    here, there = verifier.verify(*pair), verify_photos(client, *pair, verifier.config)
    assert (there.same, there.threshold, there.attention) == (True, here.threshold, "learned")
    assert abs(there.score - here.score) < 1e-5
    assert there.sentence == here.sentence
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
