"""What a .tflite file says of itself, in a zip archive appended to it.

That is how TFLite packs associated files: the interpreter passes over the archive, and `zipfile`
over the model. Phones read it too, without TensorFlow or Keras.
"""

import hashlib
import io
import json
import os
import zipfile
import zlib
from dataclasses import dataclass
from functools import cached_property

from xcos_tf.errors import XcosError
from xcos_tf.files import parse_json, read_file
from xcos_tf.models.preset_threshold import check_rates

NAME = "xcos.json"
FORMAT = 1
LARGEST_MODEL = 2**30
LARGEST_DESCRIPTION = 2**20

_ADVICE = "export it again with `xcos export`"

_KEYS = {
    "model": str,
    "variant": str,
    "preset": str,
    "preset_sha256": str,
    "attention": str,
    "inputs": list,
    "outputs": list,
    "thresholds": dict,
    "model_sha256": str,
}

# Of the archive's one entry, so that the same export gives the same bytes.
_WHEN = (1980, 1, 1, 0, 0, 0)


def append_metadata(content: bytes, description: dict) -> bytes:
    """Return a .tflite file's bytes with its description, and their SHA-256 in it, behind them."""
    description = {**description, "model_sha256": hashlib.sha256(content).hexdigest()}
    text = json.dumps(description, indent=1, ensure_ascii=False).encode("utf-8")
    stream = io.BytesIO(content)
    with zipfile.ZipFile(stream, "a") as archive:
        entry = zipfile.ZipInfo(NAME, _WHEN)
        archive.writestr(entry, text)  # not compressed, so that any reader of zip can read it
    return stream.getvalue()


@dataclass(frozen=True)
class ModelFile:
    """A .tflite file, read once: what is checked of it is what is run.

    Attributes:
        name: where it was.
        content: the whole of it.
        metadata: its description of itself, among it `model` ("embed", "compare" or "verify"),
            `variant`, `preset`, `preset_sha256`, `attention`, that the score is by, `inputs`,
            `outputs` and `thresholds` {false match rate: threshold}.
    """

    name: str
    content: bytes
    metadata: dict

    @classmethod
    def read(cls, path: str | os.PathLike, model: str | None = None) -> "ModelFile":
        """Read a file of `xcos export`.

        Args:
            path: of the file.
            model: what it must be: "embed", "compare" or "verify"; None for any.

        Raises:
            XcosError: no such file, no description in it, a damaged one, or one of a later format;
                or it is another model.
        """
        name = os.fsdecode(path)
        content = read_file(path, LARGEST_MODEL, "the model", _ADVICE)
        metadata = _metadata_of(content, name)
        if model is not None and metadata["model"] != model:
            raise XcosError(
                f"{name} is the model {metadata['model']!r} where {model!r} is needed; give the "
                "other file"
            )
        return cls(name, content, metadata)

    @cached_property
    def sha256(self) -> str:
        """Of the whole file, in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()


def _metadata_of(content: bytes, name: str) -> dict:
    text, start = _description(content, name)
    found = parse_json(text, f"the {NAME} in {name}", _ADVICE)
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise XcosError(f"the {NAME} in {name} is not of format {FORMAT}; {_ADVICE}")
    for key, kind in _KEYS.items():
        if not isinstance(found.get(key), kind):
            raise XcosError(f"the {NAME} in {name} has no proper {key!r}; {_ADVICE}")
    check_rates(found["thresholds"], f"the {NAME} in {name} has no proper 'thresholds'", _ADVICE)
    # The interpreter may crash on a model that is damaged.
    if found["model_sha256"] != hashlib.sha256(content[:start]).hexdigest():
        raise XcosError(f"the model {name} is damaged; {_ADVICE}")
    return found


def _description(content: bytes, name: str) -> tuple[bytes, int]:
    """Return the text of the description, and where it begins.

    No more of it is unpacked than one may have.
    """
    try:
        # All of the archive is at the end. One that is larger could take any amount of memory.
        with zipfile.ZipFile(io.BytesIO(content[-LARGEST_DESCRIPTION:])) as archive:
            entry = archive.getinfo(NAME)
            if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise ValueError  # of others, Python unpacks all at once
            with archive.open(entry) as stream:
                text = stream.read(LARGEST_DESCRIPTION + 1)
    except KeyError:
        raise XcosError(f"{name} has no {NAME} in it; {_ADVICE}") from None
    except zipfile.BadZipFile:
        raise XcosError(f"{name} is no model with a description of itself; {_ADVICE}") from None
    except (ValueError, EOFError, OSError, zlib.error, NotImplementedError, RuntimeError):
        raise XcosError(f"the {NAME} in {name} is damaged; {_ADVICE}") from None
    if len(text) > LARGEST_DESCRIPTION:
        raise XcosError(f"the {NAME} in {name} is damaged (too large); {_ADVICE}")
    return text, max(0, len(content) - LARGEST_DESCRIPTION) + entry.header_offset
