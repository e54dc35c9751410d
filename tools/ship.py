"""Put into presets' folders what follows from their weights.

    python tools/ship.py tflite
    python tools/ship.py search FACES PRESET...

`tflite` makes the files of the bundled presets anew, in float32 for any number of faces and pairs.
They hold the thresholds that `xcos export --measure` keeps in a preset, so measure these first.
`search` measures the thresholds of searches: FACES is a folder of aligned faces, a sub-folder for
each person, of people whom the presets were not trained on (`xcos evaluate FACES --identification`
says what they are worth), and PRESET a bundled preset or a preset folder.
"""

import argparse
import shutil
import tempfile
from pathlib import Path

from xcos_tf.evaluation.templates import make_templates
from xcos_tf.export.tflite.export import export_tflite
from xcos_tf.files import replace_file
from xcos_tf.models.preset_config import read_config
from xcos_tf.models.preset_folder import bundled_presets, find_preset, lite_folder
from xcos_tf.models.presets import config_text
from xcos_tf.search.identification import identify
from xcos_tf.verifier import Verifier


def ship_tflite() -> None:
    """Write the TFLite files of each bundled preset."""
    for name in bundled_presets():
        target = lite_folder(find_preset(name))
        shutil.rmtree(target, ignore_errors=True)
        for path in export_tflite(name, target, ["float32"]):
            if path.name.startswith("verify") or not path.name.endswith(".batch.tflite"):
                path.unlink()


def ship_search(faces: str, preset: str) -> None:
    """Write the thresholds of searches into a preset's configuration."""
    path, verifier = find_preset(preset) / "config.json", Verifier.from_preset(preset)
    with tempfile.TemporaryDirectory() as folder:
        store = make_templates(verifier, faces, Path(folder) / "templates.safetensors")
        found = {x.score: x.thresholds() for x in identify(store, verifier)}
    text = config_text({**read_config(path.parent), "search": found})
    replace_file(path, lambda stream: stream.write(text.encode()))
    print(preset, found)


if __name__ == "__main__":
    text = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=text)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("tflite")
    search = commands.add_parser("search")
    search.add_argument("faces", metavar="FACES")
    search.add_argument("presets", metavar="PRESET", nargs="+")
    args = parser.parse_args()
    if args.command == "tflite":
        ship_tflite()
    for preset in getattr(args, "presets", ()):
        ship_search(args.faces, preset)
