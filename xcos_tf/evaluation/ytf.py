"""YouTube Faces: pairs of videos, stored as folders of frames, and their list, `splits.txt`."""

import os
import re
from pathlib import Path

import numpy as np

from xcos_tf.data.align_folder import PHOTO_SUFFIXES
from xcos_tf.errors import XcosError, shown
from xcos_tf.evaluation.aligned_faces import align_photos
from xcos_tf.evaluation.pairs import (
    ListedPair,
    PairSet,
    check_photo_folder,
    collect_pairs,
    is_number,
    name_within,
    pairs_of,
    read_lines,
    repeats,
)
from xcos_tf.evaluation.verification_set import FolderPhotos, Skipped, VerificationSet, build_set

FRAMES = 10
"""Frames of each video that are compared.

Frames that follow each other, 24 in a second, are nearly alike and add little; the videos have 181
on average. 10 that are spread over a video show what it has of poses, make 100 pairs of frames for
each pair of videos, and keep the faces of all 3,425 videos in 1.3 GB.
"""


def is_splits_line(line: str) -> bool:
    """Return whether this is a pair of videos as `splits.txt` has them."""
    return _parse(line) is not None


def ytf_set(
    folder: str | os.PathLike, splits: str | os.PathLike, aligned: bool = False
) -> VerificationSet:
    """Open pairs of videos.

    After a line of headings, `splits.txt` has a line for each pair, comma-separated: the number of
    its split, two videos such as `Aaron_Eckhart/0` and, in the last column, 1 for one person or 0
    for two; other columns (the pair's number, a similarity, in `splits_corrected.txt` the label
    before its correction) are passed over. Splits become folds. Source: Wolf, Hassner and Maoz,
    "Face Recognition in Unconstrained Videos with Matched Background Similarity", CVPR 2011, and
    public programs that read the file.

    Of each video's frames, in the order of the numbers in their names, up to `FRAMES` are taken,
    evenly spread: the middle ones of as many equal parts. A pair scores the mean over all pairs of
    their frames. Frames that cannot be read, or in which MTCNN finds no face, are dropped and
    listed; so are the pairs of a video that has none left.

    Args:
        folder: holds `person/video/frame.jpg`: the database's `aligned_images_DB`, in whose frames
            the face in question is in the middle, or `frame_images_DB`.
        splits: the list.
        aligned: whether the frames are aligned faces, made by `xcos align`, which leaves out frames
            without a face: then a video may be missing, and its pairs are dropped and listed.

    Raises:
        XcosError: the folder or the list is not there, a line is malformed or leads out of the
            folder, a video is missing (unless `aligned`), or no pairs of both kinds are left.
    """
    source, folder = Path(splits), check_photo_folder(folder)
    listed, numbers = _read_splits(source)
    pairs = collect_pairs(source, listed, np.array(numbers, np.int64))
    lines = {name: pair.line for pair in reversed(listed) for name in (pair.second, pair.first)}
    frames = {video: _frames(folder, video) for video in pairs.photos}
    for video, names in frames.items():
        if not names and not aligned:
            raise XcosError(
                f"the video {shown(video)} of line {lines[video]} of {source} has no frames in "
                f"{folder}; give the folder that holds `person/video/frame.jpg`"
            )
    names = [name for of_video in frames.values() for name in of_video]
    if not names:
        raise XcosError(f"{folder} holds no frames of the videos in {source}; give their folder")
    found, skipped = (None, []) if aligned else align_photos(folder, names)
    stored = FolderPhotos(folder, found.names if found else names)
    position = {name: i for i, name in enumerate(stored.names)}
    videos = [
        np.array([position[name] for name in frames[video] if name in position], np.int64)
        for video in pairs.photos
    ]
    has_face = np.array([len(video) > 0 for video in videos])
    whole = has_face[pairs.first] & has_face[pairs.second]
    kept, used = pairs_of(
        pairs.photos, pairs.first[whole], pairs.second[whole], pairs.same[whole], pairs.fold[whole]
    )
    dropped = [
        Skipped(f"{pairs.photos[a]} and {pairs.photos[b]}", "no frame of one of them shows a face")
        for a, b in zip(pairs.first[~whole], pairs.second[~whole], strict=True)
    ]
    left_out = [
        f"Left out: {len(skipped):,} frames that cannot be read or in which MTCNN finds no face, "
        f"and {len(dropped):,} pairs of videos that have no other frames."
    ]
    return build_set(
        folder.resolve().name,
        found or stored,
        kept,
        stored.digest,
        aligned=True,
        videos=[videos[i] for i in used],
        skipped=[*skipped, *dropped],
        notes=[
            f"Of each video up to {FRAMES} frames are compared, evenly spread; a pair scores the "
            "mean over all pairs of their frames.",
            *left_out * bool(skipped or dropped),
            *_relabelled(kept),
            *repeats(kept.first, kept.second, "a video"),
        ],
    )


def _read_splits(source: Path) -> tuple[list[ListedPair], list[int]]:
    """Return the pairs and the number of each one's split."""
    lines = read_lines(source)
    listed, numbers = [], []
    for line, text in lines[0 if is_splits_line(lines[0][1]) else 1 :]:
        parsed = _parse(text)
        if parsed is None:
            raise XcosError(
                f"line {line} of {source} must hold a split's number, two videos and last 0 or 1, "
                f"as in `1, 1, Ann_Lee/0, Bob/2, 0`, but is {text!r}"
            )
        number, first, second, same = parsed
        videos = [name_within(name, source, line) for name in (first, second)]
        listed.append(ListedPair(line, *videos, same))
        numbers.append(number)
    return listed, numbers


def _parse(line: str) -> tuple[int, str, str, bool] | None:
    columns = [column.strip() for column in line.split(",")]
    number, *between, same = columns if len(columns) > 3 else ("", "")
    videos = [column for column in between if "/" in column]
    if not is_number(number) or len(videos) != 2 or same not in ("0", "1"):
        return None
    return int(number), *videos, same == "1"


def _frames(folder: Path, video: str) -> list[str]:
    """Return the names of the frames of a video that are compared, relative to the folder."""
    try:
        names = os.listdir(folder / video)
    except OSError:
        return []
    names = sorted(
        (x for x in names if Path(x).suffix.lower() in PHOTO_SUFFIXES and not x.startswith(".")),
        key=_numbers_by_size,
    )
    count = min(FRAMES, len(names))
    return [f"{video}/{names[(2 * k + 1) * len(names) // (2 * count)]}" for k in range(count)]


def _numbers_by_size(name: str) -> list[str | int]:
    """Return what sorts 0.99.jpg before 0.100.jpg."""
    parts = re.split("([0-9]+)", name)
    return [int(part) if i % 2 else part for i, part in enumerate(parts)]


def _relabelled(pairs: PairSet) -> list[str]:
    """Return a sentence on labels that the people's names contradict, as in a corrected list."""
    person = np.array([video.rpartition("/")[0] for video in pairs.photos])
    odd = int(np.sum((person[pairs.first] == person[pairs.second]) != pairs.same))
    return [f"Pairs whose label their names contradict: {odd:,}; the label counts."] * (odd > 0)
