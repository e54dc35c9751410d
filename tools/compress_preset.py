"""Make the compressed variants of a preset: pruned, weight-clustered and int8 by training.

    python tools/compress_preset.py xcos-mobilefacenet-2 qat --data PREPARED
        --work runs/compressed --steps 1200 --rate 4e-5

Fine-tunes a copy of the preset's grid on the faces that the preset was trained on, by no labels but
the grid of the preset itself; measures it on the people held out; and writes the weights and how
they were made into the preset's folder, as compressed/VARIANT.safetensors and
compressed/record.json. Ctrl-C or SIGTERM stops it, and the same command goes on.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tools.results import ended
from xcos_tf.errors import XcosError
from xcos_tf.export.compression import COMPRESSED
from xcos_tf.models.preset_config import read_config
from xcos_tf.models.preset_folder import find_preset

OWN = {"sparsity": "pruned", "clusters": "clustered"}
NOT_SAID = ("preset", "variant", "every")


def make_request(args: argparse.Namespace, config: dict):
    """Return the `Request`, for the faces that the preset's own training had.

    Raises:
        XcosError: the preset does not say what it was trained on, or a number makes no sense.
    """
    from xcos_tf.export.compression.fine_tuning import Request

    try:
        training = config["training"]["config"]
        data, seed = training["data"], training["seed"]
    except KeyError:
        raise XcosError(
            f"the preset {config['name']!r} does not say what it was trained on; use one that "
            "`xcos train` made"
        ) from None
    if args.steps < 1:
        raise XcosError(f"--steps is {args.steps}; give 1 or more")
    if not 0 < args.sparsity < 1:
        raise XcosError(f"--sparsity is {args.sparsity}; give between 0 and 1")
    sets, held = [str(args.data / name) for name in data["sets"]], data.get("hold_out", {})
    options = {x: vars(args)[x] for x in ("preset", "variant", "steps", "rate", "sparsity")}
    return Request(sets=sets, hold_out=held, hold_out_seed=seed, **options)


def compress(request, work: Path) -> dict:
    """Fine-tune, write the variant, and return its `compression_cost`; a stop is Ctrl-C's."""
    from xcos_tf.export.compression.fine_tuning import faces_of, fine_tune
    from xcos_tf.export.compression.judging import compression_cost
    from xcos_tf.export.compression.shipped import load_compressed, save_compressed
    from xcos_tf.export.tflite.int8 import int8_grid, representative_faces
    from xcos_tf.models.presets import load_preset

    preset, folder = load_preset(request.preset), find_preset(request.preset)
    _, held_out = faces_of(request)
    tuned = fine_tune(request, work)
    if tuned is None:
        raise KeyboardInterrupt
    arrays, facts = tuned
    made = {  # without this machine's paths
        key: value
        for key, value in asdict(request).items()
        if OWN.get(key, request.variant) == request.variant and key not in NOT_SAID
    }
    made["sets"] = [Path(place).name for place in request.sets]
    record = {"preset_sha256": preset.config["weights"]["sha256"], "made": made, "facts": facts}
    save_compressed(folder, request.variant, arrays, record)
    if not len(held_out):
        return {}
    grids = {request.variant: load_compressed(folder, preset.config, request.variant).grid}
    if request.variant == "qat":  # beside what it has to be better than
        grids["int8"] = int8_grid(preset.network, representative_faces())
    measured = compression_cost(preset, grids, held_out, request.seed)
    facts["validation"] = {"people": len(held_out.people), **measured}
    save_compressed(folder, request.variant, arrays, record)
    return measured


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser("compress_preset", description=__doc__.splitlines()[0])
    parser.add_argument("preset", help="name or folder of an xCos preset")
    parser.add_argument("variant", choices=COMPRESSED)
    parser.add_argument("--data", type=Path, required=True, help="holds the prepared sets")
    parser.add_argument("--work", type=Path, required=True, help="folder to keep the state in")
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--rate", type=float, required=True, help="the highest learning rate")
    parser.add_argument("--sparsity", type=float, default=0.5, help="default: %(default)s")

    def do(args: argparse.Namespace) -> None:
        request = make_request(args, read_config(find_preset(args.preset)))
        print(json.dumps(compress(request, args.work / args.variant), indent=1))

    return ended(parser, do, argv, "; the same command goes on from here")


if __name__ == "__main__":
    sys.exit(main())
