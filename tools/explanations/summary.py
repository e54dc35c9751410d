"""From what was measured of each pair to rows of CSV files: means, and differences pair by pair.

Areas under curves compare maps of one verifier only: a verifier that bears more has the greater
area whatever the map. So each method is held against a random map on its own verifier, and two
methods that explain the same score by how much each gains over that. A random map ranks cells no
better than chance, so that an agreement with cell ablation is a gain as it stands.
"""

from collections import namedtuple
from collections.abc import Sequence
from functools import partial
from itertools import permutations

import numpy as np

from xcos_tf.explain.benchmark.measuring import CELL_FILLS, CONTROL, FILLS, WHATIF, Found
from xcos_tf.explain.faithfulness.deletion import accuracy_under_removal, area
from xcos_tf.metrics.intervals import mean_over_pairs

XCOS = "xcos"
OURS = (XCOS, WHATIF)
"""The methods that are compared with every other one of the same score."""
AREAS = ("genuine deletion", "genuine insertion", "impostor deletion", "impostor insertion")
"""The areas under curves of the score that are measured; with " accuracy" after it, under those of
how often the verdict is right."""
MAIN = FILLS[0]
MAIN_PLACES = (*(("cell ablation", x) for x in CELL_FILLS), *((area, MAIN) for area in AREAS))
"""The measures by which methods are compared, and the fill of each."""


def is_better_high(measure: str) -> bool:
    """Return whether a good map has a large area, of one such as "genuine deletion accuracy"."""
    kind, curve, *accuracy = measure.split()
    # An impostor pair is judged rightly while its score is low.
    return (curve == "insertion") != bool(accuracy and kind == "impostor")


Measure = namedtuple(
    "Measure",
    "set method preset score measure detail pairs value low high gain gain_low gain_high "
    "preset_sha256 set_sha256",
    defaults=[None] * 5 + ["", ""],
)
"""One measure of one method on a set, by the verifier that it explains and is judged by.

`measure` is "cell ablation", one of `AREAS`, such with " accuracy" after it;
"random weights" or "shift", which are checks; "seconds", the "ratio" to a plain verification,
"forward passes" or "backward passes". `detail` is the fill. `value` is the mean over `pairs`, or
a median where it is of time, with its 95 % interval if it has one; `gain` by how much it is better
than the control on the same verifier, pair by pair.
"""

Lead = namedtuple(
    "Lead",
    "set method other preset score measure detail pairs value low high preset_sha256 set_sha256",
)
"""By how much the gain of one of `OURS` is greater than that of another method on the same score,
pair by pair: the mean over `pairs` with its 95 % interval, at one of `MAIN_PLACES`."""

CurvePoint = namedtuple(
    "CurvePoint",
    "set method preset score measure fill pairs share value accuracy preset_sha256 set_sha256",
    defaults=["", ""],
)
"""The mean score with a share of the pixels removed or revealed, and the verifier's accuracy."""
Values = dict[tuple[str, str], np.ndarray]
"""{(measure, fill or other detail): a value for each pair that has one}."""


def measures(found: Sequence[Found], name: str, set_sha256: str) -> list[Measure]:
    """Return every mean of every contender on a set of this name, the controls among them."""
    rows = []
    for one, of_one, gain in _with_gains(found):
        row = partial(Measure, name, *_who(one), **_hashes(one, set_sha256))
        for place, of_pairs in of_one.items():
            gained = mean_over_pairs(gain[place]) if place in gain else ()
            rows.append(row(*place, len(of_pairs), *mean_over_pairs(of_pairs), *gained))
        seconds, passes = (np.array(one.measured[x]) for x in ("seconds", "passes"))
        costs = {
            "seconds": np.median(seconds[:, 0]),
            "ratio": np.median(seconds[:, 0] / seconds[:, 1]),
            "forward passes": passes[0, 0],
            "backward passes": passes[0, 1],
        }
        rows += [row(measure, "", len(one.same), float(x)) for measure, x in costs.items()]
    return rows


