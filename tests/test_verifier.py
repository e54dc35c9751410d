"""Photos in, explained verdicts out, with an untrained xCos network on a trained backbone."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from tests.verifying import ATTENTIONS, THRESHOLDS, untrained_preset
from xcos_tf.data.alignment import warp_face
from xcos_tf.data.photo import read_photo
from xcos_tf.errors import XcosError
from xcos_tf.models.presets import Preset
from xcos_tf.templates import Gallery, fixed_weight_scores
from xcos_tf.verifier import PAIR_BLOCK, Verifier

NAMES = ("obama", "obama2", "biden")
UNIFORM = np.full((7, 7), 1 / 49)


@pytest.fixture(scope="session")
def verifier(tmp_path_factory):
    return Verifier.from_preset(untrained_preset(tmp_path_factory.getbasetemp()))


@pytest.fixture(scope="session")
def plain():
    return Verifier.from_preset("mobilefacenet")


@pytest.fixture(scope="session")
def templates(verifier, photos):
    return {name: verifier.enroll(photos / f"{name}.jpg") for name in NAMES}


@pytest.fixture(scope="session")
def plain_templates(plain, templates):
    return {name: plain.enroll(templates[name].face, aligned=True) for name in NAMES}


@pytest.fixture
def grids(random):
    """Features of 5 pairs, one of whose cells is zero."""
    a, b = random.normal(size=(2, 5, 7, 7, 32)).astype(np.float32)
    a[1, 2, 3] = 0
    return a, b


def cosines(a, b):
    """S by the formula, in float64; 0 where a cell is zero."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    norms = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    return np.divide((a * b).sum(axis=-1), norms, out=np.zeros_like(norms), where=norms > 0)


@pytest.mark.parametrize("kind", ["str", "bytes", "pil", "array"])
def test_enroll_takes_every_kind_of_photo(verifier, templates, photos, kind):
    path = photos / "obama.jpg"
    sources = {
        "str": str(path),
        "bytes": path.read_bytes(),
        "pil": Image.open(path),
        "array": np.asarray(Image.open(path)),
    }
    template = verifier.enroll(sources[kind])
    np.testing.assert_array_equal(template.face, templates["obama"].face)
    np.testing.assert_array_equal(template.feature, templates["obama"].feature)
    assert template.faces_found == 1


def test_template_is_one_grid_feature_and_the_face(verifier, templates):
    template = templates["biden"]
    assert template.feature.shape == (7, 7, 32)
    assert template.feature.dtype == np.float32
    assert template.face.shape == (112, 112, 3)
    assert template.face.dtype == np.uint8
    again = verifier.enroll(template.face, aligned=True)
    np.testing.assert_array_equal(again.feature, template.feature)
    np.testing.assert_array_equal(again.face, template.face)


def test_template_says_where_the_face_is(verifier, templates, photos):
    template = templates["biden"]
    (x, y, width, height), points = template.box_and_landmarks.values()
    for low, length, values in zip((x, y), (width, height), np.transpose(points), strict=True):
        assert low < values.min() and values.max() < low + length
    warped = warp_face(read_photo(photos / "biden.jpg"), np.float32(points))
    assert np.abs(warped - 1.0 * template.face).mean() < 1  # they are rounded
    assert verifier.enroll_all(photos / "biden.jpg")[0].box_and_landmarks["box"] == [
        x,
        y,
        width,
        height,
    ]
    again = verifier.enroll(template.face, aligned=True)
    assert again.box_and_landmarks == {"box": None, "landmarks": None}


def test_enroll_counts_faces_and_keeps_to_the_rule(verifier, templates, photos, tmp_path):
    left, right = (
        Image.open(photos / f"{name}.jpg").resize((300, 600)) for name in ("obama", "biden")
    )
    both = Image.new("RGB", (600, 600))
    both.paste(left, (0, 0))
    both.paste(right, (300, 0))
    rightmost = Verifier.from_preset("mobilefacenet", face="rightmost")
    template = rightmost.enroll(both)
    assert template.faces_found == 2
    alone = rightmost.enroll(right)
    assert alone.faces_found == 1
    assert rightmost.verify(template, alone, threshold=0.7).same
    assert not rightmost.verify(template, rightmost.enroll(left), threshold=0.7).same


def test_enroll_refuses_what_shows_no_face(verifier, tmp_path):
    path = tmp_path / "grey.png"
    Image.new("RGB", (200, 200), "grey").save(path)
    with pytest.raises(XcosError, match=r"no face was found in .*grey\.png; give a photo"):
        verifier.enroll(path)
    with pytest.raises(XcosError, match="no face was found in the photo"):
        verifier.enroll(path.read_bytes())


