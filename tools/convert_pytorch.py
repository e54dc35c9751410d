"""Turn a PyTorch checkpoint of the authors' xCos, or of its plain FC variant, into presets.

The checkpoint is a state_dict, or a dictionary that holds one under "state_dict", as the authors'
trainer saves it. Depth and squeeze-and-excitation are read from its keys. PyTorch is needed by
this tool only: pip install torch.

The published weights take BGR: their training images were decoded by OpenCV and saved as if they
were RGB (configs/README.md has the evidence). The preset takes RGB, as all do; `--colours rgb` is
for weights that were trained on RGB.

    python tools/convert_pytorch.py xcos.pth xcos-irse50 --teacher irse50
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from xcos_tf.errors import XcosError


def read_state_dict(path: Path) -> dict[str, np.ndarray]:
    """Return {key: array} of a PyTorch file, read without running any code that it may hold.

    Raises:
        XcosError: PyTorch is not installed, or the file is missing or holds no state_dict.
    """
    if not path.is_file():
        raise XcosError(f"there is no file {path}; give a PyTorch checkpoint")
    try:
        import torch
    except ImportError:
        raise XcosError("PyTorch is needed to read the checkpoint; pip install torch") from None
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:
        # torch.load raises whatever its zip, pickle and tensor readers do.
        raise XcosError(
            f"{path} is not a PyTorch file of tensors alone; save the model's state_dict with "
            "torch.save and give that"
        ) from None
    if isinstance(state, dict) and isinstance(state.get("state_dict"), dict):
        state = state["state_dict"]
    if (
        not isinstance(state, dict)
        or not state
        or not all(isinstance(k, str) and isinstance(v, torch.Tensor) for k, v in state.items())
    ):
        raise XcosError(
            f"{path} holds no state_dict; give one, or a dictionary with one under 'state_dict'"
        )
    # NumPy has no bfloat16, so every tensor goes through float32.
    return {key: tensor.detach().float().numpy() for key, tensor in state.items()}


def build(converted, colours: str):
    """Return the network that a `ConvertedNetwork` describes, with its weights, for RGB.

    Args:
        converted: whose weights take `colours`.
        colours: "bgr" or "rgb"; the input channels of the first convolution change places for BGR.
    """
    from xcos_tf.models.builder import build_network
    from xcos_tf.models.weights import assign_arrays

    arrays = dict(converted.arrays)
    if colours == "bgr":
        (first,) = (path for path in arrays if path.endswith("input_conv/kernel"))
        arrays[first] = arrays[first][:, :, ::-1]
    network = build_network(converted.model)
    assign_arrays(network, arrays, "the converted checkpoint")
    return network


def facts(
    name: str, model: dict, checkpoint: Path, digest: str, colours: str, licence: str
) -> dict:
    """Return the configuration of a preset made from `checkpoint`."""
    return {
        "name": name,
        "model": model,
        "thresholds": {},
        "training": {"by": "others, in PyTorch; converted, not trained, by this project"},
        "licence": licence,
        "provenance": f"{checkpoint.name} (SHA-256 {digest}), which takes {colours.upper()}, "
        "converted by tools/convert_pytorch.py to take RGB",
    }


def write(args: argparse.Namespace) -> list[str]:
    """Convert and write what the arguments ask for, and return sentences that say so."""
    state = read_state_dict(args.checkpoint)
    from xcos_tf.models.presets import save_preset, sha256
    from xcos_tf.models.pytorch_keys import convert_state_dict

    conversion = convert_state_dict(state, str(args.checkpoint))
    if args.teacher and conversion.teacher is None:
        raise XcosError(f"{args.checkpoint} holds no teacher; leave out --teacher")
    if args.margin_head and conversion.margin_kernel is None:
        raise XcosError(f"{args.checkpoint} holds no head.kernel; leave out --margin-head")
    digest = sha256(args.checkpoint)
    report = []
    for folder, converted in ((args.out, conversion.network), (args.teacher, conversion.teacher)):
        if folder is None:
            continue
        config = facts(
            folder.resolve().name,
            converted.model,
            args.checkpoint,
            digest,
            args.colours,
            args.licence,
        )
        save_preset(folder, config, build(converted, args.colours))
        report.append(f"wrote {folder}")
    if conversion.teacher and not args.teacher:
        report.append("left out the teacher; give --teacher FOLDER to keep it")
    if args.margin_head:
        save_margin_head(args.margin_head, conversion.margin_kernel)
        report.append(f"wrote {args.margin_head}")
    elif conversion.margin_kernel is not None:
        report.append("left out the margin head; give --margin-head FILE to keep it")
    return report


def save_margin_head(path: Path, kernel: np.ndarray) -> None:
    """Write `kernel`, the directions of the classes, to a safetensors file, all or nothing.

    Raises:
        XcosError: the file cannot be written.
    """
    from safetensors.numpy import save

    from xcos_tf.files import replace_file

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, lambda stream: stream.write(save({"kernel": kernel})))
    except OSError as error:
        raise XcosError(
            f"cannot write {path} ({error.strerror or error}); choose another place"
        ) from None


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=Path, help="PyTorch file with the model's state_dict")
    parser.add_argument("out", type=Path, help="preset folder to write")
    parser.add_argument(
        "--teacher", type=Path, metavar="FOLDER", help="write the teacher's preset here as well"
    )
    parser.add_argument(
        "--margin-head",
        type=Path,
        metavar="FILE",
        help="write head.kernel here as well, as safetensors with one array `kernel` "
        "(classes, dimension)",
    )
    parser.add_argument(
        "--colours",
        choices=("bgr", "rgb"),
        default="bgr",
        help="order of the colours that the checkpoint was trained on: bgr for the published "
        "weights, the default; rgb for weights trained on a folder of photos as they are",
    )
    parser.add_argument(
        "--licence", default="as the PyTorch weights", help="licence to state in the presets"
    )
    args = parser.parse_args(argv)
    try:
        report = write(args)
    except XcosError as error:
        print(f"convert_pytorch: error: {error}", file=sys.stderr)
        return 2
    print("\n".join(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
