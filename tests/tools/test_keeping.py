import numpy as np

from tools import keeping
from tools.keeping import Key, code_version, kept, sha256_of
from xcos_tf.evaluation.score_cache import ScoreCache


def test_a_change_of_any_source_is_another_version(tmp_path, monkeypatch):
    monkeypatch.setattr(keeping, "ROOT", tmp_path)
    (tmp_path / "house" / "room").mkdir(parents=True)
    names = ("house/room/a.py", "house/b.py", "other.py")
    for name in names:
        (tmp_path / name).write_text(f"name = {name!r}\n")
    versions = [code_version("house", "other")]
    for name in names:
        (tmp_path / name).write_text("")
        versions.append(code_version("house", "other"))
    assert len(set(versions)) == 4
    (tmp_path / "another.py").write_text("")
    assert code_version("house", "other") == versions[-1]


def test_parts_cannot_be_taken_for_one_another():
    assert sha256_of("ab", b"c") != sha256_of("a", b"bc")
    assert sha256_of(np.arange(3)) == sha256_of(np.arange(3)) != sha256_of(np.arange(4))


def test_what_is_kept_is_not_made_again(tmp_path):
    made = []

    def make():
        made.append(1)
        return {"x": np.arange(3)}

    cache = ScoreCache(tmp_path)
    for _ in range(2):
        assert kept(cache, Key(a=1), make)["x"].tolist() == [0, 1, 2]
    kept(cache, Key(a=2), make)
    assert len(made) == 2
