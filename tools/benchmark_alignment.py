"""How many faces a second: photos one by one through `mtcnn`, against our batches.

    python tools/benchmark_alignment.py [FOLDER] [--photos 96] [--batch-size 16]

FOLDER holds 250×250 photos, such as LFW; without it, crops of tests/photos of that size are made.
The two ways take turns, a batch each, so that whatever else the machine does hits both alike.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

SIDE = 250
LANDMARKS = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")


def measure(photos: Sequence[np.ndarray], batch_size: int = 16) -> dict[str, float]:
    """Align photos in both ways, in turns.

    One by one is `MTCNN().detect_faces(photo)` on each photo and a warp of its first face; batched
    is `FaceAligner.align`. Both are warmed up beforehand.

    Args:
        photos: uint8 (H, W, 3) of one size.
        batch_size: of the batched way.

    Returns:
        "one_by_one" and "batched", aligned faces per second, and their "ratio".
    """
    from mtcnn import MTCNN

    from xcos_tf.data.aligner import FaceAligner
    from xcos_tf.data.alignment import warp_face

    single, aligner = MTCNN(), FaceAligner(batch_size=batch_size)

    def one_by_one(batch):
        count = 0
        for photo in batch:
            faces = single.detect_faces(photo)
            if faces:
                warp_face(photo, [faces[0]["keypoints"][name] for name in LANDMARKS])
                count += 1
        return count

    def batched(batch):
        return sum(face is not None for face in aligner.align(batch))

    ways = {"one_by_one": one_by_one, "batched": batched}
    for way in ways.values():
        way(photos[:batch_size])
        way(photos[: batch_size - 1])  # another count, for which TensorFlow may trace once more
    seconds, faces = dict.fromkeys(ways, 0.0), dict.fromkeys(ways, 0)
    for start in range(0, len(photos), batch_size):
        for name, way in ways.items():
            begin = time.perf_counter()
            faces[name] += way(photos[start : start + batch_size])
            seconds[name] += time.perf_counter() - begin
    rates = {name: faces[name] / seconds[name] for name in ways}
    return {**rates, "ratio": rates["batched"] / max(rates["one_by_one"], 1e-9)}


def sample_photos(count: int) -> list[np.ndarray]:
    """Return 250×250 photos, uint8, cut around the faces of tests/photos, each a little else."""
    # Left, top and side of a square that shows the face as LFW does.
    squares = {"obama": (250, 0, 520), "obama2": (20, 150, 600), "biden": (270, 80, 620)}
    photos = []
    for i in range(count):
        name, (left, top, side) = list(squares.items())[i % len(squares)]
        with Image.open(ROOT / f"tests/photos/{name}.jpg") as image:
            left, top = left + i % 7 - 3, top + i % 5
            square = image.crop((left, top, left + side, top + side))
        photos.append(np.asarray(square.resize((SIDE, SIDE), Image.Resampling.BOX)))
    return photos


def read_folder(folder: Path, count: int) -> list[np.ndarray]:
    """Return `count` of a folder tree's JPEGs, evenly spread, uint8; they must be 250×250."""
    from xcos_tf.data.photo import read_photo
    from xcos_tf.errors import XcosError

    paths = sorted(folder.rglob("*.jpg"))
    step = max(1, len(paths) // count)
    photos = [read_photo(path) for path in paths[::step][:count]]
    if not photos or any(photo.shape != (SIDE, SIDE, 3) for photo in photos):
        raise XcosError(f"{folder} does not hold 250×250 .jpg photos; give LFW's folder, or none")
    return photos


def main(argv: Sequence[str] | None = None) -> int:
    """Print both rates and their ratio."""
    from xcos_tf.errors import XcosError

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, help="250×250 photos (default: samples)")
    parser.add_argument("--photos", type=int, default=96, help="how many (default: %(default)s)")
    parser.add_argument("--batch-size", type=int, default=16, help="(default: %(default)s)")
    args = parser.parse_args(argv)
    try:
        photos = (
            read_folder(args.folder, args.photos) if args.folder else sample_photos(args.photos)
        )
    except XcosError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    result = measure(photos, args.batch_size)
    print(f"{len(photos)} photos of {SIDE}×{SIDE}, faces per second:")
    print(f"  one by one           {result['one_by_one']:6.1f}")
    print(f"  batches of {args.batch_size:<4}      {result['batched']:6.1f}")
    print(f"  ratio                {result['ratio']:6.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
