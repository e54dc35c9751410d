"""A preset's TFLite files as a runtime: LiteRT and NumPy, without TensorFlow and Keras."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from xcos_tf.arrays import unit_length
from xcos_tf.errors import XcosError
from xcos_tf.models.preset_folder import lite_folder
from xcos_tf.models.preset_threshold import PLAIN_COSINE
from xcos_tf.runtime.lite_model import LiteModel
from xcos_tf.runtime.model_file import ModelFile

DEFAULT_VARIANT = "float32"
PAIRS_AT_ONCE = 256


class LiteRuntime:
    """See `Runtime`.

    Attributes:
        config: see `Runtime`; also the `variant`.
        identity: SHA-256 of the files: what a template must have been made by to be compared.
        preset: folder of the preset; None for files that were exported elsewhere.
    """

    def __init__(
        self,
        embed: str | os.PathLike,
        other: str | os.PathLike,
        threads: int = 1,
        identity: str | None = None,
        preset: Path | None = None,
    ):
        """Load two files; each is read once, and what was checked is what runs.

        Args:
            embed: a .tflite file of `xcos export`.
            other: of the same preset: `compare`, or `head` of a plain one.
            threads: that an interpreter may use.
            identity: that the two must have; see the attribute.
            preset: see the attribute.

        Raises:
            XcosError: a file cannot be read or run, or they are not of one preset, or have another
                identity.
        """
        files = [ModelFile.read(embed, "embed")]
        about = files[0].metadata
        attention = about["attention"]
        files.append(ModelFile.read(other, "head" if attention == PLAIN_COSINE else "compare"))
        of_others = XcosError(
            f"{files[0].name} and {files[1].name} are of different presets; give two files of one "
            "export"
        )
        if any(about[x] != files[1].metadata[x] for x in ("preset_sha256", "attention")):
            raise of_others
        both = " ".join(file.sha256 for file in files)
        self.identity = hashlib.sha256(both.encode("ascii")).hexdigest()
        if identity not in (None, self.identity):
            raise XcosError(
                f"{files[0].name} and {files[1].name} are not the models that were enrolled with; "
                "give those with --models, or enroll again"
            )
        self._embed = LiteModel(files[0], threads)
        self._other = LiteModel(files[1], threads, PAIRS_AT_ONCE)
        self._feature = "embedding" if attention == PLAIN_COSINE else "grid"
        given = self._embed.outputs["feature_map" if attention == PLAIN_COSINE else "grid"]
        if {*self._other.inputs.values()} != {given}:
            raise of_others
        self.face_shape = self._embed.inputs["image"]
        self.feature_shape = self._embed.outputs[self._feature]
        self._fixed = _fixed_attentions(files[1], self.feature_shape[:-1])
        self.attentions = (*self._fixed, attention)
        self.preset = preset
        self.config = {
            "name": about["preset"],
            "variant": about["variant"],
            "thresholds": {attention: about["thresholds"]},
            "weights": {"sha256": about["preset_sha256"]},
        }

    @classmethod
    def from_folder(
        cls,
        folder: str | os.PathLike,
        variant: str = DEFAULT_VARIANT,
        threads: int = 1,
        identity: str | None = None,
        preset: Path | None = None,
    ) -> "LiteRuntime":
        """Load a variant from a folder that `xcos export --to tflite` wrote; see `LiteRuntime`.

        Raises:
            XcosError: there is no such variant, or as by `LiteRuntime`.
        """
        files = model_files(folder, variant)
        missing = [file.name for file in files if not os.path.exists(file)]
        if missing:
            known = sorted({x.name.split(".")[1] for x in Path(folder).glob("embed.*.tflite")})
            raise XcosError(
                f"there is no {' and no '.join(missing)} in {os.fsdecode(folder)}; "
                f"{'use one of ' + ', '.join(known) if known else 'make it with `xcos export`'}"
            )
        return cls(*files, threads, identity, preset)

    @classmethod
    def from_preset(cls, folder: Path) -> "LiteRuntime":
        """Load the files that a preset's folder has.

        Raises:
            XcosError: it has none, or they were made of other weights than it has now, or as by
                `LiteRuntime`.
        """
        from xcos_tf.models.preset_config import read_config

        config, files = read_config(folder), lite_folder(folder)
        again = "use runtime='tensorflow', or export it to a folder and use `Verifier.from_export`"
        if not files.is_dir():
            raise XcosError(f"the preset {config['name']!r} has no TFLite files; {again}")
        own = getattr(os, "sched_getaffinity", None)  # of Linux alone
        cores = len(own(0)) if own else os.cpu_count()
        runtime = cls.from_folder(files, threads=cores, preset=folder)
        if runtime.config["weights"]["sha256"] != config["weights"]["sha256"]:
            raise XcosError(
                f"the TFLite files of the preset {config['name']!r} were made of other weights "
                f"than it has; {again}"
            )
        runtime.config = config
        return runtime

    def embed(self, faces: np.ndarray) -> np.ndarray:
        return self._embed(faces)[self._feature]

    def compare(self, attention: str, a: np.ndarray, b: np.ndarray) -> dict[str, np.ndarray]:
        if attention not in self._fixed:
            return self._other(a, b)
        similarity = (unit_length(a) * unit_length(b)).sum(axis=-1)
        weights = np.broadcast_to(self._fixed[attention], similarity.shape)
        score = (similarity * weights).sum(axis=(1, 2))
        return {"xcos": score, "similarity_map": similarity, "attention_map": weights}

    def feature_maps(self, faces: np.ndarray) -> np.ndarray:
        return self._embed(faces)["feature_map"]

    def head(self, feature_maps: np.ndarray) -> np.ndarray:
        return self._other(feature_maps)["embedding"]


def model_files(folder: str | os.PathLike, variant: str) -> list[Path]:
    """Return where the two files of a variant are in a folder: for one face, or for any number."""
    folder = Path(folder)
    second = "head" if any(folder.glob(f"head.{variant}.*")) else "compare"
    files = []
    for model in ("embed", second):
        one, many = (folder / f"{model}.{variant}{x}.tflite" for x in ("", ".batch"))
        files.append(many if many.exists() and not one.exists() else one)
    return files


def _fixed_attentions(file: ModelFile, shape: tuple[int, ...]) -> Mapping[str, np.ndarray]:
    """Return {attention: W, float32 (h, w)} of those that are the same for every pair."""
    found = file.metadata.get("fixed_attentions", {})
    try:
        maps = {name: np.asarray(values, np.float32) for name, values in found.items()}
        if any(x.shape != shape or not np.isfinite(x).all() for x in maps.values()):
            raise ValueError
    except (AttributeError, TypeError, ValueError):
        raise XcosError(
            f"{file.name} has no proper 'fixed_attentions'; export it again with `xcos export`"
        ) from None
    return maps
