"""Which methods there are, by name, and what their maps show.

What a method needs is imported when it is asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from xcos_tf.errors import XcosError
from xcos_tf.extras import extra

if TYPE_CHECKING:
    from xcos_tf.explain.explanation import Method

# Name: the module in this folder, what to call in it, and with what.
METHODS = {
    "xcos": ("xcos", "CellContributions", "learned"),
    "xcos-correlated": ("xcos", "CellContributions", "correlated"),
    "xcos-patched": ("xcos", "CellContributions", "patched"),
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

METHOD_TEXTS = {
    "xcos": ("xCos", "each cell's similarity times its learned weight; the sum is the score"),
    "xcos-correlated": ("xCos, P", "each cell's similarity times its weight; the sum is the score"),
    "xcos-patched": (
        "xCos, U",
        "each cell's similarity, all weighing alike; the mean is the score",
    ),
    "tail": (
        "Tail decomposition",
        "each cell's exact share of the cosine, on a scale where the greatest is 1",
    ),
    "gradcam": (
        "Grad-CAM",
        "channels of the last feature map, weighted by the mean gradient of the score; what "
        "speaks against is cut off (Selvaraju et al., 2017)",
    ),
    "gradcam++": (
        "Grad-CAM++",
        "as Grad-CAM, with places of a channel weighted by higher derivatives (Chattopadhay et "
        "al., 2018)",
    ),
    "layercam": (
        "LayerCAM",
        "the last feature map, each place weighted by its own positive gradient (Jiang et al., "
        "2021)",
    ),
    "scorecam": (
        "Score-CAM",
        "channels of the last feature map, weighted by the score of the face seen through them "
        "(Wang et al., 2020)",
    ),
    "saliency": (
        "Saliency",
        "how strongly the score reacts to each pixel, for or against (Simonyan et al., 2014)",
    ),
    "smoothgrad": (
        "SmoothGrad",
        "saliency, the mean over noisy copies of the face (Smilkov et al., 2017)",
    ),
    "occlusion": (
        "Occlusion",
        "how much the score drops when a grey patch covers the place (Zeiler and Fergus, 2014)",
    ),
    "corrrise": (
        "CorrRISE",
        "how the place being visible goes with the score, over random masks (Lu et al., 2024)",
    ),
    "random": ("Random", "random values that know nothing of the score, for comparison"),
    "face-centre": (
        "Face centre",
        "a bell curve about the middle of the face, the same for every pair, for comparison",
    ),
}
"""Name: title in figures, and what the map shows, for whoever is new to it."""


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
