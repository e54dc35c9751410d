"""Photos, and other pictures of a fixed form."""

import io
import os
from pathlib import Path

import numpy as np
from PIL import Image

from tests.fuzz.engine import Reader, Trial
from tests.fuzz.mutate import mutate_bytes
from xcos_tf.data.photo import MIN_SIDE, read_photo
from xcos_tf.errors import XcosError
from xcos_tf.evaluation.people_set import read_ar_photo


def encoded_photos(formats=None) -> list[bytes]:
    """Return a small photo in many formats and colour modes."""
    pixels = np.random.default_rng(7).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    rgb = Image.fromarray(pixels)
    deep = Image.fromarray((pixels[..., 0].astype(np.uint16) * 257).astype(np.uint16))
    turned = Image.Exif()
    turned[0x0112] = 6
    kinds = [
        *((x, "JPEG", {"quality": 90}) for x in (rgb, rgb.convert("L"), rgb.convert("CMYK"))),
        *((rgb, "JPEG", x) for x in ({"progressive": True}, {"exif": turned})),
        *((rgb.convert(x), "PNG", {}) for x in ("RGB", "RGBA", "L", "LA", "P", "1")),
        (deep, "PNG", {}),
        (rgb, "PNG", {"exif": turned}),
        (rgb.convert("P"), "PNG", {"transparency": 3}),
        *((rgb.convert(x), "WEBP", {"lossless": x == "RGBA"}) for x in ("RGB", "RGBA")),
        (rgb, "GIF", {"save_all": True, "append_images": [rgb.rotate(90)]}),
        *((rgb.convert(x), "BMP", {}) for x in ("RGB", "P", "1")),
        *((rgb, "TIFF", {"compression": x}) for x in (None, "tiff_lzw", "tiff_deflate", "jpeg")),
        *((x, "TIFF", {}) for x in (deep, rgb.convert("F"), rgb.convert("LAB"), rgb.convert("I"))),
        *((rgb.convert(x), "PPM", {}) for x in ("RGB", "L", "1")),
        (rgb, "JPEG2000", {}),
        (rgb, "AVIF", {}),
    ]
    found = []
    for image, kind, options in kinds:
        if formats is None or kind in formats:
            stream = io.BytesIO()
            image.save(stream, kind, **options)
            found.append(stream.getvalue())
    return found


def _heic() -> list[bytes]:
    try:
        import pillow_heif
    except ImportError:
        return [b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(400)]
    stream = io.BytesIO()
    pillow_heif.from_pillow(Image.new("RGB", (32, 24), "green")).save(stream)
    return [stream.getvalue()]


def _check(pixels: np.ndarray) -> None:
    assert pixels.dtype == np.uint8 and pixels.ndim == 3 and pixels.shape[2] == 3, pixels.shape
    assert min(pixels.shape[:2]) >= MIN_SIDE


def _photos(folder: Path) -> Trial:
    seeds = encoded_photos() + _heic()

    def read(content: bytes):
        kind = len(content) % 3
        if kind == 0:
            _check(read_photo(content))
        elif kind == 1:
            _check(read_photo(io.BytesIO(content)))
        else:
            path = folder / "photo"
            path.write_bytes(content)
            _check(read_photo(path))

    return Trial(
        lambda random: mutate_bytes(seeds[random.integers(len(seeds))], random, seeds), read
    )


def _arrays(folder: Path) -> Trial:
    kinds = ("u1", "u1", "u1", "u1", "i1", "u2", "i8", "f4", "f8", "b1", "c8", "O", "S1")
    sides = (0, 1, 2, 3, 4, 5, 19, 20, 21, 64)

    def draw(random):
        shape = random.choice(sides, size=int(random.integers(0, 6)))
        if random.random() < 0.6:
            shape = (*random.choice((20, 21, 64), size=2), random.choice((0, 1, 2, 3, 4, 5)))
        array = np.zeros(tuple(int(x) for x in shape), kinds[random.integers(len(kinds))])
        return array[::-1] if array.ndim and random.random() < 0.3 else array

    return Trial(draw, lambda array: _check(read_photo(array)))


def _ar(folder: Path) -> Trial:
    whole = bytes(3 * 768 * 576)

    def draw(random):
        cut = int(random.choice([0, 0, 1, 3, 1000, len(whole)]))
        return mutate_bytes(
            whole[cut:] if random.random() < 0.5 else whole[: len(whole) - cut], random
        )

    def read(content):
        path = folder / "m-001-01.raw"
        path.write_bytes(content)
        assert read_ar_photo(path).shape == (576, 768, 3)

    return Trial(draw, read)


def _paths(folder: Path) -> Trial:
    (folder / "a.png").write_bytes(encoded_photos(["PNG"])[0])
    (folder / "folder").mkdir()
    (folder / "empty").touch()
    os.symlink("loop", folder / "loop")
    os.symlink("nowhere", folder / "dangling")
    os.mkfifo(folder / "pipe")
    paths = (
        *(
            "a.png",
            "folder",
            "empty",
            "loop",
            "dangling",
            "pipe",
            "a.png/b",
            "",
            ".",
            "/",
            "missing",
        ),
        *(
            "/dev/zero",
            "/dev/null",
            "/dev/tty",
            "/proc/self/mem",
            "x" * 300,
            "é" * 200,
            "a/" * 3000,
        ),
        *(
            "a\nb",
            "a\0b",
            "\ud800",
            "~",
            "-",
            "data:image/png;base64," + "QUJD" * 99999,
            "\x1b[31m",
        ),
    )

    def draw(random):
        path = paths[random.integers(len(paths))]
        if random.random() < 0.3:
            path = mutate_bytes(os.fsencode(path) if "\ud800" not in path else b"\xff", random)
            path = os.fsdecode(path)
        return path

    def read(path):
        _check(read_photo(Path(path) if len(path) % 2 and "\0" not in path else path))

    return Trial(draw, read)


READERS = (
    Reader("photos", _photos, 3, speaks=True),
    Reader("photos as arrays", _arrays, 0.5, (XcosError, ValueError)),
    Reader("paths of photos", _paths, 0.5),
    Reader("AR's raw photos", _ar, 0.1),
)
