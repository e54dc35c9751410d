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
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from safetensors import SafetensorError, safe_open

from xcos_tf.data.alignment import FACE_SIZE, check_aligned
from xcos_tf.data.batching import batches
from xcos_tf.data.photo import read_photo
from xcos_tf.data.records.source import FolderSource, Record
from xcos_tf.errors import XcosError, explained, shown
from xcos_tf.evaluation.aligned_faces import FACES_AT_ONCE
from xcos_tf.evaluation.verification_set import Skipped
from xcos_tf.files import check_can_write, parse_json, replace_file
from xcos_tf.progress import Bar
from xcos_tf.verifier import Verifier

FORMAT = 1
METADATA = "xcos_tf.templates"
STEP = 512  # files after which what was done is kept
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
        info: all but the features; `names` and `labels` are those in it.
        shape: of a template: (h, w, c) or (dimension,).
    """

    def __init__(self, path: Path, info: TemplateInfo, features: Any):
        """Use `open_templates` instead."""
        self.path, self.info = path, info
        self.names, self.labels = info.names, info.labels
        self.shape = tuple(features.get_shape()[1:])
        self._features = features

    def __len__(self) -> int:
        return len(self.labels)

    def read(self, start: int, stop: int) -> np.ndarray:
        """Return the features from `start` up to `stop` or the last, float32 (n, *shape)."""
        return self._features[start : min(stop, len(self))]

    def __iter__(self) -> Iterator[np.ndarray]:
        """Go through the features, a stretch at a time."""
        return (self.read(start, start + _READ) for start in range(0, len(self), _READ))

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

    Raises XcosError if it is missing, damaged, none of templates, or of a newer format.
    """
    path = Path(path)
    if not path.is_file():
        raise XcosError(f"there is no file of templates {path}; check the path")
    advice = "delete it and make it again"
    errors = SafetensorError, OSError
    with explained(f"{path} is damaged or no file of templates", advice, errors):
        file = safe_open(path, framework="numpy")
        text = (file.metadata() or {}).get(METADATA)
    if text is None:
        raise XcosError(f"{path} is no file of templates; give one that xcos_tf made")
    errors = SafetensorError, LookupError, TypeError, ValueError, AttributeError
    with explained(f"{path} is damaged", advice, errors):
        known = parse_json(text.encode("utf-8", "surrogatepass"), str(path), "make it again")
        version = known["format"]
        if version > FORMAT:
            raise XcosError(
                f"{path} is of format {version} and this xcos_tf reads up to {FORMAT}; upgrade "
                "xcos_tf to use it"
            )
        content = known.pop("content")
        labels = file.get_tensor("labels")
        facts = {key: known[key] for key in _FACTS}
        facts["skipped"] = [Skipped(*entry) for entry in known["skipped"]]
        info = TemplateInfo(**facts, labels=labels)
        features = file.get_slice("features")
        _check(info, features)
        store = TemplateStore(path, info, features)
        if content != _sha256(map(_finite, store), labels, known):
            raise ValueError("its content is not what was written")
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
    path: Path,
    info: TemplateInfo,
    shape: Sequence[int],
    features: Sequence[np.ndarray | TemplateStore],
) -> None:
    """Write a file of templates of this shape that is either whole or not there.

    The features come in parts, each an array, float32 (n, *shape), or a store. The `safetensors`
    package would take all of them into memory at once.
    """
    known = {"format": FORMAT, **{key: getattr(info, key) for key in _FACTS}}
    known["content"] = _sha256(chain.from_iterable(features), info.labels, known)
    end = len(info.labels) * int(np.prod(shape)) * 4

    # JSON in ASCII, which keeps names that are not valid UTF-8.
    header = json.dumps(
        {
            "__metadata__": {METADATA: json.dumps(known)},
            "features": {
                "dtype": "F32",
                "shape": [len(info.labels), *shape],
                "data_offsets": [0, end],
            },
            "labels": {
                "dtype": "I32",
                "shape": [len(info.labels)],
                "data_offsets": [end, end + 4 * len(info.labels)],
            },
        }
    ).encode("ascii")
    header += b" " * (-len(header) % 8)

    def write(stream: BinaryIO) -> None:
        stream.write(len(header).to_bytes(8, "little") + header)
        for stretch in chain.from_iterable(features):
            stream.write(np.ascontiguousarray(stretch, "<f4"))
        stream.write(np.ascontiguousarray(info.labels, "<i4"))

    replace_file(path, write)


