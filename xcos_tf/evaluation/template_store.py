"""Templates of a folder of faces in one file: made once, then compared as often as one likes.

The file is safetensors: `features`, float32 (N, h, w, c) or (N, dimension), and `labels`, int32
(N,). Its metadata holds, as JSON under "xcos_tf.templates": `format` (the version of this layout),
`preset` (name), `weights` (SHA-256 of the preset's), `faces` (fingerprint of the folder: names and
sizes), `people`, `names` (person/file of each template), `skipped` ([name, reason] of files without
a template) and `content` (SHA-256 of both arrays and of the metadata before it was added).
"""

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from safetensors import SafetensorError, safe_open

from xcos_tf.errors import XcosError, reason_of
from xcos_tf.evaluation.verification_set import Skipped
from xcos_tf.files import parse_json, replace_file

FORMAT = 1
METADATA = "xcos_tf.templates"
_FACTS = ("preset", "weights", "faces", "people", "names", "skipped")
_READ = 1024  # templates that are read at once to check them


@dataclass(frozen=True)
class TemplateInfo:
    """What is known of templates besides their features; see the module.

    Attributes:
        preset, weights, faces, people, names, skipped: as in the metadata.
        labels: int32 (N,), whose each template is, as a position in `people`.
    """

    preset: str
    weights: str
    faces: str
    people: Sequence[str]
    names: Sequence[str]
    skipped: Sequence[Skipped]
    labels: np.ndarray


class TemplateStore:
    """A file of templates, whose features stay on disk until they are asked for.

    Attributes:
        path: of the file.
        info: all but the features.
        shape: of a template: (h, w, c) or (dimension,).
    """

    def __init__(self, path: Path, info: TemplateInfo, features: Any):
        """Use `open_templates` instead."""
        self.path, self.info = path, info
        self.shape = tuple(features.get_shape()[1:])
        self._features = features

    @property
    def names(self) -> Sequence[str]:
        """Return person/file of each template."""
        return self.info.names

    @property
    def labels(self) -> np.ndarray:
        """Return whose each is, int32 (N,)."""
        return self.info.labels

    def __len__(self) -> int:
        return len(self.info.labels)

    def read(self, start: int, stop: int) -> np.ndarray:
        """Return the features from `start` up to `stop` or the last, float32 (n, *shape)."""
        return self._features[start : min(stop, len(self))]

    def check_preset(self, config: dict) -> None:
        """Raise XcosError unless the preset with this configuration made the templates."""
        if self.info.weights != config["weights"]["sha256"]:
            raise XcosError(
                f"{self.path} holds templates by other weights (preset {self.info.preset!r}) than "
                f"those of the preset {config['name']!r}; name another file for these"
            )

    def check_faces(self, folder: str | os.PathLike, fingerprint: str) -> None:
        """Raise XcosError unless the templates are of the faces that a folder has now."""
        if self.info.faces != fingerprint:
            raise XcosError(
                f"{self.path} holds templates of other faces than {folder} has now; name another "
                "file for these, or delete it if the folder was changed"
            )


