import numpy as np

from xcos_tf.evaluation import score_cache as keeping
from xcos_tf.evaluation.score_cache import code_version, sha256_of


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


def test_what_a_module_imports_of_its_room_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(keeping, "ROOT", tmp_path)
    room = tmp_path / "house" / "room"
    (room / "deep").mkdir(parents=True)
    (tmp_path / "house" / "hall.py").write_text("")
    imports = {
        "a.py": "from house.room.b import thing\n",
        "b.py": "def late():\n    from house.room import deep\n    import house.room.deep.c\n",
        "deep/c.py": "from house import hall\n",
        "other.py": "from house.room import a\n",
    }
    for name, text in imports.items():
        (room / name).write_text(text)
    version = code_version("house.room.a")
    for name in ("other.py", "../hall.py"):
        (room / name).write_text("x = 1\n")
        assert code_version("house.room.a") == version
    for name in ("deep/c.py", "b.py"):
        before = code_version("house.room.a")
        (room / name).write_text(imports[name] + "x = 1\n")
        assert code_version("house.room.a") != before


def test_parts_cannot_be_taken_for_one_another():
    assert sha256_of("ab", b"c") != sha256_of("a", b"bc")
    assert sha256_of(np.arange(3)) == sha256_of(np.arange(3)) != sha256_of(np.arange(4))
