"""From an owner's photos to what is kept of them."""

import os
import secrets
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageFilter

from xcos_tf.errors import XcosError
from xcos_tf.mobile.decision import MAX_TEMPLATES, compare_each
from xcos_tf.mobile.frames import Frame
from xcos_tf.mobile.owner import Owner
from xcos_tf.verifier import Verifier

AGREEMENT_FMR = 1e-2
"""Owners' own photos differ: at 1e-3 a quarter of the validation people could not enroll three."""


def enroll_owner(verifier: Verifier, frames: Sequence[Frame], models: str | os.PathLike) -> Owner:
    """Make an owner of 1 to 5 photos that are all good and show one person.

    The verifier, loaded from the folder `models`, is the only one that can compare the templates.

    Raises:
        XcosError: too many photos, one that cannot be used, or two that do not match.
    """
    if len(frames) > MAX_TEMPLATES:
        raise XcosError(
            f"{len(frames)} photos are too many, since each lets more impostors through; give at "
            f"most {MAX_TEMPLATES}"
        )
    problems = [f"{frame.name} {frame.problems[0]}" for frame in frames if not frame.usable]
    if problems:
        raise XcosError("; ".join(problems))
    faces = np.stack([frame.face for frame in frames])
    templates = verifier.embed(faces)
    among = compare_each(verifier, templates, templates)
    count = len(frames)
    if count > 1:
        others = ~np.eye(count, dtype=bool)
        best = np.where(others, among["xcos"].reshape(count, count), -np.inf).max(axis=1)
        threshold = verifier.threshold(fmr=AGREEMENT_FMR)
        apart = [x.name for x, score in zip(frames, best, strict=True) if score < threshold]
        if apart:
            raise XcosError(
                f"{' and '.join(apart)} {'matches' if len(apart) == 1 else 'match'} none of the "
                f"other photos (xCos under {threshold:.3f}); leave out photos of someone else, and "
                "such as are very unlike the rest"
            )
        usual = among["similarity_map"][others.ravel()].mean(axis=0)
    else:
        usual = _with_itself(verifier, faces[0], templates)
    return Owner(
        templates=templates,
        usual_similarity=usual.astype(np.float32),
        threshold=verifier.threshold(),
        model=verifier.runtime.identity,
        variant=verifier.config["variant"],
        models=os.path.abspath(models),
        token=secrets.token_hex(16),
    )


def _with_itself(verifier: Verifier, face: np.ndarray, template: np.ndarray) -> np.ndarray:
    """Return S (7, 7) of one photo with slightly changed copies, for want of a second photo."""
    image = Image.fromarray(face)
    copies = [
        image.transform(
            image.size, Image.Transform.AFFINE, (1, 0, x, 0, 1, y), Image.Resampling.BILINEAR
        )
        for x, y in ((3, 0), (-3, 0), (0, 3), (0, -3))
    ]
    copies += [image.filter(ImageFilter.GaussianBlur(1.5)), image.point(lambda value: 0.6 * value)]
    grids = verifier.embed(np.stack([np.asarray(copy) for copy in copies]))
    return compare_each(verifier, template, grids)["similarity_map"].mean(axis=0)
