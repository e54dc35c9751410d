"""The numbers of the paper's tables and of ours, as rows of CSV files."""

from collections import namedtuple

PAPER, OURS = "paper", "xcos_tf"
PRINTED, DRAWN, MEASURED, NOT_RUN = "printed", "drawn without numbers", "measured", "not run"
LETTERS = {"patched": "U", "correlated": "P", "learned": "L", "cosine": "baseline"}
"""The paper's names of what pairs are scored by."""

Accuracy = namedtuple(
    "Accuracy",
    "set source column status accuracy accuracy_std share preset score auc tar_1e2 tar_1e2_low "
    "tar_1e2_high tar_1e3 tar_1e3_low tar_1e3_high pairs preset_sha256 set_sha256",
    defaults=[None, None, 0.0, "", "", *[None] * 8, "", ""],
)
"""Accuracy of one way to score on one set, or why there is none.

`column` is who scored, such as "ArcFace U" or "xcos-mobilefacenet L"; `status` is PRINTED or DRAWN
in the paper, MEASURED, or NOT_RUN with a reason after a colon; `share` of one face of each pair is
covered. Accuracy, AUC and TAR at FAR 1e-2 and 1e-3, with the ends of its 95 % confidence interval,
are those of `Measurement`, in [0, 1].
"""

Drop = namedtuple(
    "Drop", "preset baseline score share lost baseline_lost difference low high", defaults=[]
)
"""How much accuracy xCos and its baseline lose under occlusion, on the same pairs.

`share` of one face of each pair is covered; 0 stands for the mean over all shares. Below 0, the
`difference`, lost − baseline_lost, says that xCos loses less; its 95 % interval is `low` to `high`.
"""

Cost = namedtuple(
    "Cost",
    "source status without_ms with_ms preset baseline preset_sha256 baseline_sha256",
    defaults=[None, None, "", "", "", ""],
)
"""Milliseconds for one pair without and with xCos; `status` as in `Accuracy`."""
