from dataclasses import replace

import numpy as np
import pytest

from tests.evaluation.counted import counted_set
from tests.evaluation.drawn import ByColour
from tests.verifying import ATTENTIONS, MODEL
from xcos_tf.errors import XcosError
from xcos_tf.evaluation import aligned_faces, protocol
from xcos_tf.evaluation.aligned_faces import align_in_memory
from xcos_tf.evaluation.matcher import Matcher
from xcos_tf.evaluation.protocol import score_set
from xcos_tf.evaluation.score_cache import ScoreCache
from xcos_tf.models.builder import build_network
from xcos_tf.models.presets import find_preset, read_config, save_preset
from xcos_tf.runtime.litert import LiteRuntime
from xcos_tf.verifier import Verifier

PLAIN, XCOS = "mobilefacenet", "xcos-mobilefacenet-2"


@pytest.fixture
def embedded(monkeypatch):
    """The number of faces of each call of any backbone."""
    counts, embed = [], Verifier.embed

    def count(self, faces):
        counts.append(len(faces))
        return embed(self, faces)

    monkeypatch.setattr(Verifier, "embed", count)
    return counts


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def oracle(preset, features_a, features_b):
    """Return {score: (P,)} of pairs of features, by NumPy; but L, by the model for explanations."""
    if features_a.ndim == 2:
        return {"cosine": (unit(features_a) * unit(features_b)).sum(-1)}
    verifier = Verifier.from_preset(preset)
    cells = (unit(features_a) * unit(features_b)).sum(-1)
    p = verifier.network.comparisons["correlated"].get_layer("correlated_attention").correlation
    flat_a, flat_b = (unit(x.reshape(len(x), -1)) for x in (features_a, features_b))
    return {
        "patched": cells.mean((1, 2)),
        "correlated": (cells * (np.array(p) / np.array(p).sum())).sum((1, 2)),
        "learned": verifier.explain_pairs(features_a, features_b, "learned")["xcos"],
        "flattened": (flat_a * flat_b).sum(-1),
    }


def test_every_score_of_every_pair_in_one_pass(embedded):
    vset = counted_set()
    results = score_set([XCOS, PLAIN, XCOS], vset)
    assert [(x.preset, x.score) for x in results] == [
        *((XCOS, score) for score in (*ATTENTIONS, "flattened")),
        (PLAIN, "cosine"),
    ]
    # Each photo is read once for both presets, and goes through each backbone once.
    assert sorted(vset.photos.reads) == list(range(6))
    assert sum(embedded) == 2 * 6

    images = np.stack(vset.photos.images)
    for name in (XCOS, PLAIN):
        features = Verifier.from_preset(name).embed(images)
        expected = oracle(name, features[vset.pairs.first], features[vset.pairs.second])
        found = {x.score: x for x in results if x.preset == name}
        assert list(found) == list(expected)
        for score, values in expected.items():
            assert found[score].values.dtype == np.float32
            np.testing.assert_allclose(found[score].values, values, atol=1e-5)
            assert found[score].sha256 == Matcher(name).sha256
            assert found[score].values.std() > 0.01
    thresholds = read_config(find_preset(XCOS))["thresholds"]
    assert [x.thresholds for x in results[:4]] == [*(thresholds[x] for x in ATTENTIONS), {}]


def test_blocks_of_pairs_and_faces_make_no_difference(monkeypatch):
    whole = score_set([XCOS], counted_set())
    monkeypatch.setattr(protocol, "PAIR_BLOCK", 5)
    monkeypatch.setattr(aligned_faces, "FACES_AT_ONCE", 4)
    for one, other in zip(whole, score_set([XCOS], counted_set()), strict=True):
        np.testing.assert_allclose(one.values, other.values, atol=1e-5)


def test_videos_score_the_mean_over_all_pairs_of_frames():
    photos = counted_set()
    videos = [np.array([0, 1, 2]), np.array([3]), np.array([4, 5])]
    pairs = replace(
        photos.pairs,
        photos=["a/0", "b/0", "c/0"],
        first=np.array([0, 1]),
        second=np.array([1, 2]),
        same=np.array([True, False]),
        fold=np.array([0, 1]),
    )
    results = score_set([XCOS, PLAIN], replace(photos, pairs=pairs, videos=videos))
    images = np.stack(photos.photos.images)
    for name in (XCOS, PLAIN):
        features = Verifier.from_preset(name).embed(images)
        frames = [np.array([[0, 3], [1, 3], [2, 3]]), np.array([[3, 4], [3, 5]])]
        expected = [oracle(name, features[x[:, 0]], features[x[:, 1]]) for x in frames]
        for scored in (x for x in results if x.preset == name):
            means = [of_pair[scored.score].mean() for of_pair in expected]
            np.testing.assert_allclose(scored.values, means, atol=1e-5)


