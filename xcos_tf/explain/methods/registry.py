"""Which methods there are, by name, and what their maps show.

What a method needs is imported when it is asked for.
"""

from importlib import import_module
from pkgutil import resolve_name
from typing import TYPE_CHECKING, NamedTuple

from xcos_tf.errors import XcosError, extra

if TYPE_CHECKING:
    from xcos_tf.explain.explanation import Method


class Entry(NamedTuple):
    """A method: its title in figures, what its maps show, its module and class, and with what."""

    title: str
    meaning: str
    place: str
    arguments: tuple[str, ...] = ()


METHODS = {
    "xcos": Entry(
        "xCos",
        "each cell's similarity times its learned weight; the sum is the score",
        "xcos:CellContributions",
        ("learned",),
    ),
    "xcos-correlated": Entry(
        "xCos, P",
        "each cell's similarity times its weight; the sum is the score",
        "xcos:CellContributions",
        ("correlated",),
    ),
    "xcos-patched": Entry(
        "xCos, U",
        "each cell's similarity, all weighing alike; the mean is the score",
        "xcos:CellContributions",
        ("patched",),
    ),
    "xcos-whatif": Entry(
        "xCos, what if",
        "how much the score would drop if this cell were covered, as the preset's model of covered "
        "cells guesses",
        "whatif:WhatIf",
    ),
    "tail": Entry(
        "Tail decomposition",
        "each cell's exact share of the cosine, on a scale where the greatest is 1",
        "tail:TailDecomposition",
    ),
    "gradcam": Entry(
        "Grad-CAM",
        "channels of the last feature map, weighted by the mean gradient of the score; what "
        "speaks against is cut off (Selvaraju et al., 2017)",
        "white_box:GradCam",
    ),
    "gradcam++": Entry(
        "Grad-CAM++",
        "as Grad-CAM, with places of a channel weighted by higher derivatives (Chattopadhay et "
        "al., 2018)",
        "white_box:GradCamPlusPlus",
    ),
    "layercam": Entry(
        "LayerCAM",
        "the last feature map, each place weighted by its own positive gradient (Jiang et al., "
        "2021)",
        "white_box:LayerCam",
    ),
    "scorecam": Entry(
        "Score-CAM",
        "channels of the last feature map, weighted by the score of the face seen through them "
        "(Wang et al., 2020)",
        "white_box:ScoreCam",
    ),
    "saliency": Entry(
        "Saliency",
        "how strongly the score reacts to each pixel, for or against (Simonyan et al., 2014)",
        "white_box:VanillaSaliency",
    ),
    "smoothgrad": Entry(
        "SmoothGrad",
        "saliency, the mean over noisy copies of the face (Smilkov et al., 2017)",
        "white_box:SmoothGrad",
    ),
    "occlusion": Entry(
        "Occlusion",
        "how much the score drops when a grey patch covers the place (Zeiler and Fergus, 2014)",
        "covering:OcclusionSensitivity",
    ),
    "corrrise": Entry(
        "CorrRISE",
        "how the place being visible goes with the score, over random masks (Lu et al., 2024)",
        "covering:CorrRise",
    ),
    "random": Entry(
        "Random",
        "random values that know nothing of the score, for comparison",
        "baselines:RandomMap",
    ),
    "face-centre": Entry(
        "Face centre",
        "a bell curve about the middle of the face, the same for every pair, for comparison",
        "baselines:FaceCentre",
    ),
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
    entry = METHODS[name]
    if entry.place.startswith("white_box:"):
        import_module("xcos_tf.environment")  # says so where TensorFlow cannot be loaded
    with extra("saliency", f"the method {name}"):
        return resolve_name(f"{__package__}.{entry.place}")(*entry.arguments)
