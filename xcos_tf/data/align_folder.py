"""A folder tree of photos -> the same tree of aligned faces, which can be stopped and resumed."""

import os
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from xcos_tf.data.aligner import AlignedFace, FaceAligner
from xcos_tf.data.batching import batches_by_size, read_ahead
from xcos_tf.data.detection import BATCH_SIZE, DEFAULT_RULE, check_rule
from xcos_tf.data.journal import Journal
from xcos_tf.errors import XcosError

# HEIC is among them although Pillow alone cannot read it: it is reported, not passed over.
PHOTO_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"}
    | {".ppm", ".pgm", ".jp2", ".avif", ".heic", ".heif"}
)
KEPT_SUFFIXES = frozenset({".jpg", ".jpeg", ".png"})
FAILURES = "failures.csv"
SEVERAL_FACES = "several-faces.csv"


@dataclass
class AlignSummary:
    """What became of the photos of a folder.

    Attributes:
        aligned: faces written now.
        already_done: photos whose face was there already.
        failed: photos that failed now.
        failed_before: photos that failed in an earlier run and were not tried again.
        several_faces: photos among those aligned now that show more than one face.
        seconds: that this run took.
    """

    aligned: int = 0
    already_done: int = 0
    failed: int = 0
    failed_before: int = 0
    several_faces: int = 0
    seconds: float = 0.0


def align_folder(
    source: str | os.PathLike,
    destination: str | os.PathLike,
    rule: str = DEFAULT_RULE,
    batch_size: int = BATCH_SIZE,
    retry_failed: bool = False,
) -> AlignSummary:
    """Align a face of each photo in a folder tree.

    `a/b.jpg` gives `a/b.jpg` (also .jpeg and .png, in either case of letters; JPEG at quality 95
    without colour subsampling); any other `a/b.webp` gives `a/b.webp.png`, so that no two photos
    share a name. Faces are RGB, 112×112. Hidden files and linked folders are passed over.

    An aligned face appears under its name only when it is complete, so a run that was stopped in
    any way goes on where it was, whatever `rule` it is then given. Photos that failed are listed
    in `failures.csv` (photo, reason) and left alone later unless `retry_failed`; photos with
    several faces are listed in `several-faces.csv` (photo, faces).

    Args:
        source: folder of photos.
        destination: folder for the faces, apart from `source`; made if missing.
        rule: which face of a photo with several; see `choose_face`.
        batch_size: photos of one size that are searched in one go.
        retry_failed: whether to try again what failed in an earlier run.

    Raises:
        XcosError: `source` is no folder or holds no photo; `destination` is inside it, around
            it, or cannot be written; there is no such rule.
    """
    start = time.monotonic()
    source, destination = Path(source), Path(destination)
    check_rule(rule)
    _check_folders(source, destination)
    photos = _find_photos(source)
    targets = {photo: destination / aligned_name(photo) for photo in photos}
    done = {photo for photo in photos if targets[photo].exists()}
    try:
        destination.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            failures = Journal(destination / FAILURES, "reason")
            several = Journal(destination / SEVERAL_FACES, "faces")
            known = {
                photo: reason
                for photo, reason in ({} if retry_failed else failures.read()).items()
                if photo in targets and photo not in done
            }
            summary = AlignSummary(already_done=len(done), failed_before=len(known))
            stack.enter_context(failures.start(known.items()))
            # A photo that is not done yet will be counted again.
            stack.enter_context(
                several.start((name, n) for name, n in several.read().items() if name in done)
            )
            bar = stack.enter_context(_progress_bar(len(photos), len(done) + len(known)))
            pending = [name for name in photos if name not in done and name not in known]
            _align_all(
                source, targets, pending, (rule, batch_size), failures, several, bar, summary
            )
    except OSError as error:
        reason = error.strerror or error
        raise XcosError(
            f"{destination} cannot be written ({reason}); choose another folder or make room"
        ) from None
    summary.seconds = time.monotonic() - start
    return summary


def aligned_name(photo: str) -> str:
    """Return the relative name of the face of a photo of this relative name."""
    return photo if Path(photo).suffix.lower() in KEPT_SUFFIXES else photo + ".png"


def _check_folders(source: Path, destination: Path) -> None:
    if not source.exists():
        raise XcosError(f"there is no folder {source}; check the path")
    if not source.is_dir():
        raise XcosError(f"{source} is not a folder; give a folder of photos")
    inner, outer = destination.resolve(), source.resolve()
    if inner == outer or outer in inner.parents or inner in outer.parents:
        raise XcosError(
            f"the folders {source} and {destination} lie one within the other; choose a "
            "destination apart from the photos"
        )
    if destination.exists() and not destination.is_dir():
        raise XcosError(f"{destination} is not a folder; choose another destination")


def _find_photos(source: Path) -> list[str]:
    """Return the photos' paths relative to `source`, sorted folder by folder."""

    def refuse(error: OSError):
        raise XcosError(
            f"the folder {error.filename} cannot be read ({error.strerror}); change its permissions"
        )

    photos = []
    for folder, subfolders, names in os.walk(source, onerror=refuse):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        photos += [
            os.path.relpath(os.path.join(folder, name), source)
            for name in sorted(names)
            if not name.startswith(".") and Path(name).suffix.lower() in PHOTO_SUFFIXES
        ]
    if not photos:
        raise XcosError(
            f"{source} holds no photos; give a folder with {', '.join(sorted(PHOTO_SUFFIXES))} "
            "files in it or below"
        )
    return photos


def _progress_bar(total: int, finished: int) -> tqdm:
    # In a log file, a line now and then is enough.
    interval = 0.5 if sys.stderr.isatty() else 10.0
    return tqdm(total=total, initial=finished, unit="photo", desc="aligning", mininterval=interval)


def _align_all(source, targets, pending, options, failures, several, bar, summary) -> None:
    """Align the pending photos and keep the journals, the bar and the summary."""
    if not pending:
        return
    aligner = FaceAligner(*options)

    def fail(name: str, reason: str) -> None:
        failures.add(name, reason)
        summary.failed += 1
        bar.update()

    def readable():
        for path, photo in read_ahead(source / name for name in pending):
            name = os.path.relpath(path, source)
            if isinstance(photo, XcosError):
                fail(name, str(photo))
            else:
                yield name, photo

    for batch in batches_by_size(readable(), options[1]):
        names, photos = zip(*batch, strict=True)
        for name, face in zip(names, _align_batch(aligner, photos), strict=True):
            if face is None:
                fail(name, "no face was found; give a photo with one visible face")
            elif isinstance(face, str):
                fail(name, face)
            else:
                if face.faces_found > 1:
                    several.add(name, str(face.faces_found))
                    summary.several_faces += 1
                _write_face(targets[name], face.image)
                summary.aligned += 1
                bar.update()


def _align_batch(aligner: FaceAligner, photos) -> list[AlignedFace | str | None]:
    """Return each photo's face, None, or the reason for which the detector failed on it."""
    try:
        return aligner.align(photos)
    except Exception as error:  # whatever one odd photo brings up must not cost the others
        if len(photos) == 1:
            return [f"face detection failed ({type(error).__name__}: {error})"]
        return [_align_batch(aligner, [photo])[0] for photo in photos]


def _write_face(target: Path, image: np.ndarray) -> None:
    """Write a file that is either complete or not there."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    is_png = target.suffix.lower() == ".png"
    options = {"format": "PNG"} if is_png else {"format": "JPEG", "quality": 95, "subsampling": 0}
    Image.fromarray(image).save(part, **options)
    os.replace(part, target)
