"""Deletion beside Quantus's pixel flipping, where a face with the other one fixed is a class."""

import numpy as np
import pytest
import torch
from quantus import PixelFlipping

from xcos_tf.explain.faithfulness.deletion import area, scores_under_removal

SIDE, STEPS = 6, 9


class Projected:
    """Embeds faces by a random matrix; the score is the cosine."""

    def __init__(self, random):
        self.matrix = random.normal(size=(SIDE * SIDE * 3, 5)).astype(np.float32)

    def embed(self, faces):
        embeddings = faces.reshape(len(faces), -1).astype(np.float32) @ self.matrix
        return embeddings / np.maximum(np.linalg.norm(embeddings, axis=1, keepdims=True), 1e-6)

    def compare_pairs(self, features_a, features_b):
        return (features_a * features_b).sum(axis=1)


class Classes(torch.nn.Module):
    """The same, as a classifier whose one class is the other face."""

    def __init__(self, verifier, face):
        super().__init__()
        self.verifier, self.face = verifier, face

    def forward(self, images):  # (N, 3, h, w)
        faces = images.numpy().transpose(0, 2, 3, 1)
        scores = self.verifier.embed(faces) @ self.verifier.embed(self.face[np.newaxis])[0]
        return torch.tensor(scores)[:, np.newaxis]


@pytest.mark.parametrize("turn", [0, 1])
def test_curves_and_areas_are_those_of_pixel_flipping(turn, random, monkeypatch):
    monkeypatch.setattr(np, "trapz", np.trapezoid, raising=False)  # which NumPy 2.4 has no more
    verifier = Projected(random)
    faces = random.integers(0, 256, (2, SIDE, SIDE, 3), np.uint8)
    maps = random.random((2, SIDE, SIDE))
    ours = scores_under_removal(verifier, faces, maps, "black", steps=STEPS)[turn]
    flipping = PixelFlipping(
        features_in_step=3 * SIDE * SIDE // STEPS, perturb_baseline=0.0, disable_warnings=True
    )
    theirs = flipping(
        model=Classes(verifier, faces[1 - turn]).eval(),
        x_batch=faces[[turn]].transpose(0, 3, 1, 2).astype(np.float32),
        y_batch=np.array([0]),
        a_batch=maps[[turn], np.newaxis],
        softmax=False,
    )
    curve = np.array(theirs[0], np.float64).ravel()
    np.testing.assert_allclose(ours[1:], curve, atol=1e-5)  # theirs begins with the first step
    under = flipping.get_auc_score
    assert area(ours[1:]) * (STEPS - 1) == pytest.approx(under, abs=1e-5)
