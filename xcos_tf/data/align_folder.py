"""A folder tree of photos -> the same tree of aligned faces, which can be stopped and resumed."""

import csv
import errno
import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from xcos_tf.cluster import connect, done_on_ray
from xcos_tf.data.aligner import AlignedFace, FaceAligner, align_each
from xcos_tf.data.detection import BATCH_SIZE, DEFAULT_RULE, check_rule
from xcos_tf.errors import XcosError, explained, reason_of, shown
from xcos_tf.files import only_writer, replace_file, whole_rows, write_csv
from xcos_tf.progress import Bar

# HEIC is among them although Pillow alone cannot read it: it is reported, not passed over.
PHOTO_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"}
    | {".ppm", ".pgm", ".jp2", ".avif", ".heic", ".heif"}
)
KEPT_SUFFIXES = frozenset({".jpg", ".jpeg", ".png"})
FAILURES = "failures.csv"
SEVERAL_FACES = "several-faces.csv"
_AT_ONCE = 32  # photos that a machine of a cluster is given at once

# Too long, too many links one to another, or letters that the file system does not take.
_NAME_IS_TO_BLAME = frozenset({errno.ENAMETOOLONG, errno.ELOOP, errno.EILSEQ, errno.EINVAL})

# File names need not be valid UTF-8.
_TEXT = {"encoding": "utf-8", "errors": "surrogateescape"}


@dataclass
class AlignSummary:
    """What became of the photos of a folder."""

    aligned: int = 0  # faces written now
    already_done: int = 0
    failed: int = 0  # now
    failed_before: int = 0  # in an earlier run, and not tried again
    several_faces: int = 0  # of those aligned now
    turned: int = 0  # of those aligned now, to have the face upright
    seconds: float = 0.0


def align_folder(
    source: str | os.PathLike,
    destination: str | os.PathLike,
    rule: str = DEFAULT_RULE,
    batch_size: int = BATCH_SIZE,
    retry_failed: bool = False,
    ray: str | None = None,
) -> AlignSummary:
    """Align a face of each photo in a folder tree.

    `a/b.jpg` gives `a/b.jpg` (also .jpeg and .png, in either case of letters; JPEG at quality 95
    without colour subsampling); any other `a/b.webp` gives `a/b.webp.png`, so that no two photos
    share a name. Faces are RGB, 112×112. Hidden files are passed over; links to folders are
    followed.

    An aligned face appears under its name only when it is complete, so a run that was stopped in
    any way goes on where it was, whatever `rule` it is then given. Photos that failed are listed
    in `failures.csv` (photo, reason) and left alone later unless `retry_failed`; photos with
    several faces are listed in `several-faces.csv` (photo, faces).

    Args:
        source, destination: folders apart from one another; the second is made if missing.
        rule: which face of a photo with several; see `choose_face`.
        batch_size: the most photos that are worked on at once.
        retry_failed: whether to try again what failed in an earlier run.
        ray: address of a Ray cluster that finds the faces; its machines see the photos under the
            same paths.

    Raises:
        XcosError: `source` is no folder or holds no photo; `destination` is inside it, around
            it, or cannot be written; there is no such rule or cluster.
    """
    start = time.monotonic()
    source, destination = Path(source), Path(destination)
    check_rule(rule)
    check_folders(source, destination)
    photos = find_photos(source)
    if ray is not None:
        connect(ray)  # before a folder is made
    targets = {photo: destination / aligned_name(photo) for photo in photos}
    with writing_to(destination, "xcos align"), ExitStack() as stack:
        done = {photo for photo in photos if os.path.exists(targets[photo])}
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
        bar = Bar(total=len(photos), initial=len(done) + len(known), desc="aligning", unit="photo")
        stack.enter_context(bar)
        pending = {source / x: x for x in photos if x not in done and x not in known}

        def keep(path: Path, face: AlignedFace) -> None:
            _write_named(targets[pending[path]], face.image)

        if ray is not None:
            faces = _align_on_ray(ray, list(pending), rule, batch_size, keep)
        else:  # no detector is loaded in vain
            aligner = FaceAligner(rule, batch_size) if pending else None
            faces = align_each(pending, aligner, batch_size, keep=keep)
        for path, face in faces:
            if isinstance(face, str):
                failures.add(pending[path], face)
                summary.failed += 1
            else:
                if face.faces_found > 1:
                    several.add(pending[path], str(face.faces_found))
                    summary.several_faces += 1
                summary.turned += bool(face.turned)
                summary.aligned += 1
            bar.update()
    summary.seconds = time.monotonic() - start
    return summary


def _aligning(rule: str, batch_size: int) -> Callable[[list[Path]], list]:
    """Return what aligns some photos, on a machine of a cluster."""
    aligner = FaceAligner(rule, batch_size)
    return lambda paths: list(align_each(paths, aligner, batch_size))


def _align_on_ray(
    ray: str, paths: Sequence[Path], rule: str, batch_size: int, keep: Callable
) -> Iterator[tuple[Path, AlignedFace | str]]:
    """Do what `align_each` does on a cluster; this process alone writes, so none writes twice."""
    chunks = [paths[i : i + _AT_ONCE] for i in range(0, len(paths), _AT_ONCE)]
    for faces in done_on_ray(ray, partial(_aligning, rule, batch_size), chunks):
        for path, face in faces:
            if isinstance(face, AlignedFace):
                try:
                    keep(path, face)
                except XcosError as error:
                    face = str(error)
            yield path, face


