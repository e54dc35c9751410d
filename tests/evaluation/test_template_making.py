import numpy as np
import pytest

from tests.data.records.sources import jpeg, png
from xcos_tf.errors import XcosError
from xcos_tf.evaluation import templates
from xcos_tf.evaluation.templates import make_templates, open_templates
from xcos_tf.runtime.litert import LiteRuntime
from xcos_tf.verifier import Verifier

COUNTS = {"Ann": 5, "Bob": 1, "Cy": 4}


@pytest.fixture(scope="module")
def verifier():
    return Verifier.from_preset("mobilefacenet")


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "faces"
    for number, (person, count) in enumerate(COUNTS.items()):
        (folder / person).mkdir(parents=True)
        for i in range(count):
            (folder / person / f"{i}.jpg").write_bytes(jpeg(10 * number + i, 112))
    (folder / "failures.csv").write_text("photo,reason\n")  # as `xcos align` leaves behind
    return folder


@pytest.fixture(autouse=True)
def small_steps(monkeypatch):
    monkeypatch.setattr(templates, "STEP", 4)
    monkeypatch.setattr(templates, "FACES_AT_ONCE", 3)


class Counting:
    """A verifier that counts the faces it embeds, and is interrupted after some."""

    def __init__(self, verifier, stop_after=None):
        self.config, self._verifier = verifier.config, verifier
        self.embedded, self._stop_after = 0, stop_after

    def embed(self, faces):
        if faces.any():  # a black one is for the shape
            if self._stop_after is not None and self.embedded >= self._stop_after:
                raise KeyboardInterrupt
            self.embedded += len(faces)
        return self._verifier.embed(faces)


def test_templates_are_those_of_enrolling_each_face(verifier, folder, tmp_path):
    counting = Counting(verifier)
    store = make_templates(counting, folder, tmp_path / "some.templates")
    assert counting.embedded == 10  # each once
    assert store.names == [f"{person}/{i}.jpg" for person, n in COUNTS.items() for i in range(n)]
    assert store.info.people == list(COUNTS)
    assert store.labels.tolist() == [0] * 5 + [1] + [2] * 4
    assert store.info.preset == "mobilefacenet"
    assert store.info.weights == verifier.config["weights"]["sha256"]
    assert store.info.skipped == []
    expected = [verifier.enroll(folder / name, aligned=True).feature for name in store.names]
    np.testing.assert_allclose(store.read(0, 10), expected, atol=1e-4)
    assert sorted(x.name for x in tmp_path.iterdir()) == ["faces", "some.templates"]


@pytest.mark.parametrize("stop_after, kept", [(0, 0), (3, 0), (4, 4), (7, 4), (8, 8)])
def test_resumed_is_uninterrupted(verifier, folder, tmp_path, stop_after, kept):
    make_templates(verifier, folder, tmp_path / "whole")
    path = tmp_path / "resumed"
    with pytest.raises(KeyboardInterrupt):
        make_templates(Counting(verifier, stop_after), folder, path)
    assert not path.exists()
    counting = Counting(verifier)
    make_templates(counting, folder, path)
    assert counting.embedded == 10 - kept
    assert path.read_bytes() == (tmp_path / "whole").read_bytes()
    assert not (tmp_path / ".resumed.parts").exists()


def test_a_finished_file_is_opened(verifier, folder, tmp_path):
    path = tmp_path / "some.templates"
    make_templates(verifier, folder, path)
    counting = Counting(verifier)
    assert len(make_templates(counting, folder, path)) == 10
    assert counting.embedded == 0


def test_parts_that_do_not_fit_are_made_anew(verifier, folder, tmp_path):
    path = tmp_path / "some.templates"
    with pytest.raises(KeyboardInterrupt):
        make_templates(Counting(verifier, 8), folder, path)
    first, _ = sorted((tmp_path / ".some.templates.parts").iterdir())
    first.write_bytes(first.read_bytes()[:-1])
    counting = Counting(verifier)
    make_templates(counting, folder, path)
    assert counting.embedded == 6
    # The same number of files, but another one among them.
    path.unlink()
    with pytest.raises(KeyboardInterrupt):
        make_templates(Counting(verifier, 8), folder, path)
    (folder / "Ann" / "0.jpg").write_bytes(jpeg(99, 112))
    counting = Counting(verifier)
    make_templates(counting, folder, path)
    assert counting.embedded == 10


