import numpy as np
import pytest

from xcos_tf.data.people import hold_out, read_people
from xcos_tf.errors import XcosError


@pytest.fixture
def sets(tmp_path):
    for name, people in (("a", 5), ("b", 3)):
        for person in range(people):
            folder = tmp_path / name / f"p{person}"
            folder.mkdir(parents=True)
            for face in range(person + 1):
                (folder / f"{face}.jpg").touch()
            (folder / "notes.txt").touch()
    return [tmp_path / "a", tmp_path / "b"]


def test_labels_follow_folders(sets):
    people = read_people(sets)
    assert people.names[0] == "a/p0" and people.names[-1] == "b/p2"
    np.testing.assert_array_equal(np.bincount(people.labels), [1, 2, 3, 4, 5, 1, 2, 3])
    for path, label in zip(people.paths, people.labels, strict=True):
        assert people.names[label] == f"{path.parent.parent.name}/{path.parent.name}"


def test_held_out_people_are_whole_and_reproducible(sets):
    people = read_people(sets)
    train, held = hold_out(people, {"a": 2, "b": 1}, seed=3)
    assert len(held.names) == 3 and not set(train.names) & set(held.names)
    assert set(train.paths) | set(held.paths) == set(people.paths)
    assert held.names == hold_out(people, {"b": 1, "a": 2}, seed=3)[1].names
    for split in (train, held):
        for path, label in zip(split.paths, split.labels, strict=True):
            assert split.names[label].endswith(path.parent.name)


def test_mistakes_are_named(sets, tmp_path):
    with pytest.raises(XcosError, match="cannot hold 3 people out of the face set 'b'"):
        hold_out(read_people(sets), {"b": 3}, seed=1)
    with pytest.raises(XcosError, match="is not a folder"):
        read_people([tmp_path / "none"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(XcosError, match="holds no image"):
        read_people([tmp_path / "empty"])
