"""Reading a photo, whatever it is stored as, into 8-bit RGB pixels."""

import contextlib
import io
import os
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps

from xcos_tf.errors import XcosError, extra, reason_of
from xcos_tf.files import check_photo_file, open_regular
from xcos_tf.quiet import Shared, no_warnings, silent_standard_error

MIN_SIDE = 20
"""Pixels: a face smaller than this cannot be found, let alone compared."""

MAX_BYTES = 1 << 28
"""The largest photo that is taken from a stream, which may have no end."""

MAX_PIXELS = 89_478_485
"""The largest photo that is decoded: Pillow's own limit, a quarter of a gigabyte as RGB."""

# Formats that a camera, a phone or a web page gives. Leaving the rest out keeps Pillow from
# starting other programs on a stranger's file (Ghostscript, for EPS).
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "JPEG2000", "AVIF", "HEIF")

_STRETCH = 1_000_000
"""Pixels that are converted at once, at 8 bytes and more each."""

_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")

_DARK = 10
"""Frames in which a camera finds its exposure, before the one that counts."""

_NO_WARNINGS, _NO_LINES = Shared(no_warnings), Shared(silent_standard_error)


def read_photo(
    source: str | os.PathLike | bytes | BinaryIO | Image.Image | np.ndarray, name: str = "the photo"
) -> np.ndarray:
    """Return the pixels of a photo as one sees it: upright, first frame, 8-bit RGB.

    The orientation that a camera noted is applied. Transparent parts are laid over white. Grey,
    palette, CMYK and 1-bit images are converted. Deeper images are brought to 8 bits: 16-bit ones
    by dividing by 257; 32-bit integers and floats by the full scale that their largest value
    fits (1 for floats, 255, 65,535, or that value itself), negative values and NaN as 0.

    Args:
        source: a path, an encoded image as bytes or in an open file, a PIL image, or a uint8
            array, (H, W, 3) RGB, (H, W, 4) RGBA, (H, W) or (H, W, 1) grey.
        name: what errors call a photo that has no path.

    Returns:
        uint8 (H, W, 3) RGB in [0, 255]; an RGB array is returned as it is, not copied.

    Raises:
        XcosError: no such file, a folder, empty, not an image, damaged or cut short, not
            permitted, under 20 pixels wide or high, or over 89 million pixels.
        ValueError: an array of another shape or type.
    """
    with _NO_WARNINGS:
        if isinstance(source, np.ndarray):
            return _from_array(source, name)
        if isinstance(source, Image.Image):
            return _from_image(source, name)
        if isinstance(source, (bytes, bytearray, memoryview)):
            return _from_bytes(source, name)
        if isinstance(source, (str, os.PathLike)):
            return _from_file(source)
        if hasattr(source, "read"):
            return _from_reader(source, name)
    raise ValueError(
        "Expected a photo as a path, bytes, open file, PIL image or NumPy array. "
        f"Received: source of type {type(source).__name__}"
    )


def photo_name(source: object, otherwise: str = "the photo") -> str:
    """Return what sentences call a photo: its path, or the name of the open file it is in."""
    if isinstance(source, (str, os.PathLike)):
        return os.fsdecode(source)
    name = getattr(source, "name", None) if hasattr(source, "read") else None
    if name == "<stdin>":
        return "standard input"
    return name if isinstance(name, str) and name else otherwise


def _from_bytes(data, name: str) -> np.ndarray:
    if not len(data):
        raise XcosError(f"{name} is empty (0 bytes); give the bytes of an image file")
    return _from_stream(io.BytesIO(data), name)


def _from_reader(reader, name: str) -> np.ndarray:
    name, parts, size = photo_name(reader, name), [], 0
    try:
        # A pipe gives less than it is asked for.
        while part := reader.read(min(1 << 20, MAX_BYTES + 1 - size)):
            if not isinstance(part, bytes):
                raise ValueError(
                    f"Expected a file that is open for bytes, as by 'rb'. Received: source={name}"
                )
            parts.append(part)
            size += len(part)
            if size > MAX_BYTES:
                raise XcosError(f"{name} has more than {MAX_BYTES >> 20} MB; give a smaller photo")
    except OSError as error:
        raise XcosError(f"{name} cannot be read ({reason_of(error)})") from None
    return _from_bytes(b"".join(parts), name)


def _from_array(array: np.ndarray, name: str) -> np.ndarray:
    channels = array.shape[2] if array.ndim == 3 else 1
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or channels not in (1, 3, 4):
        raise ValueError(
            "Expected a photo as a uint8 array of shape (H, W, 3), (H, W, 4) or (H, W). "
            f"Received: shape={array.shape}, dtype={array.dtype}"
        )
    if channels == 3:
        _check_size(array.shape[1], array.shape[0], name)
        return np.ascontiguousarray(array)
    return _from_image(Image.fromarray(array[..., 0] if array.shape[2:] == (1,) else array), name)


def _from_file(path: str | os.PathLike) -> np.ndarray:
    name = check_photo_file(path)
    try:
        with open_regular(name) as stream:
            return _from_stream(stream, name)
    except PermissionError:
        raise XcosError(f"{name} may not be read; change its permissions") from None
    except (OSError, ValueError) as error:  # gone in the meantime, a failing disk
        raise XcosError(f"{name!r} cannot be read ({reason_of(error)}); check the path") from None


