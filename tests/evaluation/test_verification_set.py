import hashlib
from dataclasses import replace

import numpy as np
import pytest

from xcos_tf.errors import XcosError
from xcos_tf.evaluation.pairs import PairSet
from xcos_tf.evaluation.verification_set import DecodedPhotos, build_set

CONTENT = [b"ann 1", b"ann 2", b"bob 1", b"bob 2", b"in no pair"]
PAIRS = PairSet(
    ["a1", "a2", "b1", "b2"],
    np.array([0, 0, 2, 1]),
    np.array([1, 2, 3, 3]),
    np.array([True, False, True, False]),
    np.array([0, 0, 1, 1]),
)


def build(pairs=PAIRS, content=CONTENT, **options):
    def digest(position):
        return hashlib.sha256(content[position]).digest()

    options = {"photos": list(content), "aligned": True} | options
    return build_set("x", pairs=pairs, digest=digest, **options)


def many(genuine, impostor, fold=None):
    total = genuine + impostor
    same = np.arange(total) < genuine
    fold = np.arange(total) % 2 if fold is None else fold
    return PairSet(["a", "b"], np.zeros(total, int), np.ones(total, int), same, fold)


def test_what_was_given_is_kept():
    result = build(skipped=[("x", "y")], notes=["z"], videos=None, aligned=False)
    assert (result.name, result.aligned, result.skipped, result.notes) == (
        "x",
        False,
        (("x", "y"),),
        ("z",),
    )
    assert result.pairs is PAIRS and result.photos == CONTENT


def test_the_fingerprint_is_a_hash_of_the_pairs_in_their_order():
    expected = hashlib.sha256(b"as stored")
    for a, b, same, fold in [(0, 1, 1, 0), (0, 2, 0, 0), (2, 3, 1, 1), (1, 3, 0, 1)]:
        expected.update(hashlib.sha256(CONTENT[a]).digest() + hashlib.sha256(CONTENT[b]).digest())
        expected.update(bytes([same, 0, 0, 0, 0, 0, 0, 0, fold]))
    assert build().fingerprint == expected.hexdigest()


def test_names_and_the_order_of_photos_leave_no_trace():
    moved = PairSet(list("wxyz"), 3 - PAIRS.first, 3 - PAIRS.second, PAIRS.same, PAIRS.fold)
    assert build(moved, CONTENT[3::-1]).fingerprint == build().fingerprint


@pytest.mark.parametrize(
    "other",
    [
        {"content": [b"ANN 1", *CONTENT[1:]]},
        {"pairs": replace(PAIRS, same=~PAIRS.same)},
        {"pairs": replace(PAIRS, fold=PAIRS.fold[::-1])},
        {"pairs": replace(PAIRS, first=PAIRS.second, second=PAIRS.first)},
        {"pairs": PairSet(PAIRS.photos, *(x[:2] for x in list(vars(PAIRS).values())[1:]))},
        {"photos": DecodedPhotos(PAIRS.photos, np.zeros((4, 1, 1, 3), np.uint8))},
        {"videos": [np.array([i]) for i in range(4)]},
    ],
)
def test_anything_else_is_another_set(other):
    assert build(**other).fingerprint != build().fingerprint


def test_only_photos_that_pairs_name_are_read_and_each_once():
    read = []

    def digest(position):
        read.append(position)
        return bytes(32)

    build_set("x", CONTENT, PAIRS, digest, aligned=True)
    assert sorted(read) == [0, 1, 2, 3]


def test_videos_are_told_by_the_content_of_their_frames():
    frames = [b"f0", b"f1", b"f2", b"f3", b"f4"]
    videos = [np.array([0, 1]), np.array([2]), np.array([3]), np.array([4])]
    known = build(content=frames, videos=videos).fingerprint
    order = [3, 1, 4, 0, 2]  # of the frames, stored another way
    stored = [frames[i] for i in order]
    same_videos = [np.array([order.index(i) for i in video]) for video in videos]
    assert build(content=stored, videos=same_videos).fingerprint == known
    assert build(content=frames, videos=[np.array([0]), *videos[1:]]).fingerprint != known
    assert build(content=[b"F0", *frames[1:]], videos=videos).fingerprint != known


@pytest.mark.parametrize(
    ("genuine", "impostor", "sentence"),
    [
        (60, 40, None),
        (40, 60, None),
        (61, 39, "61% of the pairs are genuine"),
        (10, 90, "90% of the pairs are impostor"),
    ],
)
def test_an_unbalanced_set_is_readable_and_says_so(genuine, impostor, sentence):
    fold = np.concatenate([np.arange(genuine) % 2, np.arange(impostor) % 2])
    notes = build(many(genuine, impostor, fold)).notes
    if sentence is None:
        assert notes == ()
    else:
        assert len(notes) == 1 and notes[0].startswith(f"{sentence}: accuracy says little here")


def test_folds_that_allow_no_accuracy_are_said():
    (note,) = build(replace(PAIRS, fold=np.zeros(4, int))).notes
    assert "all in one fold" in note
    (note,) = build(replace(PAIRS, fold=np.array([0, 1, 2, 2]))).notes
    assert note.startswith("Folds 0, 1 of 3 (the first is 0) hold pairs of one kind only")
    (note,) = build(many(5, 4, np.array([0, 0, 0, 1, 2, 0, 0, 0, 1]))).notes
    assert note.startswith("Fold 2 of 3 ")


def test_a_set_of_one_kind_is_refused():
    with pytest.raises(XcosError, match="x holds impostor pairs only"):
        build(many(0, 5))