def open_templates(path: str | os.PathLike) -> TemplateStore:
    """Open a file of templates; every byte is checked, a stretch at a time.

    Raises:
        XcosError: the file is missing, damaged, none of templates, or of a newer format.
    """
    path = Path(path)
    if not path.is_file():
        raise XcosError(f"there is no file of templates {path}; check the path")
    try:
        file = safe_open(path, framework="numpy")
        text = (file.metadata() or {}).get(METADATA)
    except (SafetensorError, OSError) as error:
        raise XcosError(
            f"{path} is damaged or no file of templates ({reason_of(error)}); delete it "
            "and make it again"
        ) from None
    if text is None:
        raise XcosError(f"{path} is no file of templates; give one that xcos_tf made")
    try:
        known = parse_json(text.encode("utf-8", "surrogatepass"), str(path), "make it again")
        version = known["format"]
        if version > FORMAT:
            raise XcosError(
                f"{path} is of format {version} and this xcos_tf reads up to {FORMAT}; upgrade "
                "xcos_tf to use it"
            )
        content = known.pop("content")
        labels = file.get_tensor("labels")
        skipped = [Skipped(*entry) for entry in known["skipped"]]
        facts = {key: known[key] for key in _FACTS}
        info = TemplateInfo(**{**facts, "skipped": skipped}, labels=labels)
        features = file.get_slice("features")
        _check(info, features)
        store = TemplateStore(path, info, features)
        starts = range(0, len(labels), _READ)
        blocks = (_finite(store.read(start, start + _READ)) for start in starts)
        if content != _sha256(blocks, labels, known):
            raise ValueError("its content is not what was written")
    except (SafetensorError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise XcosError(
            f"{path} is damaged ({reason_of(error)}); delete it and make it again"
        ) from None
    return store


def _check(info: TemplateInfo, features) -> None:
    """Raise ValueError unless all that a file holds belongs together, whatever its hash is."""
    labels, shape = info.labels, features.get_shape()
    texts = (info.preset, info.weights, info.faces, *info.people, *info.names)
    texts += tuple(text for entry in info.skipped for text in (entry.name, entry.reason))
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("a name is not a text")
    if features.get_dtype() != "F32" or len(shape) not in (2, 4):
        raise ValueError("its features are of another type or shape")
    if labels.dtype != np.int32 or labels.ndim != 1:
        raise ValueError("its labels are of another type or shape")
    if not len(labels) == len(info.names) == shape[0]:
        raise ValueError("it has not as many names and labels as features")
    if len(labels) and not (labels.min() >= 0 and labels.max() < len(info.people)):
        raise ValueError("a label is of no person")


def _finite(features: np.ndarray) -> np.ndarray:
    if not np.isfinite(features).all():
        raise ValueError("a feature is not finite")
    return features


def _sha256(features: Iterable[np.ndarray], labels: np.ndarray, known: dict) -> str:
    """Return the SHA-256 of features, given a stretch at a time, of labels and of metadata."""
    digest = hashlib.sha256(json.dumps(known, sort_keys=True).encode("ascii"))
    for array in features:
        digest.update(np.ascontiguousarray(array))
    digest.update(labels)
    return digest.hexdigest()


def write_templates(
    path: Path, info: TemplateInfo, shape: Sequence[int], features: Iterable[np.ndarray]
) -> None:
    """Write a file of templates that is either whole or not there.

    Args:
        path: of the file.
        info: all but the features.
        shape: of a template.
        features: stretches of templates, float32 (n, *shape), that can be gone through twice. The
            `safetensors` package would take all of them into memory at once.

    Raises:
        OSError: it cannot be written.
    """
    known = {"format": FORMAT, **{key: getattr(info, key) for key in _FACTS}}
    known["content"] = _sha256(features, info.labels, known)
    end = len(info.labels) * int(np.prod(shape)) * 4

    def entry(kind: str, shape: Sequence[int], start: int) -> dict:
        return {
            "dtype": kind,
            "shape": list(shape),
            "data_offsets": [start, start + 4 * int(np.prod(shape))],
        }

    # JSON in ASCII, which keeps names that are not valid UTF-8.
    header = json.dumps(
        {
            "__metadata__": {METADATA: json.dumps(known)},
            "features": entry("F32", (len(info.labels), *shape), 0),
            "labels": entry("I32", info.labels.shape, end),
        }
    ).encode("ascii")
    header += b" " * (-len(header) % 8)

    def write(stream: BinaryIO) -> None:
        stream.write(len(header).to_bytes(8, "little") + header)
        for stretch in features:
            stream.write(np.ascontiguousarray(stretch, "<f4"))
        stream.write(np.ascontiguousarray(info.labels, "<i4"))

    replace_file(path, write)
