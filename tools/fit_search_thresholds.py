"""Measure the thresholds of searches, and put them into presets' configurations.

    python tools/fit_search_thresholds.py FACES PRESET...

FACES is a folder of aligned faces, a sub-folder for each person, of people whom the presets were
not trained on: `xcos evaluate FACES --identification` says what they are worth. PRESET is a bundled
preset or a preset folder.
"""

import argparse
import tempfile
from pathlib import Path

from xcos_tf.evaluation.templates import make_templates
from xcos_tf.files import replace_file
from xcos_tf.models.preset_config import read_config
from xcos_tf.models.preset_folder import find_preset
from xcos_tf.models.presets import config_text
from xcos_tf.search.identification import identify
from xcos_tf.verifier import Verifier


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("faces", metavar="FACES")
    parser.add_argument("presets", metavar="PRESET", nargs="+")
    args = parser.parse_args()
    for preset in args.presets:
        path = find_preset(preset) / "config.json"
        verifier = Verifier.from_preset(preset)
        with tempfile.TemporaryDirectory() as folder:
            store = make_templates(verifier, args.faces, Path(folder) / "templates.safetensors")
            found = {x.score: x.thresholds() for x in identify(store, verifier)}
        text = config_text({**read_config(path.parent), "search": found})
        replace_file(path, lambda stream, text=text: stream.write(text.encode()))
        print(preset, found)


if __name__ == "__main__":
    main()
