import io

import pytest
from PIL import Image

from tests.data.records.sources import jpeg, png
from xcos_tf.data.records.image_check import find_problems


def encoded(mode, kind, size=(9, 7)):
    stream = io.BytesIO()
    Image.new(mode, size).save(stream, kind)
    return stream.getvalue()


@pytest.mark.parametrize(
    "image",
    [
        *(jpeg(0), png(0)),
        *(encoded(mode, "JPEG") for mode in ("L", "CMYK")),
        *(encoded(mode, "PNG") for mode in ("P", "RGBA", "I;16", "1")),
    ],
)
def test_whole_images(image):
    assert find_problems([image]) == [None]


@pytest.mark.parametrize(
    "image, fault",
    [
        (b"", "empty"),
        (b"text", "not a JPEG or PNG"),
        (encoded("RGB", "WEBP"), "not a JPEG or PNG"),
        (encoded("RGB", "GIF"), "not a JPEG or PNG"),
        (jpeg(0)[:-2], "damaged or cut short"),
        (jpeg(0)[:200], "damaged or cut short"),
        (jpeg(0)[:3], "damaged or cut short"),
        (jpeg(0)[:2], "not a JPEG or PNG"),
        (png(0)[:-30], "damaged or cut short"),
        (png(0)[:60] + b"\xff\xff\xff" + png(0)[63:], "damaged or cut short"),
        (encoded("1", "PNG", (10_000, 9_000)), "more than 89 million pixels"),
        (encoded("1", "PNG", (20_000, 10_000)), "more than 89 million pixels"),
    ],
)
def test_faults(image, fault):
    assert find_problems([image]) == [fault]


def test_one_bad_image_does_not_spoil_its_batch():
    images = [jpeg(0), b"", jpeg(1)[:-2], png(0), b"text", encoded("RGB", "JPEG", (2000, 1500))]
    assert find_problems(images) == [
        None,
        "empty",
        "damaged or cut short",
        None,
        "not a JPEG or PNG",
        None,
    ]
    assert find_problems([]) == []


def test_a_header_alone_is_never_decoded():
    """Its pixels would take 3 TB."""
    header = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (10**6).to_bytes(4, "big") * 2
    assert find_problems([header + bytes(20)]) == ["more than 89 million pixels"]
