from types import SimpleNamespace

import numpy as np
import pytest

from xcos_tf.errors import XcosError
from xcos_tf.evaluation import protocol
from xcos_tf.evaluation.protocol import scoring_of
from xcos_tf.evaluation.score_cache import ScoreCache

MATCHER = SimpleNamespace(sha256="a" * 64, model='{"backbone": {}}')
SET = SimpleNamespace(fingerprint="b" * 64, aligned=True)
SCORING = scoring_of(MATCHER, SET)
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
    assert change.keys() <= SCORING.keys()
    other = {**SCORING, **change}
    assert cache.load(other) is None
    cache.save(other, {"cosine": np.zeros(1, np.float32)})
    assert list(cache.load(SCORING)) == ["patched", "learned"]


def test_another_version_of_the_code_has_other_scores(tmp_path, monkeypatch):
    cache = ScoreCache(tmp_path)
    cache.save(SCORING, SCORES)
    monkeypatch.setattr(protocol, "VERSION", protocol.VERSION + 1)
    assert cache.load(scoring_of(MATCHER, SET)) is None


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
    other = {**SCORING, "share": 0.5}
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


def test_what_is_kept_is_not_made_again(tmp_path):
    made = []

    def make():
        made.append(1)
        return {"x": np.arange(3)}

    cache = ScoreCache(tmp_path)
    for _ in range(2):
        assert cache.kept({"a": 1}, make)["x"].tolist() == [0, 1, 2]
    cache.kept({"a": 2}, make)
    assert len(made) == 2
