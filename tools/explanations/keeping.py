"""Maps and measurements of one pair, kept by what they follow from."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from tools.explanations.contenders import OneScore
from tools.explanations.drawn_pairs import Pair
from xcos_tf.evaluation.score_cache import ScoreCache

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Kept:
    """Everything that what is kept follows from.

    Attributes:
        what: it is, such as "map".
        code: version of the code that makes it; see `code_version`.
        verifier: the `identity` of the one that is explained or judged.
        pair: SHA-256 of the faces, in this order.
        rest: whatever else counts, such as the method's name.
    """

    what: str
    code: str
    verifier: Mapping[str, str]
    pair: str
    rest: Mapping[str, object]

    @classmethod
    def of(cls, what: str, code: str, verifier: OneScore, pair: Pair, **rest) -> "Kept":
        """Describe what is made of one pair by one verifier."""
        content = pair.face_a.tobytes() + pair.face_b.tobytes()
        digest = hashlib.sha256(content).hexdigest()
        return cls(what, code, verifier.identity, digest, rest)

    def as_json(self) -> str:
        """Return one line of JSON, the same for the same content."""
        return json.dumps(vars(self), sort_keys=True)


def kept(cache: ScoreCache, key: Kept, make: Callable[[], Arrays]) -> Arrays:
    """Return what is kept, or make it and keep it, whole or not at all.

    Args:
        cache: the folder.
        key: what it follows from.
        make: returns {name: array of one dimension or more}.

    Raises:
        XcosError: the folder cannot be written.
    """
    found = cache.load(key)
    if found is None:
        found = make()
        cache.save(key, found)
    return found
