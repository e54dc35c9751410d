import io
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from tests.explain.toys import noise
from xcos_tf.errors import XcosError
from xcos_tf.explain.faithfulness.fills import removed
from xcos_tf.explain.probing import square_masks
from xcos_tf.explain.whatif import covering
from xcos_tf.explain.whatif.covering import cover_faces


class CellMeans:
    """A runtime whose grid is the mean colour of each of 7×7 cells."""

    feature_shape, face_shape = (7, 7, 3), (112, 112, 3)
    calls = 0

    def embed(self, faces):
        self.calls += 1
        return faces.reshape(-1, 7, 16, 7, 16, 3).mean(axis=(2, 4)).astype(np.float32) / 255


@pytest.fixture
def faces(random):
    """Five faces of two people, as a `FaceSet`; `pixels` are what they show."""

    def encoded(position):
        stream = io.BytesIO()
        Image.fromarray(found.pixels[position]).save(stream, "PNG")
        return stream.getvalue()

    found = SimpleNamespace(labels=np.array([0, 1, 1, 0, 1]), people=["Ann", "Bob"])
    found.pixels, found.read = noise(random, 5), lambda positions: [encoded(x) for x in positions]
    return found


def test_grids_are_of_the_face_with_each_cell_covered_in_turn(faces, tmp_path):
    runtime, order = CellMeans(), np.array([3, 0, 4])
    found = cover_faces(runtime, faces, order, tmp_path / "state", "id")
    assert found.labels.tolist() == [0, 0, 1] and len(found) == 3
    assert found.covered.shape == (3, 49, 7, 7, 3)
    for number, position in enumerate(order):
        face = faces.pixels[position]
        np.testing.assert_array_equal(found.grids[number], runtime.embed(face[np.newaxis])[0])
        fill = ("black", "blur")[number % 2]
        right = runtime.embed(removed(face, square_masks(112, 16, 16), fill))
        np.testing.assert_allclose(found.covered[number], right, atol=1e-3)


def test_what_is_done_is_not_done_again(faces, tmp_path, monkeypatch):
    monkeypatch.setattr(covering, "BLOCK", 2)
    runtime, order = CellMeans(), np.arange(5)
    whole = cover_faces(runtime, faces, order, tmp_path / "whole", "id")
    read = faces.read

    def stop(positions):
        if 4 in positions:
            raise KeyboardInterrupt
        return read(positions)

    faces.read = stop
    with pytest.raises(KeyboardInterrupt):
        cover_faces(runtime, faces, order, tmp_path / "state", "id")
    faces.read, runtime.calls = read, 0
    again = cover_faces(runtime, faces, order, tmp_path / "state", "id")
    assert runtime.calls == 1
    np.testing.assert_array_equal(again.covered, whole.covered)
    np.testing.assert_array_equal(again.grids, whole.grids)
    # One that is of another run's last block is covered again.
    cover_faces(runtime, faces, order[:3], tmp_path / "state", "id")
    assert runtime.calls == 2
    assert len(cover_faces(runtime, faces, order, tmp_path / "state", "id")) == 5


def test_other_faces_and_damage_are_refused(faces, tmp_path):
    state = tmp_path / "state"
    cover_faces(CellMeans(), faces, np.arange(2), state, "id")
    with pytest.raises(XcosError, match="unfinished run with other faces or another preset; rem"):
        cover_faces(CellMeans(), faces, np.arange(2), state, "other")
    (file,) = state.iterdir()
    with np.load(file) as arrays:
        right = dict(arrays)
    damaged = [
        b"PK",
        *({**right, "grids": x} for x in (right["grids"][0], right["grids"].astype("f8"))),
        *({**right, "covered": right["covered"][x]} for x in (0, np.s_[:, :48], np.s_[:1])),
        {**right, "grids": np.float32(1)},
    ]
    for content in damaged:
        if isinstance(content, bytes):
            file.write_bytes(content)
        else:
            np.savez(file, **content)
        with pytest.raises(XcosError, match=r"is damaged.*; remove it to cover its faces again"):
            cover_faces(CellMeans(), faces, np.arange(2), state, "id")
