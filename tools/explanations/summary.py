"""From what was measured of each pair to means with intervals, and differences pair by pair.

Areas under curves compare maps of one verifier only: a verifier that bears more has the greater
area whatever the map. So each method is held against a random map on its own verifier, and xCos
with the others on its own by how much each gains over that. A random map ranks cells no better than
chance, so that an agreement with cell ablation is a gain as it stands.
"""

from collections.abc import Sequence

import numpy as np

from tools.explanations.rows import (
    AREAS,
    CONTROL,
    FILLINGS,
    XCOS,
    CurvePoint,
    Measure,
    is_better_high,
)
from tools.explanations.run import Found
from xcos_tf.explain.faithfulness.deletion import area
from xcos_tf.metrics.intervals import mean_over_pairs

NOTHING = (None, None, None)


def measures(found: Sequence[Found], set_sha256: str) -> list[Measure]:
    """Return every mean of every contender on the same pairs, the controls among them."""
    rows = []
    controls = {id(x.contender.verifier): x for x in found if x.contender.method.name == CONTROL}
    gains = [_gains(x, controls[id(x.contender.verifier)]) for x in found]
    xcos = {
        id(x.contender.verifier): gain
        for x, gain in zip(found, gains, strict=True)
        if x.contender.method.name == XCOS
    }
    for one, gain in zip(found, gains, strict=True):
        of_xcos = xcos.get(id(one.contender.verifier), {})
        name, checked = one.contender.method.name, _sanity(one)
        hashes = one.contender.verifier.sha256, set_sha256
        for place, values in {**_faithfulness(one), **checked}.items():
            gained, lead = NOTHING, NOTHING
            if place not in checked and name != CONTROL:
                gained = mean_over_pairs(gain[place])
                if place in of_xcos and name != XCOS:
                    lead = mean_over_pairs((gain[place] - of_xcos[place]).round(9))
            estimates = *mean_over_pairs(values), *gained, *lead
            rows.append(Measure(*_who(one), *place, len(values), *estimates, *hashes))
        for measure, value in (
            ("seconds", np.median(one.seconds[:, 0])),
            ("ratio", np.median(one.seconds[:, 0] / one.seconds[:, 1])),
            ("forward passes", one.passes[0]),
            ("backward passes", one.passes[1]),
        ):
            alone = *(len(one.same), float(value), None, None), *NOTHING, *NOTHING
            rows.append(Measure(*_who(one), measure, "", *alone, *hashes))
    return rows


def curve_points(found: Sequence[Found], set_sha256: str) -> list[CurvePoint]:
    """Return the curves of every contender, the mean over its pairs."""
    points = []
    for one in found:
        for measure in AREAS:
            for filling in FILLINGS:
                curves = _stacked(one, f"{measure} {filling}")
                if len(curves):
                    means = curves.mean(axis=0)
                    shares = np.linspace(0, 1, means.shape[1]).round(6)
                    hashes = one.contender.verifier.sha256, set_sha256
                    points += [
                        CurvePoint(*_who(one), measure, filling, *place, *hashes)
                        for place in zip(shares.tolist(), *means.tolist(), strict=True)
                    ]
    return points


def _who(one: Found) -> tuple[str, str, str]:
    verifier = one.contender.verifier
    return one.contender.method.name, verifier.config["name"], verifier.attention


def _faithfulness(one: Found) -> dict[tuple[str, str], np.ndarray]:
    """Return {(measure, filling): a value for each pair that has one}."""
    values = {}
    for measure in AREAS:
        for filling in FILLINGS:
            curves = _stacked(one, f"{measure} {filling}")
            if len(curves):
                scores, right = area(curves).T
                values |= {(measure, filling): scores, (f"{measure} accuracy", filling): right}
    for filling in FILLINGS:
        values["cell ablation", filling] = _stacked(one, f"cells {filling}")[:, 0]
    return values


def _stacked(one: Found, name: str) -> np.ndarray:
    """Return what `judge` calls so, of the pairs that have it; empty if none has."""
    return np.array([judged[name] for judged in one.judged if name in judged])


def _gains(one: Found, control: Found) -> dict[tuple[str, str], np.ndarray]:
    """Return by how much each pair's value is better than the control's."""
    expected = _faithfulness(control)
    # The control is not signed; of a random map, what is called least is as random as the most.
    for (measure, detail), values in list(expected.items()):
        expected[measure.replace("impostor", "dissimilarity"), detail] = values
    gains = {}
    for (measure, detail), values in _faithfulness(one).items():
        gains[measure, detail] = values
        if measure != "cell ablation":
            # Rounded, so that areas which are the same have no difference, nor a lead of it.
            difference = (values - expected[measure, detail]).round(9)
            gains[measure, detail] = difference if is_better_high(measure) else -difference
    return gains


def _sanity(one: Found) -> dict[tuple[str, str], np.ndarray]:
    """Return what each check gave that the method claims to pass; of random weights, by stage."""
    if not one.checked:
        return {}
    stages = np.array([checked["random weights"] for checked in one.checked]).T
    names = ["shift", "swap"] if one.contender.method.symmetric else ["shift"]
    return {
        **{("random weights", f"stage {i} of {len(stages)}"): x for i, x in enumerate(stages, 1)},
        **{(name, ""): np.array([checked[name][0] for checked in one.checked]) for name in names},
    }
