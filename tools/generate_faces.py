"""Draw faces of people who do not exist, to try the training with.

    python tools/generate_faces.py FACES [--people 12] [--faces 12] [--seed 1]

Writes FACES/person-00/00.png and so on: 112×112 drawings with eyes, nose and mouth where `xcos
align` puts them, one sub-folder a person. The same numbers give the same pixels, with the same
NumPy and Pillow. A model that trains on them learns that its parts fit together, and nothing about
faces.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tools.results import ended
from xcos_tf.errors import XcosError, explained

SIDE, FINER = 112, 2
EYES, NOSE, MOUTH = ((38, 52), (74, 52)), (56, 72), (56, 92)


def draw_face(person: np.random.Generator, photo: np.random.Generator) -> Image.Image:
    """Return a face, 112×112 RGB.

    On the state of `person` depends all that a person keeps: colours, sizes and 7×7 spots. On that
    of `photo` depend light, place and noise.
    """
    back = photo.integers(256, size=3)
    skin, hair, iris, lips = person.integers((90, 0, 0, 90), (250, 200, 200, 250), (3, 4)).T
    wide, high, eye, nose, mouth, fringe = person.uniform(
        (30, 44, 4, 3, 9, 14), (44, 56, 9, 8, 20, 34)
    )
    spots = person.normal(0, 25, (7, 7, 3))
    shift, opened = photo.uniform(-2, 2, 2), photo.uniform(1, 6)

    image = Image.new("RGB", (SIDE * FINER,) * 2, tuple(back))
    brush = ImageDraw.Draw(image)

    def ellipse(x, y, a, b, colour):
        x, y = x + shift[0], y + shift[1]
        box = [FINER * float(value) for value in (x - a, y - b, x + a, y + b)]
        brush.ellipse(box, fill=tuple(int(value) for value in colour))

    ellipse(56, 56, wide + 8, high + 8, hair)
    ellipse(56, 64 + fringe / 4, wide, high - fringe / 4, skin)
    for x, y in EYES:
        ellipse(x, y - eye - 4, eye + 3, 2, hair)
        ellipse(x, y, eye + 3, eye, (245, 245, 245))
        ellipse(x, y, eye * 0.7, eye * 0.7, iris)
    ellipse(*NOSE, nose, 8, skin * 0.75)
    ellipse(*MOUTH, mouth, opened, lips)

    pixels = np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BOX), np.float32)
    coarse = spots + photo.normal(0, 8, spots.shape) + photo.normal(0, 12)
    light = np.clip(coarse + 128, 0, 255).astype(np.uint8)
    light = np.asarray(Image.fromarray(light).resize((SIDE, SIDE), Image.Resampling.BICUBIC))
    pixels += light.astype(np.float32) - 128 + photo.normal(0, 4, pixels.shape)
    face = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    return face.filter(ImageFilter.GaussianBlur(photo.uniform(0, 1)))


def generate(folder: Path, people: int, faces: int, seed: int) -> None:
    """Write the faces of some people into a new folder, all or nothing.

    Raises:
        XcosError: a number is out of range, the folder is there, or it cannot be written.
    """
    for name, value, least in (("people", people, 1), ("faces", faces, 1), ("seed", seed, 0)):
        if value < least:
            raise XcosError(f"--{name} {value} is under {least}; give {least} or more")
    if folder.exists():
        raise XcosError(f"{folder} is there already; choose a new folder")
    advice = "choose another folder or free some space"
    with explained(f"faces cannot be written to {folder}", advice):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as place:
            made = Path(place, "faces")
            for person in range(people):
                (made / f"person-{person:02d}").mkdir(parents=True)
                for face in range(faces):
                    seeds = [seed, person], [seed, person, face + 1]
                    image = draw_face(*map(np.random.default_rng, seeds))
                    image.save(made / f"person-{person:02d}" / f"{face:02d}.png")
            os.rename(made, folder)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser("generate_faces", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, metavar="FACES", help="folder to make")
    parser.add_argument("--people", type=int, default=12, help="default: %(default)s")
    parser.add_argument("--faces", type=int, default=12, help="of each; default: %(default)s")
    parser.add_argument("--seed", type=int, default=1, help="default: %(default)s")

    def do(args: argparse.Namespace) -> None:
        generate(args.folder, args.people, args.faces, args.seed)
        print(f"{args.people * args.faces} faces of {args.people} people in {args.folder}")

    return ended(parser, do, argv, "; nothing was written")


if __name__ == "__main__":
    sys.exit(main())
