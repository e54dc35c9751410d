"""What a .tflite file says of itself, in a zip archive appended to it.

That is how TFLite packs associated files: the interpreter passes over the archive, and `zipfile`
over the model. `xcos_tf.mobile.metadata` reads it.
"""

import hashlib
import io
import json
import zipfile

from xcos_tf.export.tflite.signatures import Port, Signature
from xcos_tf.export.tflite.thresholds import VariantThresholds
from xcos_tf.mobile.metadata import FORMAT, NAME

# Of the archive's one entry, so that the same export gives the same bytes.
_WHEN = (1980, 1, 1, 0, 0, 0)


def describe(
    model: str,
    variant: str,
    batch: int | None,
    config: dict,
    attention: str,
    signature: Signature,
    thresholds: VariantThresholds,
) -> dict:
    """Return the metadata of one file.

    Args:
        model: "embed", "compare" or "verify".
        variant: such as "float32".
        batch: the size of a batch; None where it is free.
        config: of the preset.
        attention: that the score is by.
        signature: of the model.
        thresholds: of this variant.
    """
    return {
        "format": FORMAT,
        "model": model,
        "variant": variant,
        "batch": batch,
        "preset": config["name"],
        "preset_sha256": config["weights"]["sha256"],
        "inputs": [
            {**_shared(port, batch), "layout": port.about, "normalisation": port.normalisation}
            for port in signature.inputs
        ],
        "outputs": [{**_shared(port, batch), "meaning": port.about} for port in signature.outputs],
        "attention": attention,
        "thresholds": thresholds.at,
        "thresholds_measured": thresholds.measured,
    }


def _shared(port: Port, batch: int | None) -> dict:
    return {
        "name": port.name,
        "shape": [batch, *port.shape],
        "dtype": port.dtype,
        "range": port.range,
    }


def append_metadata(content: bytes, description: dict) -> bytes:
    """Return a .tflite file's bytes with its description, and their SHA-256 in it, behind them."""
    description = {**description, "model_sha256": hashlib.sha256(content).hexdigest()}
    text = json.dumps(description, indent=1, ensure_ascii=False).encode("utf-8")
    stream = io.BytesIO(content)
    with zipfile.ZipFile(stream, "a") as archive:
        entry = zipfile.ZipInfo(NAME, _WHEN)
        archive.writestr(entry, text)  # not compressed, so that any reader of zip can read it
    return stream.getvalue()
