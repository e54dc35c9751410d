"""All contenders on all pairs, with what was done before taken from the cache."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from tools.explanations import judging, rows
from tools.explanations.contenders import Contender, LiteScore, OneScore
from tools.explanations.drawn_pairs import Pair
from tools.explanations.judging import Arrays
from tools.keeping import Key, code_version, kept, sha256_of
from xcos_tf.evaluation.score_cache import ScoreCache
from xcos_tf.models.preset_threshold import PLAIN_COSINE

CODE = ("xcos_tf.explain.faithfulness", "xcos_tf.explain.methods")
CODE += (judging.__name__, rows.__name__)
"""What is kept follows from it."""
SANITY_PAIRS = 10
"""How many are checked for sanity, which takes ten explanations each."""


class Found(NamedTuple):
    """What was measured of one contender.

    Attributes:
        contender: whose maps these are.
        same: bool (P,), of the pairs.
        judged: of each pair, from `judge`.
        checked: of the first pairs, from `check`.
        seconds: float64 (P, 2), with and without an explanation.
        passes: int64 (2,), forward and backward, of a pair.
    """

    contender: Contender
    same: np.ndarray
    judged: Sequence[Arrays]
    checked: Sequence[Arrays]
    seconds: np.ndarray
    passes: np.ndarray


def measure_all(
    who: Sequence[Contender], pairs: Sequence[Pair], cache: ScoreCache, baseline: str
) -> list[Found]:
    """Measure each contender on the same pairs, with a progress bar for each.

    A plain verification, beside which costs are stated, is by the preset `baseline`. Each result
    of each pair is kept at once, so that a run that stops goes on where it was. Whoever asks a
    verifier for nothing but scores asks the one in TFLite: what judges maps, and methods that can
    explain any verifier, beside a plain verification in TFLite.

    Raises:
        XcosError: a map cannot be made, or the cache cannot be written.
    """
    lite = {x.verifier: LiteScore(x.verifier.source, x.verifier.attention) for x in who}
    plain = [kind(baseline, PLAIN_COSINE) for kind in (OneScore, LiteScore)]
    return [_measure(x, lite[x.verifier], plain, pairs, cache) for x in who]


def _measure(
    contender: Contender,
    lite: LiteScore,
    plain: Sequence[OneScore],
    pairs: Sequence[Pair],
    cache: ScoreCache,
) -> Found:
    method, verifier = contender
    scores_alone, code, warm = method.needs == "any", code_version(*CODE), []
    mapped = Contender(method, lite) if scores_alone else contender

    def verify(pair: Pair) -> np.ndarray:
        features = plain[scores_alone].embed(np.stack(pair[:2]))
        return plain[scores_alone].compare_pairs(features[:1], features[1:])

    def explained(pair: Pair) -> Arrays:
        if not warm:  # the first call of a process traces functions
            warm.append(judging.explain(mapped, verify, pair))
        return judging.explain(mapped, verify, pair)

    def result(what: str, pair: Pair, make: Callable[[], Arrays], **rest) -> Arrays:
        faces = sha256_of(*pair[:2])
        about = Key(what=what, code=code, verifier=verifier.identity, faces=faces, **rest)
        return kept(cache, about, make)

    def judged(pair: Pair, maps: Arrays) -> Arrays:
        of_cells = result("drops", pair, lambda: judging.drops(lite, pair))
        return judging.judge(lite, pair, maps, of_cells)

    maps, judgements, checked = [], [], []
    name = {"method": method.name}
    for number, pair in enumerate(tqdm(pairs, contender.label, unit="pair")):
        maps.append(result("maps", pair, lambda pair=pair: explained(pair), **name))
        against = {**name, "same": pair.same, "threshold": verifier.threshold()}
        make = lambda pair=pair, of=maps[-1]: judged(pair, of)  # noqa: E731
        judgements.append(result("judged", pair, make, **against))
        if number < SANITY_PAIRS:
            make = lambda pair=pair: judging.check(contender, pair)  # noqa: E731
            checked.append(result("checked", pair, make, **name))
    same = np.array([pair.same for pair in pairs])
    seconds = np.stack([x["seconds"] for x in maps])
    return Found(contender, same, judgements, checked, seconds, maps[0]["passes"])
