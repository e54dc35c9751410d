"""What the tests of covered copies share."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image


def write_faces(folder: Path, names: Iterable[str], side: int = 112) -> None:
    """Write an image of noise under each name; the same name gives the same noise."""
    for name in names:
        random = np.random.default_rng(list(name.encode()))
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        noise = random.integers(0, 256, (side, side, 3), np.uint8)
        Image.fromarray(noise).save(folder / name)


def contents(folder: Path) -> dict[str, bytes]:
    """Return {relative name: content} of all files in a folder tree."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def pixels(path: Path) -> np.ndarray:
    """Return an image, uint8 (h, w, 3)."""
    return np.asarray(Image.open(path).convert("RGB"))
