"""What each place to keep a store in must do: the same tests for a folder and for PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tests.search.conftest import SETTINGS, SHAPE, entries, new_database
from xcos_tf.errors import XcosError
from xcos_tf.search import folder
from xcos_tf.search.entries import Settings, queries, vectors
from xcos_tf.search.store import open_backend


def test_it_keeps_what_it_is_given(opened):
    store, given = opened(), entries(5)
    assert store.add(given) == 5 and len(store) == 5
    numbers = store.nearest(vectors(np.stack([x.feature for x in given])), 1)
    for entry, (number,) in zip(given, numbers, strict=True):
        [found] = store.read([number])
        assert (found.person, found.photo, found.face) == (entry.person, entry.photo, entry.face)
        np.testing.assert_array_equal(found.feature, entry.feature)


def test_it_is_there_when_it_is_opened_again(opened):
    store = opened()
    store.add(entries(3))
    store.close()
    again = opened(write=False)
    assert len(again) == 3 and again.settings == SETTINGS


def test_a_photo_is_kept_once(opened):
    store = opened()
    store.add(entries(3))
    assert store.add([*entries(3), *entries(2, seed=1)]) == 2
    assert len(store) == 5
    assert store.known([("person-0", "0/0.jpg"), ("person-0", "0/1.jpg")]) == {
        ("person-0", "0/0.jpg")
    }
    assert store.known([]) == set() and store.add([]) == 0


def test_people_are_listed_by_name(opened):
    store = opened()
    store.add(entries(5, people=2))
    assert list(store.people()) == [("person-0", 3), ("person-1", 2)]


@pytest.mark.parametrize("negative", [False, True])
def test_the_nearest_are_those_of_brute_force(opened, random, negative):
    store, given = opened(), entries(60)
    store.add(given)
    weights = random.uniform(-0.5 if negative else 0, 1, 49)
    probes = random.normal(size=(4, *SHAPE)).astype(np.float32)
    unit = [x / np.linalg.norm(x, axis=-1, keepdims=True) for x in (probes, _stack(given))]
    scores = np.einsum("qhwc,nhwc,hw->qn", *unit, (weights / weights.sum()).reshape(7, 7))
    found = store.nearest(queries(probes, weights / weights.sum()), 10)
    for row, numbers in zip(scores, found, strict=True):
        names = [entry.photo for entry in store.read(numbers)]
        assert names == [given[i].photo for i in np.argsort(-row)[:10]]


def _stack(given):
    return np.stack([x.feature for x in given])


def test_an_empty_store_has_no_nearest(opened):
    assert opened().nearest(np.ones((1, 196), np.float32), 3) == [[]]


def test_numbers_that_are_gone_are_left_out(opened):
    store = opened()
    store.add(entries(2))
    [numbers] = store.nearest(np.ones((1, 196), np.float32), 5)
    assert [x.person for x in store.read([10**6, numbers[1], numbers[0]])] == [
        store.read([number])[0].person for number in (numbers[1], numbers[0])
    ]


def test_who_is_forgotten_is_found_no_more(opened):
    store, given = opened(), entries(6, people=3)
    store.add(given)
    probe = vectors(given[0].feature[None])
    assert store.read(store.nearest(probe, 1)[0])[0].person == "person-0"
    assert store.forget("person-0") == 2 and store.forget("person-0") == 0
    assert len(store) == 4
    assert "person-0" not in {x.person for x in store.read(store.nearest(probe, 9)[0])}
    assert store.add(given[:1]) == 1
    assert store.read(store.nearest(probe, 1)[0])[0].photo == given[0].photo


def test_a_reader_sees_what_is_written_meanwhile(opened):
    writer = opened()
    writer.add(entries(3))
    reader = opened(write=False)
    probe = vectors(entries(1, seed=1)[0].feature[None])
    assert len(reader.nearest(probe, 9)[0]) == 3
    writer.add(entries(1, seed=1))
    assert reader.read(reader.nearest(probe, 1)[0])[0].photo == "1/0.jpg"
    writer.forget("person-0")
    assert len(reader.nearest(probe, 9)[0]) == 2


def test_readers_find_whole_batches_while_one_writes(opened, monkeypatch):
    monkeypatch.setattr(folder, "EXACT", 60)  # the index changes its kind on the way
    writer, given = opened(), entries(120)
    known = {x.photo: x.content for x in given}
    readers = [opened(write=False) for _ in range(3)]
    probe = vectors(given[0].feature[None])

    def read(store):
        counts = [0]
        while counts[-1] < len(given):
            found = store.read(store.nearest(probe, 200)[0])
            counts.append(len(found))
            assert all(x.content == known[x.photo] for x in found)
            assert not found or found[0].photo == given[0].photo
        assert all(count % 10 == 0 for count in counts) and counts == sorted(counts)

    with ThreadPoolExecutor() as pool:
        reading = [pool.submit(read, store) for store in readers]
        for i in range(0, len(given), 10):
            writer.add(given[i : i + 10])
        for each in reading:
            each.result(30)


def test_many_write_to_a_database_at_once(server):
    url = new_database(server)

    def write(seed):
        store = open_backend(url, lambda: SETTINGS, write=True)
        try:  # each has half of its photos from another
            return sum(store.add(entries(10, seed=x)) for x in (seed, (seed + 1) % 4))
        finally:
            store.close()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(write, range(4))) == 40
    store = open_backend(url)
    assert (
        len(store)
        == len(store.known([(x.person, x.photo) for i in range(4) for x in entries(10, seed=i)]))
        == 40
    )
    store.close()


def test_what_cannot_be_kept_whole_is_not_kept(opened):
    store = opened()
    broken = entries(2, seed=2)[1]._replace(face=object())
    with pytest.raises(Exception):  # noqa: B017  (each driver's own)
        store.add([*entries(2), broken])
    assert len(store) == 0
    assert store.add(entries(2)) == 2


def test_names_of_any_letters(opened):
    store = opened()
    odd = ["O'Neil; DROP TABLE faces", "../../etc/passwd", "Ñandú 山田", 'a"b%s', "x" * 1000]
    store.add([entry._replace(person=name) for entry, name in zip(entries(5), odd, strict=True)])
    assert {name for name, _ in store.people()} == set(odd)
    assert [store.forget(name) for name in odd] == [1] * 5


def test_without_settings_there_must_be_a_store(url):
    with pytest.raises(XcosError, match=r"there is no store .*; make one with `xcos enroll`"):
        open_backend(url)


def test_settings_are_those_it_was_made_with(opened, url):
    opened().close()
    other = open_backend(url, lambda: Settings("another", "4567", (3,)), write=True)
    other.close()
    assert other.settings == SETTINGS


def test_of_a_newer_format_is_refused(url):
    newer = Settings("some-preset", "0123", SHAPE, format=2)
    with pytest.raises(XcosError, match=r"is of format 2 .* upgrade xcos_tf"):
        open_backend(url, lambda: newer, write=True)
    with pytest.raises(XcosError, match="is of format 2"):
        open_backend(url)
