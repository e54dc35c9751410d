"""What the service answers, as JSON knows it."""

import base64
import io

import numpy as np
from PIL import Image

from xcos_tf.explain.regions import region_map
from xcos_tf.models.preset_threshold import PLAIN_COSINE
from xcos_tf.search.store import Hit
from xcos_tf.templates import Template
from xcos_tf.verifier import Verification, Verifier


def verification_answer(result: Verification) -> dict:
    """Return a verdict and why, without pictures.

    Returns:
        `same`, `score`, `threshold`, `attention`, and of an xCos preset `sentence`,
        `similarity_map` S and `attention_map` W, lists of rows; of one that can tell, `drops`,
        a map of each face: see `Verification.drops`.
    """
    answer = {
        "same": result.same,
        "score": result.score,
        "threshold": result.threshold,
        "attention": result.attention,
    }
    if result.similarity_map is None:
        return answer
    answer |= {
        "sentence": result.sentence,
        "similarity_map": _rows(result.similarity_map),
        "attention_map": _rows(result.attention_map),
    }
    if result.drops is not None:
        answer["drops"] = [_rows(drops) for drops in result.drops]
    return answer


def face_answer(template: Template) -> dict:
    """Return an aligned face as a PNG's data URI, what its photo is like, and where it is there."""
    stream = io.BytesIO()
    Image.fromarray(template.face).save(stream, "PNG")
    content = base64.b64encode(stream.getvalue()).decode("ascii")
    return {
        "image": f"data:image/png;base64,{content}",
        "faces_found": template.faces_found,
        "turned": template.turned,
        **template.box_and_landmarks,
    }


def every_attention(verifier: Verifier, result: Verification) -> dict:
    """Return {attention: score, W and {FMR: threshold}} of a pair, for a page that lets choose."""
    if result.attention == PLAIN_COSINE:
        return {}
    grids = [x.feature[None] for x in (result.template_a, result.template_b)]
    answers = {}
    for attention in verifier.attentions:
        score, weights = result.score, result.attention_map
        if attention != result.attention:
            outputs = verifier.explain_pairs(*grids, attention)
            score, weights = float(outputs["xcos"][0]), outputs["attention_map"][0]
        answers[attention] = {
            "score": score,
            "attention_map": _rows(weights),
            "thresholds": verifier.config["thresholds"].get(attention, {}),
        }
    return answers


def preset_answer(verifier: Verifier, store: bool) -> dict:
    """Return what the page must know of a preset, and whether there is a store to search.

    `parts` is the name of the part of the face in each cell, lists of rows.
    """
    grid = verifier.runtime.feature_shape[:2]
    return {
        "preset": verifier.config["name"],
        "attentions": verifier.attentions,
        "thresholds": verifier.config["thresholds"],
        "parts": region_map(*grid).tolist() if verifier.explains else [],
        "store": store,
    }


def hit_answer(hit: Hit) -> dict:
    """Return one person whom a face may be, and why."""
    face = face_answer(hit.verification.template_b)["image"]
    answer = verification_answer(hit.verification)
    return {"person": hit.person, "photo": hit.photo, "image": face, **answer}


def _rows(values: np.ndarray) -> list[list[float]]:
    return [[round(float(x), 6) for x in row] for row in values]
