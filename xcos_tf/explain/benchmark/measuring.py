"""All contenders on all pairs of a set, with what was measured before taken from the cache."""

from collections.abc import Sequence
from functools import cache, partial
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from xcos_tf.errors import XcosError
from xcos_tf.evaluation.drawn_pairs import Pair
from xcos_tf.evaluation.score_cache import ScoreCache, code_version, sha256_of
from xcos_tf.explain import faithfulness
from xcos_tf.explain.benchmark import judging, making
from xcos_tf.explain.benchmark.judging import OneScore
from xcos_tf.explain.benchmark.making import Arrays
from xcos_tf.explain.explanation import Method
from xcos_tf.explain.faithfulness.cell_ablation import agreement
from xcos_tf.explain.methods.registry import method
from xcos_tf.explain.methods.xcos import NAMES
from xcos_tf.models.preset_folder import find_preset, whatif_file
from xcos_tf.models.preset_threshold import PLAIN_COSINE
from xcos_tf.verifier import Verifier

WHATIF = "xcos-whatif"
CONTROL = "random"
"""The method that every other is held against, on the same verifier."""
CELL_FILLS = ("black", "blur")
"""What covers cells."""
FILLS = ("imputed", "blur", "black")
"""What stands where pixels were removed: the one to go by, and those for comparison."""
COMPARED_PAIRS = 20
"""On how many pairs the fills for comparison are measured."""
SCORES = {"any": ("learned", PLAIN_COSINE), "embedding": (PLAIN_COSINE,)}


@cache
def verifier_of(preset: str, runtime: str) -> Verifier:
    """Return the verifier of a preset, loaded once."""
    return Verifier.from_preset(preset, runtime=runtime)


class Contender(NamedTuple):
    """A method, and the preset's score that it explains and is judged by."""

    method: Method
    preset: str
    attention: str

    @property
    def runtime(self) -> str:
        """What it is run in: methods that look into a plain preset's network take Keras."""
        return "tensorflow" if self.method.needs == "embedding" else "auto"

    @property
    def verifier(self) -> Verifier:
        """Of the preset."""
        return verifier_of(self.preset, self.runtime)


class Found(NamedTuple):
    """What was measured of one contender.

    Attributes:
        contender: whose maps these are.
        same: bool (P,), of the pairs.
        measured: {what: a value or array of each pair, or of the first ones}: "seconds" float64
            (2,), with and without an explanation; "passes" int64 (2,), forward and backward;
            "cells FILL", a rank correlation; "curves FILL", see `judging.curves`; "random
            weights" and "shift" float64 (1,).
    """

    contender: Contender
    same: np.ndarray
    measured: dict[str, list]


def contenders(names: Sequence[str], baseline: str, xcos: str) -> list[Contender]:
    """Return the methods of these names, each on the scores that it can explain.

    A method of a grid explains the preset `xcos`, by its own attention; one of embeddings explains
    `baseline`; one that can explain any verifier explains both, `xcos` by L. The control explains
    every score that is there, and is there whether asked for or not.

    Raises:
        XcosError: there is no method or no preset of a name, or it is not of its kind.
    """
    letters = {name: attention for attention, name in NAMES.items()}
    places = []
    for one in (method(name) for name in dict.fromkeys(names) if name != CONTROL):
        scores = SCORES.get(one.needs) or (letters.get(one.name, "learned"),)
        places += [(one, score) for score in scores]
    control = method(CONTROL)
    scores = dict.fromkeys(score for _, score in places) or SCORES["any"]
    places += [(control, score) for score in scores]
    presets = {score: baseline if score == PLAIN_COSINE else xcos for score in scores}
    for score, preset in presets.items():
        if score not in verifier_of(preset, "auto").attentions:
            kind = "plain" if score == PLAIN_COSINE else "xCos"
            raise XcosError(
                f"the preset {preset!r} has no score {score!r}; give the {kind} preset its place "
                "asks for"
            )
    return [Contender(one, presets[score], score) for one, score in places]


def measure_all(
    who: Sequence[Contender],
    pairs: Sequence[Pair],
    sanity_pairs: int,
    kept_in: ScoreCache,
    baseline: str,
) -> list[Found]:
    """Measure each contender on the same pairs, and check it on the first `sanity_pairs`.

    A verification by the preset `baseline`, in the same runtime, is what costs are stated beside.
    Each result of each pair is kept at once, so that a run that stops goes on where it was.

    Raises:
        XcosError: a map cannot be made, or the cache cannot be written.
    """
    found = {x: [] for x in who}
    code = cache(code_version)
    for number, pair in enumerate(tqdm(pairs, "explanations", unit="pair")):
        features = {x.preset: {} for x in who}
        fills = FILLS if number < COMPARED_PAIRS else FILLS[:1]
        for x in who:
            scorer = OneScore(verifier_of(x.preset, "auto"), x.attention, features[x.preset])
            plain = verifier_of(baseline, x.runtime)
            result = partial(_kept, kept_in, code, x, pair)
            found[x].append(_measure(x, pair, scorer, plain, fills, result))
            if number < sanity_pairs:
                found[x][-1] |= result("checks", partial(_check, x, pair))
    same = np.array([pair.same for pair in pairs])
    return [Found(x, same, _joined(of_pairs)) for x, of_pairs in found.items()]


def _measure(x, pair, scorer, plain, fills, result) -> dict:
    """Return {what: what was measured of one pair}."""
    maps = result("maps", partial(making.explain, x.method, x.verifier, plain, pair))
    found = {"seconds": maps["seconds"], "passes": maps["passes"]}
    for fill in CELL_FILLS:
        drops = result("drops", partial(judging.drops, scorer, pair, fill), fill)
        found[f"cells {fill}"] = agreement(maps["map_a"], drops["drops"])
    for fill in fills:
        make = partial(judging.curves, scorer, pair, maps, fill)
        found[f"curves {fill}"] = result("curves", make, fill)
    return found


def _check(x: Contender, pair: Pair) -> Arrays:
    return judging.check(x.method, x.verifier, verifier_of(x.preset, "tensorflow"), pair)


def _kept(kept_in, code, x, pair, what, make, fill="") -> Arrays:
    """Return a result, kept by all that it follows from."""
    modules, config = [making.__name__], x.verifier.config
    key = {"what": what, "faces": sha256_of(*pair[:2]), "model": config["model"]}
    key["weights"] = config["weights"]["sha256"]
    if what != "maps":
        modules += [judging.__name__, faithfulness.__name__]
    if what in ("drops", "curves"):
        key |= {"fill": fill, "attention": x.attention}
    if what != "drops":
        modules.append(type(x.method).__module__)
        key |= {"method": x.method.name}
        if x.method.name == WHATIF:  # by a file beside the weights
            key |= {"whatif": sha256_of(whatif_file(find_preset(x.preset)).read_bytes())}
    return kept_in.kept({**key, "code": code(*modules)}, make)


def _joined(of_pairs: Sequence[dict]) -> dict[str, list]:
    """Return what was measured of all pairs; of what is not of all, the first ones have it."""
    joined = {}
    for measured in of_pairs:
        for name, value in measured.items():
            joined.setdefault(name, []).append(value)
    return joined
