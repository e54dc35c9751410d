from dataclasses import replace

import numpy as np
import pytest

from tests.evaluation.counted import counted_set
from tests.evaluation.drawn import ByColour
from xcos_tf.data.occlusion import face_seed, occlude_face
from xcos_tf.errors import XcosError
from xcos_tf.evaluation import aligned_faces
from xcos_tf.evaluation.aligned_faces import align_in_memory
from xcos_tf.evaluation.occluded import draw_cover, score_occluded, under_occlusion
from xcos_tf.evaluation.protocol import score_set
from xcos_tf.evaluation.score_cache import ScoreCache
from xcos_tf.metrics.rates import kfold_accuracy
from xcos_tf.verifier import Verifier

PLAIN, XCOS = "mobilefacenet", "xcos-mobilefacenet-2"
SHARES = (0.0, 0.2, 0.5)


@pytest.fixture
def embedded(monkeypatch):
    """The faces of all calls of any backbone."""
    faces, embed = [], Verifier.embed

    def keep(self, batch):
        faces.extend(batch.copy())
        return embed(self, batch)

    monkeypatch.setattr(Verifier, "embed", keep)
    return faces


def test_one_face_of_each_pair_is_covered(embedded):
    vset = counted_set()
    found = score_occluded([PLAIN, XCOS], vset, SHARES, seed=3)
    cover = draw_cover(vset.pairs, 3)
    assert len(embedded) == 2 * (6 + 2 * len(cover.photos))
    assert list(found) == list(SHARES)
    for plain, scored in zip(score_set([PLAIN, XCOS], vset), found[0.0], strict=True):
        np.testing.assert_array_equal(scored.values, plain.values)

    verifier = Verifier.from_preset(PLAIN)
    for share in SHARES[1:]:
        faces = [
            *vset.photos.images,
            *(
                occlude_face(vset.photos.images[i], share, face_seed(3, vset.pairs.photos[i]))
                for i in cover.photos
            ),
        ]
        features = verifier.embed(np.stack(faces))
        features /= np.linalg.norm(features, axis=1, keepdims=True)
        expected = (features[cover.first] * features[cover.second]).sum(1)
        [scored, *of_xcos] = found[share]
        assert (scored.preset, scored.score) == (PLAIN, "cosine")
        np.testing.assert_allclose(scored.values, expected, atol=1e-5)
        assert [x.score for x in of_xcos] == ["patched", "correlated", "learned", "flattened"]
        for clean, covered in zip(found[0.0], found[share], strict=True):
            assert not np.isclose(clean.values, covered.values, atol=1e-4).any()


def test_what_is_kept_is_not_computed_again(embedded, tmp_path):
    vset, cache = counted_set(), ScoreCache(tmp_path)
    # Plain scores serve both measurements, whatever the seed.
    score_set([PLAIN], vset, cache)
    score_occluded([PLAIN], vset, [0.0], 5, cache)
    assert len(embedded) == 6
    first = score_occluded([PLAIN], vset, [0.0, 0.2], 3, cache)
    done = len(embedded)
    again = score_occluded([PLAIN], vset, [0.0, 0.2], 3, cache)
    assert len(embedded) == done
    np.testing.assert_array_equal(first[0.2][0].values, again[0.2][0].values)
    other_seed = score_occluded([PLAIN], vset, [0.2], 4, cache)
    assert len(embedded) > done
    assert not np.array_equal(first[0.2][0].values, other_seed[0.2][0].values)
    # The same photos by other names are covered otherwise.
    names = [f"other-{name}" for name in vset.pairs.photos]
    renamed = replace(vset, pairs=replace(vset.pairs, photos=names))
    by_name = score_occluded([PLAIN], renamed, [0.2], 3, cache)
    assert not np.array_equal(first[0.2][0].values, by_name[0.2][0].values)


def test_work_that_stopped_goes_on(embedded, tmp_path, monkeypatch):
    vset, cache = counted_set(), ScoreCache(tmp_path)
    save, saved = ScoreCache.save, []

    def stop_after_two(self, scoring, scores):
        save(self, scoring, scores)
        saved.append(scoring["share"])
        if len(saved) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(ScoreCache, "save", stop_after_two)
    with pytest.raises(KeyboardInterrupt):
        score_occluded([PLAIN], vset, SHARES, 3, cache)
    done = len(embedded)
    found = score_occluded([PLAIN], vset, SHARES, 3, cache)
    assert len(embedded) - done == 6 + len(draw_cover(vset.pairs, 3).photos)
    assert saved == [0.0, 0.2, 0.5]
    for share, results in score_occluded([PLAIN], vset, SHARES, 3).items():
        np.testing.assert_array_equal(results[0].values, found[share][0].values)


def test_accuracy_at_each_share():
    vset = counted_set()
    found = score_occluded([PLAIN], vset, SHARES)
    rows = under_occlusion(found, vset.pairs)
    assert [(row.preset, row.score, row.share) for row in rows] == [
        (PLAIN, "cosine", share) for share in SHARES
    ]
    for row in rows:
        kfold = kfold_accuracy(found[row.share][0].values, vset.pairs.same, vset.pairs.fold)
        assert (row.accuracy, row.accuracy_std) == (kfold.mean, kfold.std)


def test_raw_photos_are_aligned_first(monkeypatch, tmp_path):
    monkeypatch.setattr(aligned_faces, "FaceAligner", ByColour)
    raw, cache = replace(counted_set(side=100), aligned=False), ScoreCache(tmp_path)
    found = score_occluded([PLAIN], raw, SHARES, 3, cache)
    assert sorted(raw.photos.reads) == list(range(6))
    aligned = score_occluded([PLAIN], align_in_memory(raw), SHARES, 3)
    for share in SHARES:
        np.testing.assert_array_equal(found[share][0].values, aligned[share][0].values)
    raw.photos.reads.clear()
    score_occluded([PLAIN], raw, SHARES, 3, cache)
    assert not raw.photos.reads


def test_videos_are_refused():
    with pytest.raises(XcosError, match="drawn holds videos"):
        score_occluded([PLAIN], replace(counted_set(), videos=[np.array([0])]))
