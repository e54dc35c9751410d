"""Images of many kinds, sound and damaged, decoded in one graph."""

import io
import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from xcos_tf.data.photo import read_photo
from xcos_tf.export.encoded_faces import MAX_ENCODED_PIXELS, decode_faces

decode = tf.function(decode_faces, input_signature=[tf.TensorSpec((None,), tf.string)])


def as_bytes(image, image_format, **options):
    stream = io.BytesIO()
    image.save(stream, image_format, **options)
    return stream.getvalue()


def decoded(content):
    """Return the face, or None if it is said not to be valid."""
    faces, valid = decode(tf.constant([content]))
    assert faces.shape == (1, 112, 112, 3) and valid.shape == (1,)
    return faces[0].numpy() if valid[0] else None


@pytest.fixture(scope="module")
def photo(photos):
    with Image.open(photos / "obama.jpg") as image:
        return image.convert("RGB")


@pytest.fixture(scope="module")
def face(photo):
    return photo.resize((112, 112))


def png_of_size(width, height, png):
    """Return a PNG whose header claims another size, with a checksum that agrees."""
    header = b"IHDR" + struct.pack(">II", width, height) + png[24:29]
    return png[:12] + header + struct.pack(">I", zlib.crc32(header)) + png[33:]


def jpeg_of_size(width, height, jpeg):
    at = jpeg.index(b"\xff\xc0") + 5
    return jpeg[:at] + struct.pack(">HH", height, width) + jpeg[at + 4 :]


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA", "LA", "1"])
def test_pngs_are_as_pillow_reads_them(mode, face):
    content = as_bytes(face.convert(mode), "PNG")
    np.testing.assert_array_equal(decoded(content), read_photo(content))


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("progressive", [False, True])
def test_jpegs_are_as_pillow_reads_them(mode, progressive, face):
    content = as_bytes(face.convert(mode), "JPEG", progressive=progressive)
    np.testing.assert_array_equal(decoded(content), read_photo(content))


@pytest.mark.parametrize("colours", [2, 4, 16, 17])
def test_small_palettes(colours, face):
    content = as_bytes(face.quantize(colours), "PNG")
    np.testing.assert_array_equal(decoded(content), read_photo(content))


def test_what_is_transparent_is_white(face):
    see_through = face.copy()
    see_through.putalpha(Image.linear_gradient("L").resize((112, 112)))
    content = as_bytes(see_through, "PNG")
    difference = decoded(content).astype(int) - read_photo(content)
    assert np.abs(difference).max() <= 1
    assert np.abs(decoded(content).astype(int) - np.asarray(face)).max() > 50


def test_one_colour_can_be_transparent(face):
    content = as_bytes(face.convert("P"), "PNG", transparency=7)
    np.testing.assert_array_equal(decoded(content), read_photo(content))


def test_deep_images(face):
    values = np.random.default_rng(1).integers(0, 65536, (112, 112), np.uint16)
    content = as_bytes(Image.fromarray(values), "PNG")
    np.testing.assert_array_equal(decoded(content)[..., 0], values >> 8)


@pytest.mark.parametrize("size", [(300, 200), (40, 60), (112, 113), (1, 1)])
@pytest.mark.parametrize("image_format", ["PNG", "JPEG"])
def test_other_sizes_are_resized(size, image_format, photo):
    content = as_bytes(photo.resize(size), image_format)
    pixels = Image.fromarray(np.array(Image.open(io.BytesIO(content)).convert("RGB")))
    resized = np.asarray(pixels.resize((112, 112), Image.BILINEAR)).astype(int)
    assert np.abs(decoded(content) - resized).max() <= 1


@pytest.fixture(scope="module")
def damaged(face):
    """{what happened to it: bytes}."""
    random = np.random.default_rng(11)
    jpeg, png, gif = (as_bytes(face, kind) for kind in ("JPEG", "PNG", "GIF"))
    flipped = bytearray(png)
    flipped[len(png) // 2] ^= 1
    cut = {
        f"{name} cut after {length}": content[:length]
        for name, content in (("jpeg", jpeg), ("png", png))
        for length in (3, 8, 20, 33, len(content) // 2, len(content) - 20, len(content) - 1)
    }
    return {
        **cut,
        "empty": b"",
        "text": b"no image",
        "a page": b"<html><body>404</body></html>",
        "noise": random.bytes(3000),
        "noise after a JPEG's first bytes": jpeg[:3] + random.bytes(3000),
        "noise after a PNG's first bytes": png[:8] + random.bytes(3000),
        "noise after a PNG's header": png[:33] + random.bytes(3000),
        "a PNG with one bit wrong": bytes(flipped),
        "a JPEG without its beginning": jpeg[20:],
        "a PNG under a JPEG's first bytes": jpeg[:3] + png,
        "gif": gif,
        "gif with colours that read as a PNG's size": gif[:16] + png[16:24] + b"\1" + gif[25:],
        "bmp": as_bytes(face, "BMP"),
        "webp": as_bytes(face, "WEBP"),
        "tiff": as_bytes(face, "TIFF"),
        "a PNG of no width": png_of_size(0, 112, png),
        "a JPEG of no height": jpeg_of_size(112, 0, jpeg),
        "a PNG said to be huge": png_of_size(60_000, 60_000, png),
        "a PNG said to be as large as can be said": png_of_size(2**32 - 1, 2**32 - 1, png),
        "a JPEG said to be huge": jpeg_of_size(65_000, 65_000, jpeg),
    }


def test_damaged_images_get_a_flag_and_harm_no_other(damaged, face):
    contents = []
    for content in damaged.values():
        contents += [content, as_bytes(face, "PNG")]
    faces, valid = (x.numpy() for x in decode(tf.constant(contents)))
    passed = [what for what, ok in zip(damaged, valid[::2], strict=True) if ok]
    assert passed == []
    assert not faces[::2].any()
    assert valid[1::2].all() and (faces[1::2] == np.asarray(face)).all()


def test_sizes_up_to_the_limit():
    side = int(MAX_ENCODED_PIXELS**0.5)
    image = Image.new("L", (side, side), 77)
    assert (decoded(as_bytes(image, "PNG", compress_level=1)) == 77).all()
    assert decoded(as_bytes(Image.new("L", (side, side + 1)), "PNG", compress_level=1)) is None
    assert decoded(as_bytes(Image.new("L", (side + 1, side)), "JPEG")) is None