def _from_stream(stream, name: str) -> np.ndarray:
    try:
        Image.init()
        known = [x for x in _FORMATS if x in Image.OPEN]  # AVIF since Pillow 11.3
        image = Image.open(stream, formats=known)
    except Image.DecompressionBombError:
        raise _too_large(name) from None
    except MemoryError:
        raise
    except Image.UnidentifiedImageError:
        if heic := _open_heic(stream, name):
            return _from_image(heic, name)
        raise XcosError(
            f"{name} is not an image that can be read; give a JPEG, PNG, WebP, GIF, BMP or TIFF"
        ) from None
    except Exception as error:  # decoders raise anything on a damaged header
        raise XcosError(_damaged(name, error)) from None
    with image:
        return _from_image(image, name)


def _open_heic(stream, name: str) -> Image.Image | None:
    """Open a HEIC photo, as iPhones take them; None if it is something else."""
    stream.seek(0)
    head = stream.read(32)
    if head[4:8] != b"ftyp" or not any(brand in head for brand in _HEIC_BRANDS):
        return None
    with extra("heic", f"{name}, a HEIC photo,"):
        import pillow_heif

    stream.seek(0)
    try:
        heif = pillow_heif.open_heif(stream)
        _check_size(*heif.size, name)
        return heif.to_pillow()
    except (XcosError, MemoryError):
        raise
    except Exception as error:  # decoders raise anything on damaged data
        raise XcosError(_damaged(name, error)) from None


def _from_image(image: Image.Image, name: str) -> np.ndarray:
    _check_size(*image.size, name)
    # Of a damaged TIFF, libtiff prints lines of its own.
    quiet = _NO_LINES if image.format == "TIFF" else contextlib.nullcontext()
    try:
        with quiet:
            image.load()
    except MemoryError:
        raise
    except Exception as error:  # decoders raise anything on damaged data
        raise XcosError(_damaged(name, error)) from None
    try:
        upright = ImageOps.exif_transpose(image)
    except Exception:  # damaged EXIF is no reason to refuse good pixels
        upright = image
    try:
        return _to_rgb(upright)
    except ValueError:
        mode = f"the colour mode {image.mode}, which cannot be converted"
        raise XcosError(f"{name} has {mode}; save it as RGB") from None


def _check_size(width: int, height: int, name: str) -> None:
    """Judge by the header alone, before anything is decoded."""
    if min(width, height) < MIN_SIDE:
        raise XcosError(
            f"{name} is only {width}×{height} pixels, too small for a face; give a larger photo"
        )
    if width * height > MAX_PIXELS:
        raise _too_large(name)


def _to_rgb(image: Image.Image) -> np.ndarray:
    """Return uint8 (H, W, 3), a stretch of rows at a time, which bounds the memory."""
    if image.mode == "RGB" and "transparency" not in image.info:
        return np.array(image)
    deep = image.mode in ("I", "F") or image.mode.startswith("I;16")
    width, height = image.size
    rows = max(1, _STRETCH // width)
    boxes = [(0, top, width, min(top + rows, height)) for top in range(0, height, rows)]
    full_scale = _full_scale(image, boxes) if deep else None
    pixels = np.empty((height, width, 3), np.uint8)
    for box in boxes:
        stretch = image.crop(box)
        if deep:
            share = np.clip(_finite(stretch) / full_scale, 0, 1)[..., np.newaxis]
            pixels[box[1] : box[3]] = np.round(share * 255)
        else:
            pixels[box[1] : box[3]] = _over_white(stretch)
    return pixels


def _over_white(image: Image.Image) -> Image.Image:
    # "transparency" marks a transparent palette entry, or one colour, in an image without alpha.
    if "A" in image.getbands() or "a" in image.getbands() or "transparency" in image.info:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image.convert("RGB")


def _full_scale(image: Image.Image, boxes: list[tuple[int, int, int, int]]) -> float:
    """Return the value of white in a deep grey image, of which `boxes` are the stretches."""
    largest = max(_finite(image.crop(box)).max() for box in boxes)
    scales = {"I": (255.0, 65535.0), "F": (1.0, 255.0, 65535.0)}.get(image.mode, (65535.0,))
    return next((scale for scale in scales if largest <= scale), largest)


def _finite(image: Image.Image) -> np.ndarray:
    """Return float64 (H, W), with 0 for what is no number."""
    values = np.asarray(image).astype(np.float64)
    return np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)


def _damaged(name: str, error: Exception) -> str:
    return f"{name} is damaged or cut short ({reason_of(error)}); copy or download it again"


def _too_large(name: str) -> XcosError:
    millions = MAX_PIXELS // 10**6
    return XcosError(f"{name} has more than {millions} million pixels; make it smaller first")


def take_photo() -> np.ndarray:
    """Return a frame of the first webcam, uint8 (H, W, 3) RGB.

    Raises:
        XcosError: OpenCV is not installed, or no camera gives a frame.
    """
    with extra("camera", "a camera"):
        import cv2
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    camera = cv2.VideoCapture(0)
    try:
        for _ in range(_DARK):
            there, frame = camera.read()
    finally:
        camera.release()
        cv2.utils.logging.setLogLevel(level)
    if not there:
        raise XcosError("no camera gives a picture; connect one, or give a second photo")
    return np.ascontiguousarray(frame[..., ::-1])
