from dataclasses import replace

import numpy as np
import pytest

from xcos_tf.errors import XcosError
from xcos_tf.evaluation import score_cache
from xcos_tf.evaluation.score_cache import ScoreCache, Scoring

SCORING = Scoring("a" * 64, '{"backbone": {}}', "b" * 64, True)
SCORES = {"patched": np.array([0.5, -0.25], np.float32), "learned": np.ones(2, np.float32)}


def test_scores_come_back_in_order(tmp_path):
    ScoreCache(tmp_path / "new" / "scores").save(SCORING, SCORES)
    found = ScoreCache(tmp_path / "new" / "scores").load(SCORING)
    assert list(found) == ["patched", "learned"]
    for name, values in SCORES.items():
        np.testing.assert_array_equal(found[name], values)
        assert found[name].dtype == np.float32


@pytest.mark.parametrize(
    "change",
    [
        {"weights": "c" * 64},
        {"model": "{}"},
        {"photos": "c" * 64},
        {"aligned": False},
        {"share": 0.1},
        {"cover": "1"},
    ],
)
def test_other_circumstances_have_other_scores(change, tmp_path):
    cache = ScoreCache(tmp_path)
    cache.save(SCORING, SCORES)
    other = replace(SCORING, **change)
    assert cache.load(other) is None
    cache.save(other, {"cosine": np.zeros(1, np.float32)})
    assert list(cache.load(SCORING)) == ["patched", "learned"]


def test_another_version_of_the_code_has_other_scores(tmp_path, monkeypatch):
    cache = ScoreCache(tmp_path)
    cache.save(SCORING, SCORES)
    monkeypatch.setattr(score_cache, "VERSION", score_cache.VERSION + 1)
    assert cache.load(SCORING) is None


def test_a_damaged_file_counts_as_none(tmp_path):
    cache = ScoreCache(tmp_path)
    cache.save(SCORING, SCORES)
    [path] = tmp_path.iterdir()
    whole = path.read_bytes()
    for damaged in (b"", whole[:-1], b"\xff" * len(whole)):
        path.write_bytes(damaged)
        assert cache.load(SCORING) is None
    cache.save(SCORING, SCORES)
    assert list(cache.load(SCORING)) == list(SCORES)


def test_a_file_under_a_false_name_is_not_believed(tmp_path):
    cache = ScoreCache(tmp_path)
    cache.save(SCORING, SCORES)
    [path] = tmp_path.iterdir()
    other = replace(SCORING, share=0.5)
    cache.save(other, {"cosine": np.zeros(1, np.float32)})
    [false] = set(tmp_path.iterdir()) - {path}
    false.write_bytes(path.read_bytes())
    assert cache.load(other) is None


def test_a_folder_that_cannot_be_used_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(XcosError, match=r"scores cannot be kept in .*file"):
        ScoreCache(tmp_path / "file")
    cache = ScoreCache(tmp_path / "scores")
    (tmp_path / "scores").rmdir()
    with pytest.raises(XcosError, match=r"scores cannot be kept in .*scores"):
        cache.save(SCORING, SCORES)
