"""What the methods are called in figures, and what their maps show, for whoever is new to them."""

# Name, as in `METHODS`: title, and what the map shows.
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
