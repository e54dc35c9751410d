"""Make the TFLite files that ship with the bundled presets anew, from the presets' weights.

python tools/ship_tflite.py
"""

import shutil
import tempfile
from pathlib import Path

from xcos_tf.export.tflite.export import export_tflite
from xcos_tf.models.preset_folder import bundled_presets, find_preset, lite_folder


def main() -> None:
    """Put the float32 files for any number of faces and pairs into each preset's folder."""
    for name in bundled_presets():
        target = lite_folder(find_preset(name))
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        with tempfile.TemporaryDirectory() as folder:
            for path in export_tflite(name, Path(folder), ["float32"]):
                if path.name.endswith(".batch.tflite") and not path.name.startswith("verify"):
                    shutil.copy(path, target)


if __name__ == "__main__":
    main()
