"""`xcos enroll`, `find`, `forget` and `store` on the sample photos."""

import json
import re
import stat

import pytest
from PIL import Image

from xcos_tf.cli.main import main


@pytest.fixture(scope="module")
def people(photos, tmp_path_factory):
    folder = tmp_path_factory.mktemp("people")
    (folder / "Barack Obama").mkdir()
    for source, target in (("obama", "Barack Obama/a"), ("biden", "Joe Biden")):
        (folder / f"{target}.jpg").write_bytes((photos / f"{source}.jpg").read_bytes())
    return folder


@pytest.fixture(scope="module")
def store(people, tmp_path_factory):
    store = str(tmp_path_factory.mktemp("stores") / "store")
    assert main(["enroll", str(people), "--store", store]) == 0
    return store


def ran(capsys, *words, code=0):
    assert main([str(word) for word in words]) == code
    return capsys.readouterr()


def test_enrolled_once_and_found(people, photos, tmp_path, capsys):
    store = tmp_path / "store"
    shown = ran(capsys, "enroll", people, "--store", store)
    assert shown.out == (
        "2 faces of 2 people enrolled, 0 already there, 0 failed; the store has 2 faces\n"
    )
    assert "2 already there" in ran(capsys, "enroll", people, "--store", store).out
    shown = ran(capsys, "find", photos / "obama2.jpg", "--store", store).out.splitlines()
    assert shown[0] == "1 found (threshold for a search among 2 faces: 0.557)"
    assert shown[1] == "1. Barack Obama: 0.775 ≥ 0.557 (Barack Obama/a.jpg)"
    assert shown[3].startswith("2. Joe Biden: 0.032 < 0.557")


def test_nobody_is_exit_code_1(store, photos, capsys):
    shown = ran(
        capsys, "find", photos / "biden.jpg", "--store", store, "--threshold", "1.5", code=1
    )
    assert shown.out.startswith("nobody found (your threshold: 1.500)")


def test_pictures_and_json(store, photos, tmp_path, capsys):
    words = ["find", photos / "obama2.jpg", "--store", store, "--fmr", "1e-3", "--top", "1"]
    found = json.loads(ran(capsys, *words, "--json", "--explain", tmp_path / "why").out)
    [face] = found["faces"]
    [hit] = face["hits"]
    assert len(face["box"]) == 4 and len(face["landmarks"]) == 5
    assert face["found"] and hit["person"] == "Barack Obama" and hit["same"]
    assert face["threshold"] == pytest.approx(0.510659)
    total = sum(
        s * w
        for rows in zip(hit["similarity_map"], hit["attention_map"], strict=True)
        for s, w in zip(*rows, strict=True)
    )
    assert total == pytest.approx(hit["score"], abs=1e-5)
    with Image.open(hit["picture"]) as picture:
        assert picture.width > 500
    assert found["store"] == {"faces": 2}


def test_each_face_of_a_photo_is_searched(store, photos, tmp_path, capsys):
    left, right = (Image.open(photos / f"{x}.jpg").convert("RGB") for x in ("obama2", "biden"))
    both = Image.new("RGB", (left.width + right.width, max(left.height, right.height)))
    both.paste(left, (0, 0))
    both.paste(right, (left.width, 0))
    both.save(tmp_path / "both.png")
    words = ["find", tmp_path / "both.png", "--store", store, "--top", "1"]
    shown = ran(capsys, *words, "--all-faces").out
    assert "face 1 of 2: 1 found" in shown and "1. Barack Obama" in shown
    assert "face 2 of 2: 1 found" in shown and "1. Joe Biden" in shown
    assert "shows 2 faces; the largest-central one was searched" in ran(capsys, *words).err


def test_failures_are_listed_and_the_others_enrolled(people, photos, tmp_path, capsys):
    folder, store = tmp_path / "photos", tmp_path / "store"
    folder.mkdir()
    (folder / "biden.jpg").write_bytes((photos / "biden.jpg").read_bytes())
    (folder / "empty.jpg").write_bytes(b"")
    Image.new("RGB", (300, 300)).save(folder / "black.png")
    shown = ran(capsys, "enroll", folder, "--store", store)
    assert "1 face of 1 person enrolled, 0 already there, 2 failed" in shown.out
    assert "warning: black.png: no face was found" in shown.err
    assert "warning: empty.jpg: " in shown.err


def test_workers_enroll_the_same(people, photos, store, tmp_path, capsys):
    other = tmp_path / "store"
    shown = ran(capsys, "enroll", people, "--store", other, "--workers", "2")
    assert "2 faces of 2 people enrolled" in shown.out
    words = ["find", photos / "obama2.jpg", "--json", "--store"]
    assert ran(capsys, *words, other).out == ran(capsys, *words, store).out


def test_forgotten_and_counted(people, photos, tmp_path, capsys):
    store = tmp_path / "store"
    ran(capsys, "enroll", people, "--store", store)
    assert ran(capsys, "forget", "Joe Biden", "--store", store).out == (
        "1 face of Joe Biden removed\n"
    )
    facts = json.loads(ran(capsys, "store", "info", "--store", store, "--json").out)
    assert facts["people"] == {"Barack Obama": 1} and facts["faces"] == 1
    assert "1 face of 1 person, by the preset xcos-mobilefacenet-2" in (
        ran(capsys, "store", "info", "--store", store).out
    )
    ran(capsys, "forget", "Barack Obama", "--store", store)
    shown = ran(capsys, "find", photos / "biden.jpg", "--store", store, code=2)
    assert "is empty; enroll people with `xcos enroll`" in shown.err
    assert stat.S_IMODE(store.stat().st_mode) == 0o700


REFUSED = {
    "find PHOTO --store NOWHERE": "there is no store .*; make one with `xcos enroll`",
    "find PHOTO --store STORE --preset mobilefacenet": "holds faces by other weights",
    "find PHOTO --store STORE --top 0": "--top 0 is not from 1 to 500",
    "find PHOTO --store STORE --all-faces --aligned": "leave out --all-faces",
    "find PHOTO --store STORE --fmr 0.5": "no threshold for FMR 0.5",
    "find PHOTO --store STORE --threshold nan": "is not a number",
    "find PHOTO --store redis://x": "is no store; give a folder, or postgresql",
    "forget ../x --store STORE": r"there is no '\.\./x' in ",
    "forget x --store NOWHERE": "there is no store",
    "store info --store NOWHERE": "there is no store",
    "enroll NOWHERE --store OTHER": "there is no folder",
    "enroll EMPTY --store OTHER": "holds no photos",
    "enroll PEOPLE --store OTHER --workers 0": "is not from 1 to 256",
    "enroll PEOPLE --store OTHER --preset nonsense": "there is no preset 'nonsense'",
    "enroll PEOPLE --store OTHER --face nonsense": "nonsense",
    "enroll PEOPLE --store PEOPLE/store": "lie one within the other",
}


@pytest.mark.parametrize("line", REFUSED)
def test_refused_in_a_sentence(line, people, store, photos, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    places = {"PHOTO": photos / "biden.jpg", "STORE": store, "PEOPLE": people}
    places |= {"NOWHERE": tmp_path / "nowhere", "OTHER": tmp_path / "other"}
    places |= {"EMPTY": tmp_path / "empty", "PEOPLE/store": people / "store"}
    try:
        code = main([str(places.get(word, word)) for word in line.split()])
    except SystemExit as error:
        code = error.code
    assert code == 2
    message = capsys.readouterr().err.splitlines()[-1]
    assert re.search(REFUSED[line], message), message
    assert not (tmp_path / "other").exists() and not (people / "store").exists()