def make_templates(
    verifier: Verifier, folder: str | os.PathLike, path: str | os.PathLike
) -> TemplateStore:
    """Put every face of a folder through the backbone once and keep the templates.

    If the file is there already, with templates of this preset and these faces, it is opened as it
    is. What a run that was stopped has done is kept beside the file, in a hidden folder, until the
    file is whole; the next run goes on from there and ends with the same file, bit for bit. Files
    that cannot be read as images are left out, and the store lists them with reasons.

    The folder has one sub-folder a person, of faces that `xcos align` made.

    Raises:
        XcosError: the folder holds no people or no face that can be read, or a face that is not
            112×112; a template is not finite; the file is of another preset or of other faces, is
            damaged, or cannot be written.
    """
    path = Path(path)
    if not os.path.isdir(folder):
        raise XcosError(
            f"there is no folder {shown(folder)}; give one with a sub-folder for each person"
        )
    source = FolderSource(folder)
    parts = path.with_name(f".{path.name}.parts")
    if path.exists():
        store = open_templates(path)
        store.check_preset(verifier.config)
        store.check_faces(folder, source.fingerprint)
        return store
    check_can_write(path, within=path.parent)
    with explained(f"{path} cannot be written", "make room or choose another place"):
        parts.mkdir(parents=True, exist_ok=True)
        _join(list(_make_parts(verifier, source, parts)), folder, path)
        shutil.rmtree(parts)
    return open_templates(path)


def _make_parts(verifier: Verifier, source: FolderSource, parts: Path) -> Iterator[TemplateStore]:
    """Yield the templates of each stretch of a folder, made now or by an earlier run."""
    # Of no face, which have a shape nevertheless.
    none = verifier.embed(np.zeros((1, FACE_SIZE, FACE_SIZE, 3), np.uint8))[:0]
    weights = verifier.config["weights"]["sha256"]
    with Bar(total=len(source), desc="templates", unit="photo") as bar:
        for start in range(0, len(source), STEP):
            stop = min(start + STEP, len(source))
            part = parts / f"{start}-{stop}.safetensors"
            done = None
            with suppress(XcosError):
                done = open_templates(part)
            if done and (done.info.weights, done.info.faces) == (weights, source.fingerprint):
                bar.initial += stop - start  # not counted in the speed that is shown
                bar.update(stop - start)
                yield done
                continue
            names, labels, skipped, features = [], [], [], [none]
            faces = _read_faces(source.read(start, stop), source.path, skipped, bar)
            for batch in batches(faces, FACES_AT_ONCE):
                features.append(verifier.embed(np.stack([pixels for _, pixels in batch])))
                names += [record.name for record, _ in batch]
                labels += [record.label for record, _ in batch]
            info = TemplateInfo(
                preset=verifier.config["name"],
                weights=weights,
                faces=source.fingerprint,
                people=source.people,
                names=names,
                skipped=skipped,
                labels=np.array(labels, np.int32),
            )
            write_templates(part, info, none.shape[1:], features)
            yield open_templates(part)


def _read_faces(
    records: Iterable[Record], folder: Path, skipped: list[Skipped], bar: Bar
) -> Iterator[tuple[Record, np.ndarray]]:
    """Yield the faces that can be read; the others are added to `skipped`."""
    for record in records:
        problem = record.problem
        try:
            pixels = None if problem else read_photo(record.image)
        except XcosError as error:
            problem = str(error)
        if problem:
            skipped.append(Skipped(record.name, problem))
        else:
            check_aligned(pixels, folder / record.name)
            yield record, pixels
        bar.update()


def _join(parts: Sequence[TemplateStore], folder: str | os.PathLike, path: Path) -> None:
    """Write the file of all parts; no more than one stretch is in memory."""
    skipped = [entry for part in parts for entry in part.info.skipped]
    names = [name for part in parts for name in part.names]
    if not names:
        raise XcosError(
            f"no file in {folder} can be read as a face, the first of {len(skipped)} being "
            f"{skipped[0].name}: {skipped[0].reason}"
        )
    labels = np.concatenate([part.labels for part in parts])
    info = replace(parts[0].info, names=names, skipped=skipped, labels=labels)
    write_templates(path, info, parts[0].shape, parts)
