"""Write the faces of people who were held out of a preset's training, and a list of pairs of them.

    python tools/held_out_faces.py PREPARED --out FOLDER [--preset PRESET]

PREPARED is the folder of prepared sets that the preset was trained on. FOLDER gets a sub-folder for
each person and pairs.csv, as `xcos evaluate` and tools/benchmark_explanations.py take them.
"""

import argparse
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tools.results import ended
from xcos_tf.cli.parser import add
from xcos_tf.data.sampling import draw_pairs
from xcos_tf.files import check_can_write, replace_file, write_csv
from xcos_tf.models.preset_config import read_config
from xcos_tf.models.preset_folder import DEFAULT_PRESET, find_preset
from xcos_tf.quiet import import_tensorflow

PAIRS, SEED = 3000, 0  # of each kind


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="held_out_faces", description=__doc__.splitlines()[0])
    add(parser, "data PREPARED", "folder of prepared sets", Path)
    add(parser, "--out FOLDER", "is made", Path, required=True)
    add(parser, "--preset PRESET", "its name or folder", default=DEFAULT_PRESET)
    return ended(parser, lambda args: write(args.preset, args.data, args.out), argv)


def write(preset: str, data: Path, out: Path) -> None:
    """Write them; see the module.

    Raises:
        XcosError: the preset does not say whom it held out, its sets are not there, or the folder
            cannot be written.
    """
    import_tensorflow()
    from xcos_tf.cli.tflite_thresholds import faces_held_out

    check_can_write(out, within=out)
    faces = faces_held_out(read_config(find_preset(preset)), data)
    names = []
    for number, image in enumerate(faces.read(np.arange(len(faces)))):
        person = faces.people[faces.labels[number]].replace("/", "-")
        kind = Image.open(BytesIO(image)).format.lower()
        names.append(f"{person}/{number:05d}.{kind}")
        (out / person).mkdir(parents=True, exist_ok=True)
        replace_file(out / names[-1], lambda stream, image=image: stream.write(image))
    pairs = draw_pairs(faces.labels, PAIRS, PAIRS, SEED)
    ends = zip(pairs.first, pairs.second, pairs.same, strict=True)
    rows = [(names[first], names[second], int(same)) for first, second, same in ends]
    write_csv(out / "pairs.csv", ("first", "second", "same"), rows)


if __name__ == "__main__":
    sys.exit(main())
