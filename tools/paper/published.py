"""What the paper states, in per cent and as it is printed there.

Source: Y.-S. Lin et al., "xCos: An Explainable Cosine Metric for Face Verification Task", ACM
TOMM 17(3s):112, 2021 (arXiv 2003.05383): Tables 1 and 2, Sec. 4 and Fig. 5. Accuracy is of 10
folds, without test-time augmentation.
"""

TABLE_1 = {
    "human": 97.53,
    "GaussianFace": 97.79,
    "CosFace": 99.33,
    "ArcFace": 99.83,
    "xCos on CosFace, L": 99.67,
    "xCos on ArcFace, L": 99.36,
}
"""Accuracy on LFW."""

TABLE_2_COLUMNS = [
    f"{head} {score}" for head in ("ArcFace", "CosFace") for score in ("baseline", "U", "P", "L")
]
"""The baseline has an FC feature, the others a 1×1 convolution's grid and xCos."""

TABLE_2 = {
    "LFW": (99.45, 99.47, 99.46, 99.36, 99.28, 99.63, 99.60, 99.67),
    "YTF": (95.06, 96.68, 96.68, 96.68, 96.24, 96.78, 96.76, 96.80),
    "VGG2-FP": (89.94, 95.68, 92.34, 90.06, 91.86, 93.66, 93.66, 93.38),
    "AgeDB-30": (91.60, 95.68, 95.73, 94.87, 89.60, 95.20, 95.28, 95.93),
    "CALFW": (92.55, 94.82, 94.77, 94.83, 91.30, 94.83, 94.77, 95.10),
    "CFP-FF": (87.56, 92.66, 92.46, 90.71, 98.80, 99.44, 99.44, 99.44),
    "CFP-FP": (85.65, 88.22, 88.18, 86.76, 90.61, 93.07, 93.16, 93.54),
}
"""{set: accuracy for each of `TABLE_2_COLUMNS`}."""

COST_MS = (6.1, 6.7)
"""Milliseconds for one pair without and with xCos, on an i7-3770 and a GTX 1080 Ti."""

FIG_5A_TAGS = ("scarf", "sunglasses")
FIG_5A_PAIRS = 6000
"""Genuine pairs, and as many impostor pairs, drawn at random from AR. Accuracy is drawn alone."""
