"""Which methods there are, by name; what a method needs is imported when it is asked for."""

from importlib import import_module
from typing import TYPE_CHECKING

from xcos_tf.errors import XcosError
from xcos_tf.extras import extra

if TYPE_CHECKING:
    from xcos_tf.explain.explanation import Method

# Name: the module in this folder, what to call in it, and with what.
METHODS = {
    "xcos": ("xcos", "XCos", "learned"),
    "xcos-correlated": ("xcos", "XCos", "correlated"),
    "xcos-patched": ("xcos", "XCos", "patched"),
    "tail": ("tail", "TailDecomposition"),
    "gradcam": ("gradcam", "GradCam"),
    "gradcam++": ("gradcam", "GradCamPlusPlus"),
    "layercam": ("gradcam", "LayerCam"),
    "scorecam": ("scorecam", "ScoreCam"),
    "saliency": ("saliency", "VanillaSaliency"),
    "smoothgrad": ("saliency", "SmoothGrad"),
    "occlusion": ("occlusion", "OcclusionSensitivity"),
    "corrrise": ("corrrise", "CorrRise"),
    "random": ("baselines", "RandomMap"),
    "face-centre": ("baselines", "FaceCentre"),
}


def method(name: str) -> "Method":
    """Return a new instance of the method of this name.

    Raises:
        XcosError: there is none, or a package that it needs is not installed.
    """
    if name not in METHODS:
        raise XcosError(
            f"there is no method {name!r} to explain by; use one of {', '.join(METHODS)}"
        )
    module, thing, *arguments = METHODS[name]
    with extra("saliency", f"the method {name}"):
        return getattr(import_module(f"{__package__}.{module}"), thing)(*arguments)
