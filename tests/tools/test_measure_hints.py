from types import SimpleNamespace

import numpy as np
import pytest

from tests.tools.blocky_people import write_people
from tools.measure_hints import HALVES, covered_in_turn, main, measure_hints
from tools.results import read_rows
from tools.unlock import NOTHING, HintTrials, hint_table
from xcos_tf.errors import XcosError
from xcos_tf.mobile.frames import Frame


class ToyVerifier:
    """A cell is alike in two faces if its pixels are; the score is their share."""

    runtime = SimpleNamespace(identity="a toy")
    config = {"variant": "toy", "weights": {"sha256": "0" * 64}}  # noqa: RUF012

    def threshold(self, fmr=1e-3):
        return 0.7

    def embed(self, faces):
        cells = np.float32(faces).reshape(len(faces), 7, 16, 7, 16, 3).mean(axis=(2, 4))
        return np.concatenate([cells, np.zeros((len(faces), 7, 7, 29), np.float32)], axis=-1)

    def explain_pairs(self, a, b):
        alike = (np.abs(a - b).max(axis=-1) < 4).astype(np.float32)
        return {"xcos": alike.mean(axis=(1, 2)), "similarity_map": alike}


def frames(face, count=7, unusable=()):
    return [Frame(f"{k}", face, ["is blurred"] if k in unusable else []) for k in range(count)]


@pytest.fixture
def face(random):
    return np.kron(random.integers(0, 256, (7, 7, 3)), np.ones((16, 16, 1))).astype(np.uint8)


def test_half_of_a_face_is_covered_by_its_mean(face):
    found = covered_in_turn(face)
    assert list(found) == [NOTHING, *HALVES] and found[NOTHING] is face
    places = (np.s_[:56], np.s_[56:], np.s_[:, :56], np.s_[:, 56:])
    for half, place in zip(HALVES, places, strict=True):
        changed = (found[half] != face).any(axis=-1)
        assert changed[place].mean() > 0.9 and changed.mean() <= 0.5
        np.testing.assert_allclose(found[half][place].std(axis=(0, 1)), 0)
        np.testing.assert_allclose(found[half][place][0, 0], face.mean(axis=(0, 1)), atol=0.51)


def test_what_is_covered_is_named(face):
    people = {"a": frames(face, unusable=(6,)), "b": frames(face, unusable=range(7))}
    found = {row.covered: row for row in measure_hints("toys", people, ToyVerifier())}
    # One photo is left that can be used; half of the cells are then too few.
    assert list(found) == [NOTHING, *HALVES]
    assert found[NOTHING] == HintTrials("toys", NOTHING, "toy", 1, 1, 0, 0, 0, "0" * 64)
    for half in HALVES:
        assert found[half] == HintTrials("toys", half, "toy", 1, 1, 1, 1, 1, "0" * 64)
    table = hint_table(list(found.values()))
    assert "| lower half | 1 | 1 (100.00 % (2.50–100.00)) | 100.00 % (2.50–100.00) |" in table


def test_nobody_with_enough_photos(face):
    with pytest.raises(XcosError, match="give a set with more of each person"):
        measure_hints("toys", {"a": frames(face, count=5)}, ToyVerifier())


def test_a_table_of_a_folder(tmp_path, lite_models, capsys, random):
    faces = str(write_people(tmp_path / "faces", 7, random))
    out = tmp_path / "out"
    assert main([faces, "--models", str(lite_models), "--out", str(out), "--set", "drawn"]) == 0
    rows = read_rows(out / "unlock-hints.csv", HintTrials, "measure_hints")
    assert [(row.covered, row.owners, row.tries) for row in rows] == [
        (half, 2, 4) for half in (NOTHING, *HALVES)
    ]
    page = (out / "unlock-hints.md").read_text()
    assert page in capsys.readouterr().out + "\n" and "on drawn" in page
    assert "--set drawn`." in page


def test_bad_input_is_one_sentence(tmp_path, capsys):
    assert main([str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert "measure_hints: error: " in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