def test_aligned_must_be_of_the_right_size(verifier, photos):
    with pytest.raises(XcosError, match=r"obama\.jpg is 910×1137 pixels and .* is 112×112"):
        verifier.enroll(photos / "obama.jpg", aligned=True)
    with pytest.raises(XcosError, match="the first photo is 111×112 pixels"):
        verifier.verify(np.zeros((112, 111, 3), np.uint8), "b.jpg", aligned=True)


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_photos_and_templates_give_one_score(verifier, templates, photos, attention):
    a, b = photos / "obama.jpg", photos / "biden.jpg"
    result = verifier.verify(a, b, attention)
    several = verifier.compare(templates["obama"], templates["biden"], attention)
    assert several.shape == (1, 1)
    assert abs(result.score - several[0, 0]) < 1e-5
    from_templates = verifier.verify(templates["obama"], templates["biden"], attention)
    assert abs(result.score - from_templates.score) < 1e-6
    assert result.attention == attention
    assert result.threshold == THRESHOLDS["0.001"]
    assert result.same == (result.score >= result.threshold)
    np.testing.assert_array_equal(result.template_b.face, templates["biden"].face)


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_score_is_the_sum_of_the_maps(verifier, templates, attention):
    result = verifier.verify(templates["obama"], templates["obama2"], attention)
    assert result.similarity_map.shape == result.attention_map.shape == (7, 7)
    assert result.similarity_map.dtype == result.attention_map.dtype == np.float32
    assert abs(result.score - (result.similarity_map * result.attention_map).sum()) < 1e-6
    assert abs(result.attention_map.sum() - 1) < 1e-6
    assert np.abs(result.similarity_map).max() <= 1 + 1e-6
    a, b = templates["obama"].feature, templates["obama2"].feature
    np.testing.assert_allclose(result.similarity_map, cosines(a, b), atol=1e-5)
    assert result.sentence.startswith("most alike")


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_pairs_agree_with_numpy(verifier, grids, attention):
    explained = verifier.explain_pairs(*grids, attention)
    similarity, weights = explained["similarity_map"], explained["attention_map"]
    np.testing.assert_allclose(similarity, cosines(*grids), atol=1e-5)
    np.testing.assert_allclose(weights.sum(axis=(1, 2)), 1, atol=1e-5)
    if attention == "patched":
        np.testing.assert_allclose(weights, np.broadcast_to(UNIFORM, weights.shape), atol=1e-7)
    if attention == "correlated":
        np.testing.assert_allclose(weights, weights[:1].repeat(5, axis=0), atol=1e-7)
        assert np.ptp(weights[0]) > 1e-3
    oracle = (cosines(*grids) * weights.astype(np.float64)).sum(axis=(1, 2))
    np.testing.assert_allclose(explained["xcos"], oracle, atol=1e-5)
    np.testing.assert_allclose(verifier.compare_pairs(*grids, attention), oracle, atol=1e-5)


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_compare_scores_every_pair(verifier, templates, grids, attention):
    a = Gallery(grids[0])
    b = [templates[name] for name in NAMES]
    scores = verifier.compare(a, b, attention)
    assert scores.shape == (5, 3)
    assert scores.dtype == np.float32
    features = np.stack([template.feature for template in b])
    for i in range(5):
        row = verifier.compare_pairs(grids[0][[i] * 3], features, attention)
        np.testing.assert_allclose(scores[i], row, atol=1e-5)
    np.testing.assert_array_equal(verifier.compare(a, Gallery.of(b), attention), scores)
    np.testing.assert_allclose(verifier.compare(b, a, attention), scores.T, atol=1e-5)


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_more_pairs_than_a_block_holds(verifier, random, attention):
    few = random.normal(size=(3, 7, 7, 32)).astype(np.float32)
    order = np.arange(PAIR_BLOCK + 2) % 3
    many = few[order]
    expected = verifier.compare(Gallery(few[:1]), Gallery(few), attention)[0, order]
    scores = verifier.compare(Gallery(few[:1]), Gallery(many), attention)
    np.testing.assert_allclose(scores[0], expected, atol=1e-5)
    pairs = verifier.compare_pairs(np.broadcast_to(few[0], many.shape), many, attention)
    np.testing.assert_allclose(pairs, expected, atol=1e-5)