def leads(found: Sequence[Found], name: str, set_sha256: str) -> list[Lead]:
    """Return how each of our methods compares with every other one of the same score."""
    rows = []
    for (one, _, gain), (other, _, others) in permutations(_with_gains(found), 2):
        (method, *score), (rival, *same) = _who(one), _who(other)
        if method in OURS and rival != CONTROL and score == same:
            for place in MAIN_PLACES:
                lead = _difference(gain[place], others[place])
                of = method, rival, *score, *place, len(lead), *mean_over_pairs(lead)
                rows.append(Lead(name, *of, **_hashes(one, set_sha256)))
    return rows


def curve_points(found: Sequence[Found], name: str, set_sha256: str) -> list[CurvePoint]:
    """Return the curves of every contender, the mean over its pairs of each kind."""
    points = []
    for one in found:
        point = partial(CurvePoint, name, *_who(one), **_hashes(one, set_sha256))
        for place, curves in _curves(one).items():
            means = curves.mean(axis=0)
            shares = np.linspace(0, 1, means.shape[1]).round(6)
            along = zip(shares.tolist(), *means.tolist(), strict=True)
            points += [point(*place, len(curves), *x) for x in along]
    return points


def _who(one: Found) -> tuple[str, str, str]:
    """Return the method, the preset and the score that it explains."""
    return one.contender.method.name, one.contender.verifier.config["name"], one.contender.attention


def _hashes(one: Found, set_sha256: str) -> dict[str, str]:
    weights = one.contender.verifier.config["weights"]
    return {"preset_sha256": weights["sha256"], "set_sha256": set_sha256}


def _curves(one: Found) -> Values:
    """Return {(measure, fill): float64 (pairs of the kind, 2, steps + 1)}: score, accuracy."""
    threshold = one.contender.verifier.threshold(one.contender.attention)
    found = {}
    for fill in FILLS:
        of_pairs = list(zip(one.measured.get(f"curves {fill}", ()), one.same, strict=False))
        for measure in AREAS if of_pairs else ():
            kind, curve = measure.split()
            same = kind == "genuine"
            scores = np.stack([curves[curve] for curves, of_same in of_pairs if of_same == same])
            right = [accuracy_under_removal(x, same, threshold) for x in scores]
            found[measure, fill] = np.stack([scores.mean(axis=1), right], axis=1)
    return found


def _values(one: Found) -> Values:
    """Return how faithful the maps are, then the checks, whose detail is empty."""
    measured = one.measured
    values = {("cell ablation", x): np.array(measured[f"cells {x}"]) for x in CELL_FILLS}
    for (measure, fill), curves in _curves(one).items():
        scores, right = area(curves).T
        values |= {(measure, fill): scores, (f"{measure} accuracy", fill): right}
    checks = [x for x in ("random weights", "shift") if x in measured]
    return values | {(x, ""): np.concatenate(measured[x]) for x in checks}


def _with_gains(found: Sequence[Found]) -> list[tuple[Found, Values, Values]]:
    """Return what was measured of each, a value for each pair, and its gains over the control."""
    valued = [(one, _values(one)) for one in found]
    controls = {_who(one)[1:]: x for one, x in valued if one.contender.method.name == CONTROL}
    return [(one, of_one, _gains(of_one, controls[_who(one)[1:]])) for one, of_one in valued]


def _gains(values: Values, control: Values) -> Values:
    """Return by how much each pair's values are better than the control's; {} of the control."""
    gains = {}
    for (measure, fill), of_pairs in values.items() if values is not control else ():
        if measure == "cell ablation":
            gains[measure, fill] = of_pairs
        elif fill:
            gain = _difference(of_pairs, control[measure, fill])
            gains[measure, fill] = gain if is_better_high(measure) else -gain
    return gains


def _difference(values: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the differences of pairs, rounded, so that the same is the same."""
    return (values - others).round(9)
