"""Every kind of image is read as one sees it; every bad one gives one clear sentence."""

import io
import os
import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from xcos_tf.data.photo import MAX_PIXELS, photo_name, read_photo
from xcos_tf.errors import XcosError

HEIGHT, WIDTH = 24, 32
RAMP = np.tile(np.linspace(0, 255, WIDTH).round().astype(np.uint8), (HEIGHT, 1))
RGB = np.stack([RAMP, RAMP[:, ::-1], np.full_like(RAMP, 90)], axis=-1)
GREY = np.repeat(RAMP[..., np.newaxis], 3, axis=-1)


def encode(image, fmt="PNG", **options):
    stream = io.BytesIO()
    image.save(stream, fmt, **options)
    return stream.getvalue()


def png(width, height, rows=b"", bit_depth=8, colour_type=2):
    """A PNG made by hand, for what Pillow does not write."""

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, bit_depth, colour_type, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize("kind", ["str", "path", "bytes", "pil", "array"])
def test_sources_agree(tmp_path, kind):
    path = tmp_path / "a.png"
    Image.fromarray(RGB).save(path)
    sources = {
        "str": str(path),
        "path": path,
        "bytes": path.read_bytes(),
        "pil": Image.fromarray(RGB),
        "array": RGB,
    }
    photo = read_photo(sources[kind])
    assert photo.dtype == np.uint8
    np.testing.assert_array_equal(photo, RGB)


def test_grey_arrays():
    np.testing.assert_array_equal(read_photo(RAMP), GREY)
    np.testing.assert_array_equal(read_photo(RAMP[..., np.newaxis]), GREY)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_is_laid_over_white(mode):
    image = Image.fromarray(RGB).convert(mode)
    alpha = np.full((HEIGHT, WIDTH), 255, np.uint8)
    alpha[:12] = 0
    image.putalpha(Image.fromarray(alpha))
    photo = read_photo(encode(image))
    assert (photo[:12] == 255).all()
    opaque = np.asarray(Image.fromarray(RGB).convert(mode[:-1]).convert("RGB"))
    np.testing.assert_array_equal(photo[12:], opaque[12:])


def test_half_transparent_array_is_mixed_with_white():
    rgba = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    rgba[..., 3] = 128
    np.testing.assert_allclose(read_photo(rgba), 127, atol=1)


def test_palette_with_and_without_transparency():
    indices = np.zeros((HEIGHT, WIDTH), np.uint8)
    indices[:, 16:] = 1
    image = Image.frombytes("P", (WIDTH, HEIGHT), indices.tobytes())
    image.putpalette([10, 20, 30, 200, 100, 50])
    photo = read_photo(encode(image))
    assert photo[0, 0].tolist() == [10, 20, 30]
    assert photo[0, 31].tolist() == [200, 100, 50]
    photo = read_photo(encode(image, transparency=1))
    assert photo[0, 0].tolist() == [10, 20, 30]
    assert photo[0, 31].tolist() == [255, 255, 255]


def test_cmyk_jpeg():
    cmyk = Image.new("CMYK", (WIDTH, HEIGHT), (0, 255, 255, 0))
    photo = read_photo(encode(cmyk, "JPEG", quality=95))
    np.testing.assert_allclose(photo, np.broadcast_to([255, 0, 0], photo.shape), atol=4)


def test_one_bit():
    photo = read_photo(encode(Image.fromarray(RAMP > 127)))
    np.testing.assert_array_equal(photo, np.where(GREY > 127, 255, 0))


def test_16_bit_grey():
    deep = Image.fromarray(RAMP.astype(np.uint16) * 257)
    assert deep.mode == "I;16"
    np.testing.assert_array_equal(read_photo(encode(deep)), GREY)
    np.testing.assert_array_equal(read_photo(deep), GREY)
    # A dark one stays dark: its full scale is known.
    dark = Image.fromarray(RAMP.astype(np.uint16))
    assert read_photo(dark).max() == 1


def test_16_bit_rgb():
    rows = b"".join(b"\0" + (row.astype(">u2") * 257).astype(">u2").tobytes() for row in RGB)
    photo = read_photo(png(WIDTH, HEIGHT, rows, bit_depth=16))
    np.testing.assert_allclose(photo.astype(int), RGB.astype(int), atol=1)


@pytest.mark.parametrize("factor", [1, 257, 100_000])
def test_32_bit_integers(factor):
    deep = Image.fromarray(RAMP.astype(np.int32) * factor)
    assert deep.mode == "I"
    np.testing.assert_allclose(read_photo(deep).astype(int), GREY, atol=1)


