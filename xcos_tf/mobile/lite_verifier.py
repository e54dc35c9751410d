"""The verifier of a phone: TFLite's interpreter, NumPy and Pillow, and nothing else."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from xcos_tf.arrays import as_float32
from xcos_tf.data.alignment import FACE_SIZE, TEMPLATE_LANDMARKS, warp_face
from xcos_tf.errors import XcosError
from xcos_tf.export import EXPORTED_ATTENTION
from xcos_tf.export.tflite.metadata import ModelFile
from xcos_tf.mobile.lite_model import LiteModel
from xcos_tf.models.preset_threshold import DEFAULT_FMR, preset_threshold

DEFAULT_VARIANT = "float32"


def model_files(folder: str | os.PathLike, variant: str) -> list[Path]:
    """Return where the embed and compare files of a variant are in a folder."""
    return [Path(folder) / f"{model}.{variant}.tflite" for model in ("embed", "compare")]


@dataclass(frozen=True)
class LiteComparison:
    """Pairs of faces, compared and explained.

    Attributes:
        score: xCos, float32 (N,) in [−1, 1]; score = Σ S·W.
        similarity_map: S, float32 (N, 7, 7) in [−1, 1].
        attention_map: W, float32 (N, 7, 7), each of which sums to 1.
    """

    score: np.ndarray
    similarity_map: np.ndarray
    attention_map: np.ndarray


class LiteVerifier:
    """Compares faces by two exported models: `embed`, once a face, and `compare`, once a pair.

    Attributes:
        metadata: what the embed file says of itself; see `ModelFile`.
        identity: SHA-256 of the two files: what a template must have been made by to be compared.
    """

    def __init__(
        self,
        embed: str | os.PathLike,
        compare: str | os.PathLike,
        threads: int = 1,
        identity: str | None = None,
    ):
        """Load both files; each is read once, and what was checked is what runs.

        Args:
            embed, compare: .tflite files of `xcos export`, of one preset.
            threads: that each interpreter may use.
            identity: that the two must have; see the attribute.

        Raises:
            XcosError: a file cannot be read or run, or they are not of one preset, or have another
                identity.
        """
        files = [ModelFile.read(embed, "embed"), ModelFile.read(compare, "compare")]
        if files[0].metadata["preset_sha256"] != files[1].metadata["preset_sha256"]:
            raise XcosError(
                f"{files[0].name} and {files[1].name} are of different presets; give two files of "
                "one export"
            )
        both = " ".join(file.sha256 for file in files)
        self.identity = hashlib.sha256(both.encode("ascii")).hexdigest()
        if identity not in (None, self.identity):
            raise XcosError(
                f"{files[0].name} and {files[1].name} are not the models that were enrolled with; "
                "give those with --models, or enroll again"
            )
        self._embed, self._compare = (LiteModel(file, threads) for file in files)
        self.metadata = self._embed.metadata

    @classmethod
    def from_folder(
        cls,
        folder: str | os.PathLike,
        variant: str = DEFAULT_VARIANT,
        threads: int = 1,
        identity: str | None = None,
    ) -> "LiteVerifier":
        """Load a variant from a folder that `xcos export --to tflite` wrote; see `LiteVerifier`.

        Raises:
            XcosError: there is no such variant, or as by `LiteVerifier`.
        """
        files = model_files(folder, variant)
        missing = [file.name for file in files if not os.path.exists(file)]
        if missing:
            known = sorted({x.name.split(".")[1] for x in Path(folder).glob("embed.*.tflite")})
            raise XcosError(
                f"there is no {' and no '.join(missing)} in {os.fsdecode(folder)}; "
                f"{'use one of ' + ', '.join(known) if known else 'make it with `xcos export`'}"
            )
        return cls(*files, threads, identity)

    def threshold(self, fmr: float = DEFAULT_FMR) -> float:
        """Return the threshold at a false match rate, measured for this variant.

        Raises:
            XcosError: the file has none for this rate.
        """
        rates = {EXPORTED_ATTENTION: self.metadata["thresholds"]}
        config = {"name": self.metadata["preset"], "thresholds": rates}
        return preset_threshold(config, EXPORTED_ATTENTION, fmr)

    @staticmethod
    def align(photo: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        """Cut a face out of a photo by the landmarks that the phone's own detector found.

        Args:
            photo: uint8 (H, W, 3) RGB, upright.
            landmarks: (5, 2), x and y in pixels, pixel centres at whole numbers: the eyes, the tip
                of the nose and the corners of the mouth, left of the image first.

        Returns:
            uint8 (112, 112, 3) RGB.

        Raises:
            ValueError: an array of another shape or type, or landmarks that are not finite or not
                apart.
        """
        photo, landmarks = np.asarray(photo), np.asarray(landmarks, np.float64)
        if photo.dtype != np.uint8 or photo.ndim != 3 or photo.shape[2] != 3 or not photo.size:
            raise ValueError(
                "Expected a photo as uint8 (H, W, 3). "
                f"Received: photo.shape={photo.shape}, photo.dtype={photo.dtype}"
            )
        well_formed = landmarks.shape == TEMPLATE_LANDMARKS.shape and np.isfinite(landmarks).all()
        if not well_formed or np.ptp(landmarks, axis=0).max() < 1:
            raise ValueError(
                "Expected five finite landmarks as (5, 2), apart from one another. "
                f"Received: landmarks={landmarks.tolist()}"
            )
        return warp_face(photo, landmarks)

    def embed(self, faces: np.ndarray) -> np.ndarray:
        """Return the grid features of aligned faces.

        Args:
            faces: uint8 (N, 112, 112, 3) RGB; N may be 0.

        Returns:
            float32 (N, 7, 7, 32).

        Raises:
            ValueError: an array of another shape or type.
        """
        faces = np.asarray(faces)
        expected = (FACE_SIZE, FACE_SIZE, 3)
        if len(faces) and (faces.dtype != np.uint8 or faces.shape[1:] != expected):
            raise ValueError(
                "Expected faces as uint8 (N, 112, 112, 3). "
                f"Received: faces.shape={faces.shape}, faces.dtype={faces.dtype}"
            )
        return self._embed(faces)["grid"]

    def compare(self, grids_a: np.ndarray, grids_b: np.ndarray) -> LiteComparison:
        """Compare pairs of grid features, one to one.

        Args:
            grids_a, grids_b: float32 (N, 7, 7, 32); N may be 0.

        Raises:
            ValueError: the shapes differ or are others.
            XcosError: a score is not finite.
        """
        a, b = as_float32(grids_a, "grids_a"), as_float32(grids_b, "grids_b")
        if len(a) != len(b) or (len(a) and (a.shape != b.shape or a.ndim != 4)):
            raise ValueError(
                "Expected two arrays of grids of the same shape (N, h, w, c). "
                f"Received: {a.shape}, {b.shape}"
            )
        outputs = self._compare(a, b)
        if not np.isfinite(outputs["xcos"]).all():
            raise XcosError(
                "the models give a score that is not finite; export them again with `xcos export`"
            )
        return LiteComparison(outputs["xcos"], outputs["similarity_map"], outputs["attention_map"])
