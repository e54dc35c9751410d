"""The AR face database's file names and raw photos.

`M-001-08.bmp` is photo 8 of man 1; women are W, or F in older copies. Photos 1 to 13 were taken in
one session, 14 to 26 of the same scenes in another: 8 to 10 with sunglasses, 11 to 13 with a scarf.
Source: Martinez and Benavente, "The AR Face Database", CVC Technical Report 24, 1998.
"""

import re
from pathlib import Path

import numpy as np

from xcos_tf.data.photo import read_photo
from xcos_tf.errors import XcosError
from xcos_tf.files import open_regular

RAW_SUFFIX = ".raw"

_NAME = re.compile(r"([mwf]-\d{1,3})-(\d{1,2})", re.IGNORECASE)
_SESSION = 13
_TAGS = {8: "sunglasses", 9: "sunglasses", 10: "sunglasses", 11: "scarf", 12: "scarf", 13: "scarf"}
_HEIGHT, _WIDTH = 576, 768


def ar_person(name: str) -> str | None:
    """Return whom a photo of this path shows, such as "m-001", or None if it is none of AR's."""
    match = _match(name)
    return match and match[1].lower()


def ar_tag(name: str) -> str | None:
    """Return what covers the face in a photo of this path: "sunglasses", "scarf" or None."""
    match = _match(name)
    return match and _TAGS.get((int(match[2]) - 1) % _SESSION + 1)


def _match(name: str) -> re.Match | None:
    # `xcos align` makes M-001-08.bmp.png of M-001-08.bmp.
    return _NAME.fullmatch(Path(name).name.split(".")[0])


def read_ar_photo(path: Path) -> np.ndarray:
    """Return a photo, uint8 (H, W, 3) RGB, of AR's own `.raw` format or any that we read.

    AR's files are the red, the green and the blue plane, each 576 rows of 768 bytes.

    Raises:
        XcosError: as by `read_photo`, or a `.raw` file has another size.
    """
    if path.suffix.lower() != RAW_SUFFIX:
        return read_photo(path)
    try:
        with open_regular(path) as stream:
            planes = np.frombuffer(stream.read(), np.uint8)
    except OSError as error:
        raise XcosError(f"{path} cannot be read ({error.strerror or error})") from None
    if len(planes) != 3 * _HEIGHT * _WIDTH:
        raise XcosError(
            f"{path} has {len(planes)} bytes, not the {3 * _HEIGHT * _WIDTH} of AR's .raw photos; "
            "save it as PNG"
        )
    return np.ascontiguousarray(planes.reshape(3, _HEIGHT, _WIDTH).transpose(1, 2, 0))
