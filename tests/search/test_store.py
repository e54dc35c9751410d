"""`FaceStore`: the people whom a face may be, and why; on the sample photos."""

import io
import os

import numpy as np
import pytest
from PIL import Image

from tests.search.conftest import entries, new_database
from xcos_tf import FaceStore, NoFaceError, Template, Verifier, XcosError
from xcos_tf.search.entries import entry_of
from xcos_tf.search.store import CANDIDATES, forget
from xcos_tf.search.thresholds import search_threshold


@pytest.fixture(scope="module")
def verifier():
    return Verifier.from_preset()


@pytest.fixture(scope="module")
def faces(verifier, photos):
    names = ("obama.jpg", "obama2.jpg", "biden.jpg")
    return dict(
        zip(names, verifier._enroll([photos / x for x in names], False, names), strict=True)
    )


@pytest.fixture
def store(url, faces):
    with FaceStore.open(url, create=True) as opened:
        assert opened.enroll("Barack Obama", faces["obama.jpg"], "obama.jpg")
        assert opened.enroll("Joe Biden", faces["biden.jpg"], "biden.jpg")
        yield opened


def test_it_finds_who_it_is_and_says_why(store, faces, verifier):
    first, second = store.find(faces["obama2.jpg"], threshold=0.5)
    assert (first.person, first.photo, bool(first)) == ("Barack Obama", "obama.jpg", True)
    assert (second.person, bool(second)) == ("Joe Biden", False)
    expected = verifier.verify(faces["obama2.jpg"], faces["obama.jpg"], threshold=0.5)
    for name in ("score", "similarity_map", "attention_map"):
        found = getattr(first.verification, name)
        np.testing.assert_allclose(found, getattr(expected, name), atol=1e-6)
    assert first.verification.sentence == expected.sentence
    assert first.score == pytest.approx((found * first.verification.similarity_map).sum(), abs=1e-5)
    assert abs(first.verification.template_b.face - 1.0 * faces["obama.jpg"].face).mean() < 3


def test_a_photo_is_searched_as_a_template_is(store, faces, photos):
    [hit] = store.find(photos / "obama2.jpg", top=1)
    assert hit.score == pytest.approx(store.find(faces["obama2.jpg"], top=1)[0].score, abs=1e-5)


def test_the_threshold_is_that_of_searches_unless_another_is_named(store, faces, verifier):
    def used(**options):
        return store.find(faces["biden.jpg"], **options)[0].verification.threshold

    assert used() == verifier.config["search"]["learned"]["100"]
    assert used(fmr=1e-3) == verifier.threshold("learned", 1e-3)
    assert used(threshold=0.123) == 0.123
    assert used(attention="patched") == verifier.config["search"]["patched"]["100"]


@pytest.mark.parametrize("attention", ["patched", "correlated", "learned"])
def test_each_attention_decides(store, faces, verifier, attention):
    hits = store.find(faces["obama2.jpg"], attention=attention)
    expected = verifier.compare(
        faces["obama2.jpg"], [faces["obama.jpg"], faces["biden.jpg"]], attention
    )[0]
    assert [hit.score for hit in hits] == pytest.approx(expected.tolist(), abs=1e-5)


def test_a_person_comes_once_with_their_best_face(store, faces):
    store.enroll("Barack Obama", faces["obama2.jpg"], "obama2.jpg")
    hits = store.find(faces["obama2.jpg"])
    assert [(hit.person, hit.photo) for hit in hits] == [
        ("Barack Obama", "obama2.jpg"),
        ("Joe Biden", "biden.jpg"),
    ]
    assert hits[0].score == pytest.approx(1, abs=1e-5)
    assert len(store.find(faces["obama2.jpg"], top=1)) == 1


def test_the_learned_attention_orders_the_candidates_anew(store, faces, verifier):
    face = entry_of("x", "x", faces["obama.jpg"]).face
    strangers = [x._replace(face=face) for x in entries(CANDIDATES + 50, shape=(7, 7, 32))]
    store.add(strangers)
    found = store.find(faces["biden.jpg"], top=CANDIDATES + 60, threshold=2)
    scores = [hit.score for hit in found]
    assert found[0].person == "Joe Biden" and scores == sorted(scores, reverse=True)
    assert len(found) == len(strangers) + 2


def test_it_counts_and_lists(store):
    assert len(store) == 2 and list(store) == [("Barack Obama", 1), ("Joe Biden", 1)]


def test_a_photo_of_a_known_name_is_passed_over(store, faces):
    assert not store.enroll("Joe Biden", faces["biden.jpg"], "biden.jpg")
    assert len(store) == 2


def test_photos_need_a_name(store, photos):
    with pytest.raises(XcosError, match="has no name; give it one"):
        store.enroll("Joe Biden", (photos / "biden.jpg").read_bytes())
    assert store.enroll("Joe Biden", photos / "biden.jpg")


