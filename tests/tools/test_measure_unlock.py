import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from tests.tools.blocky_people import write_people
from tools import unlock
from tools.measure_unlock import main
from tools.results import read_rows
from tools.unlock import RULES, TWO_BEST, Person, Trials, count_tries, rows_of, split_owner
from xcos_tf.mobile.frames import Frame

SIZE = (7, 7, 32)


class ToyVerifier:
    """Two faces are alike as far as the values that fill them are near."""

    runtime = SimpleNamespace(identity="a toy")
    config = {"variant": "toy", "weights": {"sha256": "0" * 64}}  # noqa: RUF012

    def threshold(self, fmr=1e-3):
        return 0.9

    def embed(self, faces):
        return np.broadcast_to(faces[:, :1, :1, :1] / 255, (len(faces), *SIZE)).astype(np.float32)

    def compare(self, a, b):
        return 1 - np.abs(a.features[:, np.newaxis] - b.features).mean((2, 3, 4))

    def explain_pairs(self, a, b):
        score = 1 - np.abs(a - b).mean((1, 2, 3))
        maps = np.broadcast_to(score[:, None, None], (len(score), 7, 7))
        return {"xcos": score, "similarity_map": maps}


def measure(set_name, people, verifier, rules):
    return rows_of(set_name, verifier, rules, count_tries(people, verifier, rules))


def person(name, values, unusable=()):
    faces = [np.full((112, 112, 3), value, np.uint8) for value in values]
    frames = [
        Frame(f"{name}{k}", face, ["is blurred"] if k in unusable else [])
        for k, face in enumerate(faces)
    ]
    return Person(frames, ToyVerifier().embed(np.stack(faces)))


def test_the_first_five_that_can_be_used_enroll():
    enrolled, left = split_owner(person("a", [0] * 9, unusable=(1, 6)).frames)
    assert enrolled.tolist() == [0, 2, 3, 4, 5] and left.tolist() == [6, 7, 8]
    enrolled, left = split_owner(person("b", [0] * 4).frames)
    assert enrolled.tolist() == [0, 1, 2, 3] and left.tolist() == []


def test_tries_are_counted():
    # Of the owner's six left, one is another face and one cannot be used; of the stranger's four,
    # one is the owner's double.
    owner = person("a", [0] * 5 + [0, 0, 200, 0, 0, 0], unusable=(9,))
    stranger = person("b", [200, 0, 200, 200])
    rows = measure("toys", [owner, stranger], ToyVerifier(), (TWO_BEST,))
    assert [(row.enrolled, row.frames) for row in rows] == [
        (n, frames) for n in (1, 3, 5) for frames in (1, 3)
    ]
    for row in rows:
        assert (row.owners, row.refused, row.rule) == (1, 0, TWO_BEST)
        counts = (row.genuine, row.rejected, row.unusable, row.impostor, row.accepted)
        # Of three frames two must match, of two that are left both.
        assert counts == ((6, 2, 1, 4, 1) if row.frames == 1 else (2, 0, 0, 1, 0))
        assert row.frr == pytest.approx(row.rejected / row.genuine)
        assert row.far == pytest.approx(row.accepted / row.impostor)
        assert row.far_low <= row.far <= row.far_high


def test_photos_that_do_not_match_are_refused():
    mixed, good = person("a", [0, 200, 0, 0, 0, 0]), person("b", [100] * 6)
    rows = measure("toys", [mixed, good], ToyVerifier(), (TWO_BEST,))
    found = {row.enrolled: (row.owners, row.refused) for row in rows}
    assert found == {1: (2, 0), 3: (1, 1), 5: (1, 1)}


def test_rules():
    scores = np.array([[0.1, 0.9], [0.5, 0.2], [0.3, 0.7]])
    found = {name: rule(scores).tolist() for name, rule in RULES.items()}
    assert found[TWO_BEST] == pytest.approx([0.4, 0.8])
    assert found["best template"] == pytest.approx([0.5, 0.9])
    assert found["mean of all templates"] == pytest.approx([0.3, 0.6])


def test_a_table_of_a_folder(tmp_path, lite_models, capsys, random, monkeypatch):
    faces = str(write_people(tmp_path / "faces", 8, random))
    out = tmp_path / "out"
    options = ["--models", str(lite_models), "--variants", "float32", "--out", str(out)]
    options += ["--cache", str(tmp_path / "kept")]
    assert main([faces, *options]) == 0
    rows = read_rows(out / "unlock.csv", Trials, "measure_unlock")
    # Three photos each are left after the five that enroll; the other person has eight.
    assert [(row.genuine, row.impostor) for row in rows] == 3 * [(6, 16), (2, 4)]
    page = (out / "unlock.md").read_text()
    assert page in capsys.readouterr().out + "\n" and str(tmp_path) not in page.split("Made by")[0]
    shutil.rmtree(out)
    monkeypatch.setattr(unlock, "count_tries", None)
    assert main([faces, *options]) == 0, "what is kept is not measured again"
    assert (out / "unlock.md").read_text() == page
    write_people(tmp_path / "others", 8, random)
    for changed in ([str(tmp_path / "others"), *options], [faces, *options, "--validation"]):
        with pytest.raises(TypeError):  # other faces and other rules are
            main(changed)


def test_bad_input_is_one_sentence(tmp_path, capsys):
    assert main([str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert "measure_unlock: error: " in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