class Journal(AbstractContextManager):
    """A CSV of what happened to which photo: two columns, a photo and a note on it.

    Each row is on disk when `add` returns. A row that was cut short, because the process was
    killed while writing it, is dropped at the next start, as if it had never been.
    """

    def __init__(self, path: Path, note: str):
        """Use this CSV, which need not exist; `note` heads its second column."""
        self.path, self._note, self._stream = path, note, None

    def read(self) -> dict[str, str]:
        """Return {photo: note} of the whole rows in the file; empty if there is none."""
        rows = []
        with suppress(csv.Error):
            rows += (row for row in whole_rows(self.path) if len(row) == 2)
        return dict(rows[1:] if rows[:1] == [["photo", self._note]] else rows)

    def start(self, rows: Iterable[tuple[str, str]]) -> "Journal":
        """Replace the file by these rows, at once, and open it for more."""
        write_csv(self.path, ("photo", self._note), rows)
        self._stream = open(self.path, "a", newline="", **_TEXT)  # noqa: SIM115
        return self

    def add(self, photo: str, note: str) -> None:
        csv.writer(self._stream).writerow([photo, note])
        self._stream.flush()

    def __exit__(self, *exception) -> None:
        self._stream.close()


@contextmanager
def writing_to(destination: Path, command: str) -> Iterator[None]:
    """Write a folder, alone, and raise what the file system says against it as an XcosError."""
    advice = "choose another folder or make room"
    with explained(f"{destination} cannot be written", advice), only_writer(destination, command):
        yield


def aligned_name(photo: str) -> str:
    """Return the relative name of the face of a photo of this relative name."""
    return photo if Path(photo).suffix.lower() in KEPT_SUFFIXES else photo + ".png"


def check_folders(source: Path, destination: Path) -> None:
    """Check a folder of photos and the folder that is to be made of it.

    Raises:
        XcosError: the one is no folder, the other a file, or one lies within the other.
    """
    if not os.path.exists(source):
        raise XcosError(f"there is no folder {shown(source)}; check the path")
    if not os.path.isdir(source):
        raise XcosError(f"{source} is not a folder; give a folder of photos")
    inner, outer = destination.resolve(), source.resolve()
    if inner == outer or outer in inner.parents or inner in outer.parents:
        raise XcosError(
            f"the folders {source} and {destination} lie one within the other; choose a "
            "destination apart from the photos"
        )
    if destination.exists() and not destination.is_dir():
        raise XcosError(f"{destination} is not a folder; choose another destination")


def find_photos(source: Path, suffixes: Collection[str] = PHOTO_SUFFIXES) -> list[str]:
    """Return the photos' paths relative to a folder, sorted folder by folder.

    Hidden files and folders are passed over; links to folders are followed, as they are wherever a
    folder of people is read. Photos' names end in one of the lower-case `suffixes`.

    Raises:
        XcosError: it holds none, a folder cannot be read, or one is a link to a folder around it.
    """

    def refuse(error: OSError):
        raise XcosError(
            f"the folder {error.filename} cannot be read ({reason_of(error)}); change its "
            "permissions"
        )

    photos, around = [], {os.fspath(source): ()}
    for folder, subfolders, names in os.walk(source, onerror=refuse, followlinks=True):
        status = os.stat(folder)
        above, here = around.pop(folder), (status.st_dev, status.st_ino)
        if here in above:
            raise XcosError(
                f"{folder} is a link to a folder that it lies in, without end; take the link out"
            )
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        around.update((os.path.join(folder, name), (*above, here)) for name in subfolders)
        photos += [
            os.path.relpath(os.path.join(folder, name), source)
            for name in sorted(names)
            if not name.startswith(".") and Path(name).suffix.lower() in suffixes
        ]
    if not photos:
        raise XcosError(
            f"{source} holds no photos; give a folder with {', '.join(sorted(suffixes))} "
            "files in it or below"
        )
    return photos


def _write_named(target: Path, image: np.ndarray) -> None:
    """Write a face; an XcosError says that its name is to blame where it cannot be written."""
    try:
        write_face(target, image)
    except OSError as error:
        if error.errno not in _NAME_IS_TO_BLAME:
            # As an XcosError, it would be this photo's reason.
            raise OSError(error.errno, error.strerror) from None
        raise XcosError(
            f"the face cannot have this name ({reason_of(error)}); rename the photo"
        ) from None


def write_face(target: Path, image: np.ndarray) -> None:
    """Write uint8 (h, w, 3) RGB as a file that is either complete or not there.

    It is PNG if `target` ends in .png, else JPEG; its folder is made if missing.

    Raises:
        OSError: it cannot be written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    is_png = target.suffix.lower() == ".png"
    options = {"format": "PNG"} if is_png else {"format": "JPEG", "quality": 95, "subsampling": 0}
    replace_file(target, lambda stream: Image.fromarray(image).save(stream, **options))
