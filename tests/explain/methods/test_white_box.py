import numpy as np
import pytest
import tensorflow as tf

from tests.explain.methods.networks import (
    CHANNELS,
    CORNER,
    Counter,
    backbone,
    corner_backbone,
    head,
    randomise,
    toy_verifier,
)
from tests.verifying import untrained_network
from xcos_tf.errors import XcosError
from xcos_tf.explain.methods import white_box
from xcos_tf.explain.methods.registry import method as method_of
from xcos_tf.models.presets import Preset
from xcos_tf.verifier import Verifier

CAMS = ("gradcam", "gradcam++", "layercam", "scorecam")
PIXELS = ("saliency", "smoothgrad")
SAMPLES = 3


@pytest.fixture(autouse=True)
def _few_samples(monkeypatch):
    """SmoothGrad is as slow as it has samples."""
    monkeypatch.setattr(white_box, "SAMPLES", SAMPLES)


@pytest.fixture(scope="module", params=CAMS + PIXELS)
def method(request):
    """One instance for all tests, as tracing a model anew takes the most time here."""
    return method_of(request.param)


@pytest.fixture
def name(method):
    return method.name


@pytest.fixture(scope="module")
def verifier():
    return toy_verifier(backbone(), head("fc"))


@pytest.fixture
def pair(random):
    """Two faces that are alike, but for noise."""
    face = random.integers(40, 216, (112, 112, 3), np.uint8)
    return face, (face + random.integers(-40, 40, face.shape)).astype(np.uint8)


def maps(explanation):
    return explanation.map_a, explanation.map_b


def test_maps_are_in_0_to_1_and_as_fine_as_the_method(method, name, verifier, pair):
    explanation = method.explain(verifier, *pair)
    assert explanation.method == name
    assert (explanation.signed, explanation.per_pair) == (False, False)
    for values in maps(explanation):
        assert values.shape == ((7, 7) if name in CAMS else (112, 112))
        assert values.dtype == np.float32
        assert values.min() >= 0
        assert values.max() == 1
        assert values.std() > 0.01


def test_the_score_is_the_cosine(method, verifier, pair):
    a, b = verifier.embed(np.stack(pair)).astype(np.float64)
    cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
    explanation = method.explain(verifier, *pair)
    assert explanation.score == pytest.approx(cosine, abs=1e-6)


def test_swapping_the_faces_swaps_the_maps(method, verifier, pair):
    one, other = method.explain(verifier, *pair), method.explain(verifier, *pair[::-1])
    np.testing.assert_allclose(one.map_a, other.map_b, atol=1e-4)
    np.testing.assert_allclose(one.map_b, other.map_a, atol=1e-4)
    assert np.abs(one.map_a - one.map_b).max() > 0.01


def test_the_mass_is_in_the_corner_that_the_network_looks_at(method, name, pair):
    # Of this head, Grad-CAM's maps have something positive for both faces.
    verifier = toy_verifier(corner_backbone(), head("depthwise", seed=5))
    explanation = method.explain(verifier, *pair)
    for values in maps(explanation):
        fine = np.kron(values, np.ones((16, 16))) if name in CAMS else values
        assert fine.sum() > 0
        assert fine[:CORNER, :CORNER].sum() == pytest.approx(fine.sum(), rel=1e-5)


def test_the_cost_counts_what_went_through_the_network(method, name, pair):
    at_end, in_head = Counter(name="at_end"), Counter(name="in_head")
    body = backbone([at_end])
    tail = head("fc")
    counted = tf.keras.Model(tail.input, tail(in_head(tail.input)))
    verifier = toy_verifier(body, counted)
    verifier.embed(np.stack(pair))
    for counter in (at_end, in_head):
        counter.forward = counter.backward = 0
    cost = method.explain(verifier, *pair)
    assert cost.forward == at_end.forward
    assert cost.backward == in_head.backward
    assert cost.seconds > 0
    expected = {"scorecam": 2 + 2 * (CHANNELS + 2), "smoothgrad": 2 + 2 * SAMPLES}
    assert cost.forward == expected.get(name, 4)


def test_a_change_of_weights_changes_the_maps_of_a_method_that_was_used_before(method, name, pair):
    verifier = toy_verifier(backbone(), head("fc"))
    before = method.explain(verifier, *pair).map_a
    randomise(verifier.network, seed=11)
    after = method.explain(verifier, *pair).map_a
    np.testing.assert_allclose(after, method_of(name).explain(verifier, *pair).map_a, atol=1e-6)
    assert np.abs(before - after).max() > 0.05


def test_one_method_explains_several_verifiers(method, verifier, pair):
    one = method.explain(verifier, *pair)
    method.explain(toy_verifier(corner_backbone(), head("depthwise")), *pair)
    np.testing.assert_array_equal(one.map_a, method.explain(verifier, *pair).map_a)