def test_raw_photos_are_aligned_once(monkeypatch):
    monkeypatch.setattr(aligned_faces, "FaceAligner", ByColour)
    vset = replace(counted_set(side=100), aligned=False)
    raw = score_set([XCOS], vset)
    assert sorted(vset.photos.reads) == list(range(6))
    in_memory = align_in_memory(vset)
    assert in_memory.aligned and align_in_memory(in_memory) is in_memory
    for position in range(6):
        first_pixel = vset.photos.images[position][0, 0]
        face = in_memory.photos.read(position)
        np.testing.assert_array_equal(face, np.broadcast_to(first_pixel, (112, 112, 3)))
    for one, other in zip(raw, score_set([XCOS], in_memory), strict=True):
        np.testing.assert_array_equal(one.values, other.values)


def test_a_photo_without_a_face_is_named(monkeypatch):
    monkeypatch.setattr(aligned_faces, "FaceAligner", ByColour)
    vset = replace(counted_set(), aligned=False)
    vset.photos.images[4] = np.zeros((50, 50, 3), np.uint8)
    with pytest.raises(XcosError, match=r"no face was found in person-4/4\.png"):
        score_set([XCOS], vset)


def test_a_face_of_another_size_is_named():
    vset = counted_set()
    vset.photos.images[5] = vset.photos.images[5][:100]
    with pytest.raises(XcosError, match=r"person-5/5\.png is not a 112×112 face"):
        score_set([XCOS], vset)


def test_a_feature_that_is_no_number_names_the_preset(monkeypatch, tmp_path):
    embed = LiteRuntime.embed

    def spoilt(self, faces):
        features = embed(self, faces)
        features[3, 0] = np.nan
        return features

    monkeypatch.setattr(LiteRuntime, "embed", spoilt)
    cache = ScoreCache(tmp_path)
    sentence = "the preset 'mobilefacenet' makes features that are not finite"
    with pytest.raises(XcosError, match=sentence):
        score_set([PLAIN], counted_set(), cache)
    assert not list(tmp_path.iterdir())


def test_a_score_that_is_no_number_names_preset_and_pair(monkeypatch, tmp_path):
    compare_pairs = Verifier.compare_pairs

    def spoilt(self, first, second, attention):
        scores = compare_pairs(self, first, second, attention)
        if attention == "learned":
            scores[[2, 5]] = np.nan
        return scores

    monkeypatch.setattr(Verifier, "compare_pairs", spoilt)
    cache = ScoreCache(tmp_path)
    sentence = (
        "the preset 'xcos-mobilefacenet-2' gives nan as its learned score of person-2/2.png and "
        "person-3/3.png, and of 1 more pair; "
    )
    with pytest.raises(XcosError, match=sentence):
        score_set([XCOS], counted_set(), cache)
    assert not list(tmp_path.iterdir())


def test_a_preset_for_faces_of_another_size_is_refused(tmp_path):
    model = {**MODEL, "backbone": {**MODEL["backbone"], "input_size": 128}}
    config = {"name": "large", "model": model, "thresholds": {}}
    save_preset(tmp_path / "large", config, build_network(model))
    vset = counted_set()
    with pytest.raises(XcosError, match="takes faces of 128×128 pixels, and aligned faces are 112"):
        score_set([PLAIN, tmp_path / "large"], vset)
    assert not vset.photos.reads


def test_kept_scores_are_not_computed_again(tmp_path, embedded):
    vset = counted_set()
    cache = ScoreCache(tmp_path / "scores")
    score_set([PLAIN], vset, cache)
    both = score_set([PLAIN, XCOS], vset, cache)
    assert sum(embedded) == 6 + 6
    again = score_set([XCOS, PLAIN], vset, cache)
    assert sum(embedded) == 6 + 6
    by_name = {(x.preset, x.score): x for x in both}
    for scored in again:
        known = by_name[scored.preset, scored.score]
        np.testing.assert_array_equal(scored.values, known.values)
        assert (scored.sha256, scored.thresholds) == (known.sha256, known.thresholds)
    assert [x.score for x in again] == [*ATTENTIONS, "flattened", "cosine"]
    # Other photos, or the same ones to be aligned first, have other scores.
    score_set([PLAIN], replace(vset, fingerprint="0" * 64), cache)
    assert sum(embedded) == 3 * 6


def test_thresholds_are_those_of_the_preset_today(tmp_path, embedded):
    cache = ScoreCache(tmp_path / "scores")
    plain = Verifier.from_preset(PLAIN)
    config = read_config(set_preset(tmp_path / "plain", plain, {"cosine": {"0.01": 0.25}}))
    vset = counted_set()
    score_set([PLAIN], vset, cache)
    [scored] = score_set([tmp_path / "plain"], vset, cache)
    assert sum(embedded) == 6  # the same weights
    assert scored.thresholds == config["thresholds"]["cosine"] == {"0.01": 0.25}


def set_preset(folder, verifier, thresholds):
    network = verifier.network
    save_preset(folder, {**verifier.config, "thresholds": thresholds}, network)
    return folder
