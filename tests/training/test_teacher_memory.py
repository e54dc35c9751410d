import numpy as np
import pytest

from tests.training.noisy_faces import Faces, small_pupil
from xcos_tf.data.training_input import face_batches
from xcos_tf.training import remembered
from xcos_tf.training.remembered import TEACHER_FILE, remember_teacher


@pytest.fixture(scope="module")
def trainer():
    return small_pupil()


@pytest.fixture
def expected(trainer):
    embeddings = np.array(trainer.ask_teacher(Faces().normalised()))
    return embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)


@pytest.mark.parametrize("write", [True, False])
def test_it_is_what_the_teacher_says(trainer, expected, tmp_path, write):
    found = remember_teacher(trainer, Faces(), tmp_path, write)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert found.dtype == np.float32
    assert (tmp_path / TEACHER_FILE).exists() == write


def test_an_interrupted_pass_goes_on(trainer, expected, tmp_path, monkeypatch):
    monkeypatch.setattr(
        remembered,
        "face_batches",
        lambda *arguments: face_batches(*arguments, batch=8),
    )
    read = []

    class Counting(Faces):
        def read(self, positions):
            read.append(len(positions))
            return super().read(positions)

    whole = remember_teacher(trainer, Faces(), tmp_path, True).tobytes()
    path = tmp_path / TEACHER_FILE
    path.write_bytes(whole[: 24 * 8 + 13])  # in the midst of the ninth row
    found = remember_teacher(trainer, Counting(), tmp_path, True)
    assert sum(read) == 12
    np.testing.assert_allclose(found, expected, atol=1e-5)
    read.clear()
    assert remember_teacher(trainer, Counting(), tmp_path, True).tobytes() == path.read_bytes()
    assert not read
