"""A folder of people's aligned faces -> a file of templates; it can be stopped and resumed."""

import os
import shutil
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from xcos_tf.data.alignment import FACE_SIZE
from xcos_tf.data.photo import read_photo
from xcos_tf.data.records.folder import FolderSource
from xcos_tf.data.records.source import Record
from xcos_tf.errors import XcosError, shown
from xcos_tf.evaluation.aligned_faces import FACES_AT_ONCE
from xcos_tf.evaluation.template_store import (
    TemplateInfo,
    TemplateStore,
    open_templates,
    write_templates,
)
from xcos_tf.evaluation.verification_set import Skipped
from xcos_tf.files import check_can_write
from xcos_tf.progress import Bar
from xcos_tf.verifier import Verifier

STEP = 512  # files after which what was done is kept


def make_templates(
    verifier: Verifier, folder: str | os.PathLike, path: str | os.PathLike
) -> TemplateStore:
    """Put every face of a folder through the backbone once and keep the templates.

    If the file is there already, with templates of this preset and these faces, it is opened as it
    is. What a run that was stopped has done is kept beside the file, in a hidden folder, until the
    file is whole; the next run goes on from there and ends with the same file, bit for bit. Files
    that cannot be read as images are left out, and the store lists them with reasons.

    Args:
        verifier: of the preset.
        folder: one sub-folder a person, of faces that `xcos align` made.
        path: of the file.

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
    try:
        parts.mkdir(parents=True, exist_ok=True)
        _join(list(_Maker(verifier, source, Path(folder)).make(parts)), folder, path)
        shutil.rmtree(parts)
    except OSError as error:
        raise XcosError(
            f"{path} cannot be written ({error.strerror or error}); make room or choose another "
            "place"
        ) from None
    return open_templates(path)


class _Maker:
    """Makes the files of stretches of a folder."""

    def __init__(self, verifier: Verifier, source: FolderSource, folder: Path):
        self._verifier, self._source, self._folder = verifier, source, folder
        self._weights = verifier.config["weights"]["sha256"]

    def make(self, parts: Path) -> Iterator[Path]:
        """Yield the file of each stretch, made now or by an earlier run."""
        total = len(self._source)
        with Bar(total=total, desc="templates", unit="photo") as bar:
            for start in range(0, total, STEP):
                stop = min(start + STEP, total)
                part = parts / f"{start}-{stop}.safetensors"
                if self._is_finished(part):
                    bar.initial += stop - start  # not counted in the speed that is shown
                    bar.update(stop - start)
                else:
                    self._make_part(start, stop, part, bar)
                yield part

    def _is_finished(self, part: Path) -> bool:
        try:
            info = open_templates(part).info
        except XcosError:
            return False
        return (info.weights, info.faces) == (self._weights, self._source.fingerprint)

    def _make_part(self, start: int, stop: int, part: Path, bar: Bar) -> None:
        names, labels, skipped, features, waiting = [], [], [], [self._no_features], []
        for record in self._source.read(start, stop):
            pixels = self._read(record)
            if isinstance(pixels, str):
                skipped.append(Skipped(record.name, pixels))
            else:
                names.append(record.name)
                labels.append(record.label)
                waiting.append(pixels)
            if len(waiting) == FACES_AT_ONCE:
                features.append(self._embed(names, waiting))
                waiting = []
            bar.update()
        if waiting:
            features.append(self._embed(names, waiting))
        info = TemplateInfo(
            preset=self._verifier.config["name"],
            weights=self._weights,
            faces=self._source.fingerprint,
            people=self._source.people,
            names=names,
            skipped=skipped,
            labels=np.array(labels, np.int32),
        )
        write_templates(part, info, self._no_features.shape[1:], features)

    @cached_property
    def _no_features(self) -> np.ndarray:
        """The features of no face, which have a shape nevertheless."""
        return self._verifier.embed(np.zeros((1, FACE_SIZE, FACE_SIZE, 3), np.uint8))[:0]

    def _read(self, record: Record) -> np.ndarray | str:
        """Return a face, or why there is none."""
        if record.fault:
            return record.fault
        try:
            pixels = read_photo(record.image)
        except XcosError as error:
            return str(error)
        if pixels.shape[:2] != (FACE_SIZE, FACE_SIZE):
            raise XcosError(
                f"{self._folder / record.name} is not a {FACE_SIZE}×{FACE_SIZE} face; run "
                "`xcos align` first, and give the folder that it made"
            )
        return pixels

    def _embed(self, names: list[str], faces: list[np.ndarray]) -> np.ndarray:
        """Return the features of the faces, whose names are the last."""
        features = self._verifier.embed(np.stack(faces))
        finite = np.isfinite(features).reshape(len(faces), -1).all(axis=1)
        if not finite.all():
            name = names[int(np.argmin(finite)) - len(faces)]
            raise XcosError(
                f"the template of {self._folder / name} is not finite; check the preset's weights"
            )
        return features


class _Features:
    """The features of parts, one part at a time, as often as one goes through them."""

    def __init__(self, parts: Sequence[TemplateStore]):
        self._parts = parts

    def __iter__(self) -> Iterator[np.ndarray]:
        return (part.read(0, len(part)) for part in self._parts if len(part))


def _join(files: Sequence[Path], folder: str | os.PathLike, path: Path) -> None:
    """Write the file of all parts; no more than one part is in memory."""
    parts = [open_templates(file) for file in files]
    skipped = [entry for part in parts for entry in part.info.skipped]
    names = [name for part in parts for name in part.names]
    if not names:
        raise XcosError(
            f"no file in {folder} can be read as a face, the first of {len(skipped)} being "
            f"{skipped[0].name}: {skipped[0].reason}"
        )
    labels = np.concatenate([part.labels for part in parts])
    info = TemplateInfo(
        **{**vars(parts[0].info), "names": names, "skipped": skipped, "labels": labels}
    )
    write_templates(path, info, parts[0].shape, _Features(parts))
