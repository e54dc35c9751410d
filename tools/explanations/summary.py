"""From what was measured of each pair to rows of CSV files: means, and differences pair by pair.

Areas under curves compare maps of one verifier only: a verifier that bears more has the greater
area whatever the map. So each method is held against a random map on its own verifier, and xCos
with the others on its own by how much each gains over that. A random map ranks cells no better than
chance, so that an agreement with cell ablation is a gain as it stands. Where one of two was
measured on fewer pairs, a difference is over those.
"""

from collections import namedtuple
from collections.abc import Sequence
from functools import partial

import numpy as np

from xcos_tf.explain.benchmark.measuring import CELL_FILLS, CONTROL, FILLS, Found
from xcos_tf.explain.faithfulness.deletion import accuracy_under_removal, area
from xcos_tf.metrics.intervals import mean_over_pairs

XCOS = "xcos"
AREAS = ("genuine deletion", "genuine insertion", "impostor deletion", "impostor insertion")
"""The areas under curves of the score that are measured; with " accuracy" after it, under those of
how often the verdict is right."""


def is_better_high(measure: str) -> bool:
    """Return whether a good map has a large area, of one such as "genuine deletion accuracy"."""
    kind, curve, *accuracy = measure.split()
    # An impostor pair is judged rightly while its score is low.
    return (curve == "insertion") != bool(accuracy and kind == "impostor")


Measure = namedtuple(
    "Measure",
    "set method preset score measure detail pairs value low high gain gain_low gain_high lead "
    "lead_low lead_high preset_sha256 set_sha256",
    defaults=[None] * 8 + ["", ""],
)
"""One measure of one method on a set, by the verifier that it explains and is judged by.

`measure` is "cell ablation", one of `AREAS`, such with " accuracy" after it;
"random weights" or "shift", which are checks; "seconds", the "ratio" to a plain verification,
"forward passes" or "backward passes". `detail` is the fill. `value` is the mean over `pairs`, or
a median where it is of time, with its 95 % interval if it has one; `gain` by how much it is better
than the control on the same verifier, pair by pair; `lead` by how much its gain is greater than
xCos's, if that is on the same verifier.
"""

CurvePoint = namedtuple(
    "CurvePoint",
    "set method preset score measure fill pairs share value accuracy preset_sha256 set_sha256",
    defaults=["", ""],
)
"""The mean score with a share of the pixels removed or revealed, and the verifier's accuracy."""
NOTHING = (None, None, None)
Values = dict[tuple[str, str], np.ndarray]
"""{(measure, fill or other detail): a value for each pair that has one}."""


def measures(found: Sequence[Found], name: str, set_sha256: str) -> list[Measure]:
    """Return every mean of every contender on a set of this name, the controls among them."""
    who, values = [x.contender for x in found], list(map(_values, found))
    controls = {x[1:]: y for x, y in zip(who, values, strict=True) if x.method.name == CONTROL}
    gains = [_gains(y, controls[x[1:]]) for x, y in zip(who, values, strict=True)]
    of_xcos = {x[1:]: gain for x, gain in zip(who, gains, strict=True) if x.method.name == XCOS}
    rows = []
    for one, of_one, gain in zip(found, values, gains, strict=True):
        row = _row_of(Measure, one, name, set_sha256)
        xcos_gain = {} if one.contender.method.name == XCOS else of_xcos.get(one.contender[1:], {})
        for place, of_pairs in of_one.items():
            gained, lead = NOTHING, NOTHING
            if place in gain:
                gained = mean_over_pairs(gain[place])
                if place in xcos_gain:
                    lead = mean_over_pairs(_difference(gain[place], xcos_gain[place]))
            rows.append(row(*place, len(of_pairs), *mean_over_pairs(of_pairs), *gained, *lead))
        seconds, passes = (np.array(one.measured[x]) for x in ("seconds", "passes"))
        costs = {
            "seconds": np.median(seconds[:, 0]),
            "ratio": np.median(seconds[:, 0] / seconds[:, 1]),
            "forward passes": passes[0, 0],
            "backward passes": passes[0, 1],
        }
        rows += [row(measure, "", len(one.same), float(x)) for measure, x in costs.items()]
    return rows


def curve_points(found: Sequence[Found], name: str, set_sha256: str) -> list[CurvePoint]:
    """Return the curves of every contender, the mean over its pairs of each kind."""
    points = []
    for one in found:
        point = _row_of(CurvePoint, one, name, set_sha256)
        for place, curves in _curves(one).items():
            means = curves.mean(axis=0)
            shares = np.linspace(0, 1, means.shape[1]).round(6)
            along = zip(shares.tolist(), *means.tolist(), strict=True)
            points += [point(*place, len(curves), *x) for x in along]
    return points


def _row_of(kind: type, one: Found, name: str, set_sha256: str) -> partial:
    """Return what makes rows of a kind that say who was measured, and on which set."""
    contender, config = one.contender, one.contender.verifier.config
    who = contender.method.name, config["name"], contender.attention
    hashes = {"preset_sha256": config["weights"]["sha256"], "set_sha256": set_sha256}
    return partial(kind, name, *who, **hashes)


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
    """Return the differences of the pairs that both have, rounded, so that the same is the same."""
    count = min(len(values), len(others))
    return (values[:count] - others[:count]).round(9)
