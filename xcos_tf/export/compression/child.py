"""The process in which tensorflow-model-optimization runs, which takes Keras 2 alone."""

import importlib.metadata
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from xcos_tf.errors import XcosError
from xcos_tf.export.compression.request import Request
from xcos_tf.extras import extra
from xcos_tf.files import write_json

MODULE = "xcos_tf.export.compression.fine_tuning"


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
        versions()
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


def versions() -> dict[str, str]:
    """Return {package: version} of what a fine-tuned network depends on."""
    names = ("tensorflow", "tensorflow-model-optimization")
    return {name: importlib.metadata.version(name) for name in names}