def test_files_that_are_no_images_are_listed(verifier, folder, tmp_path):
    (folder / "Ann" / "0.jpg").write_bytes(b"")
    (folder / "Ann" / "note.txt").write_text("hello")
    (folder / "Bob" / "0.jpg").write_bytes(jpeg(0, 112)[:900])
    store = make_templates(verifier, folder, tmp_path / "some.templates")
    assert len(store) == 8
    assert store.info.people == list(COUNTS) and set(store.labels) == {0, 2}
    names, reasons = zip(*store.info.skipped, strict=True)
    assert names == ("Ann/0.jpg", "Ann/note.txt", "Bob/0.jpg")
    for reason, part in zip(reasons, ("empty", "not an image", "damaged or cut"), strict=True):
        assert part in reason
    np.testing.assert_allclose(
        store.read(0, 1)[0],
        verifier.enroll(folder / "Ann" / "1.jpg", aligned=True).feature,
        atol=1e-4,
    )


def test_a_stretch_without_a_face(verifier, folder, tmp_path):
    for i in range(4):
        (folder / "Ann" / f"{i}.jpg").write_bytes(b"no image")
    store = make_templates(verifier, folder, tmp_path / "some.templates")
    assert store.names == ["Ann/4.jpg", "Bob/0.jpg", *(f"Cy/{i}.jpg" for i in range(4))]
    assert np.isfinite(store.read(0, 6)).all()


def test_folders_that_cannot_be_used(verifier, folder, tmp_path):
    def sentence(folder, path=tmp_path / "some.templates"):
        with pytest.raises(XcosError) as error:
            make_templates(verifier, folder, path)
        return str(error.value)

    assert "there is no folder" in sentence(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    assert "holds no people" in sentence(tmp_path / "empty")
    (tmp_path / "text" / "Ann").mkdir(parents=True)
    (tmp_path / "text" / "Ann" / "a.txt").write_text("hello")
    assert "no file in" in (found := sentence(tmp_path / "text")) and "Ann/a.txt: " in found
    (folder / "Bob" / "0.jpg").write_bytes(png(1, 100))
    assert "Bob/0.jpg is not a 112×112 face; run `xcos align` first" in sentence(folder)
    assert not (tmp_path / "some.templates").exists()


def test_files_that_cannot_be_used(verifier, folder, tmp_path):
    def sentence(verifier, path):
        with pytest.raises(XcosError) as error:
            make_templates(verifier, folder, path)
        return str(error.value)

    path = tmp_path / "some.templates"
    make_templates(verifier, folder, path)
    before = path.read_bytes()
    other = Counting(verifier)
    other.config = {"name": "other", "weights": {"sha256": "0" * 64}}
    assert "templates by other weights" in sentence(other, path)
    (folder / "Bob" / "1.jpg").write_bytes(jpeg(50, 112))
    assert "templates of other faces" in sentence(verifier, path)
    assert path.read_bytes() == before
    path.write_bytes(before[:-5])
    assert "is damaged" in sentence(verifier, path)
    assert "there is no file of templates" in sentence(verifier, tmp_path)
    (tmp_path / "file").write_text("")
    assert "cannot be written" in sentence(verifier, tmp_path / "file" / "some.templates")


def test_a_template_that_is_no_number(verifier, folder, tmp_path, monkeypatch):
    counting, embed = Counting(verifier), LiteRuntime.embed

    def broken(self, faces):
        features = embed(self, faces)
        if counting.embedded == 8:  # the second batch of the second stretch
            features[-1, 5] = np.nan
        return features

    monkeypatch.setattr(LiteRuntime, "embed", broken)
    with pytest.raises(XcosError, match="makes features that are not finite"):
        make_templates(counting, folder, tmp_path / "some.templates")
    # What was done before is kept.
    (part,) = (tmp_path / ".some.templates.parts").iterdir()
    assert len(open_templates(part)) == 4
