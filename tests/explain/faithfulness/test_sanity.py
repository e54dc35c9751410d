import numpy as np
import pytest
from tensorflow import keras

from tests.explain.toys import noise
from xcos_tf.explain.explanation import Explanation
from xcos_tf.explain.faithfulness.sanity import (
    layers_from_the_top,
    under_random_weights,
    under_shift,
)
from xcos_tf.explain.methods.covering import OcclusionSensitivity
from xcos_tf.models.network import FaceEmbedder
from xcos_tf.models.presets import Preset
from xcos_tf.verifier import Verifier


class Given:
    """A method that makes both maps by a function of the verifier and the faces."""

    name, needs = "given", "any"

    def __init__(self, make):
        self._make = make

    def explain(self, verifier, face_a, face_b):
        maps = [np.asarray(x, np.float32) for x in self._make(verifier, face_a, face_b)]
        return Explanation(self.name, *maps, True, False, 0.0, 0.0, 2)


def brightness(_verifier, face_a, face_b):
    return [face.mean(axis=2) / 255 for face in (face_a, face_b)]


@pytest.fixture
def pair(random):
    return tuple(noise(random, 2))


@pytest.fixture
def verifier():
    """A network of four layers with weights, two of them in a backbone."""
    keras.utils.set_random_seed(3)
    image = keras.Input((112, 112, 3))
    x = keras.layers.Conv2D(4, 8, strides=8, name="first")(image)
    x = keras.layers.BatchNormalization(name="second")(keras.layers.ReLU()(x))
    backbone = keras.Model(image, x, name="backbone")
    features = keras.Input((14, 14, 4))
    x = keras.layers.Dense(8, name="third")(keras.layers.Flatten()(features))
    head = keras.Model(features, keras.layers.Dense(8, name="fourth")(x))
    config = {"name": "toy", "thresholds": {}}
    return Verifier(Preset(config, FaceEmbedder(backbone, head)))


def test_layers_are_found_from_the_top_with_those_of_models_inside(verifier):
    found = [layer.name for layer in layers_from_the_top(verifier.network)]
    assert found == ["fourth", "third", "second", "first"]


def test_a_map_that_hangs_on_the_weights_changes_with_them(verifier, pair):
    kept = verifier.network.get_weights()
    stages = under_random_weights(OcclusionSensitivity(), verifier, pair, stages=2)
    assert list(stages) == ["third", "first"]
    assert all(abs(x) < 0.6 for x in stages.values())
    for before, after in zip(kept, verifier.network.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


def test_a_map_that_does_not_look_at_the_verifier_stays_the_same(verifier, pair):
    stages = under_random_weights(Given(brightness), verifier, pair)
    # Five stages cannot be had of four layers.
    assert list(stages) == ["fourth", "third", "second", "first"]
    assert list(stages.values()) == pytest.approx([1, 1, 1, 1])


def test_randomisation_goes_on_from_stage_to_stage(verifier, pair):
    seen = []

    def watch(verifier, face_a, face_b):
        seen.append(verifier.network.get_weights())
        return brightness(verifier, face_a, face_b)

    under_random_weights(Given(watch), verifier, pair, seed=5)
    original, *stages = seen

    def changed(weights):
        return [i for i, x in enumerate(weights) if not np.array_equal(x, original[i])]

    # Kernels alone: biases and the normalisation's are the same throughout, so shuffle to the same.
    names = [getattr(x, "path", x.name) for x in verifier.network.weights]
    kernels = [[names[i] for i in changed(x)] for x in stages]
    assert [len(x) for x in kernels] == [1, 2, 2, 3]
    assert "fourth" in kernels[0][0]
    np.testing.assert_array_equal(stages[0][-2], stages[3][-2])
    np.testing.assert_allclose(np.sort(stages[3][0].ravel()), np.sort(original[0].ravel()))


def test_the_weights_come_back_after_an_error(verifier, pair):
    calls = []

    def fail_later(verifier, face_a, face_b):
        calls.append(1)
        if len(calls) > 2:
            raise RuntimeError("no more")
        return brightness(verifier, face_a, face_b)

    kept = verifier.network.get_weights()
    with pytest.raises(RuntimeError, match="no more"):
        under_random_weights(Given(fail_later), verifier, pair)
    for before, after in zip(kept, verifier.network.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


def test_a_map_that_moves_with_the_face_is_stable(pair):
    assert under_shift(Given(brightness), None, pair) == pytest.approx(1)


def test_a_map_that_does_not_move_with_a_rough_face_is_not(pair, random):
    still = random.normal(size=(112, 112))
    found = under_shift(Given(lambda *_: (still, still)), None, pair)
    assert abs(found) < 0.1
