"""Sources to prepare, written from the formats' descriptions and without the package's readers."""

import io
import struct
from pathlib import Path

import numpy as np
from PIL import Image

MAGIC_WORD = 0xCED7230A
MAGIC = b"\x0a\x23\xd7\xce"


def jpeg(seed: int, side: int = 24) -> bytes:
    """Return a JPEG of noise; another seed, another image."""
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=80)
    return stream.getvalue()


def png(seed: int, side: int = 8) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def pack(label, image: bytes = b"", key: int = 0) -> bytes:
    """Return a record: a float label, or a list of them, then the image."""
    if isinstance(label, (list, tuple)):
        numbers = struct.pack(f"<{len(label)}f", *label)
        return struct.pack("<IfQQ", len(label), 0.0, key, 0) + numbers + image
    return struct.pack("<IfQQ", 0, label, key, 0) + image


def frame(record: bytes) -> bytes:
    """Return a record's parts: it is cut at each magic word at a multiple of 4, which is left out.

    Each part: magic, 3 bits of which part it is and 29 of its length, data, padding to 4.
    """
    cuts = [i for i in range(0, len(record) - 3, 4) if record[i : i + 4] == MAGIC]
    starts, ends = [0, *(cut + 4 for cut in cuts)], [*cuts, len(record)]
    out = b""
    for number, (start, end) in enumerate(zip(starts, ends, strict=True)):
        part = 0 if not cuts else 1 if number == 0 else 3 if number == len(cuts) else 2
        data = record[start:end]
        out += struct.pack("<II", MAGIC_WORD, part << 29 | len(data)) + data
        out += bytes(-len(data) % 4)
    return out


def write_mxnet(folder: Path, records: list[bytes], index: bool = True, people: int | None = None):
    """Write train.rec, and train.idx and property if asked; return each record's position."""
    folder.mkdir(parents=True, exist_ok=True)
    positions, content = [], b""
    for record in records:
        positions.append(len(content))
        content += frame(record)
    (folder / "train.rec").write_bytes(content)
    if index:
        lines = [f"{key}\t{position}\n" for key, position in enumerate(positions)]
        (folder / "train.idx").write_text("".join(lines))
    if people is not None:
        (folder / "property").write_text(f"{people},112,112\n")
    return positions


def insightface_records(images: list[tuple[int, bytes]]) -> list[bytes]:
    """Return a header record, images grouped by label, and an identity record for each label."""
    labels = sorted({label for label, _ in images})
    first = len(images) + 1
    records = [pack([float(first), float(first + len(labels))])]
    records += [pack(float(label), image, key) for key, (label, image) in enumerate(images, 1)]
    for label in labels:
        keys = [key for key, (other, _) in enumerate(images, 1) if other == label]
        records.append(pack([float(keys[0]), float(keys[-1] + 1)]))
    return records


def write_people(folder: Path, counts: dict[str, int]) -> dict[str, bytes]:
    """Write a folder of people and return {"person/file": bytes}."""
    files = {}
    for number, (person, count) in enumerate(counts.items()):
        (folder / person).mkdir(parents=True)
        for i in range(count):
            name = f"{person}/{i:03d}.jpg"
            files[name] = jpeg(1000 * number + i)
            (folder / name).write_bytes(files[name])
    return files