@pytest.fixture(scope="module")
def gridded():
    return Verifier(Preset({"name": "gridded", "thresholds": {}}, untrained_network()))


def test_an_xcos_preset_is_refused(method, name, gridded, pair):
    with pytest.raises(XcosError, match="'gridded' has a grid; use a plain preset") as refusal:
        method.explain(gridded, *pair)
    assert str(refusal.value).startswith(f"'{name}' explains")


def slopes_of(verifier, pair, at):
    """The gradient of A's cosine with B, and what it is of: "image" or "features"; float64."""
    body, tail = verifier.network.backbone, verifier.network.head
    other = verifier.embed(np.stack(pair))[1]
    image = tf.constant((pair[0][np.newaxis].astype(np.float32) - 127.5) / 128)
    with tf.GradientTape() as tape:
        tape.watch(image)
        features = body(image)
        cosine = -tf.keras.losses.cosine_similarity(tail(features)[0], other)
    source = {"image": image, "features": features}[at]
    return [x[0].numpy().astype(np.float64) for x in (tape.gradient(cosine, source), source)]


def test_saliency_is_the_greatest_absolute_slope_of_a_pixels_channels(verifier, pair):
    slopes, _ = slopes_of(verifier, pair, "image")
    expected = np.abs(slopes).max(axis=-1)
    found = method_of("saliency").explain(verifier, *pair).map_a
    np.testing.assert_allclose(found, expected / expected.max(), rtol=1e-3)


def test_gradcam_weighs_channels_by_their_mean_slope(verifier, pair):
    slopes, features = slopes_of(verifier, pair, "features")
    expected = np.maximum(features @ slopes.mean(axis=(0, 1)), 0)
    found = method_of("gradcam").explain(verifier, *pair).map_a
    np.testing.assert_allclose(found, expected / expected.max(), atol=1e-4)


def test_gradcam_plus_plus_weighs_channels_by_its_own_formula(verifier, pair):
    slopes, features = slopes_of(verifier, pair, "features")
    alphas = slopes**2 / (2 * slopes**2 + slopes**3 * features.sum(axis=(0, 1)))
    alphas /= alphas.sum(axis=(0, 1))
    expected = np.maximum(features @ (np.maximum(slopes, 0) * alphas).sum(axis=(0, 1)), 0)
    found = method_of("gradcam++").explain(verifier, *pair).map_a
    np.testing.assert_allclose(found, expected / expected.max(), atol=1e-3)


def test_layercam_is_the_positive_slope_times_the_feature_map(verifier, pair):
    slopes, features = slopes_of(verifier, pair, "features")
    expected = (np.maximum(slopes, 0) * features).sum(axis=-1)
    found = method_of("layercam").explain(verifier, *pair).map_a
    np.testing.assert_allclose(found, expected / expected.max(), atol=1e-4)


def test_scorecam_weighs_a_channel_by_its_increase_of_the_cosine(verifier, pair):
    # Channels alone by the method's own definition, with masks that TensorFlow did not make.
    body = verifier.network.backbone
    image = (pair[0].astype(np.float32) - 127.5) / 128
    features = body(image[np.newaxis]).numpy()[0]
    masked = [np.zeros_like(image)]
    for channel in np.moveaxis(features, -1, 0):
        grown = at_centres(channel)
        mask = (grown - grown.min()) / (np.ptp(grown) + 1e-7)
        masked.append(image * mask[..., np.newaxis])
    x = verifier.network(np.stack(masked)).numpy()
    other = verifier.embed(pair[1][np.newaxis])[0]
    cosines = x @ other / np.linalg.norm(other) / np.linalg.norm(x, axis=-1)
    expected = np.maximum(features @ (cosines[1:] - cosines[0]), 0)
    found = method_of("scorecam").explain(verifier, *pair).map_a
    np.testing.assert_allclose(found, expected / expected.max(), atol=1e-3)


def at_centres(values):
    """Grow a map so that its values stay at the centres of their cells of 16×16 pixels."""
    places = (np.arange(112) + 0.5) / 16 - 0.5
    rows = np.stack([np.interp(places, range(7), column) for column in values.T], axis=1)
    return np.stack([np.interp(places, range(7), row) for row in rows])


def test_smoothgrad_leaves_the_callers_random_numbers_alone(verifier, pair):
    np.random.seed(5)
    expected = np.random.random(3)
    np.random.seed(5)
    one = method_of("smoothgrad").explain(verifier, *pair)
    np.testing.assert_array_equal(np.random.random(3), expected)
    np.testing.assert_array_equal(one.map_a, method_of("smoothgrad").explain(verifier, *pair).map_a)


def test_nothing_is_printed(name, verifier, pair, capfd, recwarn):
    method_of(name).explain(verifier, *pair)
    assert capfd.readouterr().out == ""
    assert not [x for x in recwarn if issubclass(x.category, UserWarning)]
