"""A fine-tuning as it is asked for, and the process that makes it.

tensorflow-model-optimization takes Keras 2 alone, which this process need not have.
"""

import importlib.metadata
import os
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

from xcos_tf.errors import XcosError
from xcos_tf.extras import extra
from xcos_tf.files import write_json

MODULE = "xcos_tf.export.compression.fine_tuning"
COMPRESSED = ("pruned", "clustered", "qat")


@dataclass(frozen=True)
class Request:
    """One fine-tuning.

    Attributes:
        preset: name or folder of an xCos preset.
        variant: one of `COMPRESSED`.
        sets: prepared sets to draw faces from, folders.
        hold_out: {set's name: people of it that are left out}, as the preset's training did.
        hold_out_seed: of that draw.
        steps: to make, 1 or more.
        batch: faces of a step.
        rate: the highest learning rate; it comes and goes by a cosine.
        seed: of the faces' order and of their augmentation.
        every: steps between two checkpoints.
        calibration: faces to see the channels' sizes on.
        sparsity: share of each large kernel's weights that become 0; "pruned" alone.
        clusters: distinct values of each large kernel; "clustered" alone.
    """

    preset: str
    variant: str
    sets: list[str]
    hold_out: dict[str, int] = field(default_factory=dict)
    hold_out_seed: int = 0
    steps: int = 600
    batch: int = 32
    rate: float = 5e-5
    seed: int = 1
    every: int = 50
    calibration: int = 256
    sparsity: float = 0.5
    clusters: int = 64


def run_fine_tuning(request: Request, folder: Path) -> bool:
    """Fine-tune in a process with Keras 2, or go on with it; see `fine_tuning`.

    Its progress goes to this process's stderr.

    Args:
        request: what to do.
        folder: made if need be; holds the state and, at the end, the result.

    Returns:
        Whether it came to the end; if not, it was told to stop and the same call goes on.

    Raises:
        XcosError: Keras 2 or tensorflow-model-optimization is not installed, or what the process
            says.
    """
    with extra("compress", f"the variant {request.variant}"):
        package_versions()
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "request.json", asdict(request))
    root = str(Path(__file__).parents[3])
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "TF_USE_LEGACY_KERAS": "1", "PYTHONPATH": path}
    environment.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    code = subprocess.call([sys.executable, "-m", MODULE, str(folder)], env=environment)
    if code not in (0, 3):
        raise XcosError(f"the fine-tuning of {request.variant} ended with code {code}; see above")
    return code == 0


def package_versions() -> dict[str, str]:
    """Return {package: version} of what a fine-tuned network depends on."""
    names = ("tensorflow", "tensorflow-model-optimization")
    return {name: importlib.metadata.version(name) for name in names}
