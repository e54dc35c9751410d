"""What photos may cost, and the formats that need a package."""

import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from xcos_tf.data.photo import read_photo
from xcos_tf.errors import NoFaceError, XcosError
from xcos_tf.verifier import Verifier

SIDE = 3000


def encoded(image, kind, **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


DEEP = {
    "16-bit PNG": lambda: encoded(Image.new("I;16", (SIDE, SIDE), 999), "PNG"),
    "32-bit TIFF": lambda: encoded(Image.new("I", (SIDE, SIDE), 9), "TIFF"),
    "float TIFF": lambda: encoded(Image.new("F", (SIDE, SIDE), 0.5), "TIFF"),
    "RGBA PNG": lambda: encoded(Image.new("RGBA", (SIDE, SIDE), (9, 9, 9, 99)), "PNG"),
    "palette PNG": lambda: encoded(Image.new("P", (SIDE, SIDE)), "PNG", transparency=0),
}

MEASURE = """
import resource, sys
import numpy as np
from PIL import Image
from xcos_tf.data.photo import read_photo
photo = sys.stdin.buffer.read()
read_photo(np.zeros((30, 30), np.uint8))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
read_photo(photo)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize("kind", DEEP)
def test_memory_for_a_pixel_is_bounded(kind):
    """Of all that is held at once, Pillow's copies too: at most 16 bytes, and some megabytes."""
    ran = subprocess.run([sys.executable, "-c", MEASURE], input=DEEP[kind](), capture_output=True)
    assert int(ran.stdout) * 1024 < 16 * SIDE**2 + 60e6, ran.stderr


def test_stretches_give_what_the_whole_would():
    ramp = np.linspace(0, 60000, 1200 * 1100).reshape(1200, 1100)
    deep = Image.fromarray(ramp.astype(np.uint16))
    expected = np.round(ramp.astype(np.uint16) / 65535 * 255).astype(np.uint8)
    np.testing.assert_array_equal(read_photo(deep), np.repeat(expected[..., None], 3, axis=2))
    rgba = np.random.default_rng(0).integers(0, 256, (1200, 1100, 4), np.uint8)
    white = Image.new("RGBA", (1100, 1200), "white")
    over = Image.alpha_composite(white, Image.fromarray(rgba)).convert("RGB")
    np.testing.assert_array_equal(read_photo(rgba), np.asarray(over))


@pytest.mark.parametrize("brand", [b"heic", b"heix", b"mif1"])
def test_heic_is_named_without_its_package(brand, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    path = tmp_path / "IMG_0001.HEIC"
    path.write_bytes(b"\0\0\0\x18ftyp" + brand + bytes(60))
    with pytest.raises(XcosError, match=r"IMG_0001.HEIC, a HEIC photo, needs .*xcos_tf\[heic\]"):
        read_photo(path)


def test_heic_is_read_with_its_package(photos, tmp_path):
    pillow_heif = pytest.importorskip("pillow_heif")
    pixels = photos["obama"][:400, :300]
    path = tmp_path / "a.heic"
    pillow_heif.from_pillow(Image.fromarray(pixels)).save(path, quality=90)
    read = read_photo(path)
    assert read.shape == pixels.shape
    assert np.abs(read.astype(int) - pixels).mean() < 8
    path.write_bytes(path.read_bytes()[:900])
    with pytest.raises(XcosError, match=r"a\.heic is damaged or cut short"):
        read_photo(path)


@pytest.fixture(scope="module")
def verifier():
    return Verifier.from_preset()


def test_which_of_two_photos_has_no_face(verifier, photos):
    face = encoded(Image.fromarray(photos["obama"]), "JPEG")
    blank = encoded(Image.new("RGB", (200, 200)), "JPEG")
    for pair, which in (((face, blank), "second"), ((blank, face), "first")):
        with pytest.raises(NoFaceError, match=f"no face was found in the {which} photo") as error:
            verifier.verify(*pair)
        assert error.value.photo is blank
    with pytest.raises(XcosError, match="the second photo is empty"):
        verifier.verify(face, b"")


def test_a_photo_upside_down_is_the_same_person(verifier, photos):
    upside_down = photos["obama"][::-1, ::-1]
    upright = verifier.verify(photos["obama"], photos["obama2"])
    result = verifier.verify(upside_down, photos["obama2"])
    assert result.same and abs(result.score - upright.score) < 0.02
    assert (result.template_a.turned, result.template_b.turned) == (180, 0)