@pytest.mark.parametrize("name", ["", " ", "a\0b", "x" * 1001])
def test_a_name_that_is_none(store, faces, name):
    with pytest.raises(XcosError, match="is no name of a person"):
        store.enroll(name, faces["biden.jpg"], "b.jpg")
    with pytest.raises(XcosError, match="is no name of a person"):
        store.forget(name)


def test_forgotten(store, faces, url):
    assert store.forget("Joe Biden") == 1
    with pytest.raises(XcosError, match="there is no 'Joe Biden' in "):
        store.forget("Joe Biden")
    assert [hit.person for hit in store.find(faces["biden.jpg"])] == ["Barack Obama"]
    store.close()
    assert forget(url, "Barack Obama") == 1
    with FaceStore.open(url) as again, pytest.raises(XcosError, match="is empty; enroll people"):
        again.find(faces["biden.jpg"])


def test_candidates_that_are_forgotten_meanwhile(store, faces, monkeypatch):
    nearest, gone = store._backend.nearest, ["Barack Obama"]

    def meanwhile(queries, count):
        found = nearest(queries, 1)
        if gone:
            store.forget(gone.pop())
        return found

    monkeypatch.setattr(store._backend, "nearest", meanwhile)
    assert [hit.person for hit in store.find(faces["obama2.jpg"])] == ["Joe Biden"]
    gone.append("Joe Biden")
    with pytest.raises(XcosError, match="is empty; enroll people"):
        store.find(faces["biden.jpg"])
    store.enroll("Joe Biden", faces["biden.jpg"], "biden.jpg")
    monkeypatch.setattr(store._backend, "nearest", lambda queries, count: [[10**6]])
    with pytest.raises(XcosError, match="does not fit its index; enroll the people into a new"):
        store.find(faces["biden.jpg"])


def test_a_photo_without_a_face(store):
    with pytest.raises(NoFaceError):
        store.find(np.zeros((64, 64, 3), np.uint8))


def test_an_open_file_is_read_once(verifier):
    content = io.BytesIO()
    Image.new("RGB", (200, 200)).save(content, "PNG")
    content.seek(0)
    with pytest.raises(NoFaceError):
        verifier.enroll_all(content)


def test_another_preset_is_refused(store, url, faces):
    store.close()
    for preset in ("mobilefacenet", "xcos-mobilefacenet-occlusion"):
        with pytest.raises(XcosError, match=f"other weights .* than those of the preset '{preset}"):
            FaceStore.open(url, preset)
        with pytest.raises(XcosError, match="other weights"):
            FaceStore.open(url, preset, create=True)


def test_a_template_of_another_preset_is_refused(store, faces):
    other = Template(faces["obama.jpg"].feature, faces["obama.jpg"].face, preset="0" * 64)
    with pytest.raises(XcosError, match="made by another preset"):
        store.find(other)
    with pytest.raises(XcosError, match="made by another preset"):
        store.enroll("Somebody", other, "a.jpg")


def test_a_plain_preset_is_searched_by_its_cosine(url, photos):
    with FaceStore.open(url, "mobilefacenet", create=True) as store:
        for person in ("obama", "biden"):
            store.enroll(person, photos / f"{person}.jpg")
        first, second = store.find(photos / "obama2.jpg")
        assert (first.person, first.verification.similarity_map) == ("obama", None)
        assert first and not second
    with FaceStore.open(url) as again:
        assert again.verifier.config["name"] == "mobilefacenet"


@pytest.mark.parametrize("url", ["folder"], indirect=True)
@pytest.mark.parametrize("preset", ["no-such-preset", "."])
def test_a_typing_error_makes_no_store(url, preset):
    with pytest.raises(XcosError, match="there is no preset"):
        FaceStore.open(url, preset, create=True)
    assert not os.path.exists(url)


WRONG = {
    "milvus://a/b": "is no store; give a folder, or postgresql://",
    "postgresql://nobody@localhost:1/x": r"localhost:1/x cannot be used \(.*; check the address",
    "postgresql:///": "cannot be used",
    "postgresql://a:secret@[": "cannot be used",
}


@pytest.mark.parametrize("address, sentence", WRONG.items())
def test_an_address_that_leads_nowhere(address, sentence):
    with pytest.raises(XcosError, match=sentence) as caught:
        FaceStore.open(address)
    assert "secret" not in str(caught.value)


def test_a_wrong_user_is_refused_without_the_password(server):
    url = new_database(server).replace("postgres:@", "nobody:secret@")
    with pytest.raises(XcosError, match="check the address, user and password") as caught:
        FaceStore.open(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "faces, expected", [(1, 0.1), (100, 0.1), (101, 0.2), (1000, 0.2), (1001, None)]
)
def test_the_threshold_of_the_next_larger_gallery_counts(faces, expected):
    config = {"name": "some", "search": {"learned": {"1000": 0.2, "100": 0.1}}}
    if expected is not None:
        assert search_threshold(config, "learned", faces) == expected
        return
    with pytest.raises(XcosError, match="no learned threshold for a search among 1,001 faces"):
        search_threshold(config, "learned", faces)
    with pytest.raises(XcosError, match="no patched threshold"):
        search_threshold(config, "patched", 1)
