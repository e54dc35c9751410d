"""Scores kept in files by what they were computed from, so that work that stopped goes on."""

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from xcos_tf.errors import explained
from xcos_tf.files import replace_file

VERSION = 1
"""Raised whenever the same weights and photos come to other scores, or have more of them."""


@dataclass(frozen=True)
class Scoring:
    """Everything that the scores of a preset on a set follow from.

    That is the SHA-256 of its weights, what the network is built from, as JSON, the set's
    fingerprint, whether its photos are aligned faces, and the share of one face of each pair that
    is covered, with what else the cover follows from, such as its seed.
    """

    weights: str
    model: str
    photos: str
    aligned: bool
    share: float = 0.0
    cover: str = ""

    def as_json(self) -> str:
        """Return one line of JSON, the same for the same scores."""
        return json.dumps({"version": VERSION, **asdict(self)}, sort_keys=True)


class ScoreCache:
    """A folder of safetensors files, each whole or not there: one for each `Scoring`, or whatever
    else has `as_json`."""

    def __init__(self, folder: str | os.PathLike):
        """Use a folder, which is made if it is missing; raises XcosError if it cannot be."""
        self.folder = Path(folder)
        with self._kept():
            self.folder.mkdir(parents=True, exist_ok=True)

    def load(self, scoring: Scoring) -> dict[str, np.ndarray] | None:
        """Return {score: array}, or None if they are not there or their file is damaged."""
        wanted = scoring.as_json()
        try:
            with safe_open(self._path(wanted), framework="numpy") as file:
                metadata = file.metadata() or {}
                if metadata.get("scoring") != wanted:
                    return None
                return {name: file.get_tensor(name) for name in json.loads(metadata["scores"])}
        except (OSError, SafetensorError, KeyError, TypeError, ValueError, RecursionError):
            return None

    def save(self, scoring: Scoring, scores: dict[str, np.ndarray]) -> None:
        """Keep {score: array of one dimension or more}, in this order.

        Raises XcosError if the folder cannot be written.
        """
        wanted = scoring.as_json()
        metadata = {"scoring": wanted, "scores": json.dumps(list(scores))}
        content = save({name: np.ascontiguousarray(x) for name, x in scores.items()}, metadata)
        with self._kept():
            replace_file(self._path(wanted), lambda stream: stream.write(content))

    def _path(self, wanted: str) -> Path:
        return self.folder / f"{hashlib.sha256(wanted.encode()).hexdigest()}.safetensors"

    def _kept(self):
        return explained(f"scores cannot be kept in {self.folder}", "choose another folder")