@pytest.mark.parametrize("factor", [1 / 255, 1, 257, 1e6])
def test_floats(factor):
    image = Image.fromarray(RAMP.astype(np.float32) * np.float32(factor))
    np.testing.assert_allclose(read_photo(encode(image, "TIFF")).astype(int), GREY, atol=1)


def test_odd_floats_are_black():
    values = RAMP.astype(np.float32) / 255
    values[0, :3] = [np.nan, -4, np.inf]
    photo = read_photo(Image.fromarray(values))
    assert (photo[0, :3] == 0).all()
    np.testing.assert_array_equal(photo[1:], GREY[1:])


@pytest.mark.parametrize(
    "orientation, undo",
    [
        (1, lambda x: x),
        (2, lambda x: x[:, ::-1]),
        (3, lambda x: x[::-1, ::-1]),
        (4, lambda x: x[::-1]),
        (5, lambda x: x.transpose(1, 0, 2)),
        (6, lambda x: np.rot90(x, -1)),
        (7, lambda x: x[::-1, ::-1].transpose(1, 0, 2)),
        (8, lambda x: np.rot90(x)),
    ],
)
def test_camera_orientation_is_applied(orientation, undo):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encode(Image.fromarray(RGB), "PNG", exif=exif)
    np.testing.assert_array_equal(read_photo(data), undo(RGB))
    np.testing.assert_array_equal(read_photo(Image.open(io.BytesIO(data))), undo(RGB))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_damaged_exif_is_no_reason_to_refuse():
    data = encode(Image.fromarray(RGB), "PNG", exif=b"Exif\0\0II*\0\xff\xff\xff\xffgarbage")
    np.testing.assert_array_equal(read_photo(data), RGB)


@pytest.mark.parametrize("fmt", ["GIF", "WEBP", "PNG"])
def test_first_frame_of_an_animation(fmt):
    frames = [Image.new("RGB", (WIDTH, HEIGHT), colour) for colour in ("red", "lime", "blue")]
    options = {"lossless": True} if fmt == "WEBP" else {}
    data = encode(frames[0], fmt, save_all=True, append_images=frames[1:], **options)
    image = Image.open(io.BytesIO(data))
    assert image.n_frames == 3
    np.testing.assert_array_equal(read_photo(data), np.asarray(frames[0]))
    image.seek(0)
    np.testing.assert_array_equal(read_photo(image), np.asarray(frames[0]))


@pytest.mark.parametrize("fmt", ["BMP", "TIFF", "PPM", "GIF", "JPEG", "WEBP"])
def test_formats(fmt):
    photo = read_photo(encode(Image.fromarray(GREY), fmt))
    np.testing.assert_allclose(photo.astype(int), GREY, atol=8)


def test_missing(tmp_path):
    with pytest.raises(XcosError, match=r"there is no file .*nowhere\.jpg; check the path"):
        read_photo(tmp_path / "nowhere.jpg")
    with pytest.raises(XcosError, match="there is no file ''"):
        read_photo("")
    with pytest.raises(XcosError, match="cannot be read"):
        read_photo("a" * 5000)
    with pytest.raises(XcosError, match="cannot be read"):
        read_photo("a\0b.jpg")


def test_folder_and_device(tmp_path):
    with pytest.raises(XcosError, match="is a folder; give a photo file"):
        read_photo(tmp_path)
    with pytest.raises(XcosError, match="not a regular file"):
        read_photo("/dev/null")


def test_empty(tmp_path):
    (tmp_path / "a.jpg").touch()
    with pytest.raises(XcosError, match=r"a\.jpg is empty"):
        read_photo(tmp_path / "a.jpg")
    with pytest.raises(XcosError, match="empty"):
        read_photo(b"")