def test_templates_spare_the_backbone(verifier, templates, monkeypatch):
    def refuse(*args):
        raise AssertionError("the backbone ran again")

    monkeypatch.setattr(verifier, "embed", refuse)
    monkeypatch.setattr(verifier.network.features, "call", refuse)
    a, b = templates["obama"], templates["biden"]
    assert verifier.verify(a, b).template_a is a
    for attention in ATTENTIONS:
        assert verifier.compare([a, b], [a, b, a], attention).shape == (2, 3)
    with pytest.raises(AssertionError, match="ran again"):
        verifier.verify(a, b.face, aligned=True)


def test_threshold_follows_the_false_match_rate(verifier, templates):
    assert verifier.attentions == ATTENTIONS
    a, b = templates["obama"], templates["biden"]
    for rate, value in THRESHOLDS.items():
        for attention in (*ATTENTIONS, None):
            assert verifier.threshold(attention, float(rate)) == value
        assert verifier.verify(a, b, fmr=float(rate)).threshold == value
    assert verifier.verify(a, b, threshold=0.123).threshold == 0.123
    score = verifier.verify(a, b).score
    assert verifier.verify(a, b, threshold=score).same
    assert not verifier.verify(a, b, threshold=np.nextafter(score, 2)).same


def test_unknown_false_match_rate(verifier, plain):
    with pytest.raises(XcosError, match=r"no threshold for FMR 0\.05; use one of 0\.01, 0\.001"):
        verifier.threshold("learned", 0.05)
    with pytest.raises(XcosError, match="no threshold for FMR 0;"):
        verifier.verify("a.jpg", "b.jpg", fmr=0.0)
    with pytest.raises(XcosError, match=r"'mobilefacenet' has no threshold for FMR 1e-07"):
        plain.threshold(fmr=1e-7)


def test_a_preset_that_lacks_thresholds(verifier, templates):
    config = {**verifier.config, "thresholds": {"learned": THRESHOLDS, "patched": {}}}
    lacking = Verifier(Preset(config, verifier.network))
    pair = templates["obama"], templates["biden"]
    for attention in ("correlated", "patched"):
        sentence = f"no thresholds for '{attention}'; give one yourself, or .*: learned$"
        with pytest.raises(XcosError, match=sentence):
            lacking.verify(*pair, attention=attention)
        assert lacking.verify(*pair, attention=attention, threshold=0.5).threshold == 0.5
    assert lacking.verify(*pair).attention == "learned"
    with pytest.raises(XcosError, match=r"no thresholds for 'learned'; give one yourself$"):
        Verifier(Preset({**config, "thresholds": {}}, verifier.network)).threshold()


def test_unknown_attention(verifier, plain, templates):
    a, b = templates["obama"], templates["biden"]
    features = a.feature[np.newaxis], b.feature[np.newaxis]
    for ask in (verifier.verify, verifier.compare):
        with pytest.raises(XcosError, match=r"no attention 'lazy'; use one of patched, correlated"):
            ask(a, b, "lazy")
    for ask in (verifier.compare_pairs, verifier.explain_pairs):
        with pytest.raises(XcosError, match="no attention 'cosine'"):
            ask(*features, "cosine")
    with pytest.raises(
        XcosError, match="has one score, a plain cosine, and no attention to choose"
    ):
        plain.threshold("learned")


def test_plain_preset_tells_people_apart(plain, plain_templates):
    a, b, c = (plain_templates[name] for name in NAMES)
    assert a.feature.shape == (192,)
    same = plain.verify(a, b, threshold=0.5)
    different = plain.verify(a, c, threshold=0.5)
    assert same.same and not different.same
    assert same.score > different.score + 0.3
    assert same.attention == "cosine"
    assert same.similarity_map is same.attention_map is None
    assert same.sentence == "this preset gives a score without an explanation"
    np.testing.assert_allclose(same.score, cosines(a.feature, b.feature), atol=1e-5)


def test_plain_preset_scores_many(plain, plain_templates):
    several = list(plain_templates.values())
    scores = plain.compare(several, Gallery.of(several))
    features = np.stack([template.feature for template in several])
    np.testing.assert_allclose(scores, cosines(features[:, None], features[None]), atol=1e-5)
    pairs = plain.compare_pairs(features, features[::-1])
    np.testing.assert_allclose(pairs, cosines(features, features[::-1]), atol=1e-5)
    with pytest.raises(XcosError, match="'mobilefacenet' has no maps to explain"):
        plain.explain_pairs(features, features)


