"""What the presets make of the sample photos, kept in `reference.npz` for every stack to match.

`python -m tests.reference`, on the default stack, writes the file anew; for when a preset or the
alignment is meant to give something else.
"""

from pathlib import Path

import numpy as np

from tests.conftest import PHOTOS
from xcos_tf.data.aligner import AlignedFace, FaceAligner
from xcos_tf.data.photo import read_photo
from xcos_tf.verifier import Verifier

FILE = Path(__file__).with_name("reference.npz")
NAMES = ("obama", "obama2", "biden")
FIRST, SECOND = [0, 0, 1], [1, 2, 2]  # a genuine pair, and two of different people


def aligned_photos() -> list[AlignedFace]:
    """Return the face of each sample photo."""
    return FaceAligner().align([read_photo(PHOTOS / f"{name}.jpg") for name in NAMES])


def preset_outputs(faces: np.ndarray) -> dict[str, np.ndarray]:
    """Return the embeddings of three faces, and S, W and xCos of their pairs by each attention."""
    embeddings = Verifier.from_preset("mobilefacenet").embed(faces)
    # As they are compared; float32 resolves their lengths of 80 or so to 1e-5 at best.
    outputs = {"embedding": embeddings / np.linalg.norm(embeddings, axis=-1, keepdims=True)}
    verifier = Verifier.from_preset("xcos-mobilefacenet-2")
    grids = verifier.embed(faces)
    for attention in verifier.attentions:
        explained = verifier.explain_pairs(grids[FIRST], grids[SECOND], attention)
        outputs |= {f"{attention}/{name}": value for name, value in explained.items()}
    return outputs


if __name__ == "__main__":
    photos = aligned_photos()
    all_faces = np.stack([photo.image for photo in photos])
    all_landmarks = np.stack([photo.face.landmarks for photo in photos])
    np.savez_compressed(FILE, faces=all_faces, landmarks=all_landmarks, **preset_outputs(all_faces))
