"""What an exported .tflite file says of itself."""

import json
import os
import zipfile
import zlib

from xcos_tf.errors import XcosError

NAME = "xcos.json"
FORMAT = 1

_KEYS = {
    "model": str,
    "variant": str,
    "preset": str,
    "preset_sha256": str,
    "inputs": list,
    "outputs": list,
    "thresholds": dict,
}


def read_metadata(path: str | os.PathLike) -> dict:
    """Return the description that `xcos export` packed into a .tflite file.

    It is the JSON file `xcos.json` of a zip archive appended to the model, the way in which TFLite
    packs associated files; the interpreter passes over it.

    Args:
        path: of the .tflite file.

    Returns:
        Its entries, among them `model` ("embed", "compare" or "verify"), `variant`, `preset`,
        `preset_sha256`, `inputs`, `outputs` and `thresholds` {false match rate: threshold}.

    Raises:
        XcosError: no such file, no description in it, a damaged one, or one of a later format.
    """
    name = os.fsdecode(path)
    advice = "export it again with `xcos export`"
    try:
        with zipfile.ZipFile(name) as archive:
            found = json.loads(archive.read(NAME))
    except FileNotFoundError:
        raise XcosError(f"there is no model {name}; make it with `xcos export`") from None
    except OSError as error:
        raise XcosError(f"{name} cannot be read ({error.strerror or error})") from None
    except KeyError:
        raise XcosError(f"{name} has no {NAME} in it; {advice}") from None
    except zipfile.BadZipFile:
        raise XcosError(f"{name} is no model with a description of itself; {advice}") from None
    except (ValueError, EOFError, zlib.error, NotImplementedError, RuntimeError):
        raise XcosError(f"the {NAME} in {name} is damaged; {advice}") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise XcosError(f"the {NAME} in {name} is not of format {FORMAT}; {advice}")
    for key, kind in _KEYS.items():
        if not isinstance(found.get(key), kind):
            raise XcosError(f"the {NAME} in {name} has no proper {key!r}; {advice}")
    return found