def test_not_an_image(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_text("I am not a photo, whatever my name says.\n" * 50)
    with pytest.raises(XcosError, match=r"a\.jpg is not an image that can be read; give a JPEG"):
        read_photo(path)


def test_postscript_is_not_run():
    with pytest.raises(XcosError, match="not an image that can be read"):
        read_photo(encode(Image.fromarray(RGB), "EPS"))


@pytest.mark.parametrize("keep", [0.3, 0.6, 0.95])
def test_truncated_jpeg(tmp_path, keep):
    whole = (Path(__file__).parents[1] / "photos/obama.jpg").read_bytes()
    path = tmp_path / "cut.jpg"
    path.write_bytes(whole[: int(keep * len(whole))])
    with pytest.raises(XcosError, match=r"cut\.jpg is damaged or cut short .*; copy or download"):
        read_photo(path)


@pytest.mark.parametrize("fmt", ["PNG", "GIF", "WEBP", "TIFF", "BMP", "JPEG"])
def test_any_damage_is_one_sentence(fmt):
    data = bytearray(encode(Image.fromarray(RGB), fmt))
    random = np.random.default_rng(0)
    for _ in range(150):
        damaged = data.copy()
        for place in random.integers(0, len(data), 3):
            damaged[place] = random.integers(256)
        damaged = bytes(damaged[: random.integers(1, len(data) + 1)])
        try:
            assert read_photo(damaged).shape[2] == 3
        except XcosError as error:
            assert "\n" not in str(error)


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"])
def test_of_a_damaged_tiff_nothing_is_printed(capfd, compression):
    """libtiff prints lines of its own, to the descriptor."""
    whole = encode(Image.fromarray(RGB), "TIFF", compression=compression)
    random = np.random.default_rng(0)

    def damaged():
        changed = bytearray(whole)
        for place in random.integers(8, len(whole), 4):
            changed[place] = random.integers(256)
        return bytes(changed)

    def read(data):
        try:
            read_photo(data)
        except XcosError as error:
            return "is damaged or cut short" in str(error)
        return False

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(read, [damaged() for _ in range(40)])) > 1
    assert capfd.readouterr() == ("", "")
    os.write(2, b"heard again")
    assert capfd.readouterr().err == "heard again"


@pytest.mark.parametrize("size", [(1, 1), (19, 500), (500, 19)])
def test_too_small(size):
    with pytest.raises(XcosError, match=f"only {size[0]}×{size[1]} pixels, too small for a face"):
        read_photo(encode(Image.new("RGB", size)))
    with pytest.raises(XcosError, match="too small"):
        read_photo(np.zeros((size[1], size[0], 3), np.uint8))
    assert read_photo(encode(Image.new("RGB", (20, 20)))).shape == (20, 20, 3)


@pytest.mark.parametrize("side", [10_000, 60_000])
def test_decompression_bomb_is_refused_by_its_header(tmp_path, side):
    path = tmp_path / "bomb.png"
    path.write_bytes(png(side, side))  # no pixels behind the header: decoding would say "damaged"
    before = Image.MAX_IMAGE_PIXELS
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(XcosError, match=r"bomb\.png has more than 89 million pixels"):
            read_photo(path)
    assert before == Image.MAX_IMAGE_PIXELS
    assert side**2 > MAX_PIXELS


def test_permission_denied(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    Image.fromarray(RGB).save(path)

    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)  # file modes do not stop a superuser
    with pytest.raises(XcosError, match=r"a\.png may not be read; change its permissions"):
        read_photo(path)


@pytest.mark.parametrize(
    "source",
    [np.zeros((30, 30, 2), np.uint8), np.zeros((30, 30, 3)), np.zeros(30, np.uint8), 7, None],
)
def test_programming_errors(source):
    with pytest.raises(ValueError, match=r"Expected .* Received"):
        read_photo(source)


def test_open_files(tmp_path):
    Image.fromarray(RGB).save(tmp_path / "a.png")
    with open(tmp_path / "a.png", "rb") as stream:
        np.testing.assert_array_equal(read_photo(stream), RGB)
        assert photo_name(stream) == str(tmp_path / "a.png")
    data = (tmp_path / "a.png").read_bytes()
    np.testing.assert_array_equal(read_photo(io.BytesIO(data)), RGB)

    class Pipe(io.RawIOBase):
        """Gives seven bytes at a time."""

        def __init__(self, data):
            self.left = data

        def read(self, size=-1):
            part, self.left = self.left[: min(size, 7)], self.left[min(size, 7) :]
            return part

    np.testing.assert_array_equal(read_photo(Pipe(data)), RGB)


def test_open_files_of_no_use(tmp_path, monkeypatch):
    with pytest.raises(XcosError, match=r"the photo is empty"):
        read_photo(io.BytesIO())
    (tmp_path / "a.txt").write_text("no photo")
    with open(tmp_path / "a.txt", "rb") as stream, pytest.raises(XcosError, match=r"a\.txt is not"):
        read_photo(stream)
    with open(tmp_path / "a.txt") as stream, pytest.raises(ValueError, match=r"open for bytes"):
        read_photo(stream)
    monkeypatch.setattr("xcos_tf.data.photo.MAX_BYTES", 1 << 20)
    with open("/dev/zero", "rb") as stream, pytest.raises(XcosError, match=r"more than 1 MB"):
        read_photo(stream)
