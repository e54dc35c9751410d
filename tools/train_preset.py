"""Train the preset that a configuration describes, on folders of aligned faces.

    python tools/train_preset.py configs/xcos-mobilefacenet.yaml --data FACES --out runs/xcos

Stop it at any time; the same command goes on from the last checkpoint. At the end OUT/preset is a
preset folder, and OUT/thresholds.json has the thresholds, the teacher's among them.
"""

import argparse
import json
import sys
from pathlib import Path

from xcos_tf.errors import XcosError

FACTS = {
    "licence": "Apache-2.0 (the backbone's weights and this project's)",
    "provenance": "trained by tools/train_preset.py from the preset `mobilefacenet`; the training "
    "photos (CelebA, Pins) are for research use and are not part of the preset",
}


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config", type=Path, help="YAML file, see configs/")
    parser.add_argument("--data", type=Path, required=True, help="folder with the face sets")
    parser.add_argument("--out", type=Path, required=True, help="run folder")
    args = parser.parse_args(argv)
    try:
        from xcos_tf.training.config import read_config

        config = read_config(args.config)
        from xcos_tf.training.run import finish, prepare, train

        args.out.mkdir(parents=True, exist_ok=True)
        run = prepare(config, args.data, args.out)
        thresholds = finish(run, train(run), FACTS)
        (args.out / "thresholds.json").write_text(json.dumps(thresholds, indent=2) + "\n")
    except (XcosError, OSError, FloatingPointError) as error:
        print(f"train_preset: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("train_preset: interrupted; the same command goes on", file=sys.stderr)
        return 130
    print(f"wrote {args.out / 'preset'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
