"""All contenders on all pairs, with what was done before taken from the cache."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from tqdm import tqdm

from tools.code_version import code_version
from tools.explanations import checking, judging, mapping
from tools.explanations.contenders import Contender, OneScore, plain_cosine
from tools.explanations.drawn_pairs import DrawnPairs, Pair
from tools.explanations.keeping import Arrays, Kept, kept
from tools.explanations.lite_score import LiteScore
from xcos_tf.evaluation.score_cache import ScoreCache

SANITY_PAIRS = 10
"""How many are checked for sanity, which takes ten explanations each."""


@dataclass(frozen=True)
class Found:
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
    who: Sequence[Contender],
    pairs: DrawnPairs,
    cache: ScoreCache,
    baseline: str,
    sanity_pairs: int = SANITY_PAIRS,
) -> list[Found]:
    """Measure each contender on the same pairs, with a progress bar for each.

    A plain verification, beside which costs are stated, is by the preset `baseline`.
    Each result of each pair is kept at once, so that a run that stops goes on where it was.

    Raises:
        XcosError: a map cannot be made, or the cache cannot be written.
    """
    lite = {x.verifier: LiteScore(x.verifier.source, x.verifier.attention) for x in who}
    plain = tuple(kind(*plain_cosine(baseline)) for kind in (OneScore, LiteScore))
    return [_Measuring(x, lite[x.verifier], plain, cache).measure(pairs, sanity_pairs) for x in who]


class _Measuring:
    """One contender under measurement.

    Whoever asks a verifier for nothing but scores asks the one in TFLite: what judges maps, and
    methods that can explain any verifier, beside a plain verification in TFLite.
    """

    def __init__(
        self,
        contender: Contender,
        lite: LiteScore,
        plain: tuple[OneScore, LiteScore],
        cache: ScoreCache,
    ):
        self._contender, self._lite, self._cache = contender, lite, cache
        scores_alone = contender.method.needs == "any"
        self._mapped = replace(contender, verifier=lite) if scores_alone else contender
        self._plain = plain[scores_alone]
        self._warm = False
        method = type(contender.method).__module__
        sources = {
            "maps": (mapping.__name__, method),
            "drops": (judging.__name__,),
            "judged": (judging.__name__, mapping.__name__, method),
            "checked": (checking.__name__, method),
        }
        self._code = {what: code_version(modules) for what, modules in sources.items()}

    def measure(self, pairs: DrawnPairs, sanity_pairs: int) -> Found:
        maps, judged, checked = [], [], []
        for number, pair in enumerate(tqdm(pairs, self._contender.label, unit="pair")):
            maps.append(self._maps(pair))
            judged.append(self._judged(pair, maps[-1]))
            if number < sanity_pairs:
                checked.append(self._checked(pair))
        return Found(
            self._contender,
            pairs.same,
            judged,
            checked,
            np.stack([x["seconds"] for x in maps]),
            maps[0]["passes"],
        )

    def _maps(self, pair: Pair) -> Arrays:
        def make():
            if not self._warm:  # the first call of a process traces functions
                mapping.explain(self._mapped, self._verify, pair)
                self._warm = True
            return mapping.explain(self._mapped, self._verify, pair)

        return self._kept("maps", pair, make, method=self._contender.method.name)

    def _judged(self, pair: Pair, maps: Arrays) -> Arrays:
        verifier, name = self._lite, self._contender.method.name

        def make():
            of_cells = self._kept("drops", pair, lambda: judging.drops(verifier, pair))
            return judging.judge(verifier, pair, maps, of_cells)

        against = {"same": pair.same, "threshold": verifier.threshold()}
        return self._kept("judged", pair, make, method=name, **against)

    def _checked(self, pair: Pair) -> Arrays:
        def make():
            return checking.check(self._contender, pair)

        return self._kept("checked", pair, make, method=self._contender.method.name)

    def _kept(self, what: str, pair: Pair, make: Callable[[], Arrays], **rest) -> Arrays:
        key = Kept.of(what, self._code[what], self._contender.verifier, pair, **rest)
        return kept(self._cache, key, make)

    def _verify(self, pair: Pair) -> np.ndarray:
        features = self._plain.embed(np.stack([pair.face_a, pair.face_b]))
        return self._plain.compare_pairs(features[:1], features[1:])
