"""What the prototype is measured with: people's faces and TFLite files."""

import tempfile
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


def add_inputs(parser: ArgumentParser) -> None:
    """Add FACES and --models, two folders."""
    parser.add_argument("faces", type=Path, metavar="FACES", help="folder of people")
    parser.add_argument(
        "--models",
        type=Path,
        metavar="FOLDER",
        help="TFLite files of `xcos export` (default: made anew of the default preset)",
    )


@contextmanager
def models_of(given: Path | None, variants: Sequence[str]) -> Iterator[Path]:
    """Yield the folder that was given, or one with the default preset's files for the while."""
    if given:
        yield given
        return
    from xcos_tf.cli.quiet import import_tensorflow

    import_tensorflow()
    from xcos_tf.export.tflite.export import export_tflite
    from xcos_tf.verifier import DEFAULT_PRESET

    with tempfile.TemporaryDirectory() as made:
        export_tflite(DEFAULT_PRESET, Path(made), variants, None)
        yield Path(made)
