"""Two people whose faces are coloured blocks, for the tools that measure the unlock prototype."""

from pathlib import Path

import numpy as np
from PIL import Image


def write_people(folder: Path, photos: int, random: np.random.Generator) -> Path:
    """Write so many noisy photos of each of two people, and return the folder."""
    for name in "ab":
        (folder / name).mkdir(parents=True)
        face = random.integers(0, 256, (7, 7, 3), np.uint8)
        for k in range(photos):
            noise = random.integers(-20, 20, (112, 112, 3))
            pixels = np.clip(np.kron(face, np.ones((16, 16, 1))) + noise, 0, 255)
            Image.fromarray(pixels.astype(np.uint8)).save(folder / name / f"{k}.png")
    return folder
