"""The TFLite files that the prototype is measured with."""

from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path


def add_models(parser: ArgumentParser) -> None:
    """Add --models, a folder."""
    parser.add_argument(
        "--models",
        type=Path,
        metavar="FOLDER",
        help="TFLite files of `xcos export` (default: made anew of the default preset)",
    )


def models_of(given: Path | None, folder: Path, variants: Sequence[str]) -> Path:
    """Return the folder that was given, or this one with the default preset's files."""
    if given:
        return given
    from xcos_tf.cli.quiet import import_tensorflow

    import_tensorflow()
    from xcos_tf.export.tflite.export import export_tflite
    from xcos_tf.verifier import DEFAULT_PRESET

    export_tflite(DEFAULT_PRESET, folder, variants, None)
    return folder