def assert_empty(array, *shape):
    assert array.shape == shape
    assert array.dtype == np.float32


NOTHING = ([], (), np.empty(0), np.empty((0, 112, 112, 3), np.uint8))


@pytest.mark.parametrize("faces", NOTHING, ids=["list", "tuple", "array", "faces"])
def test_no_faces_have_no_features(verifier, plain, faces):
    assert_empty(verifier.embed(faces), 0, 7, 7, 32)
    assert_empty(plain.embed(faces), 0, 192)


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_no_templates_have_no_scores(verifier, templates, attention):
    probe = templates["obama"]
    for none in ([], (), np.empty(0), Gallery([]), Gallery(verifier.embed([]))):
        assert_empty(verifier.compare(probe, none, attention), 1, 0)
        assert_empty(verifier.compare(none, [probe, probe], attention), 0, 2)
        assert_empty(verifier.compare(none, none, attention), 0, 0)
    none = verifier.embed([])
    for grids in (none, []):
        assert_empty(verifier.compare_pairs(grids, grids, attention), 0)
        explained = verifier.explain_pairs(grids, grids, attention)
        assert_empty(explained["xcos"], 0)
        assert_empty(explained["similarity_map"], 0, 7, 7)
        assert_empty(explained["attention_map"], 0, 7, 7)


def test_no_templates_of_a_plain_preset(plain, plain_templates):
    assert_empty(plain.compare(plain_templates["obama"], []), 1, 0)
    assert_empty(plain.compare_pairs([], []), 0)
    assert_empty(fixed_weight_scores(Gallery([]), Gallery(np.ones((2, 192))), np.ones(1)), 0, 2)
    assert Gallery(np.empty((0, 7, 7, 32))).normalised.shape == (0, 49, 32)


def test_templates_of_two_presets_are_not_compared(verifier, templates, tmp_path):
    # The same network but for one number: only the digest tells them apart.
    other = Verifier.from_preset(untrained_preset(tmp_path))
    config = {**other.config, "weights": {**other.config["weights"], "sha256": "0" * 64}}
    other = Verifier(Preset(config, other.network))
    face = templates["biden"].face
    own, foreign = templates["biden"], other.enroll(face, aligned=True)
    np.testing.assert_array_equal(own.feature, foreign.feature)
    refused = pytest.raises(XcosError, match=r"were made by .*preset.*; enroll the photos with")
    for ask in (verifier.verify, verifier.compare):
        for pair in ((own, foreign), (foreign, own), (foreign, foreign)):
            with refused:
                ask(*pair)
    with refused:
        verifier.compare([own, foreign], own)
    with refused:
        verifier.compare(own, Gallery.of([foreign]))
    with refused:
        Gallery.of([own, foreign])
    assert verifier.compare(own, replace(foreign, preset=None))[0, 0] > 0.999


def test_features_of_another_shape_are_refused(verifier, plain, templates, plain_templates):
    grid, embedding = templates["obama"], plain_templates["obama"]
    for one, pair in ((verifier, (grid, embedding)), (plain, (embedding, grid))):
        with pytest.raises(XcosError, match="by another preset than"):
            one.compare(*pair)
        with pytest.raises(XcosError, match="by another preset than"):
            one.verify(*pair, threshold=0.5)
        with pytest.raises(XcosError, match="by another preset than"):
            one.compare(*(Gallery([x.feature]) for x in pair))
        with pytest.raises(ValueError, match=r"Expected two arrays of features of shape \(P, "):
            one.compare_pairs(*(x.feature[np.newaxis] for x in pair))
    with pytest.raises(ValueError, match=r"Received: \(1, 7, 7, 32\), \(0,"):
        verifier.explain_pairs(grid.feature[np.newaxis], [])
    with pytest.raises(ValueError, match=r"Expected `faces` as uint8 \(N, 112, 112, 3\)"):
        verifier.embed(np.zeros((1, 112, 112, 3)))
    with pytest.raises(ValueError, match="Expected `faces`"):
        verifier.embed(grid.face)


def test_a_template_without_a_feature_is_refused(verifier, templates):
    with pytest.raises(XcosError, match="a template has no feature"):
        verifier.verify(templates["obama"], replace(templates["obama"], feature=None))


def test_a_verdict_is_true_if_they_are_the_same(verifier, templates):
    pair = templates["obama"], templates["biden"]
    assert verifier.verify(*pair, threshold=-1.0)
    assert not verifier.verify(*pair, threshold=1.1)
