"""Two photos in, a verdict out, by a server: aligned here, compared there."""

from collections.abc import Mapping

import numpy as np

from xcos_tf.data.aligner import FaceAligner, read_faces
from xcos_tf.errors import XcosError
from xcos_tf.models.preset_threshold import DEFAULT_FMR, default_attention, preset_threshold
from xcos_tf.serving.client import ServingClient
from xcos_tf.templates import Template
from xcos_tf.verifier import Verification

THRESHOLD_TOLERANCE = 1e-5


def verify_photos(
    client: ServingClient,
    a,
    b,
    config: Mapping,
    fmr: float = DEFAULT_FMR,
    threshold: float | None = None,
    face: str = "largest-central",
    aligned: bool = False,
) -> Verification:
    """Compare two photos as `Verifier.verify` does, except that a server runs the network.

    Args:
        client: of the server.
        a, b, fmr, threshold, aligned: as those of `Verifier.verify`, but for templates.
        config: of the preset that the served model was exported from, as `read_config` returns it.
        face: which face of a photo with several; see `choose_face`.

    Returns:
        The verification; its templates have no features.

    Raises:
        XcosError: a photo is of no use, the server fails, the preset has no such threshold, or
            the server decides by another threshold than this preset's.
    """
    attention, exported_at = default_attention(config), None
    if threshold is None:
        exported_at = preset_threshold(config, attention, DEFAULT_FMR)
        threshold = preset_threshold(config, attention, fmr)
    names = ("the first photo", "the second photo")
    faces = read_faces([a, b], lambda: FaceAligner(rule=face), aligned, names)
    answer = client.verify(*(face.image[np.newaxis] for face in faces))
    score, same = float(answer.xcos[0]), bool(answer.same[0])
    # The server's own verdict may show that its model is not this preset.
    told = exported_at is not None and abs(score - exported_at) > THRESHOLD_TOLERANCE
    if told and same != (score >= exported_at):
        raise XcosError(
            f"the server's model has another threshold than the preset {config['name']!r}: it "
            f"takes {score:.3f} for {'the same person' if same else 'different people'} and the "
            f"preset's is {exported_at:.3f}; name the preset it was exported from with --preset, "
            "or give a --threshold"
        )
    return Verification(
        score >= threshold,
        score,
        threshold,
        attention,
        answer.similarity_map[0],
        answer.attention_map[0],
        *(Template(None, x.image, x.faces_found, turned=x.turned, place=x.face) for x in faces),
    )
