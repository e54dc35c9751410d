"""What a .tflite file of a preset says of itself."""

from xcos_tf.export.tflite.signatures import Port, Signature
from xcos_tf.export.tflite.thresholds import VariantThresholds
from xcos_tf.runtime.model_file import FORMAT


def description_of(
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
